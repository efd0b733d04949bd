"""SPION's attention as modules."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from spion import _checks
from spion._attention import block_sparse_attention, mean_attention_map
from spion._pattern import SMALLEST_BLOCK, BlockPattern, saved_mask

__all__ = ["SpionAttention", "MultiheadSelfAttention"]


class SpionAttention(nn.Module):
    """Attention over q, k, v: dense until it is given a block pattern, block-sparse from then on.

    A drop-in for ``scaled_dot_product_attention(q, k, v)`` without causal mask and dropout. It has
    no parameters. ``state_dict`` holds the pattern, and loading one with a pattern makes a dense
    layer sparse; one without is refused by a sparse layer (``set_pattern(None)`` makes it dense).

    Args:
        pruned, tf32, deterministic: as block_sparse_attention takes them.
    """

    pattern: BlockPattern | None
    # Of the pattern that a PhaseController is going to make.
    _planned_block_size: int | None = None

    def __init__(self, *, pruned: str = "zero", tf32: bool = False,
                 deterministic: bool = True) -> None:
        super().__init__()
        _checks.check_options("spion.nn.SpionAttention", pruned, tf32, deterministic)
        self.pruned, self.tf32, self.deterministic = pruned, tf32, deterministic
        self.register_module("pattern", None)
        # Where a pattern that is loaded belongs.
        self.register_buffer("_place", torch.empty(0), persistent=False)
        self._map_requested = False
        self._map: Tensor | None = None

    def forward(self, q: Tensor, k: Tensor, v: Tensor, padding: Tensor | None = None) -> Tensor:
        """softmax(q k^T / sqrt d) v: q, k, v [B, H, L, d], padding as block_sparse_attention's."""
        if self.pattern is not None:
            return block_sparse_attention(q, k, v, self.pattern, padding=padding,
                                          pruned=self.pruned, tf32=self.tf32,
                                          deterministic=self.deterministic)
        if self._trains_for_a_controller():
            # Before training, and not when the pattern is made, perhaps hours later.
            _checks.taken_heads("spion.nn.SpionAttention", q, k, v, cast=False)
            _check_length(q.shape[2], self._planned_block_size)
        if self._map_requested and self.training:
            self._map = mean_attention_map(q, k, padding=padding, tf32=self.tf32)
            self._map_requested = False
        valid = _valid_keys(padding, k)
        mask = None if valid is None else valid[:, None, None, :]
        return functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    def _trains_for_a_controller(self) -> bool:
        return self.training and self._planned_block_size is not None

    def _replicate_for_data_parallel(self) -> "SpionAttention":
        if self._trains_for_a_controller():
            raise RuntimeError("spion.nn.SpionAttention: the attention maps of torch.nn.DataParallel's "
                               "replicas are lost, so that a PhaseController has none; take "
                               "torch.nn.parallel.DistributedDataParallel")
        return super()._replicate_for_data_parallel()

    def request_map(self) -> None:
        """Makes the next forward pass in training compute its attention map too. Dense phase only.

        Raises:
            RuntimeError: in the sparse phase.
        """
        if self.pattern is not None:
            raise RuntimeError("spion.nn.SpionAttention: the sparse phase computes no attention map; "
                               "set_pattern(None) makes the layer dense again")
        self._map_requested = True

    def take_map(self) -> Tensor:
        """The map of that forward pass, float32 [L, L].

        Raises:
            RuntimeError: if there is none.
        """
        if self._map is None:
            raise RuntimeError("spion.nn.SpionAttention: no attention map was captured; call "
                               "request_map(), then run a forward pass in training mode")
        captured, self._map = self._map, None
        return captured

    def set_pattern(self, pattern: BlockPattern | None) -> None:
        """Makes the layer sparse by this pattern, or with None dense again.

        A CUDA graph that was recorded before goes on with what there was: record it anew.

        Raises:
            TypeError: for what is neither.
        """
        if pattern is not None and not isinstance(pattern, BlockPattern):
            raise TypeError(f"spion.nn.SpionAttention: pattern is a {type(pattern).__name__}, "
                            "expected a spion.BlockPattern or None")
        self.pattern = pattern
        self._map_requested, self._map, self._planned_block_size = False, None, None

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str,
                              local_metadata: dict[str, Any], *rest: Any) -> None:
        # torch loads children after this: so one that is there only in what is loaded is made here.
        held = state_dict.get(prefix + "pattern._extra_state")
        # With assign=True all stays where it is loaded from, as parameters do.
        assign = local_metadata.get("assign_to_params_buffers", False)
        if held is not None and (assign or self.pattern is None):
            pattern = BlockPattern(*saved_mask(held))
            self.set_pattern(pattern if assign else pattern.to(self._place.device))
        if assign and self.pattern is not None:
            self._place = self._place.new_empty(0, device=self.pattern.packed.device)
        elif assign and self._place.is_meta:
            # Else the model could not be moved: nothing is loaded for a dense layer.
            self._place = self._place.new_empty(0, device="cpu")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


def _check_length(length: int, block_size: int) -> None:
    if length % block_size != 0:
        smaller = ", or take smaller blocks" if length % SMALLEST_BLOCK == 0 else ""
        raise ValueError(f"spion.nn.SpionAttention: q has a length of {length}, which the "
                         f"PhaseController's blocks of {block_size} do not divide; pad the "
                         f"sequences{smaller}")


def _valid_keys(padding: Tensor | None, k: Tensor) -> Tensor | None:
    """Bool [B, L], L of the keys: a dense layer takes other numbers of them than of queries."""
    padding = _checks.checked_padding("spion.nn.SpionAttention", padding, k)
    if padding is None or padding.dtype == torch.bool:
        return padding
    return torch.arange(k.shape[2], device=k.device) < padding[:, None]


class MultiheadSelfAttention(nn.MultiheadAttention):
    """torch.nn.MultiheadAttention for self-attention, with SpionAttention at its heart.

    Parameters have the names and values that they had there, so a state_dict of the one fits the
    other. spion.convert puts it in.

    Attributes:
        attention: the SpionAttention, for a PhaseController.
    """

    def __init__(self, embed_dim: int, num_heads: int, bias: bool = True, *, pruned: str = "zero",
                 tf32: bool = False, deterministic: bool = True, device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__(embed_dim, num_heads, bias=bias, batch_first=True, device=device,
                         dtype=dtype)
        self.attention = SpionAttention(pruned=pruned, tf32=tf32, deterministic=deterministic)
        # Keeps torch.nn.TransformerEncoderLayer from its fast path, which calls no attention module.
        self._qkv_same_embed_dim = False

    @classmethod
    def of(cls, module: nn.MultiheadAttention, *, pruned: str = "zero", tf32: bool = False,
           deterministic: bool = True) -> "MultiheadSelfAttention":
        """One with the parameters of another attention: the same objects, which optimisers know."""
        made = cls(module.embed_dim, module.num_heads, module.in_proj_bias is not None,
                   pruned=pruned, tf32=tf32, deterministic=deterministic, device="meta")
        made.in_proj_weight, made.in_proj_bias = module.in_proj_weight, module.in_proj_bias
        made.out_proj = module.out_proj
        return made.train(module.training)

    def forward(self, query: Tensor, key: Tensor, value: Tensor,
                key_padding_mask: Tensor | None = None, need_weights: bool = True,
                attn_mask: Tensor | None = None, average_attn_weights: bool = True,
                is_causal: bool = False) -> tuple[Tensor, None]:
        """As torch.nn.MultiheadAttention's, of one [B, L, embed_dim] for query, key and value.

        Or [L, embed_dim], without a batch, as there.

        Args:
            key_padding_mask: [B, L], without a batch [L]; bool, true for padding, or float, 0 for
                valid keys and -inf for padding, or what is as good, a number of at most -1000. On a
                GPU, where looking at numbers would wait for it, and when traced, all but 0 counts as
                padding; else another number is refused.

        Raises:
            TypeError: for a key_padding_mask of another dtype.
            ValueError: for other sizes, and what block-sparse attention has not: other keys than
                queries, weights, an attention mask, causality, numbers to add to the scores of keys.
        """
        name = "spion.nn.MultiheadSelfAttention"
        if key is not query or value is not query:
            raise ValueError(f"{name}: key or value is not the query; it is for self-attention alone")
        if need_weights:
            raise ValueError(f"{name}: need_weights is True, but no weights are ever in memory; call "
                             "it with need_weights=False")
        if attn_mask is not None or is_causal:
            raise ValueError(f"{name}: attn_mask and is_causal are not taken: every query sees all "
                             "valid keys")
        if query.dim() not in (2, 3) or query.shape[-1] != self.embed_dim:
            raise ValueError(f"{name}: query is {list(query.shape)}, expected [batch, length, "
                             f"{self.embed_dim}], or [length, {self.embed_dim}]")
        padding = None
        if key_padding_mask is not None:
            if key_padding_mask.shape != query.shape[:-1]:
                raise ValueError(f"{name}: key_padding_mask is {list(key_padding_mask.shape)}, "
                                 f"expected {list(query.shape[:-1])}")
            padding = _checks.valid_keys(name, key_padding_mask)
        if query.dim() == 2:
            out = self._attend(query[None], None if padding is None else padding[None])
            return out[0], None
        return self._attend(query, padding), None

    def _attend(self, x: Tensor, padding: Tensor | None) -> Tensor:
        batch, length, _ = x.shape
        qkv = functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.view(batch, length, 3, self.num_heads, self.head_dim).permute(2, 0, 3, 1, 4)
        heads = self.attention(q, k, v, padding)
        return self.out_proj(heads.transpose(1, 2).reshape(batch, length, self.embed_dim))

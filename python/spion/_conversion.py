"""SPION's attention in the place of torch's, in a model that is there."""

import dataclasses

from torch import nn

from spion import _checks
from spion.nn import MultiheadSelfAttention, SpionAttention

_DROPOUT = ("error", "drop")


@dataclasses.dataclass(frozen=True)
class Conversion:
    """What spion.convert did.

    Attributes:
        layers: the attentions that it put in, in the model's order: for a PhaseController.
        replaced: their names in the model.
        dropped: name -> dropout of its probabilities, of each that had one and has none now.
        left: name -> why, of each torch.nn.MultiheadAttention that it left as it was.
    """

    layers: list[SpionAttention]
    replaced: list[str]
    dropped: dict[str, float]
    left: dict[str, str]

    def __str__(self) -> str:
        said = f"replaced {len(self.replaced)} of {len(self.replaced) + len(self.left)} attentions"
        if self.dropped:
            said += (f", {len(self.dropped)} of them without the dropout of their probabilities that "
                     f"they had ({_shares(self.dropped)})")
        return "\n".join([said, *(f"left {name}: {why}" for name, why in self.left.items())])


def convert(model: nn.Module, *, pruned: str = "zero", tf32: bool = False,
            deterministic: bool = True, dropout: str = "error") -> Conversion:
    """Replaces each torch.nn.MultiheadAttention of a model by SPION's, where that can be done.

    In place. Parameters stay the same objects, of the same names, so optimisers and state_dicts fit.
    Until a pattern is set the model computes what it did before, but for dropped dropout. What cannot
    be replaced (a decoder's, heads of a size that no kernel has, hooks, ...) stays and is named in the
    result. How a model calls an attention is not seen here: a call that asks for weights, or gives
    other keys than queries or a mask that is none of padding, is refused when it comes, as
    spion.nn.MultiheadSelfAttention says.

    Args:
        model: any module; the attention itself is not replaced, as nobody would see it.
        pruned, tf32, deterministic: as block_sparse_attention takes them.
        dropout: what to do where an attention has dropout of its probabilities, as those of
            torch.nn.TransformerEncoderLayer have (0.1) if not told otherwise, and which block-sparse
            attention has not. "error": refuse, and change nothing; "drop": replace it without. The
            dropout behind the attention and in the MLP stays in any case.

    Raises:
        TypeError: for a model that is no module, or tf32 or deterministic that is no bool.
        ValueError: if the model has no torch.nn.MultiheadAttention at all, or converted ones alone, or
            is one itself; or dropout, as said there, or for another pruned or dropout.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"spion.convert: model is a {type(model).__name__}, expected a torch.nn.Module")
    if dropout not in _DROPOUT:
        raise ValueError(f"spion.convert: dropout is {dropout!r}, expected \"error\" or \"drop\"")
    found = [(parent_name, parent, child_name, child)
             for parent_name, parent in model.named_modules()
             for child_name, child in parent._modules.items()  # also one that has two names
             if isinstance(child, nn.MultiheadAttention)
             and not isinstance(child, MultiheadSelfAttention)]
    if isinstance(model, nn.MultiheadAttention):
        raise ValueError("spion.convert: the model is itself a torch.nn.MultiheadAttention, expected a "
                         "module that has one, in which it can be replaced")
    if not found and any(isinstance(child, MultiheadSelfAttention) for child in model.modules()):
        raise ValueError(f"spion.convert: every attention of this {type(model).__name__} is converted "
                         "already")
    if not found:
        raise ValueError(f"spion.convert: {type(model).__name__} has no torch.nn.MultiheadAttention; "
                         "put spion.nn.SpionAttention where it calls its attention")
    conversion = Conversion([], [], {}, {})
    replaceable = []
    for parent_name, parent, child_name, child in found:
        name = f"{parent_name}.{child_name}" if parent_name else child_name
        obstacle = _obstacle(parent, child_name, child)
        if obstacle is not None:
            conversion.left[name] = obstacle
            continue
        replaceable.append((name, parent, child_name, child))
        if child.dropout > 0:
            conversion.dropped[name] = child.dropout
    if conversion.dropped and dropout == "error":
        first, *others = conversion.dropped
        which = f"{first} and {len(others)} more have" if others else f"{first} has"
        raise ValueError(f"spion.convert: {which} a dropout of probabilities "
                         f"({_shares(conversion.dropped)}), which block-sparse attention has not; "
                         "dropout=\"drop\" does without it")
    made = {child: MultiheadSelfAttention.of(child, pruned=pruned, tf32=tf32,
                                             deterministic=deterministic)
            for _, _, _, child in replaceable}
    conversion.layers.extend(attention.attention for attention in made.values())
    for name, parent, child_name, child in replaceable:
        setattr(parent, child_name, made[child])
        conversion.replaced.append(name)
    for module in model.modules():
        if isinstance(module, nn.TransformerEncoder):
            # Nested tensors, which torch makes of padded batches in evaluation, have no length.
            module.use_nested_tensor = False
    return conversion


def _shares(dropped: dict[str, float]) -> str:
    return ", ".join(map(str, sorted(set(dropped.values()))))


def _obstacle(parent: nn.Module, name: str, attention: nn.MultiheadAttention) -> str | None:
    """Why it cannot be replaced; None if it can."""
    if isinstance(parent, nn.TransformerDecoderLayer):
        if name == "multihead_attn":
            return "it attends to another sequence, and SPION's attention is self-attention"
        return "it is a decoder's, which is causal, and SPION's attention is not"
    if type(attention) is not nn.MultiheadAttention:
        return f"it is a {type(attention).__name__}, which may compute something else"
    if not attention.batch_first:
        return "batch_first is False; make it with batch_first=True"
    if not attention._qkv_same_embed_dim:
        return "its keys or values are of another size than its queries"
    if not {"in_proj_weight", "in_proj_bias"} <= attention._parameters.keys():
        return ("its projection is made from other parameters, as pruning and weight or spectral norm "
                "do; make it a parameter again")
    own = _of_its_own(attention)
    if own:
        return (f"it has its own {', '.join(own)}, which what takes its place would lack; convert "
                "first, then add them")
    if attention.bias_k is not None or attention.add_zero_attn:
        return "add_bias_kv or add_zero_attn add keys that no pattern has"
    if attention.head_dim not in _checks.HEAD_DIMS:
        return (f"heads of {attention.head_dim} numbers, expected {_checks.one_of(_checks.HEAD_DIMS)}; "
                "choose another number of heads")
    return None


def _of_its_own(module: nn.Module) -> list[str]:
    """What makes this one module do other things than its class: hooks, or a forward, by name."""
    return [name.strip("_").replace("_", " ") for name, value in vars(module).items()
            if name == "forward" or name.endswith("_hooks") and value]

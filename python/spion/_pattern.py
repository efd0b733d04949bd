"""Block patterns: which blocks of an attention matrix are computed."""

import json
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from spion import _checks, _operators

_BLOCK_SIZES = (16, 32, 64, 128)
SMALLEST_BLOCK, LARGEST_BLOCK = min(_BLOCK_SIZES), max(_BLOCK_SIZES)
_MOST_BLOCKS = 65536
_KINDS = ("c", "f", "cf")


def check_block_size(function: str, block_size: int) -> None:
    """Raises TypeError or ValueError for one that no pattern has."""
    _checks.check_whole(function, block_size=block_size)
    if block_size not in _BLOCK_SIZES:
        raise ValueError(f"{function}: block_size is {block_size}, expected "
                         f"{_checks.one_of(_BLOCK_SIZES)}")


def check_side(function: str, blocks: int) -> None:
    """Raises ValueError for more blocks a side than a pattern has, before memory is asked for."""
    if blocks > _MOST_BLOCKS:
        raise ValueError(f"{function}: {blocks} blocks a side, expected 1 to {_MOST_BLOCKS}; use a "
                         "larger block for a longer sequence")


class BlockPattern(nn.Module):
    """Which b x b blocks of an L x L attention matrix are kept; the main diagonal always is.

    A module of one buffer, so that ``model.to(device)`` moves it, a CUDA graph finds it where it
    was, and ``state_dict`` holds it: as one uint8 tensor of the mask's shape, b where a block is kept,
    0 where not, on the buffer's device. Loading makes the buffer anew, at another place: a CUDA graph
    is to be recorded anew then.

    Args:
        mask: bool [n, n], true where a block is kept, row by row; or [H, n, n] with one a head. The
            diagonal is added.
        block_size: b, in tokens: 16, 32, 64 or 128. The pattern fits sequences of L = n * b.

    Raises:
        TypeError, ValueError: for another mask or block size.
    """

    packed: Tensor

    def __init__(self, mask: Tensor, block_size: int) -> None:
        super().__init__()
        self._keep(mask, block_size)

    def _keep(self, mask: Tensor, block_size: int) -> None:
        if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
            kind = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
            raise TypeError(f"spion.BlockPattern: mask is {kind}, expected a bool Tensor")
        if mask.dim() not in (2, 3) or mask.shape[-1] != mask.shape[-2] or mask.numel() == 0:
            raise ValueError(f"spion.BlockPattern: mask is {list(mask.shape)}, expected [n, n], or "
                             "[heads, n, n], of at least one block")
        check_side("spion.BlockPattern", mask.shape[-1])
        check_block_size("spion.BlockPattern", block_size)
        _check_numbers("spion.BlockPattern", "mask", mask)
        diagonal = torch.eye(mask.shape[-1], dtype=torch.bool, device="cpu")  # whatever the default is
        whole = mask.detach().cpu() | diagonal
        each = whole.reshape(-1, *mask.shape[-2:]).contiguous()
        packed, long_rows, long_lines = _operators.called(torch.ops.spion.pack_pattern.default, each,
                                                          block_size)
        device = self.packed.device if "packed" in self._buffers else mask.device
        self.register_buffer("packed", packed.to(device), persistent=False)
        self.block_size = block_size
        self.patterns, self.blocks_per_side = each.shape[0], each.shape[-1]
        self._numbers = (block_size, self.patterns, self.blocks_per_side, long_rows, long_lines)
        self._mask = whole

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "BlockPattern":
        before = self.packed
        super()._apply(fn, recurse)
        # What fn makes says where, and the mask says what: to_empty() makes no numbers.
        if self.packed is not before:
            self._keep(self._mask, self.block_size)
        return self

    @property
    def mask(self) -> Tensor:
        """bool [n, n], or [H, n, n] where made so, on the CPU; a copy, the diagonal included."""
        return self._mask.clone()

    @property
    def length(self) -> int:
        """L, in tokens."""
        return self.blocks_per_side * self.block_size

    @property
    def kept_blocks(self) -> int:
        """Over all patterns."""
        return int(self._mask.sum())

    @property
    def density(self) -> float:
        """The share of blocks that are kept, diagonal included: above 0, at most 1."""
        return self.kept_blocks / self._mask.numel()

    def arguments(self) -> tuple[Any, ...]:
        """What the operators take of it."""
        return self.packed, *self._numbers

    def arguments_for(self, function: str, q: Tensor) -> tuple[Tensor, tuple[int, ...]]:
        """The same, tensor and numbers. Raises ValueError unless it is a pattern for q [B, H, L, d]."""
        packed, heads = self.packed, q.shape[1]
        if q.shape[2] != self.length:
            of_tokens = self.blocks_per_side == q.shape[2]
            raise ValueError(f"{function}: q has a length of {q.shape[2]}, the pattern one of "
                             f"{self.length}, {self.blocks_per_side} blocks of {self.block_size}; "
                             + ("a mask has one element a block, not one a token" if of_tokens
                                else "pad the sequence, and say so by padding="))
        if self.patterns not in (1, heads):
            raise ValueError(f"{function}: q has {heads} heads, the pattern is for "
                             f"{self.patterns}; give one mask for all, or one a head")
        if packed.device != q.device:
            raise ValueError(f"{function}: the pattern is on {packed.device}, q on {q.device}; "
                             "move it by pattern.to(q.device), or the model that has it")
        return packed, self._numbers

    def extra_repr(self) -> str:
        return (f"length={self.length}, block_size={self.block_size}, patterns={self.patterns}, "
                f"density={self.density:.3f}")

    def get_extra_state(self) -> Tensor:
        state = (self._mask.to(torch.uint8) * self.block_size).contiguous()  # as safetensors wants it
        return state if self.packed.is_meta else state.to(self.packed.device)

    def set_extra_state(self, state: Tensor | dict[str, Any]) -> None:
        self._keep(*saved_mask(state))

    @classmethod
    def from_json(cls, document: str | dict[str, Any]) -> "BlockPattern":
        """One layer's pattern of a C++ run: its text, or what json.loads made of that.

        A run's patterns.json has one for each layer: ``json.load(file)["layers"][0]`` is the first.
        A row need not list its own column: the diagonal is kept always, and kept_blocks counts it.

        Raises:
            ValueError: for what is no pattern, or contradicts itself.
        """
        try:
            pattern = json.loads(document) if isinstance(document, str) else document
            return cls(*_mask_and_block_size(pattern))
        except json.JSONDecodeError as error:
            raise ValueError(f"spion.BlockPattern.from_json: not JSON: {error}") from error
        except (ValueError, RecursionError) as error:
            raise ValueError(f"spion.BlockPattern.from_json: not a block pattern: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """The same, for json.dumps. Raises ValueError for one pattern a head."""
        if self._mask.dim() != 2:
            raise ValueError(f"spion.BlockPattern.to_json: {self.patterns} patterns, one a head, "
                             "expected one for all")
        return {"block_size": self.block_size, "blocks_per_side": self.blocks_per_side,
                "kept_blocks": self.kept_blocks,
                "columns_of_row": [row.nonzero().flatten().tolist() for row in self._mask]}


def saved_mask(state: Tensor | dict[str, Any]) -> tuple[Tensor, int]:
    """Mask and block size of a pattern in a state_dict, in whatever dtype and wherever it comes back.

    Raises ValueError for what no pattern saved.
    """
    if isinstance(state, dict) and state.keys() >= {"mask", "block_size"}:  # of earlier checkpoints
        return state["mask"], state["block_size"]
    if not isinstance(state, Tensor) or state.is_meta or state.numel() == 0:
        what = (f"a tensor {list(state.shape)} on {state.device}" if isinstance(state, Tensor)
                else f"a {type(state).__name__}")
        raise ValueError(f"spion.BlockPattern: a state that is {what}, expected a tensor of numbers, as "
                         "state_dict() returns it")
    mask, block_size = state != 0, state.max()
    if not torch.equal(state, mask.to(state.dtype) * block_size):
        raise ValueError("spion.BlockPattern: a state of several numbers beside 0, expected the block "
                         "size where a block is kept, and nothing else")
    return mask, int(block_size)


def _mask_and_block_size(pattern: Any) -> tuple[Tensor, int]:
    """Of a pattern as JSON has it. Raises ValueError for what is none."""
    if not isinstance(pattern, dict):
        raise ValueError(f"a {type(pattern).__name__}, expected an object, of one layer")
    if "layers" in pattern:
        raise ValueError("it is a run's whole patterns.json; give one of its layers: "
                         'json.load(file)["layers"][0]')
    names = ("block_size", "blocks_per_side", "kept_blocks")
    lacking = [name for name in (*names, "columns_of_row") if name not in pattern]
    if lacking:
        raise ValueError(f"it has no {', '.join(lacking)}")
    block_size, side, kept = (_whole(name, pattern[name]) for name in names)
    rows = pattern["columns_of_row"]
    if not isinstance(rows, list) or len(rows) != side:
        what = f"a list of {len(rows)}" if isinstance(rows, list) else f"a {type(rows).__name__}"
        raise ValueError(f"columns_of_row is {what}, expected a list of {side} rows")
    check_side("columns_of_row", side)
    mask = torch.eye(side, dtype=torch.bool, device="cpu")
    for row, columns in enumerate(rows):
        if not isinstance(columns, list):
            raise ValueError(f"row {row} is a {type(columns).__name__}, expected a list of columns")
        for column in columns:
            if not 0 <= _whole(f"a column of row {row}", column) < side:
                raise ValueError(f"row {row} has the column {column}, of {side}")
        if len(set(columns)) != len(columns):
            twice = next(column for column in columns if columns.count(column) > 1)
            raise ValueError(f"row {row} has the column {twice} more than once")
        mask[row, columns] = True
    if int(mask.sum()) != kept:
        raise ValueError(f"kept_blocks is {kept}, but its rows and the diagonal keep "
                         f"{int(mask.sum())}")
    return mask, block_size


def _check_numbers(function: str, name: str, tensor: Tensor) -> None:
    if tensor.is_meta:
        raise ValueError(f"{function}: {name} is on meta, expected one that has its numbers")


def _whole(name: str, number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool):
        raise ValueError(f"{name} is {number!r}, expected a whole number")
    return number


def generate_pattern(map: Tensor, kind: str, *, block_size: int, density: float | None = None,
                     threshold: float | None = None, filter_width: int = 31) -> BlockPattern:
    """The pattern of an attention map, by one of SPION's three generators.

    ====  ====================  =============  =====================================================
    "c"   diagonal convolution  block pooling  the floor(n * n * density - n) highest blocks
    "f"                         block pooling  flood fill above the quantile `threshold`
    "cf"  diagonal convolution  block pooling  flood fill above the quantile `threshold`
    ====  ====================  =============  =====================================================

    Deterministic, on one core of the CPU; the same as the C++ trainer's.

    Args:
        map: [L, L] of finite numbers, as mean_attention_map makes them, on any device.
        kind: "c", "f" or "cf".
        block_size: b, in tokens: 16, 32, 64 or 128; divides L.
        density: for "c": at most this share of the blocks is kept, up to 1 / n less where the diagonal
            is itself among the highest, and the diagonal in any case; in (0, 1].
        threshold: for "f" and "cf": the quantile that a marked block must exceed; in (0, 1]. Either is
            to be in its range also where the kind has no use for it, of which a warning tells.
        filter_width: of the diagonal convolution, in tokens; odd.

    Returns:
        The pattern, on the map's device.

    Raises:
        TypeError, ValueError: for another map, kind or number.

    Source: SPION, arXiv 2309.12578.
    """
    mask = generate_mask(map, kind, block_size, density, threshold, filter_width)
    warn_of_unused("spion.generate_pattern", kind, density, threshold)
    return BlockPattern(mask, block_size).to(map.device)


def warn_of_unused(function: str, kind: str, density: float | None, threshold: float | None) -> None:
    """Of the share that the kind has no use for, where the caller of the public `function` stands."""
    name, value = ("threshold", threshold) if kind == "c" else ("density", density)
    if value is not None:
        warnings.warn(f"{function}: {name} has no effect with kind {kind!r}; leave it out", stacklevel=3)


def generate_mask(map: Tensor, kind: str, block_size: int, density: float | None,
                  threshold: float | None, filter_width: int) -> Tensor:
    """The mask of generate_pattern's pattern, diagonal included, on the CPU."""
    function = "spion.generate_pattern"
    if not isinstance(map, Tensor):
        raise TypeError(f"{function}: map is a {type(map).__name__}, expected a Tensor")
    if map.is_complex():
        raise TypeError(f"{function}: map is {map.dtype}, expected real numbers")
    _check_numbers(function, "map", map)
    if kind not in _KINDS:
        wrong = ValueError if isinstance(kind, str) else TypeError
        raise wrong(f"{function}: kind is {kind!r}, expected \"c\", \"f\" or \"cf\"")
    check_block_size(function, block_size)
    _checks.check_whole(function, filter_width=filter_width)
    if filter_width % 2 == 0 or not 1 <= filter_width < 2**31:
        raise ValueError(f"{function}: filter_width is {filter_width}, expected an odd number from 1 to "
                         "2^31 - 1, such as 31")
    _checks.check_share(function, "density", density)
    _checks.check_share(function, "threshold", threshold)
    name, value = ("density", density) if kind == "c" else ("threshold", threshold)
    if value is None:
        raise ValueError(f"{function}: {name} is None; kind {kind!r} needs a share above 0 and at "
                         "most 1")
    return _operators.called(
        torch.ops.spion.generate_pattern.default,
        map.detach().to("cpu", torch.float32).contiguous(), kind, block_size, density or 0.0,
        threshold or 0.0, filter_width)


def fixed_pattern(kind: str, length: int, block_size: int, **options: int) -> BlockPattern:
    """A pattern that is the same for every input; see spion.patterns. Options in their order there."""
    function = f"spion.patterns.{kind}"
    check_block_size(function, block_size)
    _checks.check_counts(function, length=length, **options)
    mask = _operators.called(torch.ops.spion.fixed_pattern.default, kind, length, block_size,
                             list(options.values()))
    return BlockPattern(mask, block_size)

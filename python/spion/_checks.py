"""What arguments have to be, tensors of heads and their padding above all: said before an operator
is called."""

import numbers
from typing import NoReturn

import torch
from torch import Tensor

from spion import _libraries

HEAD_DIMS = (16, 32, 64, 128)
_DTYPES = (torch.float16, torch.bfloat16, torch.float32)


def check_options(function: str, pruned: str, tf32: bool, deterministic: bool) -> None:
    """Of attention, as block_sparse_attention has them. Raises TypeError or ValueError for others."""
    if pruned not in ("zero", "excluded"):
        raise ValueError(f"{function}: pruned is {pruned!r}, expected \"zero\" or \"excluded\"")
    if not (isinstance(tf32, bool) and isinstance(deterministic, bool)):  # each call passes here
        check_flag(function, "tf32", tf32)
        check_flag(function, "deterministic", deterministic)


def check_flag(function: str, name: str, flag: bool) -> None:
    """Raises TypeError for what is neither True nor False: any word would count as True."""
    if not isinstance(flag, bool):
        raise TypeError(f"{function}: {name} is {flag!r}, expected True or False")


def check_whole(function: str, **values: int) -> None:
    """Raises TypeError for what is no whole number."""
    for name, value in values.items():
        if not isinstance(value, numbers.Integral):
            raise TypeError(f"{function}: {name} is {value!r}, expected a whole number")


def check_counts(function: str, **values: int) -> None:
    """Raises TypeError for what is no whole number, ValueError for one beyond what operators count."""
    check_whole(function, **values)
    for name, value in values.items():
        if not 0 <= value < 2**31:
            raise ValueError(f"{function}: {name} is {value}, expected a number from 0 to 2^31 - 1")


def one_of(sizes: tuple[int, ...]) -> str:
    """As messages name them."""
    return f"one of {', '.join(map(str, sizes))}"


def check_share(function: str, name: str, share: float | None) -> None:
    """Raises TypeError or ValueError for what is neither None nor above 0 and at most 1."""
    try:
        fits = share is None or 0 < share <= 1
    except TypeError:
        raise TypeError(f"{function}: {name} is {share!r}, expected a number above 0 and at most 1"
                        ) from None
    if not fits:
        raise ValueError(f"{function}: {name} is {share}, expected a number above 0 and at most 1")


def taken_heads(function: str, q: Tensor, *others: Tensor,
                cast: bool = True) -> tuple[torch.dtype, tuple[Tensor, ...]]:
    """The dtype of the result, and the tensors, all [B, H, L, d], as the kernels take them.

    Under autocast they are cast to its dtype, as torch's own attention casts them. The CPU's kernels
    compute in float32, whatever comes in. Without `cast` they stay as they are. Raises TypeError or
    ValueError for what no kernel takes.
    """
    if not isinstance(q, Tensor):
        _refuse(function, q, *others)
    # Each call passes here: microseconds count.
    try:
        shape, dtype, device = q.shape, q.dtype, q.device
        fits = len(shape) == 4 and shape[3] in HEAD_DIMS and dtype in _DTYPES
        for tensor in others:
            fits = (fits and isinstance(tensor, Tensor) and tensor.shape == shape
                    and tensor.device == device and tensor.dtype in _DTYPES)
    except RuntimeError:  # a nested tensor has no shape
        fits = False
    if not fits:
        _refuse(function, q, *others)
    kind = device.type
    if kind == "cuda" and _libraries.CUDA_OBSTACLE is not None:
        raise RuntimeError(f"{function}: q is on {device}, but {_libraries.CUDA_OBSTACLE}")
    heads = (q, *others)
    if kind in ("cpu", "cuda") and torch.is_autocast_enabled(kind):
        dtype = torch.get_autocast_dtype(kind)
    else:
        for tensor in others:
            if tensor.dtype != dtype:
                _refuse_another_dtype(function, q, *others)
    if not cast:
        return dtype, heads
    computed = torch.float32 if kind == "cpu" else dtype
    # The kernels take any strides but along d.
    return dtype, tuple([
        tensor if tensor.dtype == computed and tensor.stride(3) == 1
        else _as_rows(function, heads, tensor, computed) for tensor in heads])


def _as_rows(function: str, heads: tuple[Tensor, ...], tensor: Tensor, dtype: torch.dtype) -> Tensor:
    if tensor.layout != torch.strided:
        _refuse(function, *heads)
    tensor = tensor.to(dtype)
    return tensor if tensor.stride(3) == 1 else tensor.contiguous()


def _refuse(function: str, *heads: Tensor) -> NoReturn:
    """Says which of q, k and v is none, and why."""
    q = heads[0]
    for name, tensor in zip("qkv", heads):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{function}: {name} is a {type(tensor).__name__}, expected a Tensor")
        if tensor.is_nested or tensor.layout != torch.strided:
            raise TypeError(f"{function}: {name} is a nested or sparse tensor, expected a dense one; "
                            "make it by .to_padded_tensor() and say the lengths by padding=, or by "
                            ".to_dense()")
        if tensor.dim() != 4:
            raise ValueError(f"{function}: {name} is {list(tensor.shape)}, expected [batch, heads, "
                             "length, head_dim]")
        if tensor.shape != q.shape:
            raise ValueError(f"{function}: {name} is {list(tensor.shape)}, expected q's "
                             f"{list(q.shape)}: SPION's attention is self-attention")
        if tensor.device != q.device:
            raise ValueError(f"{function}: {name} is on {tensor.device}, expected q's {q.device}; "
                             "move it by .to()")
        if tensor.dtype not in _DTYPES:
            raise TypeError(f"{function}: {name} is {tensor.dtype}, expected float16, bfloat16 or "
                            "float32; convert it by .to()")
    raise ValueError(f"{function}: a head dimension of {q.shape[3]}, expected {one_of(HEAD_DIMS)}; "
                     "choose another number of heads")


def _refuse_another_dtype(function: str, *heads: Tensor) -> NoReturn:
    name, dtype = next((name, tensor.dtype) for name, tensor in zip("qkv", heads)
                       if tensor.dtype != heads[0].dtype)
    raise TypeError(f"{function}: {name} is {dtype}, expected q's {heads[0].dtype}; convert it by "
                    ".to()")


def checked_scale(function: str, scale: float | None, q: Tensor) -> float:
    """1 / sqrt(d) in place of None. Raises TypeError or ValueError for one that is not positive."""
    if scale is None:
        return q.shape[3] ** -0.5
    if isinstance(scale, Tensor):
        raise TypeError(f"{function}: scale is a Tensor, which would get no gradient; take "
                        "scale=1 and multiply q by it")
    try:
        fits = not isinstance(scale, bool) and 0 < scale < float("inf")
    except TypeError:
        raise TypeError(f"{function}: scale is a {type(scale).__name__}, expected a positive finite "
                        "number, or None for 1 / sqrt(d)") from None
    if not fits:
        raise ValueError(f"{function}: scale is {scale}, expected a positive finite number; for a "
                         "negative one negate q")
    return scale


def checked_padding(function: str, padding: Tensor | None, k: Tensor) -> Tensor | None:
    """The padding of keys [B, H, L, d] as operators take it. Raises TypeError or ValueError for what none is."""
    if padding is None:
        return None
    batch, length = k.shape[0], k.shape[2]
    expected = (f"expected int32 or int64 lengths [{batch}], or a bool mask [{batch}, {length}] that is "
                "true for valid keys")
    if not isinstance(padding, Tensor):
        raise TypeError(f"{function}: padding is a {type(padding).__name__}, {expected}")
    if padding.device != k.device:
        raise ValueError(f"{function}: padding is on {padding.device}, expected q's {k.device}; "
                         "move it by .to()")
    if padding.dtype == torch.bool and padding.shape == (batch, length):
        return padding.contiguous()
    if padding.dtype in (torch.int32, torch.int64) and padding.shape == (batch,):
        _check_lengths(function, padding, length)
        return padding.to(torch.int32).contiguous()
    raise ValueError(f"{function}: padding is {padding.dtype} {list(padding.shape)}, {expected}")


def _check_lengths(function: str, lengths: Tensor, length: int) -> None:
    """Raises ValueError for one that no sequence has, where a look at it waits for nothing.

    Elsewhere the operators take what is above the length as the length, and what is below 0 as 0.
    """
    if not _is_readable(lengths):
        return
    for example, valid in enumerate(lengths.tolist()):
        if not 0 <= valid <= length:
            raise ValueError(f"{function}: padding says that example {example} has {valid} valid keys, "
                             f"expected 0 to {length}")


# Added to a score it is as good as -inf, unless scores are hundreds apart: exp of it is 0 in double.
_MOST_OF_PADDING = -1000


def valid_keys(function: str, mask: Tensor) -> Tensor:
    """Bool, true for valid keys, of a key_padding_mask as torch.nn.MultiheadAttention takes it.

    Raises TypeError for another dtype, ValueError for a number that is none of a valid key's or of
    padding, where a look at it waits for nothing. Elsewhere all but 0 counts as padding.
    """
    if mask.dtype == torch.bool:
        return ~mask
    if not mask.is_floating_point():
        raise TypeError(f"{function}: key_padding_mask is {mask.dtype}, expected bool, true for padding, "
                        "or float, -inf for padding; of one that is 1 for valid keys take mask == 0")
    valid = mask == 0
    if _is_readable(mask):
        # Also of NaN, which compares with nothing.
        others = mask[~(valid | (mask <= _MOST_OF_PADDING))]
        if len(others) > 0:
            raise ValueError(f"{function}: key_padding_mask has {others[0].item()}, expected 0 for valid "
                             f"keys, and -inf or at most {_MOST_OF_PADDING} for padding: nothing is added "
                             "to scores")
    return valid


def _is_readable(tensor: Tensor) -> bool:
    """Whether its numbers are there, without a wait for a GPU."""
    # A traced tensor, or one of a subclass, may have no numbers.
    return (type(tensor) is Tensor and tensor.device.type == "cpu"
            and not torch.compiler.is_compiling())

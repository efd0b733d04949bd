"""What tensors of heads and their padding have to be: said before an operator is called."""

import torch
from torch import Tensor

from spion import _libraries

HEAD_DIMS = (16, 32, 64, 128)
_DTYPES = (torch.float16, torch.bfloat16, torch.float32)


def taken_heads(function: str, **tensors: Tensor) -> tuple[torch.dtype, tuple[Tensor, ...]]:
    """The dtype of the result, and the tensors, all [B, H, L, d], as the kernels take them.

    Under autocast they are cast to its dtype, as torch's own attention casts them. The CPU's kernels
    compute in float32, whatever comes in. Raises TypeError or ValueError for what no kernel takes.
    """
    first, q = next(iter(tensors.items()))
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{function}: {name} is a {type(tensor).__name__}, expected a Tensor")
        if tensor.dim() != 4:
            raise ValueError(f"{function}: {name} is {list(tensor.shape)}, expected [batch, heads, "
                             "length, head_dim]")
        if tensor.shape != q.shape:
            raise ValueError(f"{function}: {name} is {list(tensor.shape)}, expected {first}'s "
                             f"{list(q.shape)}: SPION's attention is self-attention")
        if tensor.device != q.device:
            raise ValueError(f"{function}: {name} is on {tensor.device}, expected {first}'s "
                             f"{q.device}; move it by .to()")
        if tensor.dtype not in _DTYPES:
            raise TypeError(f"{function}: {name} is {tensor.dtype}, expected float16, bfloat16 or "
                            "float32; convert it by .to()")
    if q.shape[3] not in HEAD_DIMS:
        raise ValueError(f"{function}: a head dimension of {q.shape[3]}, expected one of "
                         "16, 32, 64, 128; choose another number of heads")
    if q.is_cuda and _libraries.CUDA_OBSTACLE is not None:
        raise RuntimeError(f"{function}: {first} is on {q.device}, but {_libraries.CUDA_OBSTACLE}")
    kind = q.device.type
    if kind in ("cpu", "cuda") and torch.is_autocast_enabled(kind):
        dtype = torch.get_autocast_dtype(kind)
    else:
        dtype = q.dtype
        for name, tensor in tensors.items():
            if tensor.dtype != dtype:
                raise TypeError(f"{function}: {name} is {tensor.dtype}, expected {first}'s {dtype}; "
                                "convert it by .to()")
    computed = torch.float32 if kind == "cpu" else dtype
    cast = (tensor.to(computed) for tensor in tensors.values())
    # The kernels take any strides but along d.
    return dtype, tuple(tensor if tensor.stride(3) == 1 else tensor.contiguous() for tensor in cast)


def checked_padding(function: str, padding: Tensor | None, q: Tensor) -> Tensor | None:
    """The padding as operators take it. Raises TypeError or ValueError for what none is."""
    if padding is None:
        return None
    batch, length = q.shape[0], q.shape[2]
    expected = (f"expected integer lengths [{batch}], or a bool mask [{batch}, {length}] that is "
                "true for valid keys")
    if not isinstance(padding, Tensor):
        raise TypeError(f"{function}: padding is a {type(padding).__name__}, {expected}")
    if padding.device != q.device:
        raise ValueError(f"{function}: padding is on {padding.device}, expected q's {q.device}; "
                         "move it by .to()")
    if padding.dtype == torch.bool and padding.shape == (batch, length):
        return padding.contiguous()
    if padding.dtype in (torch.int32, torch.int64) and padding.shape == (batch,):
        return padding.to(torch.int32).contiguous()
    raise ValueError(f"{function}: padding is {padding.dtype} {list(padding.shape)}, {expected}")

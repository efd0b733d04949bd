"""What torch has to know of the operators beside their kernels: shapes of results, and gradients."""

import contextlib
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from spion import _libraries  # registers the operators  # noqa: F401

# torch keeps what is registered below, and takes it once, when this module has been dropped too.
if getattr(torch.ops.spion, "is_described", False):
    raise ImportError("spion was imported before, and is no longer in sys.modules; torch still has its "
                      "operators and cannot take them again: start Python anew")
torch.ops.spion.is_described = True

# A GPU reaches the rows of a head by offsets of 32 bits (spion/kernels/common/head_tensor.h).
_HEAD_BYTES = 2**32 - 1


def _is_within_reach(heads: Tensor, row_stride: int) -> bool:
    length = heads.shape[2]
    return length == 0 or row_stride <= _HEAD_BYTES // heads.element_size() // length


@torch.library.register_fake("spion::block_sparse_attention")
def _(q, k, v, pattern, block_size, patterns, blocks_per_side, long_rows, long_lines, padding, scale,
      pruned_is_zero, exact_float32, deterministic=True):
    batch, heads, length, dim = q.shape
    if _is_within_reach(q, heads * dim):
        out = q.new_empty(batch, length, heads, dim).transpose(1, 2)
    else:
        out = q.new_empty(batch, heads, length, dim)
    return out, q.new_empty(batch, heads, length, dtype=torch.float32)


@torch.library.register_fake("spion::block_sparse_attention_backward")
def _(grad_out, q, k, v, out, log_sum_exp, pattern, block_size, patterns, blocks_per_side, long_rows,
      long_lines, padding, scale, pruned_is_zero, exact_float32, deterministic=True):
    batch, heads, length, dim = q.shape
    if _is_within_reach(q, 3 * heads * dim):
        return q.new_empty(batch, length, 3, heads, dim)
    return q.new_empty(3, batch, heads, length, dim).permute(1, 3, 0, 2, 4)


@torch.library.register_fake("spion::mean_attention_map")
def _(q, k, padding, exact_float32):
    return q.new_empty(q.shape[2], q.shape[2], dtype=torch.float32)


@torch.library.register_fake("spion::generate_pattern")
def _(map, kind, block_size, density, threshold, filter_width):
    side = map.shape[0] // block_size
    return map.new_empty(side, side, dtype=torch.bool)


@torch.library.register_fake("spion::fixed_pattern")
def _(kind, length, block_size, options):
    side = length // block_size
    return torch.empty(side, side, dtype=torch.bool)


@torch.library.register_fake("spion::pack_pattern")
def _(mask, block_size):
    # How many blocks are kept, and how many lines are long, is in the mask's values.
    context = torch.library.get_ctx()
    return (mask.new_empty(context.new_dynamic_size(), dtype=torch.int32),
            context.new_dynamic_size(), context.new_dynamic_size())


def attention(q: Tensor, k: Tensor, v: Tensor, pattern: Tensor, numbers: tuple[int, ...],
              padding: Tensor | None, options: tuple[float, bool, bool, bool]) -> Tensor:
    """The operator's first result, differentiable in q, k and v.

    What a compiler sees is the operator alone, with what is registered for it below.
    """
    if torch.compiler.is_compiling():
        return _forward(q, k, v, pattern, *numbers, padding, *options)[0]
    wants_gradient = torch.is_grad_enabled() and (q.requires_grad or k.requires_grad
                                                  or v.requires_grad)
    # The autograd function refuses forward-mode derivatives; below autograd they would be lost.
    if wants_gradient or forward_ad._current_level >= 0:
        return _Attention.apply(q, k, v, pattern, numbers, padding, options)
    with _below_autograd():
        return called(_forward, q, k, v, pattern, *numbers, padding, *options)[0]


def called(operator: torch._ops.OpOverload, *arguments: Any) -> Any:
    """What the operator returns.

    torch 2.11 raises a ValueError for what an operator refuses and a MemoryError where memory is out;
    newer ones, as 2.15, raise a RuntimeError with the same message. Here it is the same for all:

    Raises:
        ValueError: for what it refuses.
        torch.OutOfMemoryError: where memory is out.
        RuntimeError: for all else, as a GPU that has failed.
    """
    try:
        return operator(*arguments)
    except (MemoryError, RuntimeError) as error:
        message = str(error)
        if isinstance(error, MemoryError) or message.startswith(_NO_MEMORY):
            raise torch.OutOfMemoryError(f"{operator.name()}: {message}") from None
        if message.startswith("spion") and _FAILED not in message:
            raise ValueError(message) from None
        raise


# What messages are told apart by: spion/ops/stable has them, in allocate.h and refuse.h.
_NO_MEMORY, _FAILED = "out of memory: ", " failed: "


_forward = torch.ops.spion.block_sparse_attention.default
_backward = torch.ops.spion.block_sparse_attention_backward.default

# In it operators call their kernels without a look at what is registered for autograd, and views are
# not tracked: the three gradients, which lie in one tensor side by side, can be written to as torch's
# own can. torch does not promise that it stays: without it calls take longer, and torch refuses to
# write to these gradients in place where that is to be differentiated.
_below_autograd = getattr(torch._C, "_AutoDispatchBelowADInplaceOrView", contextlib.nullcontext)


class _Attention(torch.autograd.Function):
    """The gradients that are registered below, for a call that nobody traces: in half the time."""

    @staticmethod
    def forward(ctx, q, k, v, pattern, numbers, padding, options):
        with _below_autograd():
            out, log_sum_exp = called(_forward, q, k, v, pattern, *numbers, padding, *options)
        if padding is not None and padding.is_inference():
            padding = padding.clone()  # else torch does not save it
        ctx.save_for_backward(q, k, v, out, log_sum_exp, padding)
        # Not saved so: DDP writes to it at every forward pass, if always the same, and torch would take
        # that for a change.
        ctx.pattern = pattern
        ctx.numbers, ctx.options = numbers, options
        return out

    @staticmethod
    def backward(ctx, grad_out):
        # With create_graph the operator has to record itself, to refuse a second derivative.
        with contextlib.nullcontext() if torch.is_grad_enabled() else _below_autograd():
            *tensors, padding = ctx.saved_tensors
            gradients = _gradients_of(ctx, grad_out, *tensors, ctx.pattern, padding)
        return *gradients, None, None, None, None


def _gradients_of(ctx, grad_out, *saved):
    *tensors, padding = saved
    packed = called(_backward, grad_out, *tensors, *ctx.numbers, padding, *ctx.options)
    return packed.permute(2, 0, 3, 1, 4).unbind(0)


def _save_inputs(ctx, inputs, output):
    q, k, v, pattern, *numbers, padding, scale, pruned_is_zero, exact_float32, deterministic = inputs
    out, log_sum_exp = output
    ctx.mark_non_differentiable(log_sum_exp)
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(q, k, v, out, log_sum_exp, pattern, padding)
    ctx.numbers, ctx.options = numbers, (scale, pruned_is_zero, exact_float32, deterministic)


def _gradients(ctx, grad_out, _):
    inputs = len(ctx.needs_input_grad)
    if grad_out is None:
        return (None,) * inputs
    return *_gradients_of(ctx, grad_out, *ctx.saved_tensors), *(None,) * (inputs - 3)


def _refuse_second_gradient(ctx, *grads):
    raise RuntimeError(
        "spion.block_sparse_attention is differentiable once, and a backward pass has come to its "
        "gradient, made with create_graph: detach() that gradient, or compute this part with "
        "torch's own functions, which are differentiable twice")


def _save_nothing(ctx, inputs, output):
    pass


def _mark_constant(ctx, inputs, output):
    ctx.mark_non_differentiable(output)


def _no_gradients(ctx, *grads):
    return (None,) * len(ctx.needs_input_grad)


torch.library.register_autograd("spion::block_sparse_attention", _gradients,
                                setup_context=_save_inputs)
torch.library.register_autograd("spion::block_sparse_attention_backward", _refuse_second_gradient,
                                setup_context=_save_nothing)
torch.library.register_autograd("spion::mean_attention_map", _no_gradients,
                                setup_context=_mark_constant)

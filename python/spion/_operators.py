"""What torch has to know of the operators beside their kernels: shapes of results, and gradients."""

import torch
from torch import Tensor

from spion import _libraries  # registers the operators  # noqa: F401

# A GPU reaches the rows of a head by offsets of 32 bits (spion/kernels/common/head_tensor.h).
_HEAD_BYTES = 2**32 - 1


def _is_within_reach(heads: Tensor, row_stride: int) -> bool:
    length = heads.shape[2]
    return length == 0 or row_stride <= _HEAD_BYTES // heads.element_size() // length


@torch.library.register_fake("spion::block_sparse_attention")
def _(q, k, v, pattern, block_size, patterns, blocks_per_side, long_rows, long_lines, padding, scale,
      pruned_is_zero, exact_float32):
    batch, heads, length, dim = q.shape
    if _is_within_reach(q, heads * dim):
        out = q.new_empty(batch, length, heads, dim).transpose(1, 2)
    else:
        out = q.new_empty(batch, heads, length, dim)
    return out, q.new_empty(batch, heads, length, dtype=torch.float32)


@torch.library.register_fake("spion::block_sparse_attention_backward")
def _(grad_out, q, k, v, out, log_sum_exp, pattern, block_size, patterns, blocks_per_side, long_rows,
      long_lines, padding, scale, pruned_is_zero, exact_float32):
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


class Attention(torch.autograd.Function):
    """The operator of attention, with its gradients.

    What register_autograd makes costs some 80 us more a call. It is there all the same, below, for
    who calls the operator itself.
    """

    @staticmethod
    def forward(ctx, *inputs):
        output = torch.ops.spion.block_sparse_attention.default(*inputs)
        _save_inputs(ctx, inputs, output)
        return output

    @staticmethod
    def backward(ctx, grad_out, grad_log_sum_exp):
        return _gradients(ctx, grad_out, grad_log_sum_exp)


def _save_inputs(ctx, inputs, output):
    q, k, v, pattern, *numbers, padding, scale, pruned_is_zero, exact_float32 = inputs
    out, log_sum_exp = output
    ctx.mark_non_differentiable(log_sum_exp)
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(q, k, v, out, log_sum_exp, pattern, padding)
    ctx.numbers, ctx.options = numbers, (scale, pruned_is_zero, exact_float32)


def _gradients(ctx, grad_out, _):
    inputs = len(ctx.needs_input_grad)
    if grad_out is None:
        return (None,) * inputs
    *tensors, padding = ctx.saved_tensors
    packed = torch.ops.spion.block_sparse_attention_backward.default(
        grad_out, *tensors, *ctx.numbers, padding, *ctx.options)
    return tuple(grad.transpose(1, 2) for grad in packed.unbind(2)) + (None,) * (inputs - 3)


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

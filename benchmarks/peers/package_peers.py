"""The peers that are packages of their own, and SPION's. Each makes a Peer of a problem.

name       package                 takes, and by which call
spion      spion                   all; spion_any_order: without deterministic gradients
vsa        fastvideo-kernel        bf16, blocks of 64; its Triton kernels, with both lists made ahead
fa4        flash-attn-4            bf16, full blocks of 64 and 128, gradients of 128; flash_attn_func
cudnn_bsa  nvidia-cudnn-frontend   bf16, d 128, blocks of 64 and 128; block_sparse_attention

Only those that can be imported are; the others raise Absent.
"""

import importlib
import importlib.util
import pathlib

import torch

from problem import Absent, Peer, Unfit, columns_of_rows


def module_of(package, name):
    """The module of that name, of a package of that name in the index."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Absent(f"{package} is not installed, or lacks a package: {error}") from error


def file_of(package, folder, path):
    """A module from one file of an installed folder, whose own __init__ wants more than the file."""
    found = importlib.util.find_spec(folder)
    if found is None:
        raise Absent(f"{package} is not installed: there is no {folder}")
    file = pathlib.Path(found.submodule_search_locations[0], path)
    if not file.is_file():
        raise Absent(f"this {package} has no {path}")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def want(problem, blocks, head_dims):
    """Raises Unfit unless the problem is bf16 in one of these blocks and head dimensions."""
    for name, value, taken in (("dtype", problem.q.dtype, [torch.bfloat16]),
                               ("block size", problem.block, blocks),
                               ("head dimension", problem.head_dim, head_dims)):
        if value not in taken:
            raise Unfit(f"{name} {value}; it takes {', '.join(map(str, taken))}")


def for_each_head(problem, lists):
    """Lists of a pattern, [n] and [n, width], for each example and head."""
    return [t.expand(*problem.q.shape[:2], *t.shape).contiguous() for t in lists]


def differentiable(forward, backward):
    """attend(q, k, v) from two functions: forward gives (out, *kept), and backward takes (grad_out,
    q, k, v, out, *kept)."""

    class Attention(torch.autograd.Function):

        @staticmethod
        def forward(ctx, q, k, v):
            out, *kept = forward(q, k, v)
            ctx.save_for_backward(q, k, v, out, *kept)
            return out

        @staticmethod
        def backward(ctx, grad_out):
            return tuple(backward(grad_out, *ctx.saved_tensors))

    return Attention.apply


def spion(problem, **options):
    package = module_of("spion", "spion")
    pattern = package.BlockPattern(problem.kept, problem.block)
    return Peer(lambda q, k, v: package.block_sparse_attention(q, k, v, pattern, pruned="excluded",
                                                               **options))


def spion_any_order(problem):
    want(problem, [128], [64, 128])  # elsewhere it is the same as spion
    return spion(problem, deterministic=False)


def vsa(problem):
    kernels = file_of("fastvideo-kernel", "fastvideo_kernel",
                      "triton_kernels/block_sparse_attn_triton.py")
    want(problem, [64], [32, 64, 128])
    counts, columns = for_each_head(problem, columns_of_rows(problem.kept))
    row_counts, rows = for_each_head(problem, columns_of_rows(problem.kept.T))
    tokens = torch.full([len(problem.kept)], problem.block, dtype=torch.int32,
                        device=problem.q.device)

    def forward(q, k, v):
        return kernels.triton_block_sparse_attn_forward(q, k, v, columns, counts, tokens)

    def backward(grad_out, q, k, v, out, maxima):
        return kernels.triton_block_sparse_attn_backward(
            grad_out, q, k, v, out, maxima, columns, counts, rows, row_counts, tokens)

    return Peer(differentiable(forward, backward))


def fa4(problem):
    interface = module_of("flash-attn-4", "flash_attn.cute.interface")
    blocks = module_of("flash-attn-4", "flash_attn.cute.block_sparsity")
    want(problem, [64, 128], [32, 64, 128])

    def full_blocks(kept):
        """No partial blocks; one pattern that is broadcast over examples and heads."""
        counts, columns = (t[None, None].contiguous() for t in columns_of_rows(kept))
        return blocks.BlockSparseTensorsTorch(
            torch.zeros_like(counts), torch.zeros_like(columns), counts, columns,
            block_size=(problem.block, problem.block))

    lists = {"block_sparse_tensors": full_blocks(problem.kept),
             "block_sparse_tensors_bwd": full_blocks(problem.kept.T)}

    def attend(q, k, v):
        result = interface.flash_attn_func(q, k, v, **lists)
        return result[0] if isinstance(result, tuple) else result

    return Peer(attend, tokens_first=True)


def cudnn_bsa(problem):
    api = module_of("nvidia-cudnn-frontend", "cudnn.block_sparse_attention.api")
    want(problem, [64, 128], [128])
    counts, columns = for_each_head(problem, columns_of_rows(problem.kept))
    pattern = {"q2k_block_nums": counts, "sparse_block_size": problem.block}

    def forward(q, k, v):
        result = api.block_sparse_attention_forward(q, k, v, columns, **pattern)
        return result["o_tensor"], result["lse_tensor"]

    def backward(grad_out, q, k, v, out, lse):
        result = api.block_sparse_attention_backward(grad_out, q, k, v, out, lse, columns, **pattern)
        return [result[name] for name in ("dq_tensor", "dk_tensor", "dv_tensor")]

    return Peer(differentiable(forward, backward))


PEERS = {"spion": spion, "spion_any_order": spion_any_order, "vsa": vsa, "fa4": fa4, "cudnn_bsa": cudnn_bsa}

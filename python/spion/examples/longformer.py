"""Attention with a Longformer pattern, beside torch's own.

Computes one layer's attention three ways: torch's scaled_dot_product_attention over everything, the
same with the pattern as a mask, which has to be computed densely too, and spion's. The latter two
give the same numbers; what each costs is measured, forward and backward.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

import spion
from spion.examples import _command, _drawing

BLOCK = 64


def attention_mask(pattern: spion.BlockPattern) -> Tensor:
    """The pattern entry by entry, bool [L, L], as torch's attention takes it."""
    return pattern.mask.repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1)


def milliseconds(attend: Callable[..., Tensor], tensors: list[Tensor]) -> float:
    """The median time of forward and backward."""
    def run() -> float:
        started = time.perf_counter()
        for _ in range(repetitions):
            out = attend(*tensors)
            torch.autograd.grad(out, tensors, out.detach())
        if out.is_cuda:
            torch.cuda.synchronize()
        return (time.perf_counter() - started) / repetitions * 1e3

    repetitions = 20 if tensors[0].is_cuda else 1
    run()
    return statistics.median(run() for _ in range(3))


def main(arguments: list[str] | None = None) -> None:
    parser = _command.parser("spion.examples.longformer", __doc__)
    parser.add_argument("--lengths", type=int, nargs="+", metavar="L",
                        help=f"in tokens, multiples of {BLOCK} (default: 1024 2048 4096; on a GPU 4096 "
                             "to 16384)")
    options = _command.parsed(parser, arguments)
    on_gpu = options.device.type == "cuda"
    lengths = options.lengths or ([4096, 8192, 16384] if on_gpu else [1024, 2048, 4096])
    for length in lengths:
        if length < BLOCK or length % BLOCK != 0:
            parser.error(f"--lengths: {length}, expected a multiple of {BLOCK} above 0")
    dtype = torch.bfloat16 if on_gpu else torch.float32
    batch, heads, dim = (8, 8, 64) if on_gpu else (1, 2, 64)

    print(f"batch {batch}, {heads} heads of {dim}, {dtype}, on {options.device}; forward and backward")
    dense_ms, sparse_ms = [], []
    for length in lengths:
        # A window of two blocks to each side, and one global block.
        pattern = spion.patterns.longformer(length, block_size=BLOCK, window=2).to(options.device)
        torch.manual_seed(0)
        tensors = [torch.randn(batch, heads, length, dim, device=options.device, dtype=dtype,
                               requires_grad=True) for _ in range(3)]

        def sparse(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            # As Longformer has it: what the pattern leaves out is left out of the softmax.
            return spion.block_sparse_attention(q, k, v, pattern, pruned="excluded")

        said = ""
        if length == lengths[0]:
            mask = attention_mask(pattern).to(options.device)
            masked = scaled_dot_product_attention(*tensors, attn_mask=mask)
            difference = (sparse(*tensors) - masked).abs().max().item()
            said = f"; against SDPA with a mask: {difference:.0e} at most"
        dense_ms.append(milliseconds(scaled_dot_product_attention, tensors))
        sparse_ms.append(milliseconds(sparse, tensors))
        print(f"length {length:6}: {pattern.density:4.0%} of the blocks, dense {dense_ms[-1]:8.2f} ms, "
              f"spion {sparse_ms[-1]:7.2f} ms, {dense_ms[-1] / sparse_ms[-1]:5.1f} times as fast{said}")
    if options.picture is not None:
        first = spion.patterns.longformer(lengths[0], block_size=BLOCK, window=2)
        _drawing.draw_times(options.picture, first, lengths, dense_ms, sparse_ms)


if __name__ == "__main__":
    main()

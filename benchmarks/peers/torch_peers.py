"""The peers that PyTorch itself has: SDPA, dense, and FlexAttention. Each makes a Peer."""

import torch
import torch._dynamo
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.attention.flex_attention import BlockMask, flex_attention
from torch.nn.functional import scaled_dot_product_attention

from problem import Peer, columns_of_rows

FLEX_BLOCK = 128  # FlexAttention's own choice


def sdpa(backend):
    """Dense attention by one of LibTorch's kernels."""

    def attend(q, k, v):
        with sdpa_kernel(backend):
            return scaled_dot_product_attention(q, k, v)

    return Peer(attend, sparse=False)


def block_mask(problem, size):
    """FlexAttention's mask and kernel options for the pattern in blocks of `size`, a multiple of the
    pattern's."""
    kept, block = problem.kept, problem.block

    def mask_mod(batch, head, query, key):
        return kept[query // block, key // block]

    group = size // block
    n = problem.length // size
    groups = kept.view(n, group, n, group)
    full = groups.all(3).all(1)
    partial = groups.any(3).any(1) & ~full
    mask = BlockMask.from_kv_blocks(*ordered_columns(partial), *ordered_columns(full),
                                    BLOCK_SIZE=size, mask_mod=mask_mod)
    names = ("BLOCK_M", "BLOCK_N", "BLOCK_M1", "BLOCK_N1", "BLOCK_M2", "BLOCK_N2")
    return mask, {} if size == FLEX_BLOCK else dict.fromkeys(names, size)


def flex(problem, size):
    """FlexAttention over the pattern, compiled."""
    mask, options = block_mask(problem, size)
    torch._dynamo.reset()
    compiled = torch.compile(flex_attention, dynamic=False)
    return Peer(lambda q, k, v: compiled(q, k, v, block_mask=mask, kernel_options=options))


def ordered_columns(blocks):
    """Counts and columns as BlockMask holds them: [1, 1, n], [1, 1, n, n]."""
    counts, columns = columns_of_rows(blocks, width=blocks.shape[1])
    return counts[None, None], columns[None, None]


def peers_of(case):
    """{name: function of a Problem that makes the peer} for one case."""
    peers = {}
    # Dense attention does not depend on the pattern: the density sweep has the size of "image".
    if not case["name"].startswith("density_"):
        for name, backend in (("sdpa_flash", SDPBackend.FLASH_ATTENTION),
                              ("sdpa_cudnn", SDPBackend.CUDNN_ATTENTION)):
            peers[name] = lambda _, backend=backend: sdpa(backend)
    for size in sorted({case["pattern"]["block_size"], FLEX_BLOCK}):
        peers[f"flex{size}"] = lambda problem, size=size: flex(problem, size)
    return peers

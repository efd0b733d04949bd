"""Block patterns of other methods: fixed before training, the same for every input.

None is causal. Blocks i and j are |i - j| apart. All raise ValueError for a block size that does not
divide the length, or a number below its least, TypeError for what is no whole number. These methods
leave pruned pairs out of the softmax: ``spion.block_sparse_attention(..., pruned="excluded")``.
"""

import torch

from spion import _checks
from spion._pattern import BlockPattern, check_block_size, check_side, fixed_pattern

__all__ = ["longformer", "bigbird", "strided", "fixed", "full"]


def longformer(length: int, *, block_size: int, window: int = 1,
               global_blocks: int = 1) -> BlockPattern:
    """A sliding window, and global blocks that see all and are seen by all.

    Args:
        length: of the sequence, in tokens.
        block_size: in tokens: 16, 32, 64 or 128.
        window: blocks to each side; at least 0.
        global_blocks: the first so many; at least 0.

    Source: Beltagy et al., arXiv 2004.05150.
    """
    return fixed_pattern("longformer", length, block_size, window=window,
                         global_blocks=global_blocks)


def bigbird(length: int, *, block_size: int, random: int = 3, seed: int = 0) -> BlockPattern:
    """Three diagonals, the first and the last block for all, and random blocks in every row.

    Args:
        length: of the sequence, in tokens.
        block_size: in tokens: 16, 32, 64 or 128.
        random: blocks drawn for each row, from those it does not see yet; at least 0.
        seed: of the drawing, which is the same on every machine.

    Source: Zaheer et al., arXiv 2007.14062.
    """
    return fixed_pattern("bigbird", length, block_size, random=random, seed=seed)


def strided(length: int, *, block_size: int, stride: int) -> BlockPattern:
    """Blocks closer than the stride, and those a multiple of it apart.

    Args:
        length: of the sequence, in tokens.
        block_size: in tokens: 16, 32, 64 or 128.
        stride: in blocks; at least 1.

    Source: Child et al., arXiv 1904.10509.
    """
    return fixed_pattern("strided", length, block_size, stride=stride)


def fixed(length: int, *, block_size: int, stride: int) -> BlockPattern:
    """All pairs within each run of `stride` blocks, and the last block of every run, which all see.

    Args:
        length: of the sequence, in tokens.
        block_size: in tokens: 16, 32, 64 or 128.
        stride: in blocks; at least 1.

    Source: Child et al., arXiv 1904.10509.
    """
    return fixed_pattern("fixed", length, block_size, stride=stride)


def full(length: int, *, block_size: int) -> BlockPattern:
    """Every block: dense attention.

    Args:
        length: of the sequence, in tokens.
        block_size: in tokens: 16, 32, 64 or 128.
    """
    function = "spion.patterns.full"
    check_block_size(function, block_size)
    _checks.check_whole(function, length=length)
    if length < 1 or length % block_size != 0:
        raise ValueError(f"{function}: blocks of {block_size} do not divide a sequence of "
                         f"{length}; choose a length that is a multiple of the block size")
    side = length // block_size
    check_side(function, side)
    return BlockPattern(torch.ones(side, side, dtype=torch.bool, device="cpu"), block_size)

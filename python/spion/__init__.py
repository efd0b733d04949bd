"""SPION: layer-wise sparse training of Transformers, in your own torch.

    out = spion.block_sparse_attention(q, k, v, spion.patterns.longformer(1024, block_size=32))

Block-sparse attention with its gradients for CPU and GPU, the generators of SPION's patterns, and
the three phases (dense, patterns from the attention maps, sparse) for any model. The method is that
of arXiv 2309.12578. ``python -m spion.selftest`` says whether it works here.
"""

from spion import _operators  # noqa: F401
from spion import nn, patterns
from spion._attention import block_sparse_attention, mean_attention_map
from spion._conversion import Conversion, convert
from spion._pattern import BlockPattern, generate_pattern
from spion._phases import Capture, PhaseController
from spion._transition import TransitionTest

__version__ = "0.2.0"

__all__ = [
    "BlockPattern", "Capture", "Conversion", "PhaseController", "TransitionTest",
    "block_sparse_attention", "convert", "generate_pattern", "mean_attention_map", "nn", "patterns",
]

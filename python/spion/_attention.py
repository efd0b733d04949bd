"""Block-sparse attention and the mean attention map."""

import torch
from torch import Tensor

from spion import _checks, _operators
from spion._pattern import BlockPattern


def block_sparse_attention(q: Tensor, k: Tensor, v: Tensor, pattern: BlockPattern, *,
                           padding: Tensor | None = None, scale: float | None = None,
                           pruned: str = "zero", tf32: bool = False,
                           deterministic: bool = True) -> Tensor:
    """softmax(scale q k^T) v within the blocks that a pattern keeps.

    For a row r with the kept columns C and valid keys V, s = scale q k^T, n = L - |C| pruned ones::

        out[r] = sum over C and V of exp(s[r, c]) v[c]  /  Z
        Z      = sum over C and V of exp(s[r, c])  [+ n  with pruned="zero"]

    Differentiable in q, k and v, once. The cost grows with the number of kept blocks;
    nothing of size L x L is ever in memory.

    Args:
        q, k, v: [B, H, L, d], d one of 16, 32, 64, 128, any strides. On a GPU float16, bfloat16 or
            float32, with rows aligned to 16 bytes; on a CPU float16 and bfloat16 are computed in
            float32. Under autocast they are cast to its dtype.
        pattern: of length L, on q's device; one for all heads, or one a head.
        padding: which keys are valid: int32 or int64 lengths [B], each from 0 to L, or bool [B, L],
            true for valid keys. On a GPU, where looking at lengths would wait for it, and when traced,
            one above L counts as L, one below 0 as 0; else such a length is refused. Padded keys and
            values must be finite all the same: they may be multiplied by probabilities of 0.
        scale: of the scores, a positive finite number; 1 / sqrt(d) if None. To train one multiply q by
            it, with scale=1.
        pruned: what a pruned pair means to the softmax. "zero": a score of 0 in Z (SPION's), its value
            not summed; "excluded": it is left out (the masked softmax of other methods).
        tf32: whether a GPU may round float32 to tf32 for its products.
        deterministic: False permits gradients of q that differ in their last bits from run to run.
            On a GPU of compute capability 9.0, with 16-bit numbers, d 64 and blocks of 128, they
            are faster; all else is deterministic anyway, on a CPU for one number of threads, and so
            are they where torch.use_deterministic_algorithms asks for it.

    Returns:
        [B, H, L, d] of q's dtype (autocast's, under it), laid out in memory as [B, L, H, d], so that
        joining the heads is a view. A row with nothing to attend to is 0.

    Raises:
        TypeError, ValueError: for other dtypes, sizes, devices; with the value and a way out.
        torch.OutOfMemoryError: for which memory; torch's own message goes to stderr.
        RuntimeError: when a second derivative is asked for, or a GPU fails.

    Source: SPION, arXiv 2309.12578.
    """
    function = "spion.block_sparse_attention"
    if not isinstance(pattern, BlockPattern):
        raise TypeError(f"{function}: pattern is a {type(pattern).__name__}, expected a "
                        "spion.BlockPattern; spion.BlockPattern(mask, block_size) makes one")
    _checks.check_options(function, pruned, tf32, deterministic)
    dtype, (q, k, v) = _checks.taken_heads(function, q, k, v)
    packed, numbers = pattern.arguments_for(function, q)
    out = _operators.attention(
        q, k, v, packed, numbers, _checks.checked_padding(function, padding, q),
        (_checks.checked_scale(function, scale, q), pruned == "zero", not tf32,
         deterministic or torch.are_deterministic_algorithms_enabled()))
    return out if out.dtype == dtype else out.to(dtype)


def mean_attention_map(q: Tensor, k: Tensor, *, padding: Tensor | None = None,
                       tf32: bool = False) -> Tensor:
    """The probabilities of dense attention, averaged over examples and heads.

    What SPION makes its patterns from. Never holds B x H x L x L. Padded keys have probability 0;
    padded queries count like any other. Not differentiable. Deterministic.

    Args:
        q, k: [B, H, L, d], as block_sparse_attention takes them; 16 divides L. Scores are scaled by
            1 / sqrt(d).
        padding: as there.
        tf32: as there.

    Returns:
        float32 [L, L] on q's device: rows are queries, columns are keys. Zeros if B or H is 0.

    Raises:
        TypeError, ValueError: for other dtypes, sizes, devices.
        torch.OutOfMemoryError: as there.

    Source: SPION, arXiv 2309.12578.
    """
    function = "spion.mean_attention_map"
    _checks.check_flag(function, "tf32", tf32)
    _, (q, k) = _checks.taken_heads(function, q, k)
    return _operators.called(torch.ops.spion.mean_attention_map.default, q.detach(), k.detach(),
                             _checks.checked_padding(function, padding, q), not tf32)

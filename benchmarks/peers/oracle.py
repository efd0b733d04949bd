"""Whether a peer's results are right: plain attention in double, some rows at a time."""

import torch

from problem import run_pass

RESULTS = {"fwd": ["out"], "fwdbwd": ["grad_q", "grad_k", "grad_v"]}

# As benchmarks/oracle_check.cc: unit roundoff times (largest score 10, exponential 5, one sum).
TOLERANCE = {torch.bfloat16: 16 * 2.0**-9, torch.float32: 16 * 2.0**-11}  # computed as tf32
BACKWARD_TOLERANCE = 3
SCORE_BYTES = 2**30  # of the scores that are there at a time; a few such tensors are


def plain_attention(problem, example, head, sparse, rows=None):
    """out, grad_q, grad_k, grad_v of one head in double, each [L, d]."""
    q, k, v, grad_out = (t[example, head].double() for t in (problem.q, problem.k, problem.v,
                                                             problem.grad_out))
    rows = rows or max(1, SCORE_BYTES // (8 * problem.length))
    k.requires_grad_()
    v.requires_grad_()
    outs, grads_q, grad_k, grad_v = [], [], torch.zeros_like(k), torch.zeros_like(v)
    for first in range(0, problem.length, rows):
        some = slice(first, min(first + rows, problem.length))
        some_q = q[some].requires_grad_()
        scores = some_q @ k.T / problem.head_dim**0.5
        if sparse:
            of_rows = problem.kept[torch.arange(some.start, some.stop,
                                                device=q.device) // problem.block]
            scores = scores.masked_fill(~of_rows.repeat_interleave(problem.block, 1), -torch.inf)
        out = scores.softmax(-1) @ v
        for_q, for_k, for_v = torch.autograd.grad(out, (some_q, k, v), grad_out[some])
        outs.append(out.detach())
        grads_q.append(for_q)
        grad_k += for_k
        grad_v += for_v
    return torch.cat(outs), torch.cat(grads_q), grad_k, grad_v


class Oracle:
    """What is right for a problem's first and last head, computed once."""

    def __init__(self, problem):
        self._problem = problem
        self._heads = {(0, 0), (problem.q.shape[0] - 1, problem.q.shape[1] - 1)}
        self._expected = {}

    def find_wrong(self, peer, inputs, name):
        """What is wrong with a peer's pass, or ""; throws what the peer throws."""
        found = run_pass(peer, inputs, name)
        if peer.sparse not in self._expected:
            self._expected[peer.sparse] = {
                at: plain_attention(self._problem, *at, peer.sparse) for at in self._heads}
        limit = TOLERANCE[self._problem.q.dtype]
        if name == "fwdbwd":
            limit *= BACKWARD_TOLERANCE
        for (example, head), right in self._expected[peer.sparse].items():
            of_pass = right[:1] if name == "fwd" else right[1:]
            for tensor, result, expected in zip(RESULTS[name], found, of_pass):
                mine = peer.laid_out(result)[example, head].double()
                error = ((mine - expected).norm() / expected.norm()).item()
                if not error <= limit:
                    return (f"{tensor} of example {example}, head {head} is off by {error:.3g} of "
                            f"its norm, allowed is {limit:.3g}")
        return ""

"""One case's tensors and pattern, and how a peer is run on them.

    problem = Problem(case, torch.bfloat16)
    peer = flex(problem, 128)
    grad_q, grad_k, grad_v = run_pass(peer, inputs_of(problem, peer), "fwdbwd")
"""

import dataclasses
import typing

import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"  # the CPU is for tests
PASSES = ("fwd", "fwdbwd")


class Absent(Exception):
    """The peer's package is not there; the message says which one."""


class Unfit(Exception):
    """The peer has nothing for such a case; the message says what it takes."""


@dataclasses.dataclass
class Peer:
    """An attention that is made for one problem.

    attend: (q, k, v) to the output, all in its layout, differentiable.
    tokens_first: [B, L, H, d] instead of [B, H, L, d].
    sparse: within the pattern's blocks, pruned entries left out of the softmax; else dense.
    """
    attend: typing.Callable
    tokens_first: bool = False
    sparse: bool = True

    def laid_out(self, tensor):
        """From [B, H, L, d] to its layout, or back."""
        return tensor.transpose(1, 2) if self.tokens_first else tensor


class Problem:
    """The tensors of one case in one dtype: q, k, v, grad_out [B, H, L, d], the same in each process.

    kept: [n, n] bool, the blocks of the pattern, the same for all heads.
    """

    def __init__(self, case, dtype):
        torch.manual_seed(1001)
        shape = [case["batch"], case["heads"], case["length"], case["head_dim"]]
        self.q, self.k, self.v, self.grad_out = (torch.randn(shape, device=DEVICE, dtype=dtype)
                                                 for _ in range(4))
        pattern = case["pattern"]
        self.length, self.head_dim = case["length"], case["head_dim"]
        self.block, self.kept_blocks = pattern["block_size"], pattern["kept_blocks"]
        kept = torch.zeros([pattern["blocks_per_side"]] * 2, dtype=torch.bool)
        for row, columns in enumerate(pattern["columns_of_row"]):
            kept[row, columns] = True
        self.kept = kept.to(DEVICE)


def inputs_of(problem, peer):
    """q, k, v and grad_out in the peer's layout, contiguous; the first three want gradients."""
    tensors = [peer.laid_out(t).contiguous()
               for t in (problem.q, problem.k, problem.v, problem.grad_out)]
    return [t.detach().requires_grad_() for t in tensors[:3]] + tensors[3:]


def run_pass(peer, inputs, name):
    """[out] of "fwd", the three gradients of "fwdbwd", in the peer's layout."""
    q, k, v, grad_out = inputs
    if name == "fwd":
        with torch.no_grad():
            return [peer.attend(q, k, v)]
    return torch.autograd.grad(peer.attend(q, k, v), (q, k, v), grad_out)


def columns_of_rows(kept, width=None):
    """Of [n, m] blocks: how many are kept in each row, int32 [n], and which ones, in order and
    then zeros, int32 [n, width]; width is the longest row's if not given."""
    counts = kept.sum(1, dtype=torch.int32)
    width = width or int(counts.max())
    order = torch.argsort(kept.int(), dim=1, descending=True, stable=True)[:, :width].int()
    beyond = torch.arange(width, device=kept.device) >= counts[:, None]
    return counts, order.masked_fill(beyond, 0)

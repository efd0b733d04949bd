"""The peers on a CPU: what is right, and whether lists of patterns and gradients arrive, with packages
that compute by plain loops in place of the kernels."""

import os
import sys
import tempfile
import textwrap
import unittest

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import oracle
import package_peers
from problem import Absent, Peer, Problem, Unfit, columns_of_rows, inputs_of, run_pass

# Four block rows of 1, 2, 3 and 1 blocks; the columns have 3, 1, 1 and 2.
KEPT = [[0], [0, 1], [0, 2, 3], [3]]


def case(block=64, head_dim=32):
    return {"batch": 2, "heads": 3, "head_dim": head_dim, "length": 4 * block,
            "pattern": {"block_size": block, "blocks_per_side": 4, "kept_blocks": 7,
                        "columns_of_row": KEPT}}


def masked(q, k, v, kept, block):
    """Masked attention in the tensors' dtype: q, k, v [B, H, L, d]; kept [n, n]."""
    mask = torch.kron(kept, torch.ones(block, block)).bool()
    scores = q @ k.transpose(-1, -2) / q.shape[-1]**0.5
    return torch.where(mask, scores, -torch.inf).softmax(-1) @ v


# Stands in for VSA's file: both passes by loops over the lists, the backward pass by the columns'.
VSA = textwrap.dedent("""
    import torch

    def blocks(tensor, at):
        return tensor[:, :, 64 * at:64 * at + 64]

    def triton_block_sparse_attn_forward(q, k, v, columns, counts, tokens):
        assert tokens.tolist() == [64] * 4 and columns.dtype == counts.dtype == torch.int32
        assert columns.shape == (2, 3, 4, 3) and counts.shape == (2, 3, 4)
        assert columns.is_contiguous() and counts.is_contiguous()
        outs, sums = [], []
        for row in range(4):
            some = columns[0, 0, row, :counts[0, 0, row]].tolist()
            keys, values = (torch.cat([blocks(t, at) for at in some], 2).double() for t in (k, v))
            scores = blocks(q, row).double() @ keys.transpose(2, 3) / q.shape[3]**0.5
            outs.append(scores.softmax(-1) @ values)
            sums.append(scores.logsumexp(-1))
        return torch.cat(outs, 2).to(q.dtype), torch.cat(sums, 2)

    def triton_block_sparse_attn_backward(grad_out, q, k, v, out, sums, columns, counts, rows,
                                          row_counts, tokens):
        grads = [torch.zeros_like(t, dtype=torch.double) for t in (q, k, v)]
        q, k, v, grad_out, out = (t.double() for t in (q, k, v, grad_out, out))
        scale = q.shape[3]**-0.5
        for column in range(4):
            for row in rows[1, 2, column, :row_counts[1, 2, column]].tolist():
                scores = blocks(q, row) @ blocks(k, column).transpose(2, 3) * scale
                p = (scores - blocks(sums, row)[..., None]).exp()
                blocks(grads[2], column).add_(p.transpose(2, 3) @ blocks(grad_out, row))
                grad_p = blocks(grad_out, row) @ blocks(v, column).transpose(2, 3)
                mean = (blocks(grad_out, row) * blocks(out, row)).sum(-1, keepdim=True)
                grad_s = p * (grad_p - mean) * scale
                blocks(grads[0], row).add_(grad_s @ blocks(k, column))
                blocks(grads[1], column).add_(grad_s.transpose(2, 3) @ blocks(q, row))
        return [g.to(torch.bfloat16) for g in grads]
""")

# Stands in for FA4: checks that the backward lists are the forward ones' transpose.
FA4_LISTS = textwrap.dedent("""
    import collections
    BlockSparseTensorsTorch = collections.namedtuple(
        "BlockSparseTensorsTorch", "partial_cnt partial full_cnt full block_size")
""")
FA4 = textwrap.dedent("""
    import torch

    def kept_of(lists):
        assert lists.block_size == (64, 64) and not lists.partial_cnt.any()
        assert lists.full.shape == (1, 1, 4, 3) and lists.full.is_contiguous()
        kept = torch.zeros(4, 4)
        for row in range(4):
            kept[row, lists.full[0, 0, row, :lists.full_cnt[0, 0, row]].long()] = 1
        return kept

    def flash_attn_func(q, k, v, block_sparse_tensors, block_sparse_tensors_bwd):
        kept = kept_of(block_sparse_tensors)
        assert torch.equal(kept_of(block_sparse_tensors_bwd).T, kept)
        mask = torch.kron(kept, torch.ones(64, 64)).bool()
        scores = torch.einsum("bqhd,bkhd->bhqk", q.float(), k.float()) / q.shape[3]**0.5
        p = scores.masked_fill(~mask, -torch.inf).softmax(-1)
        return torch.einsum("bhqk,bkhd->bqhd", p, v.float()).to(q.dtype), None
""")


class PeersTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        sys.path.insert(0, self.folder.name)
        self.addCleanup(sys.path.remove, self.folder.name)

    def write(self, path, text):
        file = os.path.join(self.folder.name, path)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "w", encoding="utf-8") as opened:
            opened.write(text)

    def assert_right(self, problem, peer):
        right, inputs = oracle.Oracle(problem), inputs_of(problem, peer)
        self.assertEqual([right.find_wrong(peer, inputs, name) for name in ("fwd", "fwdbwd")],
                         ["", ""])

    def test_columns_of_rows(self):
        kept = Problem(case(), torch.float32).kept
        counts, columns = columns_of_rows(kept)
        self.assertEqual(counts.tolist(), [1, 2, 3, 1])
        self.assertEqual(columns.tolist(), [[0, 0, 0], [0, 1, 0], [0, 2, 3], [3, 0, 0]])
        counts, columns = columns_of_rows(kept.T, width=4)
        self.assertEqual(columns.tolist(),
                         [[0, 1, 2, 0], [1, 0, 0, 0], [2, 0, 0, 0], [2, 3, 0, 0]])

    def test_plain_attention_is_masked_attention_whatever_the_rows_at_a_time(self):
        problem = Problem(case(block=16), torch.float32)
        for sparse in (True, False):
            kept = problem.kept.float() if sparse else torch.ones(4, 4)
            inputs = [t.double().requires_grad_() for t in (problem.q, problem.k, problem.v)]
            out = masked(*inputs, kept, 16)
            grads = torch.autograd.grad(out, inputs, problem.grad_out.double())
            for rows in (None, 10, 64):
                found = oracle.plain_attention(problem, 1, 2, sparse, rows)
                for mine, expected in zip(found, (out, *grads)):
                    torch.testing.assert_close(mine, expected[1, 2].detach(), rtol=1e-12,
                                               atol=1e-12)

    def test_a_wrong_result_is_found_in_the_pass_and_the_head_where_it_is(self):
        problem = Problem(case(), torch.float32)
        kept = problem.kept.float()

        def attend(q, k, v):
            last = torch.zeros(2, 3, 1, 1)
            last[1, 2] = 1
            out = masked(q, k, v, kept, 64)
            return out + last * 0.1 * (v - v.detach())  # wrong in grad_v alone

        peer = Peer(attend)
        right, inputs = oracle.Oracle(problem), inputs_of(problem, peer)
        self.assertEqual(right.find_wrong(peer, inputs, "fwd"), "")
        self.assertRegex(right.find_wrong(peer, inputs, "fwdbwd"),
                         r"^grad_v of example 1, head 2 is off by 0\.\d+ of its norm, allowed")
        self.assertIn("out of example", right.find_wrong(
            Peer(lambda q, k, v: masked(q, k, v, torch.ones(4, 4), 64)), inputs, "fwd"))
        nan = Peer(lambda q, k, v: masked(q, k, v, kept, 64) * torch.nan)
        self.assertIn("off by nan", right.find_wrong(nan, inputs, "fwd"))

    def test_vsa_gets_both_lists(self):
        self.write("fastvideo_kernel/__init__.py", "raise ImportError('more than the file')")
        self.write("fastvideo_kernel/triton_kernels/block_sparse_attn_triton.py", VSA)
        problem = Problem(case(), torch.bfloat16)
        self.assert_right(problem, package_peers.vsa(problem))

    def test_fa4_gets_both_lists_and_its_layout(self):
        self.write("flash_attn/cute/interface.py", FA4)
        self.write("flash_attn/cute/block_sparsity.py", FA4_LISTS)
        self.addCleanup(lambda: [sys.modules.pop(name) for name in list(sys.modules)
                                 if name.startswith("flash_attn")])
        problem = Problem(case(), torch.bfloat16)
        peer = package_peers.fa4(problem)
        self.assertEqual(run_pass(peer, inputs_of(problem, peer), "fwd")[0].shape, (2, 256, 3, 32))
        self.assert_right(problem, peer)

    def test_a_case_that_a_peer_does_not_take_is_unfit(self):
        self.write("fastvideo_kernel/triton_kernels/block_sparse_attn_triton.py", VSA)
        for problem, message in ((Problem(case(32), torch.bfloat16), "block size 32; it takes 64"),
                                 (Problem(case(), torch.float32), "dtype torch.float32"),
                                 (Problem(case(head_dim=16), torch.bfloat16), "head dimension 16")):
            with self.assertRaisesRegex(Unfit, message):
                package_peers.vsa(problem)

    def test_a_package_that_is_not_there_is_absent(self):
        problem = Problem(case(), torch.bfloat16)
        for name, package in (("vsa", "fastvideo-kernel"), ("fa4", "flash-attn-4"),
                              ("cudnn_bsa", "nvidia-cudnn-frontend")):
            with self.subTest(name), self.assertRaisesRegex(Absent, package + " is not installed"):
                package_peers.PEERS[name](problem)


if __name__ == "__main__":
    unittest.main()

"""Values, gradients and dtypes of the two functions, against dense math in double; bad input."""

import contextlib
import copy
import functools
import itertools
import pathlib
import unittest
from unittest import mock

import torch

import dense_math
import spion
from spion import _libraries, _operators

BATCH, HEADS, SIDE, BLOCK, DIM = 3, 2, 4, 16, 32
LENGTH = SIDE * BLOCK
MASK = torch.eye(SIDE, dtype=torch.bool)
MASK[0, 2] = MASK[3, 0] = MASK[3, 1] = MASK[2, 0] = True
LENGTHS = torch.tensor([64, 1, 37])
VALID = torch.arange(LENGTH) < LENGTHS[:, None]


def heads(batch=BATCH, seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, HEADS, LENGTH, DIM, generator=generator, **options).requires_grad_()
            for _ in range(3)]


class AttentionTest(unittest.TestCase):
    def check(self, mask, padding=None, valid=None, **options):
        tensors = heads()
        out = spion.block_sparse_attention(*tensors, spion.BlockPattern(mask, BLOCK),
                                           padding=padding, **options)
        truth = dense_math.attention(*tensors, mask, BLOCK, valid=valid, **options)
        self.assertLess(dense_math.error(out, truth), 1e-6)
        direction = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
        ours = torch.autograd.grad(out, tensors, direction)
        theirs = torch.autograd.grad(truth, tensors, direction.double())
        for our, their in zip(ours, theirs):
            self.assertLess(dense_math.error(our, their.double()), 3e-6)

    def test_values_and_gradients(self):
        for pruned, padding in itertools.product(
                ("zero", "excluded"), (None, LENGTHS, LENGTHS.int(), VALID)):
            with self.subTest(pruned=pruned, padding=None if padding is None else padding.dtype):
                self.check(MASK, padding, None if padding is None else VALID, pruned=pruned)

    def test_scale(self):
        self.check(MASK, scale=0.3)

    def test_a_scale_to_be_trained(self):
        tensors = heads()
        scale = torch.tensor(0.3, requires_grad=True)
        out = spion.block_sparse_attention(scale * tensors[0], *tensors[1:],
                                           spion.BlockPattern(MASK, BLOCK), scale=1)
        truth = dense_math.attention(*tensors, MASK, BLOCK, scale=scale.double())
        ours, theirs = (torch.autograd.grad(result.pow(2).sum(), scale)[0] for result in (out, truth))
        torch.testing.assert_close(ours, theirs)

    def test_one_pattern_a_head(self):
        self.check(torch.stack([MASK, MASK.T]))

    def test_every_block_is_torchs_own_attention(self):
        q, k, v = heads()
        ours = spion.block_sparse_attention(q, k, v, spion.patterns.full(LENGTH, block_size=BLOCK))
        torch.testing.assert_close(
            ours, torch.nn.functional.scaled_dot_product_attention(q, k, v))

    def test_the_map(self):
        q, k, _ = heads()
        for padding in (None, LENGTHS, VALID):
            ours = spion.mean_attention_map(q, k, padding=padding)
            truth = dense_math.mean_map(q, k, valid=None if padding is None else VALID)
            self.assertLess(dense_math.error(ours, truth), 1e-6)
            self.assertFalse(ours.requires_grad)

    def test_a_result_that_is_written_to_is_torchs_error(self):
        # As of scaled_dot_product_attention, whose gradients need the result too.
        def ours(*tensors):
            return spion.block_sparse_attention(*tensors, spion.BlockPattern(MASK, BLOCK))

        def write(out):
            out[0].mul_(2)

        for attend in (ours, torch.nn.functional.scaled_dot_product_attention):
            for change in (lambda out: out.add_(1), write):
                tensors = heads()
                out = attend(*tensors)
                self.assertFalse(out._is_view())
                change(out)
                with self.assertRaisesRegex(RuntimeError, "modified by an inplace operation"):
                    out.sum().backward()
            with torch.no_grad():
                self.assertTrue(torch.equal(attend(*tensors).mul_(2), 2 * attend(*tensors)))
            out = attend(*(tensor.detach() for tensor in tensors))
            weight = torch.ones_like(out, requires_grad=True)
            out += weight
            self.assertTrue(torch.equal(*torch.autograd.grad(out.sum(), weight), weight))

    def test_gradients_can_be_written_to(self):
        tensors = heads()
        out = spion.block_sparse_attention(*tensors, spion.BlockPattern(MASK, BLOCK))
        before = torch.autograd.grad(out.sum(), tensors, retain_graph=True)
        gradients = torch.autograd.grad(out.sum(), tensors)
        weight = torch.full_like(out, 2, requires_grad=True)
        gradients[0].mul_(weight)
        for gradient, expected in zip(gradients, (2 * before[0], *before[1:])):
            self.assertTrue(torch.equal(gradient, expected))
        self.assertTrue(torch.equal(*torch.autograd.grad(gradients[0].sum(), weight), before[0]))

    def test_gradients_share_no_memory_that_a_user_writes_to(self):
        tensors = heads()
        spion.block_sparse_attention(*tensors, spion.BlockPattern(MASK, BLOCK)).sum().backward()
        before = tensors[1].grad.clone()
        tensors[0].grad.zero_()
        self.assertTrue(torch.equal(tensors[1].grad, before))

    def test_any_strides(self):
        q, k, v = heads()
        pattern = spion.BlockPattern(MASK, BLOCK)
        wide = torch.stack([tensor.detach().transpose(2, 3).contiguous() for tensor in (q, k, v)])
        self.assertTrue(torch.equal(
            spion.block_sparse_attention(*wide.transpose(3, 4), pattern),
            spion.block_sparse_attention(q, k, v, pattern)))

    def test_no_examples(self):
        tensors = heads(batch=0)
        out = spion.block_sparse_attention(*tensors, spion.BlockPattern(MASK, BLOCK))
        self.assertEqual(out.shape, (0, HEADS, LENGTH, DIM))
        self.assertEqual(torch.autograd.grad(out.sum(), tensors)[0].shape, out.shape)
        self.assertEqual(spion.mean_attention_map(*tensors[:2]).sum(), 0)

    def test_half_precision_and_autocast_on_the_cpu(self):
        tensors = heads()
        pattern = spion.BlockPattern(MASK, BLOCK)
        truth = dense_math.attention(*tensors, MASK, BLOCK)
        for dtype in (torch.float16, torch.bfloat16):
            out = spion.block_sparse_attention(*(t.to(dtype) for t in tensors), pattern)
            self.assertEqual(out.dtype, dtype)
            self.assertLess(dense_math.error(out, truth), 0.01)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = spion.block_sparse_attention(*tensors, pattern)
        self.assertEqual(out.dtype, torch.bfloat16)
        out.float().sum().backward()
        self.assertEqual(tensors[0].grad.dtype, torch.float32)

    def test_a_second_derivative_is_an_error(self):
        tensors = heads()
        out = spion.block_sparse_attention(*tensors, spion.BlockPattern(MASK, BLOCK))
        gradient, = torch.autograd.grad(out.pow(2).sum(), tensors[:1], create_graph=True)
        with self.assertRaisesRegex(RuntimeError, "differentiable once.*detach"):
            gradient.sum().backward()

    def test_a_forward_derivative_is_an_error_and_never_zero(self):
        pattern = spion.BlockPattern(MASK, BLOCK)
        tensors = [tensor.detach() for tensor in heads()]
        with torch.autograd.forward_ad.dual_level():
            dual = torch.autograd.forward_ad.make_dual(tensors[0], torch.ones_like(tensors[0]))
            with self.assertRaises(NotImplementedError):
                spion.block_sparse_attention(dual, *tensors[1:], pattern)

    def test_a_pattern_that_is_written_with_what_it_has_changes_no_gradient(self):
        # As DistributedDataParallel does with all buffers at each forward pass.
        pattern = spion.BlockPattern(MASK, BLOCK)
        tensors = heads()
        expected = torch.autograd.grad(
            spion.block_sparse_attention(*tensors, pattern).sum(), tensors)
        out = spion.block_sparse_attention(*tensors, pattern)
        pattern.packed.copy_(pattern.packed.clone())
        for ours, theirs in zip(torch.autograd.grad(out.sum(), tensors), expected):
            self.assertTrue(torch.equal(ours, theirs))

    def test_padding_that_is_written_to_is_torchs_error(self):
        # As of scaled_dot_product_attention's mask. Lengths of 64 bits are copied.
        pattern = spion.BlockPattern(MASK, BLOCK)
        for padding in (LENGTHS.int(), VALID.clone()):
            tensors = heads()
            out = spion.block_sparse_attention(*tensors, pattern, padding=padding)
            padding.fill_(LENGTH)
            with self.assertRaisesRegex(RuntimeError, "modified by an inplace operation"):
                out.sum().backward()
        tensors, lengths = heads(), LENGTHS.clone()
        expected = torch.autograd.grad(
            spion.block_sparse_attention(*tensors, pattern, padding=LENGTHS).sum(), tensors)
        out = spion.block_sparse_attention(*tensors, pattern, padding=lengths)
        lengths.fill_(LENGTH)
        for ours, theirs in zip(torch.autograd.grad(out.sum(), tensors), expected):
            self.assertTrue(torch.equal(ours, theirs))

    def test_padding_made_in_inference_mode(self):
        for padding in (LENGTHS, LENGTHS.int(), VALID):
            with torch.inference_mode():
                padding = padding.clone()
            self.check(MASK, padding, VALID)

    def test_where_torch_has_no_short_way_to_the_kernels(self):
        with mock.patch.object(_operators, "_below_autograd", contextlib.nullcontext):
            self.check(MASK, LENGTHS, VALID)
            self.test_a_second_derivative_is_an_error()
            self.test_a_result_that_is_written_to_is_torchs_error()

    def test_memory_that_is_not_there(self):
        pattern = spion.patterns.full(16, block_size=16)
        for requires_grad in (False, True):
            leaf = torch.zeros(16, requires_grad=requires_grad)
            q = leaf.expand(2**36, 1, 16, 16)
            with self.assertRaisesRegex(torch.OutOfMemoryError, "the CPU has none for a tensor of"):
                spion.block_sparse_attention(q, q, q, pattern)

    def test_memory_that_is_not_there_for_the_rows_of_a_gradient(self):
        pattern = spion.patterns.full(16, block_size=16)
        q = torch.zeros(16).expand(2**36, 1, 16, 16)
        columns = torch.zeros(16, 1).expand(2**36, 1, 16, 16)
        # Called by itself an operator raises what this torch makes of it.
        with self.assertRaisesRegex((MemoryError, RuntimeError), "the CPU has none for a tensor of"):
            torch.ops.spion.block_sparse_attention_backward(
                columns, q, q, q, q, q[..., 0], *pattern.arguments(), None, 0.25, True, True)

    def test_the_backward_pass_hears_whether_it_is_to_be_deterministic(self):
        pattern = spion.BlockPattern(MASK, BLOCK)
        layer = spion.nn.SpionAttention(deterministic=False)
        layer.set_pattern(pattern)
        attention = functools.partial(spion.block_sparse_attention, pattern=pattern)
        compiled = torch.compile(functools.partial(attention, deterministic=False), backend="eager")
        for attend, always, expected in (
                (attention, False, True), (layer, False, False), (compiled, False, False),
                (functools.partial(attention, deterministic=False), False, False),
                (functools.partial(attention, deterministic=False), True, True)):
            torch.use_deterministic_algorithms(always)
            self.addCleanup(torch.use_deterministic_algorithms, False)
            with mock.patch.object(_operators, "_backward", wraps=_operators._backward) as backward:
                attend(*heads()).sum().backward()
            self.assertEqual([call.args[-1] for call in backward.call_args_list], [expected])

    def test_the_operator_itself_has_the_same_gradients(self):
        tensors = heads()
        pattern = spion.BlockPattern(MASK, BLOCK)
        out, log_sum_exp = torch.ops.spion.block_sparse_attention(
            *tensors, *pattern.arguments(), None, DIM**-0.5, True, True)
        self.assertFalse(log_sum_exp.requires_grad)
        wrapped = spion.block_sparse_attention(*tensors, pattern)
        for raw, ours in zip(torch.autograd.grad(out.sum(), tensors),
                             torch.autograd.grad(wrapped.sum(), tensors)):
            self.assertTrue(torch.equal(raw, ours))


class OutcomeTest(unittest.TestCase):
    """What Python's functions raise, of what torch 2.11 and later ones make of an operator's error."""

    def outcome(self, error):
        operator = mock.Mock(side_effect=error)
        operator.name.return_value = "spion::op"
        with self.assertRaises(Exception) as caught:
            _operators.called(operator, 1)
        operator.assert_called_once_with(1)
        return type(caught.exception), str(caught.exception)

    def test_is_the_same_for_every_torch(self):
        for refused in ("spion.patterns.fixed: 3", "spion::op: 3", "spion::op on the CPU takes float32"):
            for kind in (ValueError, RuntimeError):
                self.assertEqual(self.outcome(kind(refused)), (ValueError, refused))
        no_memory = "out of memory: the CPU has none"
        for kind in (MemoryError, RuntimeError):
            self.assertEqual(self.outcome(kind(no_memory)),
                             (torch.OutOfMemoryError, f"spion::op: {no_memory}"))

    def test_what_has_failed_and_what_torch_says_stays(self):
        for error in (RuntimeError("spion::op failed: CUDA could not start the kernel"),
                      RuntimeError("Expected all tensors on one device"),
                      NotImplementedError("Could not run 'spion::op'"),
                      torch.OutOfMemoryError("CUDA out of memory.")):
            self.assertEqual(self.outcome(error), (type(error), str(error)))


class LibrariesTest(unittest.TestCase):
    def test_an_old_torch(self):
        for version in ("2.10.1", "1.13.0+cu117", "2.9.0a0+git12"):
            with self.assertRaisesRegex(ImportError, f"this is torch {version[:4]}"):
                _libraries._check_torch(version)
        for version in ("2.11.0+cu130", "2.12.0.dev20270101", "3.0.0"):
            _libraries._check_torch(version)

    def test_what_keeps_the_gpu_away(self):
        here, nowhere = pathlib.Path(__file__), pathlib.Path("/no/such/file")
        self.assertIn("built with nvcc", _libraries._cuda_obstacle(nowhere, "13.0"))
        self.assertIn("torch has no CUDA", _libraries._cuda_obstacle(here, None))
        self.assertIn("torch for CUDA 13", _libraries._cuda_obstacle(here, "12.8"))
        self.assertIsNone(_libraries._cuda_obstacle(here, "13.1"))


class BadInputTest(unittest.TestCase):
    def refused(self, exception, message, call):
        with self.assertRaisesRegex(exception, message) as caught:
            call()
        self.assertNotIn("\n", str(caught.exception))

    def test_attention(self):
        q, k, v = (tensor.detach() for tensor in heads())
        pattern = spion.BlockPattern(MASK, BLOCK)

        def call(q=q, k=k, v=v, pattern=pattern, **options):
            return lambda: spion.block_sparse_attention(q, k, v, pattern, **options)

        for exception, message, bad in [
                (TypeError, "q is a list", call(q=[1])),
                (ValueError, r"k is \[2, 64, 32\], expected \[batch", call(k=k[0])),
                (ValueError, r"v is \[1, 2, 64, 32\], expected q's \[3, 2, 64, 32\]", call(v=v[:1])),
                (TypeError, "q is a nested or sparse tensor, expected a dense one; ",
                 call(q=torch.nested.nested_tensor(list(q)))),
                (TypeError, "k is a nested or sparse tensor", call(k=torch.nested.nested_tensor(list(k)))),
                (TypeError, "v is a nested or sparse tensor", call(v=v.to_sparse())),
                (TypeError, "q is torch.float64, expected float16", call(q=q.double())),
                (TypeError, "k is torch.bfloat16, expected q's torch.float32", call(k=k.bfloat16())),
                (ValueError, "v is on meta, expected q's cpu", call(v=v.to("meta"))),
                (ValueError, "head dimension of 24", call(q[..., :24], k[..., :24], v[..., :24])),
                (TypeError, "pattern is a Tensor", call(pattern=MASK)),
                (ValueError, "length of 48, the pattern one of 64.*; pad the sequence",
                 call(q[:, :, :48], k[:, :, :48], v[:, :, :48])),
                (ValueError, "the pattern one of 1024, .*; a mask has one element a block, not one a token",
                 call(pattern=spion.BlockPattern(torch.ones(64, 64, dtype=torch.bool), 16))),
                (ValueError, "q has 2 heads, the pattern is for 3",
                 call(pattern=spion.BlockPattern(MASK.expand(3, -1, -1), BLOCK))),
                (ValueError, "pattern is on meta", call(pattern=copy.deepcopy(pattern).to("meta"))),
                (ValueError, r"padding is torch.float32 \[3\], expected int32 or int64 lengths \[3\]",
                 call(padding=torch.ones(3))),
                (ValueError, r"padding is torch.int16 \[3\], expected int32 or int64 lengths \[3\]",
                 call(padding=torch.ones(3, dtype=torch.int16))),
                (ValueError, r"padding is torch.int64 \[2\]", call(padding=torch.ones(2).long())),
                (ValueError, r"example 1 has 65 valid keys, expected 0 to 64$",
                 call(padding=torch.tensor([64, 65, 0]))),
                (ValueError, "example 2 has -1 valid keys",
                 call(padding=torch.tensor([64, 0, -1], dtype=torch.int32))),
                (ValueError, "scale is -0.5, expected a positive finite number", call(scale=-0.5)),
                (TypeError, "block_sparse_attention: scale is a str, expected a positive finite number",
                 call(scale="a")),
                (TypeError, "scale is a Tensor, which would get no gradient; take scale=1 and multiply q "
                            "by it$", call(scale=torch.tensor(0.5, requires_grad=True))),
                (TypeError, "tf32 is 'no', expected True or False$", call(tf32="no")),
                (TypeError, "deterministic is 1, expected True or False$", call(deterministic=1)),
                (ValueError, "scale is inf", call(scale=float("inf"))),
                (ValueError, "scale is True", call(scale=True)),
                (ValueError, "scale is nan", call(scale=float("nan"))),
                (ValueError, "pruned is 'none'", call(pruned="none"))]:
            with self.subTest(message):
                self.refused(exception, message, bad)

    def test_map(self):
        q, k, _ = heads()
        self.refused(ValueError, "k is .*expected q's", lambda: spion.mean_attention_map(q, k[:1]))
        self.refused(ValueError, "length 40 is not a positive multiple of 16",
                     lambda: spion.mean_attention_map(q[:, :, :40], k[:, :, :40]))
        self.refused(TypeError, "spion.mean_attention_map: tf32 is 'no', expected True or False$",
                     lambda: spion.mean_attention_map(q, k, tf32="no"))
        self.refused(ValueError, "example 0 has 300 valid keys",
                     lambda: spion.mean_attention_map(q, k, padding=torch.tensor([300, 1, 1])))

    def test_the_operators_take_lengths_beyond_as_the_nearest(self):
        """As they get them where no look at the lengths is taken."""
        q, k, v = (tensor.detach() for tensor in heads())
        packed, *numbers = spion.BlockPattern(MASK, BLOCK).arguments()

        def results(lengths):
            lengths = torch.tensor(lengths, dtype=torch.int32)
            rest = (lengths, 0.25, False, True)
            out, log_sum_exp = torch.ops.spion.block_sparse_attention(
                q, k, v, packed, *numbers, *rest)
            return (out, torch.ops.spion.mean_attention_map(q, k, lengths, True),
                    torch.ops.spion.block_sparse_attention_backward(
                        v, q, k, v, out, log_sum_exp, packed, *numbers, *rest))

        for beyond, nearest in zip(results([300, -1, 2**30]), results([LENGTH, 0, LENGTH])):
            self.assertTrue(torch.equal(beyond, nearest))

    def test_operators_themselves(self):
        q, k, v = (tensor.detach() for tensor in heads())
        pattern = spion.BlockPattern(MASK, BLOCK)
        packed, *numbers = pattern.arguments()
        rest = (None, 0.25, True, True)
        operator = torch.ops.spion.block_sparse_attention
        for message, tensors, packed_pattern in [
                ("takes float32; got Double", (q.double(),) * 3, packed),
                ("k must have q's sizes", (q, k[:1], v), packed),
                ("does not fit length 48", (q[:, :, :48],) * 3, packed),
                ("stride 1 along head_dim", (q.transpose(2, 3).contiguous().transpose(2, 3), k, v),
                 packed),
                ("pattern is damaged", (q, k, v), packed[:-1]),
                ("must be contiguous int32", (q, k, v), packed.long())]:
            # By themselves they raise what this torch makes of it.
            with self.subTest(message), self.assertRaisesRegex((ValueError, RuntimeError), message):
                operator(*tensors, packed_pattern, *numbers, *rest)


if __name__ == "__main__":
    unittest.main()

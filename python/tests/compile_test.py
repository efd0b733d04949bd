"""The operators under torch's compilers, checkers and ways of storing and copying."""

import copy
import io
import pickle
import unittest
import warnings

import torch
from torch._dynamo.testing import CompileCounterWithBackend

import spion

SIDE, BLOCK, HEADS, DIM = 4, 16, 2, 16
LENGTH = SIDE * BLOCK
MASK = torch.eye(SIDE, dtype=torch.bool)
MASK[0, 2] = MASK[3, 0] = True
PATTERN = spion.BlockPattern(MASK, BLOCK)


def heads(batch=2, requires_grad=True):
    return [torch.randn(batch, HEADS, LENGTH, DIM, requires_grad=requires_grad) for _ in range(3)]


def attend(q, k, v):
    return spion.block_sparse_attention(q, k, v, PATTERN)


class OpcheckTest(unittest.TestCase):
    def check(self, name, *arguments):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = torch.library.opcheck(getattr(torch.ops.spion, name).default, arguments)
        self.assertEqual(set(results.values()), {"SUCCESS"}, results)

    def test_forward(self):
        for padding in (None, torch.tensor([3, 64], dtype=torch.int32)):
            self.check("block_sparse_attention", *heads(), *PATTERN.arguments(), padding, 0.25, True,
                       True)

    def test_backward(self):
        q, k, v = heads(requires_grad=False)
        out, log_sum_exp = torch.ops.spion.block_sparse_attention(
            q, k, v, *PATTERN.arguments(), None, 0.25, True, True)
        self.check("block_sparse_attention_backward", torch.randn_like(out), q, k, v, out,
                   log_sum_exp, *PATTERN.arguments(), None, 0.25, True, True)

    def test_without_deterministic_gradients(self):
        self.check("block_sparse_attention", *heads(), *PATTERN.arguments(), None, 0.25, True, True,
                   False)

    def test_map(self):
        for requires_grad in (False, True):
            self.check("mean_attention_map", *heads(requires_grad=requires_grad)[:2], None, True)

    def test_patterns(self):
        self.check("generate_pattern", torch.rand(64, 64).softmax(-1), "cf", 16, 0.0, 0.9, 31)
        self.check("fixed_pattern", "longformer", 64, 16, [1, 1])
        self.check("pack_pattern", MASK[None], 16)


class CompileTest(unittest.TestCase):
    def setUp(self):
        torch._dynamo.reset()

    def test_batches_of_any_size_in_one_graph(self):
        counter = CompileCounterWithBackend("aot_eager")
        compiled = torch.compile(attend, backend=counter, fullgraph=True)
        for batch in (2, 3, 5, 7):
            tensors = heads(batch)
            ours = torch.autograd.grad(compiled(*tensors).pow(2).sum(), tensors)
            for our, eager in zip(ours, torch.autograd.grad(attend(*tensors).pow(2).sum(), tensors)):
                torch.testing.assert_close(our, eager)
        self.assertLessEqual(counter.frame_count, 2)  # one for 2, one for all others

    def test_torchs_own_compiler(self):
        compiled = torch.compile(attend, fullgraph=True)
        tensors = heads()
        for our, eager in zip(torch.autograd.grad(compiled(*tensors).pow(2).sum(), tensors),
                              torch.autograd.grad(attend(*tensors).pow(2).sum(), tensors)):
            torch.testing.assert_close(our, eager)

    def test_many_patterns_in_few_graphs(self):
        counter = CompileCounterWithBackend("aot_eager")
        compiled = torch.compile(spion.block_sparse_attention, backend=counter, fullgraph=True)
        for layer in range(10):
            mask = torch.eye(SIDE, dtype=torch.bool)
            mask.view(-1)[torch.randperm(16)[:layer]] = True
            compiled(*heads(), spion.BlockPattern(mask, BLOCK)).sum().backward()
        self.assertLessEqual(counter.frame_count, 4)

    def test_autocast(self):
        compiled = torch.compile(attend, backend="aot_eager", fullgraph=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            self.assertEqual(compiled(*heads()).dtype, torch.bfloat16)

    def test_a_layer_that_captures_maps_and_becomes_sparse(self):
        layer = spion.nn.SpionAttention()
        compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
        q, k, v = heads()
        compiled(q, k, v)
        layer.request_map()
        compiled(q, k, v)
        torch.testing.assert_close(layer.take_map(), spion.mean_attention_map(q, k))
        layer.set_pattern(PATTERN)
        torch.testing.assert_close(compiled(q, k, v), attend(q, k, v))

    def test_a_layer_of_a_controller(self):
        layer = spion.nn.SpionAttention()
        controller = spion.PhaseController([layer], kind="f", block_size=BLOCK, threshold=0.5,
                                           capture_interval=2, dense_step_limit=2)
        compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
        for step, batch in enumerate((2, 3, 5, 7), 1):
            compiled(*heads(batch)).sum().backward()
            controller.after_step(step)
        self.assertEqual(controller.phase, "sparse")

    def test_export(self):
        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.pattern = PATTERN

            def forward(self, q, k, v):
                return spion.block_sparse_attention(q, k, v, self.pattern)

        tensors = heads(requires_grad=False)
        program = torch.export.export(Model(), tuple(tensors))
        torch.testing.assert_close(program.module()(*tensors), attend(*tensors))

    def test_checkpointing(self):
        tensors = heads()
        out = torch.utils.checkpoint.checkpoint(attend, *tensors, use_reentrant=False)
        ours = torch.autograd.grad(out.sum(), tensors)
        for our, plain in zip(ours, torch.autograd.grad(attend(*tensors).sum(), tensors)):
            self.assertTrue(torch.equal(our, plain))

    def test_meta_tensors(self):
        q, k, v = (tensor.to("meta") for tensor in heads())
        out = spion.block_sparse_attention(q, k, v, copy.deepcopy(PATTERN).to("meta"))
        self.assertEqual(out.stride(), attend(*heads()).stride())


class StorageTest(unittest.TestCase):
    def assert_same(self, pattern):
        self.assertTrue(torch.equal(pattern.packed, PATTERN.packed))
        self.assertEqual(pattern.arguments()[1:], PATTERN.arguments()[1:])
        self.assertTrue(torch.equal(pattern.mask, MASK))

    def test_copies(self):
        self.assert_same(copy.deepcopy(PATTERN))
        self.assert_same(pickle.loads(pickle.dumps(PATTERN)))

    def test_memory_made_anew_holds_the_pattern(self):
        layer = spion.nn.SpionAttention()
        layer.set_pattern(copy.deepcopy(PATTERN))
        self.addCleanup(torch.use_deterministic_algorithms, False)
        torch.use_deterministic_algorithms(True)  # which fills what is empty
        for module in (copy.deepcopy(PATTERN), layer):
            for device in ("cpu", "meta", "cpu"):
                module.to_empty(device=device)
                saved = getattr(module, "pattern", module).get_extra_state()
                self.assertEqual(saved.tolist(), (BLOCK * MASK.int()).tolist(), device)
            self.assert_same(getattr(module, "pattern", module))
            before = getattr(module, "pattern", module).packed
            self.assertIs(getattr(module.half().to("cpu"), "pattern", module).packed, before)

    def test_state_dict(self):
        file = io.BytesIO()
        torch.save(PATTERN.state_dict(), file)
        file.seek(0)
        other = spion.patterns.full(LENGTH, block_size=BLOCK)
        other.load_state_dict(torch.load(file, weights_only=True))
        self.assert_same(other)

    def test_all_of_a_state_dict_are_tensors(self):
        """Which may be saved and cast in any way that tensors are."""
        for mask in (MASK, MASK.T, torch.stack([MASK, MASK.T]), MASK.expand(2, -1, -1)):
            for block_size in (16, 32, 64, 128):
                pattern = spion.BlockPattern(mask, block_size)
                layer = spion.nn.SpionAttention()
                layer.set_pattern(pattern)
                state = layer.state_dict()
                saved = state["pattern._extra_state"]
                self.assertEqual(saved.tolist(), (block_size * mask.int()).tolist())
                self.assertEqual((list(state), saved.dtype, saved.is_contiguous()),
                                 (["pattern._extra_state"], torch.uint8, True))
                for change in (torch.Tensor.cpu, torch.Tensor.clone, torch.Tensor.half,
                               torch.Tensor.bfloat16, torch.Tensor.double):
                    other = spion.nn.SpionAttention()
                    for _ in ("without a pattern", "with one"):
                        other.load_state_dict({name: change(held) for name, held in state.items()})
                        self.assertTrue(torch.equal(other.pattern.mask, mask))
                        self.assertEqual(other.pattern.arguments()[1:], pattern.arguments()[1:])
                        self.assertTrue(torch.equal(other.pattern.packed, pattern.packed))
                        other.pattern.set_extra_state(
                            spion.patterns.full(LENGTH, block_size=BLOCK).get_extra_state())

    def test_an_earlier_state_dict(self):
        state = {"pattern._extra_state": {"mask": MASK, "block_size": BLOCK}}
        layer = spion.nn.SpionAttention()
        for _ in ("without a pattern", "with one"):
            layer.load_state_dict(state)
            self.assert_same(layer.pattern)
            layer.pattern.set_extra_state(
                spion.patterns.full(LENGTH, block_size=BLOCK).get_extra_state())

    def test_what_no_pattern_saved_is_refused(self):
        state = PATTERN.get_extra_state()
        for message, wrong in (("a state of several numbers beside 0", state.clone().fill_diagonal_(32)),
                               ("block_size is 48", state * 3),
                               (r"mask is \[4\]", state[0]),
                               ("a state of several numbers", torch.full((2, 2), torch.nan)),
                               (r"a state that is a tensor \[0\] on cpu, expected a tensor of numbers, as",
                                state.new_empty(0)),
                               (r"a state that is a tensor \[4, 4\] on meta", state.to("meta")),
                               ("a state that is a dict", {}), ("a state that is a str", "a")):
            with self.subTest(message), self.assertRaisesRegex(
                    ValueError, f"^spion.BlockPattern: {message}"):
                spion.nn.SpionAttention().load_state_dict({"pattern._extra_state": wrong})
            with self.subTest(message), self.assertRaisesRegex(
                    ValueError, f"^spion.BlockPattern: {message}"):
                copy.deepcopy(PATTERN).load_state_dict({"_extra_state": wrong})

    def test_a_model_made_on_meta_takes_what_is_assigned_to_it(self):
        x = torch.randn(2, LENGTH, HEADS * DIM)
        for pattern in (None, PATTERN):
            saved = spion.nn.MultiheadSelfAttention(HEADS * DIM, HEADS)
            saved.attention.set_pattern(pattern)
            with torch.device("meta"):
                model = spion.nn.MultiheadSelfAttention(HEADS * DIM, HEADS)
            for _ in ("dense", "of the same phase"):
                model.load_state_dict(saved.state_dict(), assign=True)
                model.to("cpu")
                torch.testing.assert_close(model(x, x, x, need_weights=False),
                                           saved(x, x, x, need_weights=False))
                model.to("meta")

    def test_a_dense_layer_takes_the_pattern_of_a_state_dict(self):
        sparse = torch.nn.ModuleList([spion.nn.SpionAttention(), spion.nn.SpionAttention()])
        sparse[1].set_pattern(PATTERN)
        dense = torch.nn.ModuleList([spion.nn.SpionAttention(), spion.nn.SpionAttention()])
        dense.load_state_dict(copy.deepcopy(sparse.state_dict()))
        self.assertIsNone(dense[0].pattern)
        self.assertEqual(dense[0].state_dict(), {})
        self.assert_same(dense[1].pattern)
        with self.assertRaisesRegex(RuntimeError, "pattern"):
            dense.load_state_dict({})


if __name__ == "__main__":
    unittest.main()

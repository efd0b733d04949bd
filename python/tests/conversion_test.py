"""spion.convert on models of torch's own Transformer modules."""

import functools
import unittest
import warnings
from unittest import mock

import torch
from torch import nn
from torch._subclasses import FakeTensorMode
from torch.nn.utils import parametrizations, prune

import dense_math
import spion

BATCH, LENGTH, WIDTH, HEADS = 3, 64, 64, 2


def encoder(**options):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(
        WIDTH, HEADS, 96, **({"dropout": 0.0, "batch_first": True} | options))
    return nn.TransformerEncoder(layer, 2)


class ConversionTest(unittest.TestCase):
    def setUp(self):
        self.x = torch.randn(BATCH, LENGTH, WIDTH)
        self.padded = torch.arange(LENGTH) >= torch.tensor([64, 20, 33])[:, None]

    def test_computes_what_it_did_until_a_pattern_is_set(self):
        for mode in ("train", "eval"):
            for mask in (None, self.padded):
                model = getattr(encoder(), mode)()
                with torch.no_grad():
                    before = model(self.x, src_key_padding_mask=mask)
                    conversion = spion.convert(model)
                    after = model(self.x, src_key_padding_mask=mask)
                self.assertEqual(conversion.replaced, ["layers.0.self_attn", "layers.1.self_attn"])
                self.assertEqual(len(conversion.layers), 2)
                valid = torch.ones(BATCH, LENGTH).bool() if mask is None else ~mask
                torch.testing.assert_close(after[valid], before[valid], atol=1e-5, rtol=1e-5)

    def test_a_pattern_changes_it_to_block_sparse_attention(self):
        attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        model = nn.ModuleDict({"attention": attention})
        mask = spion.patterns.longformer(LENGTH, block_size=16, window=0).mask
        spion.convert(model).layers[0].set_pattern(spion.BlockPattern(mask, 16))
        ours, weights = model["attention"](self.x, self.x, self.x, key_padding_mask=self.padded,
                                           need_weights=False)
        self.assertIsNone(weights)
        projected = nn.functional.linear(self.x, attention.in_proj_weight, attention.in_proj_bias)
        q, k, v = (part.unflatten(2, (HEADS, -1)).transpose(1, 2)
                   for part in projected.chunk(3, dim=2))
        heads = dense_math.attention(q, k, v, mask, 16, valid=~self.padded)
        truth = attention.out_proj(heads.transpose(1, 2).flatten(2).float())
        torch.testing.assert_close(ours, truth, atol=1e-5, rtol=1e-5)

    def test_parameters_stay_what_optimisers_know(self):
        model = encoder()
        before = dict(model.named_parameters())
        names = list(model.state_dict())
        spion.convert(model)
        after = dict(model.named_parameters())
        self.assertEqual(list(before), list(after))
        self.assertTrue(all(before[name] is after[name] for name in before))
        self.assertEqual(list(model.state_dict()), names)
        self.assertFalse(any(parameter.is_meta for parameter in model.parameters()))

    def test_names_and_leaves_what_it_cannot_replace(self):
        model = nn.ModuleDict({
            "narrow": nn.MultiheadAttention(48, 2, batch_first=True),
            "time_first": nn.MultiheadAttention(64, 2),
            "other_keys": nn.MultiheadAttention(64, 2, kdim=32, batch_first=True),
            "zero": nn.MultiheadAttention(64, 2, add_zero_attn=True, batch_first=True),
            "decoder": nn.TransformerDecoderLayer(64, 2, batch_first=True),
            "good": nn.MultiheadAttention(64, 2, batch_first=True)})
        before = dict(model.named_modules())
        conversion = spion.convert(model)
        self.assertEqual(conversion.replaced, ["good"])
        for name, why in [("narrow", "heads of 24"), ("time_first", "batch_first"),
                          ("other_keys", "another size"), ("zero", "add_zero_attn"),
                          ("decoder.self_attn", "causal"),
                          ("decoder.multihead_attn", "another sequence")]:
            self.assertIn(why, conversion.left[name])
            self.assertIs(dict(model.named_modules())[name], before[name])
            self.assertIn(f"left {name}: ", str(conversion))
        self.assertIn("replaced 1 of 7 attentions\n", str(conversion))
        with self.assertRaisesRegex(ValueError, "no torch.nn.MultiheadAttention"):
            spion.convert(nn.Linear(2, 2))
        for nothing, kind in ((None, "NoneType"), ([model], "list")):
            with self.assertRaisesRegex(
                    TypeError, f"^spion.convert: model is a {kind}, expected a torch.nn.Module$"):
                spion.convert(nothing)

    def test_an_attention_by_itself_and_a_converted_model_are_told_apart(self):
        with self.assertRaisesRegex(ValueError, "the model is itself a torch.nn.MultiheadAttention"):
            spion.convert(nn.MultiheadAttention(64, 4, batch_first=True))
        layer = nn.TransformerEncoderLayer(64, 4, 128, dropout=0, batch_first=True)
        spion.convert(layer)
        with self.assertRaisesRegex(ValueError, "every attention of this TransformerEncoderLayer is "
                                    "converted already"):
            spion.convert(layer)

    def test_a_class_of_its_own_is_left(self):
        class Rotary(nn.MultiheadAttention):
            pass

        model = nn.ModuleDict({"own": Rotary(WIDTH, HEADS, batch_first=True),
                               "torch's": nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)})
        conversion = spion.convert(model)
        self.assertEqual(conversion.replaced, ["torch's"])
        self.assertIn("Rotary", conversion.left["own"])
        self.assertIs(type(model["own"]), Rotary)

    def test_parameters_made_from_others_are_left(self):
        for name in ("in_proj_weight", "in_proj_bias"):
            for change in (lambda attention: prune.random_unstructured(attention, name, 0.5),
                           lambda attention: parametrizations.weight_norm(attention, name),
                           lambda attention: nn.utils.weight_norm(attention, name)):
                model = encoder()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    change(model.layers[1].self_attn)
                conversion = spion.convert(model)
                self.assertEqual(conversion.replaced, ["layers.0.self_attn"])
                self.assertRegex(conversion.left["layers.1.self_attn"],
                                 "projection is made from other parameters|a Parametrized")
        model = encoder()
        prune.random_unstructured(model.layers[0].self_attn, "in_proj_weight", 0.5)
        prune.remove(model.layers[0].self_attn, "in_proj_weight")
        self.assertEqual(len(spion.convert(model).layers), 2)

    def test_hooks_are_left_and_named(self):
        def hook(*_):
            return None

        for what in ("forward hooks", "forward pre hooks", "backward hooks", "backward pre hooks",
                     "state dict hooks", "forward"):
            model = encoder()
            attention = model.layers[1].self_attn
            register = {
                "backward hooks": attention.register_full_backward_hook,
                "backward pre hooks": attention.register_full_backward_pre_hook,
                "state dict hooks": attention.register_state_dict_post_hook,
                "forward": functools.partial(setattr, attention, "forward"),
            }.get(what) or getattr(attention, f"register_{what.replace(' ', '_')[:-1]}")
            removed = register(hook)
            conversion = spion.convert(model)
            self.assertEqual(conversion.left, {
                "layers.1.self_attn": f"it has its own {what}, which what takes its place would lack; "
                                      "convert first, then add them"})
            if removed is not None:
                removed.remove()
                self.assertEqual(spion.convert(model).replaced, ["layers.1.self_attn"])

    def test_changes_nothing_where_one_cannot_be_made(self):
        model = encoder()
        before = dict(model.named_modules())
        with mock.patch.object(spion.nn.MultiheadSelfAttention, "of",
                               side_effect=[spion.nn.MultiheadSelfAttention(WIDTH, HEADS),
                                            MemoryError]):
            with self.assertRaises(MemoryError):
                spion.convert(model)
        self.assertEqual(dict(model.named_modules()), before)

    def test_one_of_two_names_is_one_attention(self):
        attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        model = nn.ModuleDict({"first": attention, "second": attention})
        conversion = spion.convert(model)
        self.assertEqual(conversion.replaced, ["first", "second"])
        self.assertEqual(len(conversion.layers), 1)
        self.assertIs(model["first"], model["second"])

    def test_dropout_of_probabilities_is_refused_or_dropped(self):
        model = encoder(dropout=0.1)
        before = dict(model.named_modules())
        with self.assertRaisesRegex(ValueError,
                                    r"layers.0.self_attn and 1 more have .* probabilities \(0.1\)"):
            spion.convert(model)
        with self.assertRaisesRegex(ValueError, r"self_attn has a dropout of probabilities \(0.1\)"):
            spion.convert(model.layers[0])
        self.assertEqual(dict(model.named_modules()), before)
        conversion = spion.convert(model, dropout="drop")
        self.assertEqual(conversion.dropped, {"layers.0.self_attn": 0.1, "layers.1.self_attn": 0.1})
        self.assertEqual(str(conversion), "replaced 2 of 2 attentions, 2 of them without the dropout "
                                          "of their probabilities that they had (0.1)")
        self.assertEqual(model.layers[0].dropout1.p, 0.1)
        with self.assertRaisesRegex(ValueError, "dropout is 'none', expected"):
            spion.convert(model, dropout="none")

    def test_counts_those_alone_that_had_dropout(self):
        model = encoder()
        model.layers[1].self_attn.dropout = 0.2
        with self.assertRaisesRegex(ValueError, r": layers.1.self_attn has a dropout of .* \(0.2\)"):
            spion.convert(model)
        conversion = spion.convert(model, dropout="drop")
        self.assertEqual(conversion.dropped, {"layers.1.self_attn": 0.2})
        self.assertEqual(str(conversion), "replaced 2 of 2 attentions, 1 of them without the dropout "
                                          "of their probabilities that they had (0.2)")

    def test_a_sequence_without_a_batch(self):
        for mask in (None, self.padded):
            batched = self.x[1:2], None if mask is None else mask[1:2]
            alone = self.x[1], None if mask is None else mask[1]
            model = encoder()
            before = model(alone[0], src_key_padding_mask=alone[1])
            layers = spion.convert(model).layers
            valid = slice(None) if mask is None else ~alone[1]
            for pattern in (None, spion.patterns.longformer(LENGTH, block_size=16, window=0)):
                for layer in layers:
                    layer.set_pattern(pattern)
                out = model(alone[0], src_key_padding_mask=alone[1])
                torch.testing.assert_close(
                    out, model(batched[0], src_key_padding_mask=batched[1])[0])
                if pattern is None:
                    torch.testing.assert_close(out[valid], before[valid], atol=1e-5, rtol=1e-5)

    def test_what_the_attention_itself_refuses(self):
        attention = spion.nn.MultiheadSelfAttention(WIDTH, HEADS)
        x = self.x
        for message, call in [
                ("not the query", lambda: attention(x, x + 1, x, need_weights=False)),
                (r"query is \[64\], expected \[batch, length, 64\], or \[length, 64\]",
                 lambda: attention(*[x[0, 0]] * 3, need_weights=False)),
                (r"query is \[3, 64, 32\], expected", lambda: attention(*[x[..., :32]] * 3,
                                                                      need_weights=False)),
                (r"key_padding_mask is \[3, 64\], expected \[64\]",
                 lambda: attention(*[x[0]] * 3, key_padding_mask=self.padded, need_weights=False)),
                ("need_weights", lambda: attention(x, x, x)),
                ("is_causal", lambda: attention(x, x, x, need_weights=False, is_causal=True))]:
            with self.subTest(message), self.assertRaisesRegex(ValueError, message):
                call()

    def test_a_float_mask_is_one_of_padding(self):
        attention = spion.nn.MultiheadSelfAttention(WIDTH, HEADS)
        expected, _ = attention(*[self.x] * 3, key_padding_mask=self.padded, need_weights=False)
        for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
            for padding in (-torch.inf, -1e9, -1e4, torch.finfo(dtype).min):
                if padding < torch.finfo(dtype).min:
                    padding = -torch.inf
                mask = torch.zeros(BATCH, LENGTH, dtype=dtype).masked_fill(self.padded, padding)
                out, _ = attention(*[self.x] * 3, key_padding_mask=mask, need_weights=False)
                self.assertTrue(torch.equal(out, expected))

    def test_a_float_mask_that_adds_to_scores_is_refused(self):
        mask = torch.zeros(BATCH, LENGTH)
        model = encoder().eval()
        with torch.no_grad():
            without = model(self.x)
            mask[1, 5] = -1.0
            self.assertGreater((model(self.x, src_key_padding_mask=mask) - without).abs().max(), 1e-4)
        layers = spion.convert(model).layers
        for pattern in (None, spion.patterns.full(LENGTH, block_size=16)):
            for layer in layers:
                layer.set_pattern(pattern)
            for number in (-1.0, -999.0, 0.5, torch.inf, torch.nan):
                mask[1, 5] = number
                with self.assertRaisesRegex(
                        ValueError, f"^spion.nn.MultiheadSelfAttention: key_padding_mask has {number}, "
                        "expected 0 for valid keys, and -inf or at most -1000 for padding"):
                    model(self.x, src_key_padding_mask=mask)

    def test_a_mask_of_integers_is_refused(self):
        attention = spion.nn.MultiheadSelfAttention(WIDTH, HEADS)
        for mask in ((~self.padded).long(), (~self.padded).to(torch.uint8)):
            with self.assertRaisesRegex(
                    TypeError, f"key_padding_mask is {mask.dtype}, expected bool, true for padding, or "
                    "float, .*; of one that is 1 for valid keys take mask == 0$"):
                attention(*[self.x] * 3, key_padding_mask=mask, need_weights=False)
            out, _ = attention(*[self.x] * 3, key_padding_mask=mask == 0, need_weights=False)
            expected, _ = attention(*[self.x] * 3, key_padding_mask=self.padded, need_weights=False)
            self.assertTrue(torch.equal(out, expected))

    def test_a_traced_float_mask(self):
        class Attention(nn.Module):
            def __init__(self):
                super().__init__()
                self.attention = spion.nn.MultiheadSelfAttention(WIDTH, HEADS)

            def forward(self, x, mask):
                return self.attention(x, x, x, key_padding_mask=mask, need_weights=False)[0]

        model = Attention()
        mask = torch.zeros(BATCH, LENGTH).masked_fill(self.padded, -torch.inf)
        soft = mask.masked_fill(self.padded, -1.0)
        expected = model(self.x, mask)
        traced = torch.compile(model, backend="aot_eager", fullgraph=True)
        exported = torch.export.export(model, (self.x, mask)).module()
        for function in (traced, exported):
            torch.testing.assert_close(function(self.x, mask), expected)
            torch.testing.assert_close(function(self.x, soft), expected)
        with FakeTensorMode(allow_non_fake_inputs=True) as fake:  # says that it is on the CPU
            without_numbers = model(*map(fake.from_tensor, (self.x, soft)))
        self.assertEqual(without_numbers.shape, expected.shape)
        on_meta = model.to("meta")(self.x.to("meta"), soft.to("meta"))
        self.assertEqual(on_meta.shape, expected.shape)

    def test_trains_through_the_three_phases(self):
        model = encoder()
        conversion = spion.convert(model)
        controller = spion.PhaseController(conversion.layers, kind="f", block_size=16, threshold=0.7,
                                           capture_interval=1, dense_step_limit=2)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
        losses = []
        for step in range(1, 6):
            loss = model(self.x, src_key_padding_mask=self.padded).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            controller.after_step(step)
            losses.append(loss.item())
        self.assertEqual(controller.phase, "sparse")
        self.assertTrue(all(torch.isfinite(torch.tensor(losses))))
        self.assertLess(losses[-1], losses[0])


if __name__ == "__main__":
    unittest.main()

"""The three phases: as the C++ trainer's, resumed, and with bad input."""

import copy
import io
import json
import subprocess
import sys
import tempfile
import unittest
import warnings

import torch

import spion
from phase_runs import INTERVAL, LAYERS, LENGTH, OPTIONS, new_layers, run, settling

PROGRAM = None


class AsInCppTest(unittest.TestCase):
    def compare(self, kind, share, limit, shared, captures=6):
        heads = settling(captures)
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(heads.contiguous().view(torch.uint8).flatten().tolist()))
            file.flush()
            theirs = json.loads(subprocess.run(
                [PROGRAM, file.name, str(LAYERS), str(captures), str(LENGTH), kind, "16", str(share),
                 str(limit or 0), "shared" if shared else "own"],
                check=True, capture_output=True, text=True).stdout)
        layers = new_layers()
        name = "density" if kind == "c" else "threshold"
        controller = spion.PhaseController(
            layers, kind=kind, block_size=16, capture_interval=INTERVAL, dense_step_limit=limit,
            shared_pattern=shared, **{name: share})
        ours = run(controller, layers, heads, range(1, captures * INTERVAL + 1))
        self.assertEqual(len(ours), len(theirs))
        for our, their in zip(ours, theirs):
            for field in ("step", "distance", "change_percent", "settled", "transition"):
                self.assertEqual(getattr(our, field), their[field])
        self.assertTrue(theirs[-1]["transition"])
        for layer, pattern in zip(layers, theirs[-1]["patterns"]):
            self.assertEqual(layer.pattern.to_json(), pattern)
        if not shared:
            for layer, map in zip(layers, ours[-1].maps, strict=True):
                made = spion.generate_pattern(map, kind, block_size=16, **{name: share})
                self.assertTrue(torch.equal(layer.pattern.mask, made.mask))
        return ours

    def test_the_maps_settle(self):
        for kind, share in (("c", 0.5), ("f", 0.7), ("cf", 0.7)):
            with self.subTest(kind):
                self.assertTrue(self.compare(kind, share, None, False)[-1].settled)

    def test_the_step_limit(self):
        for limit in (4, 5):  # the last capture up to it is the second
            captures = self.compare("cf", 0.7, limit, False)
            self.assertEqual([(capture.step, capture.transition) for capture in captures],
                             [(2, False), (4, True)])
            self.assertFalse(captures[-1].settled)

    def test_a_shared_pattern(self):
        self.compare("cf", 0.6, None, True)


class ResumeTest(unittest.TestCase):
    def test_after_every_step(self):
        heads = settling(6)
        layers = new_layers()
        controller = spion.PhaseController(layers, **OPTIONS)
        whole = run(controller, layers, heads, range(1, 13))
        self.assertEqual(controller.phase, "sparse")
        for stop in range(1, 12):
            first = new_layers()
            before = spion.PhaseController(first, **OPTIONS)
            captures = run(before, first, heads, range(1, stop + 1))
            saved = copy.deepcopy((first.state_dict(), before.state_dict()))
            second = new_layers()
            after = spion.PhaseController(second, **OPTIONS)
            second.load_state_dict(saved[0])
            after.load_state_dict(saved[1])
            captures += run(after, second, heads, range(stop + 1, 13))
            self.assertEqual([(c.step, c.distance, c.settled) for c in captures],
                             [(c.step, c.distance, c.settled) for c in whole])
            for one, other in zip(second, layers):
                self.assertTrue(torch.equal(one.pattern.packed, other.pattern.packed))

    def test_a_state_of_another_phase_is_refused(self):
        layers = new_layers()
        controller = spion.PhaseController(layers, **OPTIONS)
        run(controller, layers, settling(6), range(1, 13))
        fresh = spion.PhaseController(new_layers(), **OPTIONS)
        with self.assertRaisesRegex(ValueError, "sparse phase, but 0 of 2 layers"):
            fresh.load_state_dict(controller.state_dict())

    def test_a_state_of_other_settings_is_refused_by_name(self):
        heads = settling(6)
        for steps in (3, 12):  # dense, sparse
            layers = new_layers()
            controller = spion.PhaseController(layers, **OPTIONS)
            run(controller, layers, heads, range(1, steps + 1))
            state = controller.state_dict()
            for name, value in (("kind", "f"), ("block_size", 32), ("threshold", 0.9), ("density", 0.5),
                                ("filter_width", 3), ("capture_interval", 3),
                                ("transition_limit_percent", 10), ("dense_step_limit", 9),
                                ("shared_pattern", True)):
                other = spion.PhaseController(layers, **(OPTIONS | {name: value}))
                before = other.state_dict()
                with self.subTest(name), self.assertRaisesRegex(
                        ValueError, "^spion.PhaseController: a state of other settings: "
                        rf"{name} was \S+ and is {value!r}; make the controller by those"):
                    other.load_state_dict(state)
                self.assertEqual(other.state_dict(), before)
            other = spion.PhaseController(layers, **(OPTIONS | {"kind": "f", "threshold": 0.9}))
            with self.assertRaisesRegex(
                    ValueError, "kind was 'cf' and is 'f', threshold was 0.7 and is 0.9;"):
                other.load_state_dict(state)

    def test_a_state_of_an_earlier_version_has_no_settings(self):
        layers = new_layers()
        controller = spion.PhaseController(layers, **OPTIONS)
        run(controller, layers, settling(6), range(1, 4))
        state = controller.state_dict()
        del state["settings"]
        other = spion.PhaseController(layers, **(OPTIONS | {"threshold": 0.9}))
        other.load_state_dict(state)
        self.assertEqual(other.state_dict()["captures"], 1)

    def test_a_state_is_of_what_torch_loads(self):
        options = OPTIONS | {"threshold": torch.tensor(0.5), "dense_step_limit": 9}
        state = spion.PhaseController(new_layers(), **options).state_dict()
        self.assertEqual(state["settings"]["threshold"], 0.5)
        self.assertIs(type(state["settings"]["threshold"]), float)
        file = io.BytesIO()
        torch.save(state, file)
        file.seek(0)
        self.assertEqual(torch.load(file, weights_only=True), state)

    def test_what_is_no_state_is_refused(self):
        controller = spion.PhaseController(new_layers(), **OPTIONS)
        without_distance = controller.state_dict()
        del without_distance["distance"]
        whole = "phase, captures, distance, previous_maps, maps_requested"
        for state, lacking in (({"a": 1}, whole), (None, whole), (without_distance, "distance")):
            with self.assertRaisesRegex(
                    ValueError, f"^spion.PhaseController: a state without {lacking}; load what a "
                    r"controller's state_dict\(\) returned$"):
                controller.load_state_dict(state)
        self.assertEqual(controller.phase, "dense")

    def test_a_damaged_state_is_refused_by_name_and_changes_nothing(self):
        layers = new_layers()
        controller = spion.PhaseController(layers, **OPTIONS)
        run(controller, layers, settling(6), range(1, 6))
        state = controller.state_dict()
        for name, values in (("settings", (None, "a")), ("phase", ("x", None)), ("captures", ("x", -1)),
                             ("distance", (None, ["a", "b"], 1.0)),
                             ("previous_maps", ([1], None, [torch.ones(2)] * LAYERS)),
                             ("maps_requested", ("no",))):
            for value in values:
                with self.subTest(name), self.assertRaisesRegex(
                        ValueError, f"^spion.PhaseController: a state whose {name} no controller saved; "):
                    controller.load_state_dict(state | {name: value})
        later = {"captures": 7, "maps_requested": not state["maps_requested"]}
        for change, message in (({"distance": [1.0]}, "1 distances for 2 layers"),
                                ({"distance": [1.0, -1.0]}, "distance -1.0 of layer 1"),
                                ({"previous_maps": [torch.ones(2, 2)]}, "a state of 1 layers")):
            with self.assertRaisesRegex(ValueError, message):
                controller.load_state_dict(state | later | change)
        self.assertEqual(str(controller.state_dict()), str(state))


class BadInputTest(unittest.TestCase):
    def test_options(self):
        for message, layers, change in [
                ("no layers", [], {}), ("layer 1 is there before", [new_layers()[0]] * 2, {}),
                ("capture_interval is 0", new_layers(), {"capture_interval": 0}),
                ("dense_step_limit is 1", new_layers(), {"dense_step_limit": 1}),
                ("block_size is 48", new_layers(), {"block_size": 48}),
                ("threshold is None", new_layers(), {"threshold": None}),
                ("kind", new_layers(), {"kind": "fc"}),
                ("threshold is 2.0", new_layers(), {"threshold": 2.0}),
                ("threshold is nan", new_layers(), {"threshold": float("nan")}),
                ("density is 7.0", new_layers(), {"density": 7.0}),
                ("filter_width is 4, expected an odd number", new_layers(), {"filter_width": 4}),
                ("filter_width is -1, expected an odd", new_layers(), {"filter_width": -1}),
                ("^spion.PhaseController: transition_limit_percent is -1, expected 0 to 100 percent$",
                 new_layers(), {"transition_limit_percent": -1}),
                ("transition_limit_percent is 101", new_layers(), {"transition_limit_percent": 101})]:
            with self.subTest(message), self.assertRaisesRegex(ValueError, message):
                spion.PhaseController(layers, **(OPTIONS | change))

    def test_what_is_no_number(self):
        for name, value in (("block_size", "16"), ("block_size", None), ("filter_width", 3.5),
                            ("capture_interval", 1.5), ("dense_step_limit", "9"),
                            ("transition_limit_percent", 15.0)):
            with self.subTest(name), self.assertRaisesRegex(
                    TypeError, f"{name} is {value!r}, expected a whole number$"):
                spion.PhaseController(new_layers(), **(OPTIONS | {name: value}))

    def test_layers_of_both_phases(self):
        layers = new_layers()
        layers[1].set_pattern(spion.patterns.full(LENGTH, block_size=16))
        with self.assertRaisesRegex(
                ValueError, "^spion.PhaseController: 1 of 2 layers have a pattern, expected all or none; "
                r"layer.set_pattern\(None\) takes it away$"):
            spion.PhaseController(layers, **OPTIONS)

    def test_layers_of_any_iterable(self):
        controller = spion.PhaseController((layer for layer in new_layers()), **OPTIONS)
        self.assertEqual(controller.phase, "dense")

    def test_what_is_no_step(self):
        controller = spion.PhaseController(new_layers(), **OPTIONS)
        for exception, step, expected in ((ValueError, 0, "expected at least 1: steps are counted from 1"),
                                          (TypeError, "a", "expected a whole number")):
            with self.assertRaisesRegex(exception, "^spion.PhaseController.after_step: step is "
                                                   f"{step!r}, {expected}$"):
                controller.after_step(step)

    def test_steps_that_begin_anew(self):
        layers = new_layers()
        controller = spion.PhaseController(layers, **OPTIONS)
        heads = settling(1)
        before = controller.state_dict()
        run(controller, layers, heads, range(1, 4))
        for step in (3, 1):
            with self.assertRaisesRegex(
                    ValueError, f"^spion.PhaseController.after_step: step is {step} after step 3; count "
                    "steps through the whole training, .*; load_state_dict goes back to an earlier one$"):
                controller.after_step(step)
        controller.load_state_dict(before)
        self.assertEqual(len(run(controller, layers, heads, range(1, 4))), 1)

    def test_a_share_that_the_kind_does_not_take(self):
        for kind, used, unused in (("c", "density", "threshold"), ("cf", "threshold", "density")):
            shares = {"kind": kind, "threshold": 0.9, "density": 0.5}
            with self.assertWarnsRegex(UserWarning, f"^spion.PhaseController: {unused} has no effect "
                                                    f"with kind '{kind}'; leave it out$") as told:
                spion.PhaseController(new_layers(), **(OPTIONS | shares))
            self.assertEqual(told.filename, __file__)
            with warnings.catch_warnings(), self.subTest(used):
                warnings.simplefilter("error")
                spion.PhaseController(new_layers(), **(OPTIONS | shares | {unused: None}))

    def test_another_module(self):
        for number, layers in enumerate(([torch.nn.Linear(2, 2)],
                                         [spion.nn.SpionAttention(), torch.nn.Linear(2, 2)])):
            with self.assertRaisesRegex(
                    TypeError, f"^spion.PhaseController: layer {number} is a Linear, expected a "
                    r"spion.nn.SpionAttention; .*\S$"):
                spion.PhaseController(layers, **OPTIONS)

    def test_no_map(self):
        layers = new_layers()
        controller = spion.PhaseController(layers, **OPTIONS)
        controller.after_step(1)
        with self.assertRaisesRegex(
                RuntimeError, "^spion.PhaseController: layer 0 computed no attention map in step 2; "
                r".*\bafter_step\b.*\S$"):
            controller.after_step(2)

    def test_goes_on_after_a_forward_pass_that_failed(self):
        q = torch.randn(1, 1, LENGTH, 16)
        for failing in range(LAYERS):
            layers = new_layers()
            controller = spion.PhaseController(layers, **(OPTIONS | {"capture_interval": 1}))
            for layer in layers[:failing]:
                layer(q, q, q)
            with self.assertRaises(ValueError):
                layers[failing](q, q[:, :, 1:], q)
            with self.assertRaisesRegex(RuntimeError, f"layer {failing} computed no .* in step 1;"):
                controller.after_step(1)
            for step in (2, 3):
                for layer in layers:
                    layer(q, q, q)
                self.assertEqual(controller.after_step(step).index, step - 1)

    def test_a_forward_pass_may_be_tried_again(self):
        q = torch.randn(1, 1, LENGTH, 16)
        layers = new_layers()
        controller = spion.PhaseController(layers, **(OPTIONS | {"capture_interval": 1}))
        layers[0](q, q, q)
        with self.assertRaises(ValueError):
            layers[1](q, q[:, :, 1:], q)
        for layer in layers:
            layer(q, q, q)
        self.assertEqual(controller.after_step(1).index, 1)

    def test_goes_on_after_maps_that_it_refused(self):
        for failing in (1, 2, 3):
            layers = new_layers()
            controller = spion.PhaseController(
                layers, **(OPTIONS | {"capture_interval": 1, "dense_step_limit": 5}))
            indices = []
            for step in range(1, 5):
                q = torch.randn(1, 1, LENGTH, 16) * (torch.nan if step == failing else 1)
                layers[0](*[torch.randn(1, 1, LENGTH, 16)] * 3)
                layers[1](q, q, q)
                if step == failing:
                    with self.assertRaisesRegex(
                            ValueError, "^spion.PhaseController: the attention map of layer 1 in step "
                            f"{step} has numbers that are not finite; look for NaN in its q and k$"):
                        controller.after_step(step)
                else:
                    indices.append(controller.after_step(step).index)
            self.assertEqual(indices, [1, 2, 3])

    def test_an_evaluation_takes_no_map(self):
        layers = new_layers()
        controller = spion.PhaseController(layers, **(OPTIONS | {"capture_interval": 1}))
        q = torch.randn(1, 1, LENGTH, 16)
        layers.eval()
        for layer in layers:
            layer(q * 100, q, q)
        layers.train()
        for layer in layers:
            layer(q, q, q)
        controller.after_step(1)
        torch.testing.assert_close(controller.state_dict()["previous_maps"][0],
                                   spion.mean_attention_map(q, q))

    def test_a_length_that_blocks_do_not_divide_is_told_at_each_step_from_the_first(self):
        for length, block_size, way_out in ((112, 32, "pad the sequences, or take smaller blocks"),
                                            (100, 16, "pad the sequences")):
            layers = new_layers()
            controller = spion.PhaseController(
                layers, **(OPTIONS | {"capture_interval": 3, "block_size": block_size}))
            q = torch.randn(1, 1, length, 16)
            for step in range(1, 5):
                with self.assertRaisesRegex(
                        ValueError, f"^spion.nn.SpionAttention: q has a length of {length}, which the "
                        f"PhaseController's blocks of {block_size} do not divide; {way_out}$"):
                    layers[0](q, q, q)
                if not controller.is_capture_step(step):
                    controller.after_step(step)

    def test_what_no_pattern_takes_is_told_from_the_first_step(self):
        q, k, wide = (torch.randn(1, 1, *size) for size in ((LENGTH, 16), (64, 16), (LENGTH, 24)))
        new_layers()[0](wide, wide, wide)
        for exception, message, heads in (
                (ValueError, "a head dimension of 24, expected one of 16", (wide, wide, wide)),
                (TypeError, "q is torch.float64, expected float16", [q.double()] * 3),
                (TypeError, "v is torch.float16, expected q's torch.float32", (q, q, q.half())),
                (ValueError, r"k is \[1, 1, 64, 16\], expected q's", (q, k, k)),
                (ValueError, r"v is \[1, 1, 128, 8\], expected q's", (q, q, q[..., :8]))):
            layers = new_layers()
            spion.PhaseController(layers, **(OPTIONS | {"capture_interval": 3}))
            with self.subTest(message), self.assertRaisesRegex(
                    exception, f"^spion.nn.SpionAttention: {message}"):
                layers[0](*heads)
            layers[0](q.half(), q.half(), q.half())
            with torch.autocast("cpu", dtype=torch.bfloat16):
                layers[0](q, q.half(), q)

    def test_replicas_of_data_parallel_are_refused_in_the_dense_phase(self):
        layers = new_layers()
        layers[0]._replicate_for_data_parallel()
        spion.PhaseController(layers, **OPTIONS)
        with self.assertRaisesRegex(RuntimeError, "DataParallel's replicas are lost.*DistributedData"):
            layers[0]._replicate_for_data_parallel()
        layers.eval()[0]._replicate_for_data_parallel()
        layers.train()[0].set_pattern(spion.patterns.full(LENGTH, block_size=16))
        layers[0]._replicate_for_data_parallel()

    def test_lengths_are_left_alone_in_evaluation_and_without_a_controller(self):
        q = torch.randn(1, 1, 100, 16)
        layers = new_layers()
        layers[0](q, q, q)
        spion.PhaseController(layers, **OPTIONS)
        layers.eval()
        layers[0](q, q, q)
        layers.train()
        layers[0].set_pattern(spion.patterns.full(LENGTH, block_size=16))
        layers[0].set_pattern(None)
        layers[0](q, q, q)

    def test_a_dense_layer_takes_padding_of_other_numbers_of_keys(self):
        q, k, v = (torch.randn(2, 3, length, 16) for length in (32, 48, 48))
        lengths = torch.tensor([48, 5])
        valid = torch.arange(48) < lengths[:, None]
        expected = torch.nn.functional.scaled_dot_product_attention(
            q, k, v, attn_mask=valid[:, None, None, :])
        layer = spion.nn.SpionAttention()
        for padding in (lengths, valid):
            torch.testing.assert_close(layer(q, k, v, padding), expected)
        with self.assertRaisesRegex(ValueError, "example 1 has 49 valid keys, expected 0 to 48$"):
            layer(q, k, v, torch.tensor([48, 49]))

    def test_an_average_of_weights_goes_on_with_the_pattern(self):
        model = torch.nn.Sequential(torch.nn.Linear(16, 16, bias=False), spion.nn.SpionAttention())
        average = torch.optim.swa_utils.AveragedModel(model)
        model[1].set_pattern(spion.patterns.full(LENGTH, block_size=16))
        average.module[1].set_pattern(copy.deepcopy(model[1].pattern))  # as docs/python.md has it
        average.update_parameters(model)
        self.assertEqual(average.module[1].pattern.to_json(), model[1].pattern.to_json())

    def test_a_word_for_pruned_pairs(self):
        with self.assertRaisesRegex(ValueError, "SpionAttention: pruned is 'zeros'"):
            spion.nn.SpionAttention(pruned="zeros")

    def test_what_is_no_flag(self):
        for name in ("tf32", "deterministic"):
            with self.assertRaisesRegex(
                    TypeError, f"^spion.nn.SpionAttention: {name} is 'no', expected True or False$"):
                spion.nn.SpionAttention(**{name: "no"})
        with self.assertRaisesRegex(
                TypeError, "^spion.PhaseController: shared_pattern is 'no', expected True or False$"):
            spion.PhaseController(new_layers(), **OPTIONS, shared_pattern="no")

    def test_after_another_length_the_captures_begin_anew(self):
        layers = new_layers()
        controller = spion.PhaseController(
            layers, **(OPTIONS | {"capture_interval": 1, "dense_step_limit": 8,
                                  "transition_limit_percent": 0}))
        captures = []
        for step, length in enumerate((64, 64, 64, 32, 32, 32, 32, 32), 1):
            q = torch.randn(1, 1, length, 16)
            for layer in layers:
                layer(q, q, q)
            if step == 4:
                with self.assertRaisesRegex(
                        ValueError, r"^spion.PhaseController: an attention map of \[32, 32\] after one of "
                        r"\[64, 64\]; pad all batches to one length$"):
                    controller.after_step(step)
            else:
                captures.append(controller.after_step(step))
        self.assertEqual([(capture.index, len(capture.distance), len(capture.change_percent))
                          for capture in captures[:5]],
                         [(1, 0, 0), (2, 2, 0), (3, 2, 2), (2, 2, 0), (3, 2, 2)])
        self.assertEqual(controller.phase, "sparse")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

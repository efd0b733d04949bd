"""Patterns: fixed ones against their rules, generated ones by hand, JSON, and bad input."""

import json
import unittest

import torch

import spion
from spion import patterns

LENGTH, BLOCK = 128, 16
SIDE = LENGTH // BLOCK


def mask_of(rule):
    return torch.tensor([[rule(i, j) for j in range(SIDE)] for i in range(SIDE)])


class FixedPatternTest(unittest.TestCase):
    def test_longformer(self):
        made = patterns.longformer(LENGTH, block_size=BLOCK, window=2, global_blocks=1).mask
        self.assertTrue(torch.equal(made, mask_of(lambda i, j: abs(i - j) <= 2 or min(i, j) < 1)))

    def test_strided(self):
        made = patterns.strided(LENGTH, block_size=BLOCK, stride=3).mask
        self.assertTrue(torch.equal(
            made, mask_of(lambda i, j: abs(i - j) < 3 or abs(i - j) % 3 == 0)))

    def test_fixed(self):
        made = patterns.fixed(LENGTH, block_size=BLOCK, stride=4).mask
        self.assertTrue(torch.equal(made, mask_of(lambda i, j: i // 4 == j // 4 or j % 4 == 3)))

    def test_bigbird(self):
        made = patterns.bigbird(LENGTH, block_size=BLOCK, random=2, seed=5).mask
        always = mask_of(lambda i, j: abs(i - j) <= 1 or {i, j} & {0, SIDE - 1} != set())
        self.assertTrue(torch.equal(made & always, always))
        self.assertEqual((made & ~always).sum(1)[1:-1].tolist(), [2] * (SIDE - 2))
        again = patterns.bigbird(LENGTH, block_size=BLOCK, random=2, seed=5).mask
        self.assertTrue(torch.equal(made, again))
        other = patterns.bigbird(LENGTH, block_size=BLOCK, random=2, seed=6).mask
        self.assertFalse(torch.equal(made, other))

    def test_full(self):
        pattern = patterns.full(LENGTH, block_size=BLOCK)
        self.assertEqual((pattern.kept_blocks, pattern.density, pattern.length), (64, 1.0, 128))

    def test_bad_input(self):
        for message, make in [
                ("spion.patterns.longformer: blocks of 16 do not divide a sequence of 100",
                 lambda: patterns.longformer(100, block_size=16)),
                ("do not divide", lambda: patterns.full(100, block_size=16)),
                ("spion.patterns.full: blocks of 16 do not divide a sequence of 0; choose a length",
                 lambda: patterns.full(0, block_size=16)),
                ("spion.patterns.longformer: window is -1, expected a number from 0 to 2\\^31 - 1$",
                 lambda: patterns.longformer(128, block_size=16, window=-1)),
                (f"spion.patterns.longformer: window is {10**30}, expected a number from 0 to",
                 lambda: patterns.longformer(128, block_size=16, window=10**30)),
                (f"spion.patterns.bigbird: seed is {2**31}, expected a number from 0 to",
                 lambda: patterns.bigbird(128, block_size=16, seed=2**31)),
                (f"spion.patterns.longformer: length is {10**30}, expected a number from 0 to",
                 lambda: patterns.longformer(10**30, block_size=16)),
                ("spion.patterns.longformer: a fixed pattern's length is at least 1; got 0",
                 lambda: patterns.longformer(0, block_size=16)),
                ("spion.patterns.full: 65537 blocks a side, expected 1 to 65536; use a larger block",
                 lambda: patterns.full(16 * 65537, block_size=16)),
                ("spion.patterns.strided: a fixed pattern's stride is at least 1", lambda: patterns.strided(128, block_size=16, stride=0)),
                ("spion.patterns.longformer: block_size is 48, expected one of 16",
                 lambda: patterns.longformer(144, block_size=48)),
                ("block_size is 8, expected one of 16",
                 lambda: patterns.full(128, block_size=8))]:
            with self.subTest(message), self.assertRaisesRegex(ValueError, message) as caught:
                make()
            self.assertNotIn("::", str(caught.exception))

    def test_what_is_no_number(self):
        for message, make in [
                ("spion.patterns.longformer: block_size is '16', expected a whole number",
                 lambda: patterns.longformer(128, block_size="16")),
                ("spion.patterns.full: block_size is 16.0", lambda: patterns.full(128, block_size=16.0)),
                ("spion.patterns.full: length is None", lambda: patterns.full(None, block_size=16)),
                ("spion.patterns.strided: stride is 1.5",
                 lambda: patterns.strided(128, block_size=16, stride=1.5)),
                ("spion.BlockPattern: block_size is '16', expected a whole number",
                 lambda: spion.BlockPattern(torch.eye(2).bool(), "16"))]:
            with self.subTest(message), self.assertRaisesRegex(TypeError, f"^{message}"):
                make()


class GeneratePatternTest(unittest.TestCase):
    def test_the_highest_blocks_beside_the_diagonal(self):
        # Pooled by hand: density 6 / 16 leaves room for two blocks beside the diagonal of four.
        map = torch.full((64, 64), 0.001)
        map[0:16, 32:48] = 0.5
        map[48:64, 16:32] = 0.4
        map[32:48, 0:16] = 0.3
        pattern = spion.generate_pattern(map, "c", block_size=16, density=6 / 16, filter_width=1)
        expected = torch.eye(4, dtype=torch.bool)
        expected[0, 2] = expected[3, 1] = True
        self.assertTrue(torch.equal(pattern.mask, expected))

    def test_a_share_that_the_kind_does_not_take(self):
        map = torch.rand(64, 64)
        with self.assertWarnsRegex(UserWarning, "^spion.generate_pattern: density has no effect with "
                                                "kind 'f'; leave it out$") as told:
            both = spion.generate_pattern(map, "f", block_size=16, threshold=0.9, density=0.5)
        self.assertEqual(told.filename, __file__)
        alone = spion.generate_pattern(map, "f", block_size=16, threshold=0.9)
        self.assertTrue(torch.equal(both.mask, alone.mask))

    def test_bad_input(self):
        map = torch.rand(64, 64)
        good = {"block_size": 16, "threshold": 0.9}
        for exception, message, make in [
                (TypeError, "map is a list", lambda: spion.generate_pattern([1], "f", **good)),
                (ValueError, """^spion.generate_pattern: kind is 'x', expected "c", "f" or "cf"$""",
                 lambda: spion.generate_pattern(map, "x", **good)),
                (ValueError, "^spion.generate_pattern: kind is 'C', expected",
                 lambda: spion.generate_pattern(map, "C", block_size=16, density=0.5)),
                (ValueError, "density is None", lambda: spion.generate_pattern(map, "c", **good)),
                (ValueError, "^spion.generate_pattern: threshold is 2, expected a number above 0 and at "
                             "most 1$",
                 lambda: spion.generate_pattern(map, "f", block_size=16, threshold=2)),
                (ValueError, "^spion.generate_pattern: density is 7.0, expected a number above 0",
                 lambda: spion.generate_pattern(map, "cf", density=7.0, **good)),
                (ValueError, "^spion.generate_pattern: threshold is nan",
                 lambda: spion.generate_pattern(map, "c", block_size=16, density=0.5,
                                                threshold=float("nan"))),
                (TypeError, "^spion.generate_pattern: threshold is 'a', expected a number",
                 lambda: spion.generate_pattern(map, "f", block_size=16, threshold="a")),
                (TypeError, "^spion.generate_pattern: filter_width is 3.5, expected a whole number$",
                 lambda: spion.generate_pattern(map, "cf", filter_width=3.5, **good)),
                (TypeError, '^spion.generate_pattern: kind is None, expected "c", "f" or "cf"$',
                 lambda: spion.generate_pattern(map, None, **good)),
                (TypeError, "^spion.generate_pattern: block_size is '16', expected a whole number$",
                 lambda: spion.generate_pattern(map, "f", block_size="16", threshold=0.5)),
                (ValueError, "^spion.generate_pattern: block_size is -1, expected one of 16",
                 lambda: spion.generate_pattern(map, "f", block_size=-1, threshold=0.5)),
                (ValueError, "^spion.generate_pattern: filter_width is -1, expected an odd number from 1",
                 lambda: spion.generate_pattern(map, "cf", filter_width=-1, **good)),
                (ValueError, f"filter_width is {2**64 + 1}, expected an odd number from 1 to",
                 lambda: spion.generate_pattern(map, "cf", filter_width=2**64 + 1, **good)),
                (TypeError, "^spion.generate_pattern: map is torch.complex64, expected real numbers$",
                 lambda: spion.generate_pattern(map.to(torch.complex64), "f", **good)),
                (ValueError, "^spion.generate_pattern: map is on meta, expected one that has its numbers",
                 lambda: spion.generate_pattern(map.to("meta"), "f", **good)),
                (ValueError, "side 64, expected a positive multiple of the block size 128",
                 lambda: spion.generate_pattern(map, "f", block_size=128, threshold=0.5)),
                (ValueError, r"\[length, length\]; got 3 dimensions of 1 x 64 x 64",
                 lambda: spion.generate_pattern(map[None], "f", **good)),
                (ValueError, "nan at row 3, column 5",
                 lambda: spion.generate_pattern(
                     map.index_put((torch.tensor(3), torch.tensor(5)), torch.tensor(torch.nan)),
                     "f", **good)),
                (ValueError, r"\[length, length\]; got 2 dimensions of 64 x 32",
                 lambda: spion.generate_pattern(map[:, :32], "f", **good))]:
            with self.subTest(message), self.assertRaisesRegex(exception, message):
                make()


class BlockPatternTest(unittest.TestCase):
    def test_adds_the_diagonal(self):
        pattern = spion.BlockPattern(torch.zeros(4, 4, dtype=torch.bool), 16)
        self.assertTrue(torch.equal(pattern.mask, torch.eye(4, dtype=torch.bool)))
        self.assertEqual(pattern.kept_blocks, 4)

    def test_whatever_the_default_device_is(self):
        expected = spion.patterns.longformer(64, block_size=16)
        document = json.dumps({"blocks_per_side": 1, "block_size": 16, "kept_blocks": 1,
                               "columns_of_row": [[0]]})
        with torch.device("meta"):
            self.assertTrue(torch.equal(spion.patterns.longformer(64, block_size=16).mask,
                                        expected.mask))
            self.assertEqual(spion.BlockPattern.from_json(document).kept_blocks, 1)
            self.assertEqual(spion.patterns.full(64, block_size=16).kept_blocks, 16)

    def test_a_loaded_pattern_is_where_its_layer_is(self):
        sparse = spion.nn.SpionAttention()
        sparse.set_pattern(spion.patterns.full(64, block_size=16))
        for device in ("cpu", "meta"):
            layer = spion.nn.SpionAttention().to(device)
            layer.load_state_dict(sparse.state_dict())
            self.assertEqual(layer.pattern.packed.device.type, device)
            self.assertTrue(torch.equal(layer.pattern.mask, sparse.pattern.mask))

    def test_json(self):
        pattern = patterns.bigbird(LENGTH, block_size=BLOCK)
        read = spion.BlockPattern.from_json(json.dumps(pattern.to_json()))
        self.assertTrue(torch.equal(read.packed, pattern.packed))

    def test_bad_json(self):
        good = spion.BlockPattern(torch.eye(2, dtype=torch.bool), 16).to_json()
        for message, change in [
                ("columns_of_row is a list of 1, expected a list of 2", {"columns_of_row": [[0]]}),
                ("columns_of_row is a int, expected a list of 2", {"columns_of_row": 1}),
                ("columns_of_row is a list of 2, expected a list of -1", {"blocks_per_side": -1}),
                ("kept_blocks is 3, but its rows and the diagonal keep 2", {"kept_blocks": 3}),
                ("kept_blocks is None, expected a whole number", {"kept_blocks": None}),
                ("blocks_per_side is 2.0, expected a whole number", {"blocks_per_side": 2.0}),
                ("row 1 has the column 7, of 2", {"columns_of_row": [[0], [7]]}),
                ("row 1 has the column -1, of 2", {"columns_of_row": [[0], [-1]]}),
                ("row 1 is a int, expected a list of columns", {"columns_of_row": [[0], 1]}),
                ("a column of row 0 is 'a', expected a whole number",
                 {"columns_of_row": [["a"], [1]]}),
                ("a column of row 1 is 1.5, expected a whole number",
                 {"columns_of_row": [[0], [1.5]]}),
                ("a column of row 1 is True, expected a whole number",
                 {"columns_of_row": [[0], [True]]}),
                ("row 1 has the column 0 more than once",
                 {"columns_of_row": [[0], [0, 0]], "kept_blocks": 3}),
                ("columns_of_row: 65537 blocks a side, expected 1 to 65536",
                 {"blocks_per_side": 65537, "columns_of_row": [[]] * 65537}),
                (r"spion.BlockPattern: mask is \[0, 0\]",
                 {"blocks_per_side": 0, "columns_of_row": [], "kept_blocks": 0}),
                ("spion.BlockPattern: block_size is 5", {"block_size": 5})]:
            with self.subTest(message), self.assertRaisesRegex(
                    ValueError, f"^spion.BlockPattern.from_json: not a block pattern: {message}"):
                spion.BlockPattern.from_json(good | change)
        for message, document in (("it has no block_size, kept_blocks",
                                   {"blocks_per_side": 1, "columns_of_row": [[0]]}),
                                  ("a list, expected an object", "[1]"),
                                  ("maximum recursion depth exceeded", "[" * 100000),
                                  ("a NoneType, expected an object", None)):
            with self.subTest(message), self.assertRaisesRegex(
                    ValueError, f"^spion.BlockPattern.from_json: not a block pattern: {message}"):
                spion.BlockPattern.from_json(document)

    def test_a_layer_of_a_runs_file_and_not_the_whole(self):
        layers = [patterns.longformer(LENGTH, block_size=BLOCK, window=window).to_json()
                  for window in (1, 2)]
        content = json.dumps({"task": "image", "transition_step": 4, "layers": layers})
        read = spion.BlockPattern.from_json(json.loads(content)["layers"][1])
        self.assertEqual(read.kept_blocks, layers[1]["kept_blocks"])
        for whole in (content, json.loads(content)):
            with self.assertRaisesRegex(ValueError, r"whole patterns.json; give one of its layers: "
                                        r'json.load\(file\)\["layers"\]\[0\]$'):
                spion.BlockPattern.from_json(whole)

    def test_broken_json(self):
        for broken in ("", '{"block_size": 16, "blo'):
            with self.assertRaisesRegex(ValueError, r"^spion.BlockPattern.from_json: not JSON: .*line 1"):
                spion.BlockPattern.from_json(broken)

    def test_bad_mask(self):
        for exception, message, mask in [
                (TypeError, "mask is torch.float32", torch.eye(2)),
                (TypeError, "mask is a? ?list", [[True]]),
                (ValueError, r"mask is \[2, 3\]", torch.ones(2, 3).bool()),
                (ValueError, r"mask is \[0, 0\]", torch.ones(0, 0).bool()),
                (ValueError, "^spion.BlockPattern: mask is on meta", torch.ones(2, 2).bool().to("meta")),
                (ValueError, "^spion.BlockPattern: 65537 blocks a side, expected 1 to 65536",
                 torch.ones(1, 1).bool().expand(65537, 65537))]:
            with self.subTest(message), self.assertRaisesRegex(exception, message):
                spion.BlockPattern(mask, 16)


class TransitionTestTest(unittest.TestCase):
    def test_by_hand(self):
        test = spion.TransitionTest(layers=2)
        self.assertEqual(test.observe([4.0, 2.0]), ([], False))
        change, settled = test.observe([3.0, 1.9])
        self.assertAlmostEqual(change[0], 25)
        self.assertAlmostEqual(change[1], 5)
        self.assertFalse(settled)
        self.assertTrue(test.observe([2.6, 1.9])[1])

    def test_a_distance_of_zero(self):
        test = spion.TransitionTest(layers=1)
        test.observe([0.0])
        self.assertEqual(test.observe([0.0]), ([0.0], True))
        self.assertEqual(test.observe([1.0]), ([float("inf")], False))

    def test_bad_input(self):
        test = spion.TransitionTest(layers=2)
        for bad in ([1.0], [1.0, float("nan")], [-1.0, 1.0]):
            with self.assertRaisesRegex(ValueError, "expected"):
                test.observe(bad)
        self.assertEqual(test.distances, [])

    def test_bad_settings(self):
        for exception, limit in ((ValueError, -1), (ValueError, 101), (TypeError, 15.0),
                                 (TypeError, "15")):
            with self.assertRaisesRegex(exception, f"limit_percent is {limit!r}, expected"):
                spion.TransitionTest(1, limit)
        for exception, layers in ((ValueError, 0), (TypeError, 1.5)):
            with self.assertRaisesRegex(exception, f"layers is {layers}, expected"):
                spion.TransitionTest(layers)
        never = spion.TransitionTest(1, 0)
        never.observe([1.0])
        self.assertEqual(never.observe([1.0]), ([0.0], False))


if __name__ == "__main__":
    unittest.main()

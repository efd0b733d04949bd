"""Runs the tool as a user would: text drawn by hand, pictures read without libpng."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from read_png import read_grey_png

PROGRAM = None
METHODS = []  # those of baselines/methods.bzl that keep to a pattern
PRUNED, DIAGONAL, KEPT = 255, 128, 0

LONGFORMER = """\
longformer, window 1, global 1: 8 x 8 blocks of 16 x 16, 34 kept, density 53.12 %, \
longest row 8, longest column 8
███▀▀▀▀▀
█▀██▄···
█··▀██▄·
█····▀██
"""
FIXED = """\
sparse_transformer_fixed, stride 2: 6 x 6 blocks of 16 x 16, 24 kept, density 66.67 %, \
longest row 4, longest column 6
██·█·█
·███·█
·█·███
"""
STRIDED = """\
sparse_transformer, stride 3: 6 x 6 blocks of 16 x 16, 30 kept, density 83.33 %, \
longest row 6, longest column 6
████▄·
██████
·▀████
"""
LAYERS = [[[0, 3], [1], [2], [3]], [[0], [0, 1], [0, 2]]]
LAYER_0 = """\
layer 0: 4 x 4 blocks of 32 x 32, 5 kept, density 31.25 %, longest row 2, longest column 2
▀▄·▀
··▀▄
"""
LAYER_1 = """\
layer 1: 3 x 3 blocks of 32 x 32, 5 kept, density 55.56 %, longest row 2, longest column 3
█▄·
▀·▀
"""


def run(*flags, cwd=None, user_directory=None):
    environment = {k: v for k, v in os.environ.items() if k != "BUILD_WORKING_DIRECTORY"}
    if user_directory is not None:
        environment["BUILD_WORKING_DIRECTORY"] = str(user_directory)
    return subprocess.run([os.path.abspath(PROGRAM), *map(str, flags)], capture_output=True,
                          encoding="utf-8", check=False, cwd=cwd, env=environment)


def layer_json(columns_of_row):
    return {"block_size": 32, "blocks_per_side": len(columns_of_row),
            "kept_blocks": sum(map(len, columns_of_row)), "columns_of_row": columns_of_row}


def expected_picture(columns_of_row, scale):
    lines = []
    for row, columns in enumerate(columns_of_row):
        greys = [DIAGONAL if column == row else KEPT if column in columns else PRUNED
                 for column in range(len(columns_of_row))]
        lines += [b"".join(bytes([grey]) * scale for grey in greys)] * scale
    return lines


class PatternTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))

    def printed(self, *flags, **keywords):
        result = run(*flags, **{"cwd": self.folder, **keywords})
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def write_run(self, layers=None):
        layers = [layer_json(rows) for rows in LAYERS] if layers is None else layers
        path = self.folder / "run" / "patterns.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"task": "image", "method": "cf", "layers": layers}))
        return path

    def check_picture(self, path, columns_of_row, scale):
        lines, expected = read_grey_png(path), expected_picture(columns_of_row, scale)
        self.assertEqual([len(line) for line in lines], [len(line) for line in expected])
        for y, (line, expected_line) in enumerate(zip(lines, expected)):
            for x, (grey, expected_grey) in enumerate(zip(line, expected_line)):
                self.assertEqual(grey, expected_grey, f"at ({x}, {y}) of {path}")

    def names(self):
        return sorted(path.name for path in self.folder.iterdir() if path.is_file())


class FixedPatternsTest(PatternTest):
    def test_text_and_counts(self):
        self.assertEqual(self.printed("longformer", "--length=128"), LONGFORMER)
        self.assertEqual(self.printed("sparse_transformer_fixed", "--length", 96, "--stride=2"),
                         FIXED)
        self.assertEqual(self.printed("sparse_transformer", "--length=96", "--stride=3"), STRIDED)

    def test_without_options_it_is_what_the_method_trains_with(self):
        for words, title in (
                (("longformer", "--length=2048"), "window 1, global 1: 128 x 128 blocks of 16 x"),
                (("longformer", "--length=4096"), "window 2, global 1: 256 x 256 blocks of 16 x"),
                (("sparse_transformer", "--length=2048"), "stride 3: 128 x"),
                (("sparse_transformer", "--length=4096", "--block_size=32"), "stride 2: 128 x"),
                (("bigbird", "--length=1024"), "random 3, layer 0: 16 x 16 blocks of 64 x 64")):
            first_line = self.printed(*words).splitlines()[0]
            self.assertTrue(first_line.startswith(f"{words[0]}, {title}"), first_line)

    def test_options(self):
        text = self.printed("longformer", "--length=256", "--block_size=32", "--window=0",
                            "--global=0")
        self.assertIn("window 0, global 0: 8 x 8 blocks of 32 x 32, 8 kept", text)
        self.assertIn("▀▄······\n··▀▄····\n····▀▄··\n······▀▄\n", text)

    def test_bigbirds_layers_and_seeds(self):
        def drawing(*flags):
            head, rest = self.printed("bigbird", "--length=512", "--random=1", *flags).split("\n", 1)
            # Rows 0 and 7 are whole; 1 and 6 see four blocks, 2 to 5 five, and each one more.
            self.assertIn("8 x 8 blocks of 64 x 64, 50 kept", head)
            return rest

        self.assertEqual(drawing(), drawing("--layer=0"))
        self.assertEqual(drawing("--seed=5"), drawing("--seed=5"))
        self.assertEqual(len({drawing(f"--layer={layer}") for layer in range(4)} |
                             {drawing(f"--seed={seed}") for seed in range(4)}), 8)

    def test_columns_reduce_the_text(self):
        # 2 x 2 blocks a character; the whole of column 0 and the band light these.
        text = self.printed("longformer", "--length=128", "--columns=4", "--global=0")
        self.assertEqual(text.split("\n", 1)[1], "██▄·\n·▀██\n")


class RunsTest(PatternTest):
    def test_all_layers_or_one(self):
        path = self.write_run()
        for source in (f"--run={path.parent}", f"--file={path}"):
            self.assertEqual(self.printed(source), LAYER_0 + LAYER_1)
            self.assertEqual(self.printed(source, "--layer=1"), LAYER_1)

    def test_relative_paths_are_the_users(self):
        self.write_run()
        text = self.printed("--run=run", "--layer=0", "--png=mine.png", cwd="/",
                            user_directory=self.folder)
        self.assertEqual(text, LAYER_0 + "wrote mine.png, 1024 x 1024 pixels\n")
        self.assertEqual(self.names(), ["mine.png"])


class PicturesTest(PatternTest):
    def test_pixels(self):
        self.write_run()
        text = self.printed("--run=run", "--layer=1", "--scale=5", "--png=a.png")
        self.assertEqual(text, LAYER_1 + "wrote a.png, 15 x 15 pixels\n")
        self.check_picture(self.folder / "a.png", LAYERS[1], 5)
        self.assertEqual(self.names(), ["a.png"])

    def test_one_picture_a_layer(self):
        self.write_run()
        (self.folder / "made").mkdir()
        self.printed("--run=run", "--scale=1", "--png=made/a.b.png")
        files = sorted((self.folder / "made").iterdir())
        self.assertEqual([file.name for file in files], ["a.b_layer0.png", "a.b_layer1.png"])
        for file, rows in zip(files, LAYERS):
            self.check_picture(file, rows, 1)

    def test_without_a_scale_the_picture_fits_into_1024_pixels(self):
        self.write_run()
        self.assertIn("1023 x 1023", self.printed("--run=run", "--layer=1", "--png=a.png"))
        self.check_picture(self.folder / "a.png", LAYERS[1], 341)
        self.assertIn("2048 x 2048 pixels",
                      self.printed("longformer", "--length=32768", "--png=a.png"))

    def test_of_a_fixed_pattern_in_the_place_of_a_file(self):
        (self.folder / "a.png").write_text("mine")
        self.printed("longformer", "--length=128", "--png=a.png", "--scale=2")
        rows = [[j for j in range(8) if abs(i - j) < 2 or 0 in (i, j)] for i in range(8)]
        self.check_picture(self.folder / "a.png", rows, 2)


class ErrorsTest(PatternTest):
    def check_refused(self, expected, *flags):
        before = self.names()
        result = run(*flags, "--png=a.png", cwd=self.folder)
        self.assertEqual(result.returncode, 1, flags)
        self.assertIn(expected, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(self.names(), before, "something was written")

    def test_sources(self):
        self.check_refused("nothing to draw: give a fixed pattern (longformer, bigbird, ")
        self.check_refused('did you mean "longformer"? there are ', "longfomer", "--length=64")
        self.check_refused('there is no fixed pattern "skyformer"; there are longformer, ',
                           "skyformer", "--length=64")
        self.check_refused("and --run=DIR or --file=FILE shows those of a run", "patterns.json")
        self.check_refused("one source at a time, but there are longformer and --run=x",
                           "longformer", "--run=x")
        self.check_refused("there are longformer and bigbird", "longformer", "bigbird")
        self.check_refused("--window=1 is for fixed patterns", "--run=x", "--window=1")

    def test_options_of_fixed_patterns(self):
        for expected, *flags in (
                ("--length is missing: give the sequence length", "longformer"),
                ("--length=0: a positive number", "longformer", "--length=0"),
                ("--block_size=-1: a multiple of 16 from 16 to 128 was expected", "bigbird",
                 "--length=64", "--block_size=-1"),
                ("--block_size=7: a multiple of 16", "longformer", "--length=70", "--block_size=7"),
                ("blocks of 16 do not divide a sequence of 100", "longformer", "--length=100"),
                ("longformer: a fixed pattern's window is at least 0; got -1", "longformer",
                 "--length=64", "--window=-1"),
                ("stride is at least 1; got 0", "sparse_transformer", "--length=64", "--stride=0"),
                ("--stride=2 is no option of longformer; it has --length, --block_size, --window, "
                 "--global", "longformer", "--length=64", "--stride=2"),
                ("--layer=1 is no option of longformer", "longformer", "--length=64", "--layer=1"),
                ("--layer=-1: layers count from 0", "bigbird", "--length=64", "--layer=-1"),
                ("--seed=1 and --layer=2: give one", "bigbird", "--length=64", "--seed=1",
                 "--layer=2"),
                ("at most 4096 can be drawn; give a larger --block_size", "longformer",
                 "--length=9000000000000000000")):
            self.check_refused(expected, *flags)

    def test_files(self):
        path = self.write_run()
        self.check_refused("nowhere/patterns.json is missing; a run of SPION writes",
                           "--run=nowhere")
        self.check_refused("--layer=2: run/patterns.json has layers 0 to 1", "--run=run",
                           "--layer=2")
        self.check_refused("--layer=-1: run/patterns.json has", "--run=run", "--layer=-1")
        self.check_refused("run", "--file=run")
        path.write_bytes(path.read_bytes()[:-2] + b"\x89")
        self.check_refused("run/patterns.json is not JSON from byte ", "--run=run")
        for layers in ({}, 3):
            self.write_run(layers)
            self.check_refused('run/patterns.json has no list "layers"', "--run=run")
        self.write_run([])
        self.check_refused('run/patterns.json: its list "layers" is empty', "--run=run")
        path.write_text("[1]")
        self.check_refused('has no list "layers"', "--run=run")
        broken = {**layer_json(LAYERS[0]), "kept_blocks": 4}
        self.write_run([layer_json(LAYERS[0]), broken])
        self.check_refused("run/patterns.json: layer 1: a damaged pattern: kept_blocks is 4",
                           "--run=run")
        self.write_run([layer_json(LAYERS[0]), {**layer_json(LAYERS[0]), "block_size": 7}])
        self.check_refused("run/patterns.json: layer 1: block_size is 7, expected a multiple of 16 "
                           "from 16 to 128", "--file=run/patterns.json")
        self.write_run([layer_json([[0, 1, 1], [1]])])
        self.check_refused("run/patterns.json: layer 0: a damaged pattern: row 0 has the column 1 "
                           "more than once", "--run=run")

    def test_a_bad_second_layer_leaves_no_picture(self):
        # 16,385 blocks a side are more than a picture may have pixels.
        self.write_run([layer_json(LAYERS[0]), layer_json([[i] for i in range(16385)])])
        self.check_refused("--scale=1: 16385 blocks a side make a picture of more than 16384 "
                           "pixels a side; leave out --png", "--run=run")

    def test_pictures(self):
        fixed = ("longformer", "--length=64")
        self.check_refused("--scale=0: a positive number of pixels", *fixed, "--scale=0")
        self.check_refused("--scale=4097: 4 blocks a side make a picture of more than 16384 pixels "
                           "a side; --scale=4096 at most", *fixed, "--scale=4097")
        self.check_refused("--columns=0: a positive number", *fixed, "--columns=0")
        (self.folder / "a.png").mkdir()
        self.check_refused("--png=a.png is a folder; give a file's name", *fixed)
        for expected, flag in (("--png=no/a.png: there is no folder no; make it", "--png=no/a.png"),
                               ("--scale=2 goes with --png=FILE", "--scale=2")):
            result = run(*fixed, flag, cwd=self.folder)
            self.assertEqual(result.returncode, 1)
            self.assertIn(expected, result.stderr)

    def test_every_method_that_fixes_a_pattern_is_drawn(self):
        self.assertTrue(METHODS)
        for method in METHODS:
            result = run(method, "--length=1024")
            self.assertEqual(result.returncode, 0, f"add it to fixed_pattern.cc: {result.stderr}")

    def test_flags(self):
        self.check_refused('--length="abc"; expected a whole number', "longformer", "--length=abc")
        result = run("--lenght=3", cwd=self.folder)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, 'error: unknown argument "--lenght=3"; did you mean '
                         '--length? --help lists the flags\n')

    def test_help(self):
        result = run("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for text in ("bazel run //tools:pattern", "--length=N", "--png=FILE"):
            self.assertIn(text, result.stdout)


if __name__ == "__main__":
    PROGRAM, METHODS = sys.argv[1], sys.argv[2:]
    unittest.main(argv=sys.argv[:1])

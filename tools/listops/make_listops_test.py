"""Runs the tool as a user would, and reads its files with Python's csv."""

import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
SMALL = ["--train", "5", "--dev=3", "--test=2"]
FILES = {"basic_train.tsv": 5, "basic_val.tsv": 3, "basic_test.tsv": 2}


def run(*flags, cwd=None, user_directory=None):
    environment = {k: v for k, v in os.environ.items() if k != "BUILD_WORKING_DIRECTORY"}
    if user_directory is not None:
        environment["BUILD_WORKING_DIRECTORY"] = str(user_directory)
    return subprocess.run([os.path.abspath(PROGRAM), *map(str, flags)], capture_output=True,
                          text=True, check=False, cwd=cwd, env=environment)


def value_of(words):
    """The value of left-nested words, by the grammar of pairs: an oracle of its own."""
    word = words.pop(0)
    if word != "(":
        return int(word) if word.isdigit() else word
    left, right = value_of(words), value_of(words)
    assert words.pop(0) == ")"
    if right != "]":
        return (*left, right) if isinstance(left, tuple) else (left, right)
    operator, *values = left
    values.sort()
    count = len(values)
    return {"[MIN": values[0], "[MAX": values[-1], "[SM": sum(values) % 10,
            "[MED": (values[(count - 1) // 2] + values[count // 2]) // 2}[operator]


class MakeListOpsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))

    def contents(self, folder):
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def test_writes_the_original_layout(self):
        out = self.folder / "not" / "there"
        result = run("--out", out, *SMALL)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("wrote 5 train, 3 dev, 2 test expressions, seed 1001", result.stdout)
        self.assertEqual({path.name for path in out.iterdir()}, set(FILES))
        for name, lines in FILES.items():
            with open(out / name, newline="") as file:
                rows = list(csv.reader(file, delimiter="\t"))
            self.assertEqual(rows[0], ["Source", "Target"])
            self.assertEqual(len(rows), 1 + lines)
            for source, target in rows[1:]:
                words = source.split(" ")
                tokens = [word for word in words if word not in "()"]
                self.assertTrue(500 < len(tokens) < 2000)
                self.assertEqual(value_of(words), int(target))
                self.assertEqual(words, [])

    def test_the_seed_decides(self):
        for name, seed in (("a", 7), ("b", 7), ("c", 8)):
            self.assertEqual(run("--out", self.folder / name, "--seed", seed, *SMALL).returncode, 0)
        self.assertEqual(self.contents(self.folder / "a"), self.contents(self.folder / "b"))
        self.assertNotEqual(self.contents(self.folder / "a"), self.contents(self.folder / "c"))

    def test_overwrites_only_by_force(self):
        (self.folder / "basic_val.tsv").write_text("mine")
        result = run("--out", self.folder, *SMALL)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(
            result.stderr, f"error: {self.folder}/basic_val.tsv is there already; --force "
            "overwrites, or give another folder as --out\n")
        self.assertEqual(self.contents(self.folder), {"basic_val.tsv": b"mine"})
        self.assertEqual(run("--out", self.folder, "--force=yes", *SMALL).returncode, 0)
        self.assertEqual(set(self.contents(self.folder)), set(FILES))
        self.assertNotIn(b"mine", self.contents(self.folder).values())

    def test_a_relative_folder_is_the_users(self):
        self.assertEqual(run("--out", "mine", *SMALL, user_directory=self.folder).returncode, 0)
        self.assertEqual(run("--out", "other", *SMALL, cwd=self.folder).returncode, 0)
        self.assertEqual(self.contents(self.folder / "mine"), self.contents(self.folder / "other"))

    def check_refused(self, expected, *flags):
        result = run(*flags, cwd=self.folder)
        self.assertEqual(result.returncode, 1)
        self.assertIn(expected, result.stderr)
        self.assertEqual(list(self.folder.iterdir()), [], "something was written")

    def test_bad_flags(self):
        self.check_refused("--out is missing")
        self.check_refused('unknown argument "listops"', "--out=x", "listops")
        self.check_refused("--train=0: a positive number", "--out=x", "--train=0")
        self.check_refused("--test=-3: a positive number", "--out=x", "--test=-3")
        self.check_refused('--seed="many"; expected a whole number', "--out=x", "--seed=many")
        self.check_refused('unknown argument "--sed=3"; the flags are --out, --seed, ', "--out=x",
                           "--sed=3")
        self.check_refused('--force="maybe"; expected true or false', "--out=x", "--force=maybe")

    def test_help(self):
        result = run("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for text in ("bazel run //tools:make_listops", "--train=N", "(96000)"):
            self.assertIn(text, result.stdout)

    def test_a_file_in_the_folders_place(self):
        path = self.folder / "file"
        path.write_text("x")
        result = run("--out", path, *SMALL)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"cannot make the folder {path}", result.stderr)
        self.assertEqual(path.read_text(), "x")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

"""The examples of the documents, built of what they show, from nothing to a row in a table."""

import ast
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import extract
import matplotlib

PROGRAM = None  # with both examples
SOURCES = []  # of the tables
_QUICK = ["--steps=4", "--batch_size=2", "--warmup_steps=1", "--dev_examples=8",
          "--test_examples=8", "--device=cpu"]


def shown():
    """{path: content} of both documents."""
    found = {}
    for name in ("add_an_attention", "add_a_task"):
        found.update(extract.files(pathlib.Path(f"docs/{name}.md").read_text(encoding="utf-8")))
    return found


def entry(path):
    """The entry that a document has for a list in a .bzl file."""
    return ast.literal_eval("{" + shown()[path] + "}")


def units_of(build_file):
    """{name: {"deps": ...}} of the calls of spion_cc_unit, without who may see them."""
    units = {}
    for statement in ast.parse(build_file).body:
        if statement.value.func.id == "spion_cc_unit":
            unit = {keyword.arg: ast.literal_eval(keyword.value)
                    for keyword in statement.value.keywords if keyword.arg != "visibility"}
            units[unit.pop("name")] = unit
    return units


def new_folder():
    return pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))


def train(*flags):
    return subprocess.run([PROGRAM, "--task=majority", "--method=mean", *flags],
                          capture_output=True, text=True, check=False)


class ShownTest(unittest.TestCase):
    def test_build_files_have_the_targets_that_are_built_here(self):
        path = pathlib.Path("tools/documents/examples/units.bzl")
        built = ast.literal_eval(ast.parse(path.read_text(encoding="utf-8")).body[-1].value)
        for folder, units in built.items():
            with self.subTest(folder):
                self.assertEqual(units_of(shown()[f"{folder}/BUILD.bazel"]), units)

    def test_the_entry_of_the_task_is_what_the_program_knows(self):
        result = train("--preset=paper", "--mode=manifest", "--device=cpu")
        self.assertEqual(result.returncode, 0, result.stderr)
        known = json.loads(result.stdout.splitlines()[-1])["hyper_parameters"]
        for name, value in entry("spion/data/tasks.bzl")["majority"]["paper"].items():
            self.assertEqual(known[name], float(value), name)


class BuiltTest(unittest.TestCase):
    def test_it_trains(self):
        folder = new_folder() / "run"
        result = train(*_QUICK, "--preset=quick", f"--out_dir={folder}")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("the mean of all values on majority", result.stdout)
        self.assertIn("test_accuracy", (folder / "summary.json").read_text(encoding="utf-8"))

    def test_the_others_are_still_there(self):
        result = subprocess.run([PROGRAM, "--task=none", "--method=none"], capture_output=True,
                                text=True, check=False)
        self.assertIn("expected one of image, listops, majority, pathfinder, ", result.stderr)

    def test_it_has_a_row_and_a_column_in_a_table(self):
        root = new_folder()
        for source in SOURCES:
            (root / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, root / source)
        for path in ("baselines/methods.bzl", "spion/data/tasks.bzl"):
            text = (root / path).read_text(encoding="utf-8")
            self.assertTrue(text.endswith("\n}\n"))
            (root / path).write_text(text[:-len("}\n")] + shown()[path] + "}\n", encoding="utf-8")
        bundle = root / "bundle"
        bundle.mkdir()
        (bundle / "run").write_text(f'#!/bin/sh\nshift\nexec "{PROGRAM}" "$@"\n', encoding="utf-8")
        (bundle / "run").chmod(0o755)
        result = subprocess.run(
            [sys.executable, root / "experiments/tables/main.py", "--table=accuracy",
             f"--bundle={bundle}", "--tasks=majority", "--methods=cf,mean", "--seeds=1001",
             "--device=cpu", f"--results_dir={root}/results"],
            capture_output=True, text=True, check=False, cwd=root,
            env={**os.environ, "PYTHONPATH": str(pathlib.Path(matplotlib.__file__).parents[1])})
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        page = (root / "results/quick/accuracy.md").read_text(encoding="utf-8")
        title, _ = entry("baselines/methods.bzl")["mean"]
        self.assertRegex(page, r"\|[^\n]*majority")
        self.assertRegex(page, rf"\| {title} \| \**\d")


if __name__ == "__main__":
    PROGRAM, SOURCES = os.path.abspath(sys.argv[1]), sys.argv[2:]
    unittest.main(argv=sys.argv[:1])

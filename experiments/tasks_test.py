"""Every task but image, which lra_test has, through the three phases: the same program, other data."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
# task: layers
TASKS = {"listops": 4, "pathfinder": 2, "text": 2, "retrieval": 2}
# The others are longer, and cut.
UNCUT = "pathfinder"
LENGTH = 1024
CUT_LENGTH = 512


def train(task, method, *flags):
    folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))) / "run"
    result = subprocess.run(
        [PROGRAM, f"--task={task}", f"--method={method}", "--preset=quick", "--batch_size=1",
         "--device=cpu", f"--out_dir={folder}", *flags],
        capture_output=True, text=True, check=False)
    return folder, result


class TasksTest(unittest.TestCase):
    def test_reaches_the_sparse_phase(self):
        for task, layers in TASKS.items():
            with self.subTest(task=task):
                folder, result = train(task, "cf", "--steps=82")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertIn("the sparse phase begins", result.stdout)
                self.assertEqual(f"to {CUT_LENGTH}" in result.stdout, task != UNCUT)
                summary = json.loads((folder / "summary.json").read_text())
                self.assertEqual(summary["task"], task)
                self.assertEqual(summary["test_phase"], "sparse")
                self.assertEqual(summary["sequence_length"],
                                 LENGTH if task == UNCUT else CUT_LENGTH)
                self.assertEqual(summary["batch_size"], 1)
                self.assertEqual(len(summary["kept_blocks"]), layers)
                # ListOps is what its generator makes; the others are stand-ins, and say so.
                self.assertEqual(summary["data_source"]["generated"], task != "listops")
                self.assertEqual("GENERATED data" in result.stdout, task != "listops")

    def test_trains_densely(self):
        for task in TASKS:
            with self.subTest(task=task):
                folder, result = train(task, "sdpa", "--steps=2")
                self.assertEqual(result.returncode, 0, result.stderr)
                summary = json.loads((folder / "summary.json").read_text())
                self.assertEqual(summary["test_phase"], "dense")


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()

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


def train(task, method, *flags, preset="quick"):
    folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))) / "run"
    result = subprocess.run(
        [PROGRAM, f"--task={task}", f"--method={method}", f"--preset={preset}", "--batch_size=1",
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
                summary = json.loads((folder / "summary.json").read_text())
                for said in (result.stdout, summary["data_source"]["description"]):
                    self.assertEqual(f"cut to {CUT_LENGTH} ids: " in said, task != UNCUT)
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
                self.assertEqual(summary["test_phase"], "single")
                self.assertNotIn("phase", result.stdout)
                self.assertTrue((folder / "best.safetensors").exists())
                self.assertIn("8000 train, 1000 dev, 2000 test",
                              summary["data_source"]["description"])

    def test_paper_generates_as_much_as_is_published(self):
        folder, result = train("text", "sdpa", "--steps=1", "--dev_examples=1",
                               "--test_examples=1", preset="paper")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("GENERATED data", result.stdout)
        source = json.loads((folder / "summary.json").read_text())["data_source"]
        self.assertTrue(source["generated"])
        made, cut = source["description"].split("; ")
        self.assertEqual(made, "generated praise and blame, seed 1001: "
                         "25000 train, 25000 dev, 25000 test reviews")
        self.assertIn("cut to 4000 ids", cut)


class TruncatedTest(unittest.TestCase):
    """ListOps files of which the third line has 602 tokens."""

    def setUp(self):
        self.data = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        lines = f"Source\tTarget\n7\t7\n[SM {'1 ' * 600}]\t0\n8\t8\n"
        for split in ("train", "val", "test"):
            (self.data / f"basic_{split}.tsv").write_text(lines)

    def test_is_counted_in_log_summary_and_manifest(self):
        folder, result = train("listops", "sdpa", "--steps=2", f"--data_dir={self.data}")
        self.assertEqual(result.returncode, 0, result.stderr)
        reports = [json.loads((folder / name).read_text())["data_source"]["description"]
                   for name in ("summary.json", "manifest.json")]
        for said in (result.stdout, *reports):
            self.assertIn("3 train, 3 dev, 3 test expressions; cut to 512 ids: 1 of 3 train, 1 of "
                          "3 dev, 1 of 3 test sequences (the value of an expression that is cut "
                          "cannot be learnt from what is left)", said)

    def test_is_refused_if_asked_to(self):
        folder, result = train("listops", "sdpa", "--refuse_truncated=true",
                               f"--data_dir={self.data}")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, "^error: --refuse_truncated=true: "
                         f"{self.data}/basic_train.tsv, line 3 .*longer than the 512 ids")
        self.assertFalse(folder.exists())

    def test_is_not_refused_where_nothing_is_cut(self):
        _, result = train("listops", "sdpa", "--refuse_truncated=true", "--steps=1",
                          "--sequence_length=1024", f"--data_dir={self.data}")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("; no sequence is longer than 1024 ids", result.stdout)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()

"""The recording with a program that writes what a run leaves, without training."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import record
import reference
from cases import CASES
from losses import TRAIN, Point

# Loss at every step: 1 for seed 1001, 2 for 1002, ... up to 5.
FAKE = """#!/usr/bin/env python3
import json, os, pathlib, sys
flag = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
seed = int(flag["seed"])
if seed == 13:
    sys.exit("error: no luck")
folder = pathlib.Path(flag["out_dir"])
folder.mkdir(parents=True)
metrics = []
for step in range(1, int(flag["steps"]) + 1):
    for kind in ("train", "dev"):
        metrics.append({"kind": kind, "step": step, "loss": float(seed - 1000)})
(folder / "metrics.jsonl").write_text("".join(json.dumps(metric) + chr(10) for metric in metrics))
(folder / "manifest.json").write_text(json.dumps({
    "preset": flag["preset"], "task": flag["task"], "precision": flag["precision"],
    "data_source": {"name": "generated"}, "hyper_parameters": {"steps": int(flag["steps"])},
    "model": {"width": 64}, "date": f"2026-11-24T00:00:{seed % 60:02}", "git_commit": "abc",
    "torch_version": "2", "compiler": "g++", "cpu": "a CPU"}))
(folder / "summary.json").write_text("{}")
"""


class RecordTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.program = self.folder / "lra"
        self.program.write_text(FAKE)
        self.program.chmod(0o755)
        self.file = self.folder / "reference.json"
        self.said = []

    def record(self, *flags):
        record.record(record.parse_arguments([f"--reference={self.file}", *flags]), self.program,
                      self.said.append)

    def test_writes_the_bands_of_every_case(self):
        self.record()
        cases = reference.load(self.file)
        self.assertEqual(set(cases), set(CASES))
        image = cases["image_cf"]
        self.assertEqual(image.bands[Point(24, TRAIN)].losses, (1, 2, 3, 4, 5))
        self.assertEqual(image.settings["preset"], "quick")
        self.assertEqual(image.made["git_commit"], "abc")
        self.assertEqual(image.made["date"], "2026-11-24T00:00:45")
        self.assertEqual(image.made["seeds"], [1001, 1002, 1003, 1004, 1005])
        self.assertEqual(cases["text_cf"].made["seeds"], list(CASES["text_cf"].seeds))
        self.assertIn("lra_image_cf -- --preset=quick --steps=300", image.made["command"])

    def test_other_cases_keep_theirs(self):
        self.record()
        self.record("--cases=text_cf", "--seeds=1011,1012,1013,1014,1015")
        cases = reference.load(self.file)
        self.assertEqual(cases["text_cf"].bands[Point(24, TRAIN)].mean, 13)
        self.assertEqual(cases["image_cf"].bands[Point(24, TRAIN)].mean, 3)

    def test_goes_on_with_the_runs_of_a_folder(self):
        flags = ("--cases=text_cf", f"--runs_dir={self.folder / 'runs'}")
        self.record(*flags)
        first = self.file.read_text()
        self.program.unlink()
        self.record(*flags)
        self.assertEqual(self.file.read_text(), first)

    def test_runs_of_another_build_are_refused(self):
        flags = ("--cases=text_cf", f"--runs_dir={self.folder / 'runs'}")
        self.record(*flags)
        path = self.folder / "runs/text_cf/seed1003/manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "git_commit": "def"}))
        with self.assertRaisesRegex(record.CannotRecord, "seed 1003: git_commit: .*abc.*def"):
            self.record(*flags)

    def test_a_failed_run_leaves_the_file_as_it_is(self):
        self.file.write_text("kept")
        with self.assertRaisesRegex(record.run_case.RunFailed, "seed 13: exit 1\nerror: no luck"):
            self.record("--cases=" + ",".join(CASES), "--seeds=1,2,3,4,13")
        self.assertEqual(self.file.read_text(), "kept")

    def test_seeds_that_make_no_band_are_refused(self):
        for seeds in ("1,2,3,4", "1,2,3,4,4", "1,2,3,4,x", "1,2,3,4,1006"):
            said = io.StringIO()
            with self.subTest(seeds=seeds), contextlib.redirect_stderr(said), \
                    self.assertRaises(SystemExit):
                record.parse_arguments([f"--seeds={seeds}"])
            self.assertIn("--seeds", said.getvalue())


if __name__ == "__main__":
    unittest.main()

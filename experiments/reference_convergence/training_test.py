"""Trains a case with a seed that the bands have not seen: its losses stay in them.

Too low is as wrong as too high: a label that leaks, or a schedule that changed, learns faster.
"""

import os
import pathlib
import sys
import tempfile
import unittest

import reference
import run_case
from bands import departures, differences
from cases import CASES, TESTED_SEED

PROGRAM = None
CASE = None
REFERENCE = pathlib.Path(__file__).with_name("reference.json")


class TrainingTest(unittest.TestCase):
    def test_stays_in_the_bands(self):
        expected = reference.load(REFERENCE)[CASE.name]
        with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
            run = run_case.train(PROGRAM, CASE, TESTED_SEED, pathlib.Path(folder) / "run")
        lines = [*differences(expected.settings, run.settings),
                 *departures(expected.bands, run.losses)]
        if lines:
            self.fail("\n".join(
                ["", f"{CASE.name}, seed {TESTED_SEED}, leaves the reference:", *lines,
                 "If the change is meant, record the bands anew: bazel run "
                 f"//experiments/reference_convergence:record -- --cases={CASE.name}"]))


if __name__ == "__main__":
    PROGRAM, CASE = os.path.abspath(sys.argv[1]), CASES[sys.argv[2]]
    del sys.argv[1:]
    unittest.main()

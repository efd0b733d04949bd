"""What the repository keeps, and that it is shown where there is nothing else."""

import contextlib
import csv
import io
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import kept
import main
import pack
import small_runs
from cells import Cell
from origin import Origin
from store import Store

CELL = Cell("image", "cf", 1001, (("preset", "paper"),)).on(Origin("generated-8-4-2", "cpu"))


class KeptCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))

    def pack(self, name, day, **made_with):
        """An archive with one cell, finished on that day."""
        store = Store(self.folder / name / "paper")
        with store.work_on(CELL) as work:
            small_runs.write(work.folder, CELL, **made_with)
            work.finish({"seconds": 3.5, "finished": f"2026-01-{day}T03:04:05+00:00", "driver": ""})
        (self.folder / "archives").mkdir(exist_ok=True)
        pack.write(pack.collect(store.folder, lambda cell: False),
                   self.folder / f"archives/{name}.tar.xz", 1 << 20)


class UnpackedTest(KeptCase):
    def test_of_a_cell_in_several_archives_the_last_one_is_there_whole(self):
        for name, day in (("a", 11), ("b", 12), ("c", 10)):
            self.pack(name, day, commit=name * 40)
        with mock.patch("kept._ARCHIVES", self.folder / "archives"), kept.unpacked() as folder:
            self.assertEqual(kept.seeds(folder / "paper"), (1001,))
            manifest = Store(folder / "paper").result(CELL).json("run/manifest.json")
        self.assertEqual(manifest["git_commit"], "b" * 40)
        self.assertFalse(folder.exists())

    def test_a_repository_without_archives_is_said(self):
        with mock.patch("kept._ARCHIVES", self.folder), self.assertRaises(kept.KeptError) as caught:
            with kept.unpacked():
                pass
        self.assertIn(str(self.folder), str(caught.exception))


class ReportTest(KeptCase):
    def report(self, *flags):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = main.main(["--report_only", "--table=accuracy",
                              f"--results_dir={self.folder}/results", *flags])
        self.assertEqual(code, 0)
        return out.getvalue()

    def accuracy(self, folder):
        with (self.folder / "results" / folder / "accuracy.matrix.csv").open(encoding="utf-8") as file:
            return {row["method"]: row["image"] for row in csv.DictReader(file)}

    def test_where_there_are_no_results_the_repositorys_are_shown_and_said(self):
        said = self.report()
        self.assertEqual(said.count("has no results: these are those that the repository keeps"), 1)
        self.assertEqual(self.accuracy("kept/large_batch")["Transformer, fused attention"],
                         "42.3 ± 0.4")  # as in docs/results.md
        self.assertRegex(self.accuracy("kept/paper")["SPION-CF"], r"^3[78]\.\d ± ")
        self.assertEqual(sorted(path.name for path in (self.folder / "results").iterdir()), ["kept"])

    def test_a_preset_and_seeds_that_are_asked_for_are_shown_alone(self):
        self.report("--preset=large_batch", "--seeds=1001")
        self.assertEqual(self.accuracy("kept/large_batch")["Transformer, fused attention"], "42.4")
        self.assertFalse((self.folder / "results/kept/paper").exists())

    def test_own_results_are_shown_alone(self):
        store = Store(self.folder / "results/quick")
        small_runs.add(store, CELL)
        self.assertNotIn("the repository", self.report())
        self.assertFalse((self.folder / "results/kept").exists())


if __name__ == "__main__":
    unittest.main()

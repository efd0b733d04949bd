"""What is there is shown, and what the repository keeps where there is nothing else."""

import csv
import os
import pathlib
import tempfile
import unittest

import choice
import command_line
import report_only
import small_runs
from cells import Cell
from origin import Origin
from presets import QUICK
from store import Store
from tables import TABLES


class ReportTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))

    def report(self, *flags):
        """What is said."""
        said = []
        parser = command_line.Parser()
        choice.add_flags(parser, table_help="")
        report_only.write(parser.parse_args([
            "--table=accuracy", f"--results_dir={self.folder}/results", *flags]), "a command",
                          lambda text: said.append(str(text)))
        return "\n".join(said)

    def accuracy(self, folder):
        with (self.folder / "results" / folder / "accuracy.matrix.csv").open(encoding="utf-8") as file:
            return {row["method"]: row for row in csv.DictReader(file)}

    def test_where_there_are_no_results_the_repositorys_are_shown_and_said(self):
        said = self.report()
        self.assertEqual(said.count("has no results: these are those that the repository keeps"), 1)
        self.assertEqual(self.accuracy("kept/large_batch")["Transformer, fused attention"]["image"],
                         "42.3 ± 0.4 (8 not run)")  # as in docs/results.md; other methods have 13 seeds
        paper = self.accuracy("kept/paper")
        self.assertRegex(paper["SPION-CF"]["image"], r"^3[78]\.\d ± ")
        self.assertRegex(paper["SPION-CF"]["text"], r"^62\.8 ± 0\.5$")  # of three seeds, not five
        self.assertIn("retrieval (generated)", paper["SPION-CF"])
        self.assertEqual(sorted(path.name for path in (self.folder / "results").iterdir()), ["kept"])

    def test_a_page_has_one_device_for_each_task(self):
        self.report("--table=all", "--preset=paper", "--tasks=image")
        for name in TABLES:
            text = (self.folder / f"results/kept/paper/{name}.md").read_text(encoding="utf-8")
            self.assertNotIn("MIXED devices", text, name)
            if name in ("inference", "sparsity", "breakdown"):  # made with one seed, on one device
                self.assertNotIn("not run", text, name)
            device = "NVIDIA H100 80GB HBM3" if name in ("sparsity", "scaling") else "NVIDIA H200"
            if name != "operations":  # of no device
                self.assertIn(f"- device: {device}\n", text, name)

    def test_a_preset_seeds_and_tasks_that_are_asked_for_are_shown_alone(self):
        self.report("--preset=large_batch", "--seeds=1001")
        self.assertEqual(self.accuracy("kept/large_batch")["Transformer, fused attention"]["image"],
                         "42.4")
        self.assertFalse((self.folder / "results/kept/paper").exists())
        self.report("--tasks=text")
        self.assertEqual(list(self.accuracy("kept/paper")["SPION-CF"]), ["method", "text"])

    def test_own_results_of_the_preset_are_shown_alone_and_with_all_their_seeds(self):
        cell = Cell("image", "cf", 2000, QUICK.settings).on(Origin("generated-8-4-2", "cpu"))
        small_runs.add(Store(self.folder / "results/quick"), cell)
        self.assertNotIn("the repository", self.report())
        self.assertEqual(self.accuracy("quick")["SPION-CF"]["image (generated)"],
                         "50.0 (2 not run)")
        self.assertFalse((self.folder / "results/kept").exists())
        self.assertIn("the repository keeps", self.report("--preset=paper"))

    def test_where_nothing_asked_for_is_there_it_says_what_is(self):
        cell = Cell("image", "cf", 2000, QUICK.settings).on(Origin("generated-8-4-2", "cpu"))
        small_runs.add(Store(self.folder / "results/quick"), cell)
        for flag in ("--tasks=text", "--seeds=7"):
            self.assertIn("no cells of these tasks and seeds, so nothing has run on the pages; it has "
                          "image, seeds 2000\n", self.report(flag))
        self.assertNotIn("no cells of these", self.report("--seeds=7,2000"))


if __name__ == "__main__":
    unittest.main()

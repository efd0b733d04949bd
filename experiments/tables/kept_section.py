"""What a section of docs/results.md tells, beside the cells of its archives: for the tests of sections.

    class TextTest(Section, unittest.TestCase):
        ARCHIVES = ("text_h200",)
        ...
    kept_section.main()    # arguments: the archives, the document
"""

import contextlib
import csv
import fractions
import io
import json
import os
import pathlib
import re
import statistics
import sys
import tarfile
import tempfile
import unittest

import main as tables_main
from tables import TABLES

_FILES = {}  # of the command line, by name
DOCUMENT = "results.md"
# Of Student's distribution, by degrees of freedom: 95 % lie within.
_STUDENT = {2: 4.302653, 3: 3.182446, 4: 2.776445, 5: 2.570582, 19: 2.093024}


def main():
    _FILES.update((pathlib.Path(argument).name, argument) for argument in sys.argv[1:])
    del sys.argv[1:]
    unittest.main()


def document():
    return pathlib.Path(_FILES[DOCUMENT]).read_text(encoding="utf-8")


def section(heading):
    """The document's, whose heading begins so."""
    return re.search(rf"^## {heading}.*?(?=^## )", document(), re.M | re.S)[0]


def cells_of(*archives):
    """A folder with the cells of the archives of these names."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
    for name in archives:
        with tarfile.open(_FILES[f"{name}.tar.xz"]) as archive:
            archive.extractall(folder)
    return folder


def report(folder, *flags):
    """(exit code, what was said) of writing pages"""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = tables_main.main([f"--results_dir={folder}", "--report_only", *flags])
    return code, out.getvalue()


def rows(path):
    """The entries of a grid below its columns, by their first one."""
    with path.open(encoding="utf-8") as file:
        return {row[0]: row[1:] for row in list(csv.reader(file))[1:]}


def _share_as_far(differences):
    """Of all ways to give whole numbers their signs, those whose sum is as far from 0: counted sum
    by sum."""
    counts = {0: 1}
    for difference in differences:
        after = {}
        for value, count in counts.items():
            for sign in (1, -1):
                key = value + sign * difference
                after[key] = after.get(key, 0) + count
        counts = after
    found = abs(sum(differences))
    return fractions.Fraction(sum(count for value, count in counts.items() if abs(value) >= found),
                              2**len(differences))


def paired(differences):
    """Mean, ends of the 95 % interval and the sign-flip test's p, as the document writes them."""
    mean = statistics.mean(differences)
    half = (_STUDENT[len(differences) - 1] * statistics.stdev(differences)
            / len(differences)**0.5)
    # A right answer more of a test set is a whole number of thousandths of a point.
    p = float(_share_as_far([round(1000 * difference) for difference in differences]))
    return [f"{mean:+.2f}", f"{mean - half:+.2f}", f"{mean + half:+.2f}",
            f"{p:.2f}" if p >= 0.01 else f"{p:.0e}"]


class Section:
    """A section of the document whose cells are all of one task; subclasses say which."""

    ARCHIVES = ()  # by name
    PRESET = HEADING = None
    TASK = "image"
    METHODS = "c,f,cf,sdpa"
    SEEDS = "1001,1002,1003,1004,1005"
    RUNS = {}  # as the document calls them: how many seeds, and their cells' names
    DIFFERENCES = 8  # rows of differences
    MIXED = {"commits"}  # what the pages say of the cells
    SHORT = {"the Transformer": "Transformer, fused attention",
             "the Transformer, every block kept": "Transformer, every block kept",
             "SPION-C": "SPION-C (no flood fill)",
             "SPION-F": "SPION-F (no convolution, schedule goes on)",
             "SPION-F, schedule starts anew": "SPION-F (no convolution), schedule starts anew",
             "one pattern for all layers": "SPION-CF, one pattern for all layers",
             "pruned entries excluded": "SPION-CF, pruned entries excluded",
             "blocks at random places": "SPION-CF, as many blocks at random places",
             "the diagonal alone": "SPION-C, the diagonal alone",
             "schedule that goes on": "SPION-CF, schedule goes on at the transition",
             "transition below 5 %": "SPION-CF, transition below 5 %",
             "nearly every block kept": "SPION-C, nearly every block kept"}

    @classmethod
    def setUpClass(cls):
        cls.folder = cells_of(*cls.ARCHIVES)
        cls.code, cls.said = report(cls.folder, f"--preset={cls.PRESET}", f"--tasks={cls.TASK}",
                                    f"--methods={cls.METHODS}", f"--seeds={cls.SEEDS}")
        cls.section = section(cls.HEADING)

    def told(self, start):
        """The entries behind `start` in the one row of the section that begins with it."""
        found = re.findall(rf"^\| {re.escape(start)} \| (.*) \|$", self.section, re.M)
        self.assertEqual(len(found), 1, start)
        return [entry.strip().strip("*") for entry in found[0].split("|")]

    def runs(self, pattern):
        """[(summary, metrics)] of the cells of this name, by seed."""
        folders = sorted((self.folder / self.PRESET / "cells").glob(pattern))
        return [(json.loads((folder / "run/summary.json").read_text(encoding="utf-8")),
                 [json.loads(line) for line in
                  (folder / "run/metrics.jsonl").read_text(encoding="utf-8").splitlines()])
                for folder in folders]

    def test_all_pages_are_made_of_them(self):
        self.assertEqual(self.code, 0)
        for name in TABLES:
            self.assertTrue((self.folder / f"{self.PRESET}/{name}.html").exists(), name)
        self.assertNotIn("Not shown", self.said)
        # What the document says of them, too.
        self.assertEqual(set(re.findall(r"MIXED (\w+)", self.said)), self.MIXED)

    def test_differences_are_paired_by_seed(self):
        accuracies = {
            name: {summary["seed"]: 100 * summary["test_accuracy"]
                   for summary, _ in self.runs(pattern)}
            for name, (_, pattern) in self.RUNS.items()}
        found = re.findall(r"^\| ([^|]+?) over ([^|]+?)(?: \((?:three|four) seeds\))? \| (\**)"
                           r"([-+][\d.]+)\** \| (\S+) to (\S+) \| (\S+) \|$", self.section, re.M)
        self.assertEqual(len(found), self.DIFFERENCES)
        for one, other, bold, *numbers in found:
            with self.subTest(f"{one} over {other}"):
                first, second = (accuracies[self.SHORT.get(name, name)] for name in (one, other))
                differences = [first[seed] - second[seed] for seed in first if seed in second]
                self.assertEqual(numbers, paired(differences))
                _, low, high, _ = numbers
                self.assertEqual(bool(bold), low[0] == high[0], "bold")

    @staticmethod
    def each(accuracies):
        """How the section tells those of all seeds."""
        return ", ".join(f"{accuracy:.2f}" for accuracy in accuracies)

    def test_each_run_has_the_numbers_of_the_document(self):
        for method, (count, pattern) in self.RUNS.items():
            with self.subTest(method):
                summaries = [summary for summary, _ in self.runs(pattern)]
                self.assertEqual(len(summaries), count)
                _, mean, each, *settled, steps, whole = self.told(method)
                accuracies = [100 * summary["test_accuracy"] for summary in summaries]
                spread = f" ± {statistics.stdev(accuracies):.1f}" if count > 2 else ""
                self.assertEqual(mean.strip("*"), f"{statistics.mean(accuracies):.1f}{spread}")
                self.assertEqual(each, self.each(accuracies))
                if settled:
                    self.assertEqual(settled, [", ".join(
                        str(summary["transition_step"]) for summary in summaries
                        if summary["transition_step"])])
                single = "step_ms" if summaries[0].get("step_ms") else "step_ms_dense"
                means = [statistics.mean(summary[key] for summary in summaries)
                         for key in (single, "step_ms_sparse") if summaries[0][key]]
                self.assertEqual(steps, " / ".join(f"{mean:.2f}" for mean in means))
                seconds = statistics.mean(summary["train_seconds"] for summary in summaries)
                self.assertEqual(whole, f"{seconds:.1f}")

    def test_the_highest_and_those_within_its_spread_are_bold(self):
        accuracies = {method: [100 * summary["test_accuracy"] for summary, _ in self.runs(pattern)]
                      for method, (_, pattern) in self.RUNS.items()}
        several = [each for each in accuracies.values() if len(each) > 1]
        if not several:
            self.skipTest("one seed has no spread")
        highest = max(several, key=statistics.mean)
        least = statistics.mean(highest) - statistics.stdev(highest)
        for method, each in accuracies.items():
            bold = re.search(rf"^\| {re.escape(method)} \| [^|]* \| (\**)", self.section, re.M)[1]
            self.assertEqual(bool(bold), each in several and statistics.mean(each) >= least, method)

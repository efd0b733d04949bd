"""The cells in docs/results are cells still, those too that a version without origins made, and
have the numbers of the document."""

import contextlib
import csv
import io
import itertools
import json
import os
import pathlib
import re
import shutil
import statistics
import sys
import tarfile
import tempfile
import unittest

import ask
import fake_programs
import main
from presets import PAPER
from programs import Machine, Programs
from result import State
from shown import OnOrigin
from store import Store
from tables import TABLES

ARCHIVE = PUBLISHED_ARCHIVE = LARGE_BATCH_ARCHIVE = TEXT_ARCHIVE = None
LISTOPS_ARCHIVE = SPARSITY_ARCHIVE = DOCUMENT = None
SHA256 = "025eeda33d1241a16d8e5c6f6f46536f00437a926f691bc5c765193e0a6c09fb"  # as the run said


def new_folder():
    return pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))


def report(folder, *flags):
    """(exit code, what was said) of writing pages"""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main.main([f"--results_dir={folder}", "--report_only", *flags])
    return code, out.getvalue()


def rows(path):
    """The entries of a grid below its columns, by their first one."""
    with path.open(encoding="utf-8") as file:
        return {row[0]: row[1:] for row in list(csv.reader(file))[1:]}


class KeptResultsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = new_folder()
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(cls.folder)

    def report(self, folder, *flags):
        code, said = report(folder, "--preset=paper", "--tasks=image", *flags)
        self.assertEqual(code, 0)
        return said

    def test_all_pages_have_the_numbers_of_the_document(self):
        said = self.report(self.folder)
        for text in ("MIXED", "Not shown", "not run"):
            self.assertNotIn(text, said)
        for name in TABLES:
            text = (self.folder / f"paper/{name}.html").read_text(encoding="utf-8")
            self.assertNotIn('class="warning"', text, name)
            self.assertNotIn('class="remark"', text, name)
        with (self.folder / "paper/accuracy.matrix.csv").open(encoding="utf-8") as file:
            accuracy = dict(list(csv.reader(file))[1:])
        document = pathlib.Path(DOCUMENT).read_text(encoding="utf-8")
        first_table = re.search(r"^## Image on H100s.*?(?=^## )", document, re.M | re.S)[0]
        told = dict(re.findall(r"^\| ([^|]+) \| ([\d.]+(?: ± [\d.]+)?) \|", first_table, re.M))
        self.assertEqual(told["SPION-CF"], "38.4 ± 1.1")
        self.assertGreater(len(told), 8)
        for method, percent in told.items():
            self.assertEqual(accuracy[method].split(" (")[0], percent, method)

    def test_one_cell_is_there_for_its_data_and_device_and_for_no_other(self):
        folder = new_folder()
        name = "image-cf-seed1001-5a20a9cf"
        shutil.copytree(self.folder / "paper/cells" / name, folder / "paper/cells" / name)
        cell = PAPER.training("image", "cf", 1001)
        self.assertEqual(cell.plan_id, name)
        programs = Programs(*fake_programs.write(folder))
        lra = pathlib.Path(programs.lra[0])
        text = lra.read_text().replace('"ab" * 32', repr(SHA256))
        for gpu, state in (("NVIDIA H100 80GB HBM3", State.DONE), ("NVIDIA H200", State.MISSING)):
            lra.write_text(text.replace("an H200", gpu))
            for data_dir, of_data in (("/data", state), ("", State.MISSING)):
                where = ask.Where(programs, Machine(data_dir, "cuda"), lambda text: None)
                result = OnOrigin(Store(folder / "paper"), where.place).result(cell)
                self.assertEqual(result.state, of_data)
        self.report(folder, "--table=accuracy", "--methods=cf", "--seeds=1001")
        with (folder / "paper/accuracy.matrix.csv").open(encoding="utf-8") as file:
            self.assertEqual(list(csv.reader(file))[1], ["SPION-CF", "38.0"])


# Of Student's distribution, by degrees of freedom: 95 % lie within.
_STUDENT = {2: 4.302653, 3: 3.182446, 4: 2.776445}


def paired(differences):
    """Mean, ends of the 95 % interval and the sign-flip test's p, as the document writes them."""
    mean = statistics.mean(differences)
    half = (_STUDENT[len(differences) - 1] * statistics.stdev(differences)
            / len(differences)**0.5)
    sums = [abs(sum(sign * difference for sign, difference in zip(signs, differences)))
            for signs in itertools.product((1, -1), repeat=len(differences))]
    p = sum(value >= sums[0] - 1e-9 for value in sums) / len(sums)
    return [f"{mean:+.2f}", f"{mean - half:+.2f}", f"{mean + half:+.2f}", f"{p:.2f}"]


_RUNS_OF_BOTH = {
    "Transformer, fused attention": (5, "image-sdpa-seed????-????????.[!0-9]*"),
    "Transformer, every block kept": (5, "image-every_block-seed????-????????.[!0-9]*"),
    "SPION-CF": (5, "image-cf-seed????-????????.[!0-9]*"),
    "SPION-C (no flood fill)": (5, "image-c-seed????-????????.[!0-9]*"),
    "SPION-F (no convolution, schedule goes on)": (5, "image-f-seed????-????????.[!0-9]*"),
    "SPION-F (no convolution), schedule starts anew": (5, "image-f-seed????-restarted-*"),
    "SPION-CF, one pattern for all layers": (5, "image-cf-seed????-shared-*"),
    "SPION-CF, pruned entries excluded": (5, "image-cf-seed????-excluded-*"),
    "SPION-CF, schedule goes on at the transition": (5, "image-cf-seed????-continued-*"),
    "SPION-CF, as many blocks at random places": (5, "image-cf-seed????-shuffled-*"),
    "SPION-C, the diagonal alone": (5, "image-c-seed????-density0.03-*"),
    "SPION-C, nearly every block kept": (5, "image-c-seed????-density1-*"),
    "Longformer": (5, "image-longformer-seed????-????????.[!0-9]*"),
    "BigBird": (5, "image-bigbird-seed????-????????.[!0-9]*"),
    "Sparse Transformer, fixed": (3, "image-sparse_transformer_fixed-*"),
    "Linformer": (5, "image-linformer-seed????-????????.[!0-9]*"),
}


class Section:
    """A section of the document whose cells are all of one task; subclasses say which."""

    PRESET = HEADING = None
    TASK = "image"
    METHODS = "c,f,cf,sdpa"
    SEEDS = "1001,1002,1003,1004,1005"
    RUNS = {}  # as the document calls them: how many seeds, and their cells' names
    DIFFERENCES = 8  # rows of differences
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
    def archive(cls):
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        cls.folder = new_folder()
        with tarfile.open(cls.archive()) as archive:
            archive.extractall(cls.folder)
        cls.code, cls.said = report(cls.folder, f"--preset={cls.PRESET}", f"--tasks={cls.TASK}",
                                    f"--methods={cls.METHODS}", f"--seeds={cls.SEEDS}")
        document = pathlib.Path(DOCUMENT).read_text(encoding="utf-8")
        cls.section = re.search(rf"^## {cls.HEADING}.*?(?=^## )", document, re.M | re.S)[0]

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
        self.assertEqual(set(re.findall(r"MIXED (\w+)", self.said)), {"commits"})

    def test_differences_are_paired_by_seed(self):
        accuracies = {
            name: {summary["seed"]: 100 * summary["test_accuracy"]
                   for summary, _ in self.runs(pattern)}
            for name, (_, pattern) in self.RUNS.items()}
        found = re.findall(r"^\| ([^|]+?) over ([^|]+?)(?: \((?:three|four) seeds\))? \| (\**)([-+][\d.]+)\** "
                           r"\| (\S+) to (\S+) \| (\S+) \|$", self.section, re.M)
        self.assertEqual(len(found), self.DIFFERENCES)
        for one, other, bold, *numbers in found:
            with self.subTest(f"{one} over {other}"):
                first, second = (accuracies[self.SHORT.get(name, name)] for name in (one, other))
                differences = [first[seed] - second[seed] for seed in first if seed in second]
                self.assertEqual(numbers, paired(differences))
                _, low, high, _ = numbers
                self.assertEqual(bool(bold), low[0] == high[0], "bold")

    def test_each_run_has_the_numbers_of_the_document(self):
        for method, (count, pattern) in self.RUNS.items():
            with self.subTest(method):
                summaries = [summary for summary, _ in self.runs(pattern)]
                self.assertEqual(len(summaries), count)
                _, mean, each, *settled, steps, whole = self.told(method)
                accuracies = [100 * summary["test_accuracy"] for summary in summaries]
                spread = f" ± {statistics.stdev(accuracies):.1f}" if count > 2 else ""
                self.assertEqual(mean.strip("*"), f"{statistics.mean(accuracies):.1f}{spread}")
                self.assertEqual(each, ", ".join(f"{accuracy:.2f}" for accuracy in accuracies))
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
        if min(map(len, accuracies.values())) == 1:
            self.skipTest("one seed has no spread")
        highest = max(accuracies.values(), key=statistics.mean)
        least = statistics.mean(highest) - statistics.stdev(highest)
        for method, each in accuracies.items():
            bold = re.search(rf"^\| {re.escape(method)} \| [^|]* \| (\**)", self.section, re.M)[1]
            self.assertEqual(bool(bold), statistics.mean(each) >= least, method)


class PublishedTest(Section, unittest.TestCase):
    """The section on the preset paper, five seeds."""

    PRESET = "paper"
    HEADING = "Image at the published settings"
    RUNS = {**_RUNS_OF_BOTH, "Sparse Transformer, strided": (4, "image-sparse_transformer-*")}
    METHODS = "c,f,cf,sdpa,every_block,longformer,bigbird,linformer,dense"
    DIFFERENCES = 28

    @classmethod
    def archive(cls):
        return PUBLISHED_ARCHIVE

    def test_breakdown_has_the_numbers_of_the_document(self):
        document = pathlib.Path(DOCUMENT).read_text(encoding="utf-8")
        page = rows(self.folder / "paper/breakdown.image.csv")
        for method, name in (("Transformer", "Transformer, probabilities in memory"),
                             ("Transformer, fused attention", "Transformer, fused attention"),
                             ("Transformer, every block kept", "Transformer, every block kept"),
                             ("SPION-CF", "SPION-CF, sparse phase")):
            step, attention = re.search(rf"^\| image: {name} \| (\S+) \| (\S+) ", document,
                                        re.M).groups()
            ms = [float(entry.split()[0]) if entry != "-" else 0 for entry in page[method]]
            self.assertEqual(step, f"{ms[0]:.2f}")
            self.assertEqual(attention, f"{sum(ms[1:5]):.2f}")

    def test_memory_and_inference_are_those_of_the_document(self):
        memory = rows(self.folder / "paper/memory.image.csv")
        inference = rows(self.folder / "paper/inference.image.csv")
        methods = re.search(r"^\| \| (SPION-C \|.*) \|$", self.section, re.M)[1].split(" | ")
        self.assertEqual(len(methods), 8)
        of_memory = zip(*(memory[method][:3] for method in methods))
        for name, entries in zip(("training, MiB", "held by LibTorch, MiB", "inference, MiB"),
                                 of_memory):
            self.assertEqual(self.told(name), list(entries))
        self.assertEqual(self.told("a batch of inference, ms"),
                         [inference[method][0] for method in methods])


class TextTest(Section, unittest.TestCase):
    """The section on text."""

    PRESET = "paper"
    HEADING = "Text"
    TASK = "text"
    METHODS = "c,f,cf,every_block"
    SEEDS = "1001,1002,1003"
    RUNS = {
        "SPION-CF": (3, "text-cf-seed????-????????.[!0-9]*"),
        "SPION-C (no flood fill)": (3, "text-c-seed????-????????.[!0-9]*"),
        "SPION-F (no convolution, schedule goes on)": (3, "text-f-seed????-????????.[!0-9]*"),
        "SPION-F (no convolution), schedule starts anew": (3, "text-f-seed????-restarted-*"),
        "SPION-CF, pruned entries excluded": (3, "text-cf-seed????-excluded-*"),
        "SPION-CF, one pattern for all layers": (3, "text-cf-seed????-shared-*"),
        "SPION-CF, schedule goes on at the transition": (3, "text-cf-seed????-continued-*"),
        "SPION-CF, as many blocks at random places": (3, "text-cf-seed????-shuffled-*"),
        "Transformer, every block kept": (3, "text-every_block-seed????-????????.[!0-9]*"),
        "Longformer": (3, "text-longformer-*"),
        "BigBird": (3, "text-bigbird-*"),
        "Linformer": (3, "text-linformer-*"),
    }
    DIFFERENCES = 18
    SHORT = {**Section.SHORT, "the Transformer": "Transformer, every block kept"}

    @classmethod
    def archive(cls):
        return TEXT_ARCHIVE


class ListOpsTest(Section, unittest.TestCase):
    """The section on ListOps."""

    PRESET = "paper"
    HEADING = "ListOps"
    TASK = "listops"
    METHODS = "c,f,cf,every_block,longformer,bigbird,linformer"
    SEEDS = "1001,1002,1003"
    RUNS = {
        "SPION-CF": (3, "listops-cf-seed????-????????.[!0-9]*"),
        "SPION-C (no flood fill)": (3, "listops-c-seed????-????????.[!0-9]*"),
        "SPION-F (no convolution, schedule goes on)": (3, "listops-f-seed????-????????.[!0-9]*"),
        "SPION-CF, pruned entries excluded": (3, "listops-cf-seed????-excluded-*"),
        "Transformer, every block kept": (3, "listops-every_block-seed????-????????.[!0-9]*"),
        "Longformer": (3, "listops-longformer-*"),
        "BigBird": (3, "listops-bigbird-*"),
        "Linformer": (3, "listops-linformer-*"),
    }
    DIFFERENCES = 11
    SHORT = {**Section.SHORT, "the Transformer": "Transformer, every block kept"}

    @classmethod
    def archive(cls):
        return LISTOPS_ARCHIVE


class SparsityTest(unittest.TestCase):
    """The sweep on text."""

    def test_has_the_numbers_of_the_page(self):
        folder = new_folder()
        with tarfile.open(SPARSITY_ARCHIVE) as archive:
            archive.extractall(folder)
        self.assertEqual(report(folder, "--preset=paper", "--tasks=text", "--methods=c,cf",
                                "--table=sparsity", "--seeds=1001")[0], 0)
        document = pathlib.Path(DOCUMENT).read_text(encoding="utf-8")
        section = re.search(r"^## Sparsity.*?^On image", document, re.M | re.S)[0]
        for method, setting in (("SPION-C", "density"), ("SPION-CF", "threshold")):
            page = rows(folder / f"paper/sparsity.text_{setting}.csv")
            grid = re.search(rf"^\| {method}, {setting} \|(?:.*\n)+?\n", section, re.M)[0]
            told = {line[0]: line[1:] for line in (
                [entry.strip() for entry in text[1:-1].split("|")] for text in grid.split("\n") if text)}
            self.assertEqual(told[f"{method}, {setting}"], list(page))
            for row, column in (("kept blocks, %", 0), ("test accuracy, %", 1)):
                self.assertEqual(told[row], [entries[column] for entries in page.values()])
            self.assertEqual([float(ms) for ms in told["step, sparse phase, ms"]],
                             [round(float(entries[2]), 2) for entries in page.values()])


class LargeBatchTest(Section, unittest.TestCase):
    """The section on the preset large_batch."""

    PRESET = "large_batch"
    HEADING = "Image with batch 512"
    RUNS = {
        **_RUNS_OF_BOTH,
        "Sparse Transformer, strided": (3, "image-sparse_transformer-*"),
        "SPION-CF, transition below 5 %": (3, "image-cf-seed????-limit5-*"),
    }
    METHODS = "c,f,cf,sdpa,every_block,longformer,bigbird,linformer"
    DIFFERENCES = 37
    SHORT = {**Section.SHORT, "the Transformer": "Transformer, every block kept"}

    @classmethod
    def archive(cls):
        return LARGE_BATCH_ARCHIVE

    def test_accuracy_and_ablation_have_the_numbers_of_the_document(self):
        accuracy = rows(self.folder / "large_batch/accuracy.matrix.csv")
        ablation = rows(self.folder / "large_batch/ablation.image_parts.csv")
        self.assertEqual(self.told("SPION-CF")[1].strip("*"), "45.8 ± 1.1")
        for method in ("SPION-CF", "Transformer, fused attention", "Longformer", "BigBird",
                       "Linformer"):
            self.assertEqual(accuracy[method], [self.told(method)[1].strip("*")])
        for variant, method, left in (
                ("SPION-CF", "SPION-CF", ""),
                ("top blocks instead of flood fill (SPION-C)", "SPION-C (no flood fill)", ""),
                ("no convolution, schedule goes on (SPION-F)",
                 "SPION-F (no convolution, schedule goes on)", ""),
                ("one pattern for all layers", "SPION-CF, one pattern for all layers", ""),
                ("pruned entries excluded, not score 0", "SPION-CF, pruned entries excluded", ""),
                ("schedule goes on at the transition",
                 "SPION-CF, schedule goes on at the transition", ""),
                ("no convolution, schedule starts anew",
                 "SPION-F (no convolution), schedule starts anew", ""),
                ("nearly every block kept (SPION-C, density 1)",
                 "SPION-C, nearly every block kept", ""),
                ("transition below 5 %", "SPION-CF, transition below 5 %", " (2 not run)"),
                ("dense all along, every block", "Transformer, every block kept", "")):
            self.assertEqual(ablation[variant][0], self.told(method)[1].strip("*") + left)

    def test_pages_have_the_differences_of_the_document(self):
        of_variant = rows(self.folder / "large_batch/ablation.image_differences.csv")
        # Columns: over SPION-CF, its schedule going on, fused attention, every block.
        for start, variant, column, seeds in (
                ("SPION-CF over the Transformer", "SPION-CF", 3, 5),
                ("SPION-CF over Transformer, fused attention", "SPION-CF", 2, 5),
                ("SPION-C over the Transformer", "top blocks instead of flood fill (SPION-C)", 3, 5),
                ("nearly every block kept over the Transformer",
                 "nearly every block kept (SPION-C, density 1)", 3, 5),
                ("SPION-F over schedule that goes on", "no convolution, schedule goes on (SPION-F)", 1,
                 5),
                ("SPION-F, schedule starts anew over SPION-CF", "no convolution, schedule starts anew",
                 0, 5),
                ("SPION-C over SPION-CF", "top blocks instead of flood fill (SPION-C)", 0, 5),
                ("one pattern for all layers over SPION-CF", "one pattern for all layers", 0, 5),
                ("pruned entries excluded over SPION-CF", "pruned entries excluded, not score 0", 0,
                 5)):
            mean, interval, p = self.told(start)
            self.assertEqual(of_variant[variant][column],
                             f"{mean} ({interval}), p {p}, {seeds} seeds")
        claims = list(csv.reader((self.folder / "large_batch/claims.claims.csv").read_text(
            encoding="utf-8").splitlines()))
        self.assertIn(["quality kept, or better than dense", "image", "Transformer, every block kept",
                       "+3.58 (+1.73 to +5.43), p 0.06, 5 seeds", "higher"], claims)

    def test_dev_accuracies_are_those_of_the_document(self):
        for name, pattern, start, phase in (
                ("Transformer, every block kept", "image-every_block-seed????-????????.[!0-9]*", "highest",
                 "single"),
                ("nearly every block kept", "image-c-seed????-density1-*",
                 "highest after the transition", "sparse"),
                ("SPION-CF", "image-cf-seed????-????????.[!0-9]*", "highest after the transition", "sparse"),
                ("Longformer", "image-longformer-*", "highest", "single")):
            dev = [[entry for entry in metrics if entry["kind"] == "dev"]
                   for _, metrics in self.runs(pattern)]
            highest = [max((entry for entry in entries if entry["phase"] == phase),
                           key=lambda entry: entry["accuracy"]) for entries in dev]
            self.assertEqual(self.told(f"{name}, {start}"),
                             [f"{100 * entry['accuracy']:.1f} ({entry['step']})"
                              for entry in highest])
            self.assertEqual(self.told(f"{name}, at the end"),
                             [f"{100 * entries[-1]['accuracy']:.1f}" for entries in dev])


if __name__ == "__main__":
    (ARCHIVE, PUBLISHED_ARCHIVE, LARGE_BATCH_ARCHIVE, TEXT_ARCHIVE, LISTOPS_ARCHIVE, SPARSITY_ARCHIVE,
     DOCUMENT) = (sys.argv.pop(1) for _ in range(7))
    unittest.main()

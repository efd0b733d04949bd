"""The sections on image of docs/results.md have the numbers of the cells in docs/results."""

import collections
import csv
import json
import re
import statistics
import unittest

import kept_section
from kept_section import Section, document, rows

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
    "Linformer": (5, "image-linformer-seed????-????????.[!0-9]*"),
}


class PublishedTest(Section, unittest.TestCase):
    """The section on the preset paper, five seeds."""

    ARCHIVES = ("image_h200",)
    PRESET = "paper"
    HEADING = "Image at the published settings"
    RUNS = {
        **_RUNS_OF_BOTH,
        "Sparse Transformer, strided": (5, "image-sparse_transformer-*"),
        "Sparse Transformer, fixed": (5, "image-sparse_transformer_fixed-*"),
        "Nystromformer": (1, "image-nystromformer-*"),
        "Transformer, probabilities in memory": (1, "image-dense-seed????-????????.[!0-9]*"),
        "Reformer": (1, "image-reformer-*"),
        "Skyformer": (1, "image-skyformer-*"),
        "Kernelised attention": (1, "image-kernelised-*"),
    }
    METHODS = ("c,f,cf,sdpa,every_block,longformer,bigbird,linformer,dense,nystromformer,reformer,"
               "skyformer,kernelised")
    DIFFERENCES = 31
    SHORT = {**Section.SHORT, "the Transformer": "Transformer, every block kept"}

    def test_breakdown_has_the_numbers_of_the_document(self):
        page = rows(self.folder / "paper/breakdown.image.csv")
        for method, name in (("Transformer", "Transformer, probabilities in memory"),
                             ("Transformer, fused attention", "Transformer, fused attention"),
                             ("Transformer, every block kept", "Transformer, every block kept"),
                             ("SPION-CF", "SPION-CF, sparse phase")):
            step, attention = re.search(rf"^\| image: {name} \| (\S+) \| (\S+) ", document(),
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


class OtherSeedsTest(Section, unittest.TestCase):
    """The section on the twenty seeds by which no question was found."""

    ARCHIVES = ("image_seeds_1006_to_1015_h200", "image_seeds_1016_to_1025_h200")
    PRESET = "paper"
    HEADING = "Image, twenty other seeds"
    METHODS = "c,f,cf,every_block,longformer"
    SEEDS = ",".join(map(str, range(1006, 1026)))
    RUNS = {name: (20, _RUNS_OF_BOTH[name][1]) for name in (
        "SPION-CF", "SPION-C (no flood fill)", "SPION-F (no convolution), schedule starts anew",
        "SPION-CF, one pattern for all layers", "SPION-CF, pruned entries excluded",
        "SPION-CF, as many blocks at random places", "SPION-C, the diagonal alone",
        "SPION-CF, schedule goes on at the transition", "SPION-C, nearly every block kept",
        "Transformer, every block kept", "Longformer")}
    DIFFERENCES = 25
    SHORT = {**Section.SHORT, "the Transformer": "Transformer, every block kept"}

    @staticmethod
    def each(accuracies):
        return f"{min(accuracies):.2f} to {max(accuracies):.2f}"

    def test_blocks_beside_the_diagonal_lie_where_the_document_says(self):
        for name in ("SPION-CF", "SPION-C", "SPION-F, schedule starts anew",
                     "blocks at random places"):
            _, pattern = self.RUNS[self.SHORT.get(name, name)]
            # Of each layer, how many blocks a column of blocks has.
            layers = [collections.Counter(
                column for place, columns in enumerate(layer["columns_of_row"])
                for column in columns if column != place)
                      for path in self.folder.glob(f"paper/cells/{pattern}/run/patterns.json")
                      for layer in json.loads(path.read_text(encoding="utf-8"))["layers"]]
            blocks = [sum(counts.values()) for counts in layers]
            in_three = [sum(sorted(counts.values())[-3:]) / sum(counts.values())
                        for counts in layers]
            self.assertEqual(self.told(f"{name}, beside the diagonal"), [
                f"{statistics.mean(blocks):.1f}", f"{statistics.mean(map(len, layers)):.1f}",
                f"{100 * statistics.mean(in_three):.0f}"])


class LargeBatchOtherSeedsTest(Section, unittest.TestCase):
    """The section on what was run with other seeds of the preset large_batch."""

    ARCHIVES = ("image_large_batch_seeds_1006_to_1013_h200",)
    PRESET = "large_batch"
    HEADING = "Image with batch 512, eight other seeds"
    METHODS = "f,cf"
    SEEDS = ",".join(map(str, range(1006, 1014)))
    RUNS = {
        "SPION-CF": (8, "image-cf-*"),
        "SPION-F (no convolution), schedule starts anew": (6, "image-f-seed????-restarted-*"),
    }
    DIFFERENCES = 1
    MIXED = set()


class LargeBatchTest(Section, unittest.TestCase):
    """The section on the preset large_batch."""

    ARCHIVES = ("image_large_batch_h200",)
    PRESET = "large_batch"
    HEADING = "Image with batch 512 and"
    RUNS = {
        **_RUNS_OF_BOTH,
        "Sparse Transformer, strided": (3, "image-sparse_transformer-*"),
        "Sparse Transformer, fixed": (3, "image-sparse_transformer_fixed-*"),
        "SPION-CF, transition below 5 %": (3, "image-cf-seed????-limit5-*"),
    }
    METHODS = "c,f,cf,sdpa,every_block,longformer,bigbird,linformer"
    DIFFERENCES = 39
    SHORT = {**Section.SHORT, "the Transformer": "Transformer, every block kept"}


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
    kept_section.main()

"""docs/results.md begins with the numbers of the cells in docs/results, the published values and the
words of the section on the claims; and that section has the differences of those before it."""

import json
import re
import statistics
import unittest

import kept_section
import methods
from kept_section import section
from published import ACCURACY, Published

ARCHIVES = ("generated_h200", "image_h200", "image_large_batch_h200",
            "image_large_batch_seeds_1006_to_1013_h200", "image_seeds_1006_to_1015_h200",
            "image_seeds_1016_to_1025_h200", "listops_h200", "text_h200", "text_one_seed_h200")


def grids(text):
    """[{first entry of a row: {column: entry}}]"""
    found = []
    for grid in re.findall(r"(?:^\|.*\|\n)+", text, re.M):
        names, _, *lines = ([entry.strip() for entry in line[1:-1].split("|")]
                            for line in grid.splitlines())
        found.append({line[0]: dict(zip(names[1:], line[1:])) for line in lines})
    return found


class AtAGlanceTest(unittest.TestCase):
    """The first section."""

    METHODS = {"SPION-CF": "cf", "SPION-C": "c", "SPION-F, schedule goes on": "f",
               "Transformer, every block kept": "every_block",
               "Transformer, probabilities in memory": "dense", "Longformer": "longformer",
               "BigBird": "bigbird", "Sparse Transformer, strided": "sparse_transformer",
               "Sparse Transformer, fixed": "sparse_transformer_fixed", "Linformer": "linformer",
               "Nystromformer": "nystromformer", "Reformer": "reformer",
               "Kernelised attention": "kernelised", "Skyformer": "skyformer"}
    # Method and variant of the rows that have one, and of what tasks.
    VARIANTS = {"SPION-F, schedule starts anew": ("f", "restarted", methods.TASKS),
                "SPION-CF, pruned entries excluded": ("cf", "excluded", methods.TASKS),
                "SPION-CF, blocks at random places": ("cf", "shuffled", methods.TASKS),
                "SPION-C, the diagonal alone": ("c", "density0.03", ("image",))}
    ROWS = [*list(METHODS)[:3], *VARIANTS, *list(METHODS)[3:]]

    @classmethod
    def setUpClass(cls):
        cls.folder = kept_section.cells_of(*ARCHIVES)
        cls.section = section("At a glance")

    def summaries(self, column, row):
        preset = "large_batch" if "512" in column else "paper"
        task = column.split(",")[0]
        method, variant, tasks = self.VARIANTS.get(row) or (self.METHODS[row], "", methods.TASKS)
        if task not in tasks:
            return []
        name = f"{task}-{method}-seed????-{variant and variant + '-'}????????.[!0-9]*"
        pattern = f"{preset}/cells/{name}/run/summary.json"
        return [json.loads(path.read_text(encoding="utf-8")) for path in self.folder.glob(pattern)]

    @staticmethod
    def accuracy(summaries):
        each = [100 * summary["test_accuracy"] for summary in summaries]
        spread = f" ± {statistics.stdev(each):.1f}" if len(each) > 1 else ""
        return f"{statistics.mean(each):.1f}{spread} ({len(each)})"

    @staticmethod
    def cost(summaries):
        steps = [summary["step_ms_sparse"] or summary["step_ms"] or summary["step_ms_dense"]
                 for summary in summaries]
        seconds = [summary["train_seconds"] for summary in summaries]
        memory = max(summary["peak_memory_mib"] for summary in summaries)
        return f"{statistics.mean(steps):.2f} / {statistics.mean(seconds):.1f} / {memory:.0f}"

    def test_has_the_numbers_of_the_cells(self):
        accuracies, costs, _ = grids(self.section)
        for grid, text in ((accuracies, self.accuracy), (costs, self.cost)):
            self.assertEqual(list(grid), self.ROWS)
            for row, entries in grid.items():
                self.assertEqual(len(entries), 6)
                for column, entry in entries.items():
                    with self.subTest(f"{row}, {column}"):
                        found = self.summaries(column, row)
                        self.assertEqual(entry, text(found) if found else "")

    def test_has_the_published_values(self):
        found = Published()
        for title, entries in grids(self.section)[2].items():
            method = methods.BY_NAME[{**self.METHODS, "Transformer": "dense"}[title]]
            for task, entry in entries.items():
                values = (found.of_method(source, method, task, ACCURACY)
                          for source in (methods.LRA, methods.SKYFORMER))
                self.assertEqual(entry, ", ".join(value or "-" for value in values), title)

    def test_has_the_words_on_the_claims(self):
        # In brackets, where.
        words = dict(re.findall(r"^- ([^:]+): ([^(\n]+?)(?: \(.+\))?$", self.section, re.M))
        told = re.findall(r"^### (.+): (.+)$", section("The claims, checked"), re.M)
        self.assertEqual(words, {claim[0].lower() + claim[1:]: word for claim, word in told})
        self.assertEqual(len(words), 6)


class ClaimsTest(unittest.TestCase):
    """The section on the claims has the differences of the sections before it."""

    # What its columns are called: the section.
    SECTIONS = {"image, twenty other seeds": "Image, twenty other seeds",
                "image, first five seeds": "Image at the published settings",
                "image, batch 512": "Image with batch 512 and", "text": "Text", "listops": "ListOps"}

    @staticmethod
    def differences(text):
        """{row: entry as the claims have it}"""
        return {row: f"{mean} ({low} to {high})" for row, mean, low, high in re.findall(
            r"^\| ([^|]+ over [^|(]+?) \| ([-+*.\d]+) \| (\S+) to (\S+) \| \S+ \|$", text, re.M)}

    def test_has_them(self):
        there = {column: self.differences(section(heading))
                 for column, heading in self.SECTIONS.items()}
        found = [grid for grid in grids(section("The claims, checked"))
                 if all(" over " in row for row in grid)]
        self.assertEqual(len(found), 4)
        for grid in found:
            for row, entries in grid.items():
                for column, entry in entries.items():
                    with self.subTest(f"{row}, {column}"):
                        self.assertEqual(entry, there[column].get(row, ""))


if __name__ == "__main__":
    kept_section.main()

"""The document's first section has the numbers of the cells in docs/results, the published values and
the words of the section on the claims."""

import json
import re
import statistics
import unittest

import kept_section
import methods
from published import ACCURACY, Published

ARCHIVES = ("generated_h200", "image_h200", "image_large_batch_h200", "image_seeds_1006_to_1015_h200",
            "image_seeds_1016_to_1025_h200", "listops_h200", "text_h200")


class AtAGlanceTest(unittest.TestCase):
    METHODS = {"SPION-CF": "cf", "SPION-C": "c", "SPION-F": "f",
               "Transformer, every block kept": "every_block", "Longformer": "longformer",
               "BigBird": "bigbird", "Sparse Transformer, strided": "sparse_transformer",
               "Sparse Transformer, fixed": "sparse_transformer_fixed", "Linformer": "linformer"}
    # Method and variant of the rows that have one, and of what tasks.
    VARIANTS = {"SPION-CF, pruned entries excluded": ("cf", "excluded", methods.TASKS),
                "SPION-CF, blocks at random places": ("cf", "shuffled", methods.TASKS),
                "SPION-C, the diagonal alone": ("c", "density0.03", ("image",))}
    ROWS = [*list(METHODS)[:3], *VARIANTS, *list(METHODS)[3:]]

    @classmethod
    def setUpClass(cls):
        cls.folder = kept_section.cells_of(*ARCHIVES)
        cls.document = kept_section.document()
        cls.section = re.search(r"^## At a glance.*?(?=^## )", cls.document, re.M | re.S)[0]

    def grids(self):
        """[{method: {column: entry}}]"""
        found = []
        for grid in re.findall(r"(?:^\|.*\|\n)+", self.section, re.M):
            names, _, *lines = ([entry.strip() for entry in line[1:-1].split("|")]
                                for line in grid.splitlines())
            found.append({line[0]: dict(zip(names[1:], line[1:])) for line in lines})
        return found

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
        accuracies, costs, _ = self.grids()
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
        for title, entries in self.grids()[2].items():
            method = methods.BY_NAME[{**self.METHODS, "Transformer": "dense"}[title]]
            for task, entry in entries.items():
                values = (found.of_method(source, method, task, ACCURACY)
                          for source in (methods.LRA, methods.SKYFORMER))
                self.assertEqual(entry, ", ".join(value or "-" for value in values), title)

    def test_has_the_words_on_the_claims(self):
        words = dict(re.findall(r"^- ([^:]+): (.+)$", self.section, re.M))
        self.assertEqual(len(words), 6)
        claims = re.search(r"^## The claims, checked.*?(?=^## )", self.document, re.M | re.S)[0]
        for claim, word in words.items():
            told = re.search(rf"^\| {re.escape(claim)}[^|]*\|[^|]*\| \*\*([a-z ]+)", claims, re.M)
            self.assertEqual(told[1], word, claim)


if __name__ == "__main__":
    kept_section.main()

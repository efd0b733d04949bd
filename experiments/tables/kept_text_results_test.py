"""The sections on text and ListOps of docs/results.md, whose input is text, have the numbers of the
cells in docs/results."""

import re
import unittest

import kept_section
from kept_section import Section, cells_of, report, rows, section


class TextTest(Section, unittest.TestCase):
    """The section on text."""

    ARCHIVES = ("text_h200", "text_one_seed_h200")
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
        "Sparse Transformer, strided": (1, "text-sparse_transformer-*"),
        "Sparse Transformer, fixed": (1, "text-sparse_transformer_fixed-*"),
        "Nystromformer": (1, "text-nystromformer-*"),
    }
    DIFFERENCES = 19
    SHORT = {**Section.SHORT, "the Transformer": "Transformer, every block kept"}


class ListOpsTest(Section, unittest.TestCase):
    """The section on ListOps."""

    ARCHIVES = ("listops_h200",)
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
        "SPION-CF, as many blocks at random places": (1, "listops-cf-seed????-shuffled-*"),
        "Transformer, every block kept": (3, "listops-every_block-seed????-????????.[!0-9]*"),
        "Longformer": (3, "listops-longformer-*"),
        "BigBird": (3, "listops-bigbird-*"),
        "Linformer": (3, "listops-linformer-*"),
    }
    DIFFERENCES = 11
    SHORT = {**Section.SHORT, "the Transformer": "Transformer, every block kept"}


class SparsityTest(unittest.TestCase):
    """The sweep on text."""

    def test_has_the_numbers_of_the_page(self):
        folder = cells_of("text_sparsity_h200")
        self.assertEqual(report(folder, "--preset=paper", "--tasks=text", "--methods=c,cf",
                                "--table=sparsity", "--seeds=1001")[0], 0)
        sweep = section("Sparsity").partition("\nOn image")[0]
        for method, setting in (("SPION-C", "density"), ("SPION-CF", "threshold")):
            page = rows(folder / f"paper/sparsity.text_{setting}.csv")
            grid = re.search(rf"^\| {method}, {setting} \|(?:.*\n)+?\n", sweep, re.M)[0]
            told = {line[0]: line[1:] for line in (
                [entry.strip() for entry in text[1:-1].split("|")] for text in grid.split("\n") if text)}
            self.assertEqual(told[f"{method}, {setting}"], list(page))
            for row, column in (("kept blocks, %", 0), ("test accuracy, %", 1)):
                self.assertEqual(told[row], [entries[column] for entries in page.values()])
            self.assertEqual([float(ms) for ms in told["step, sparse phase, ms"]],
                             [round(float(entries[2]), 2) for entries in page.values()])


if __name__ == "__main__":
    kept_section.main()

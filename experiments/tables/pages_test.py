"""Pages and index of some tables: of which cells, and what is left out."""

import csv
import dataclasses
import json
import os
import pathlib
import tempfile
import unittest

import pages
import small_runs
from cells import Cell
from origin import Origin
from presets import QUICK
from store import Store

MADE_ON = Origin("generated-8-4-2", "cpu")


class PagesTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.store = Store(self.folder)
        self.asked = []

    def add(self, task, method, seed, **made_with):
        cell = Cell(task, method, seed, QUICK.settings).on(MADE_ON)
        with self.store.work_on(cell) as work:
            small_runs.write(work.folder, cell, **made_with)
            (work.folder / "run/metrics.jsonl").write_text(json.dumps(
                dict(kind="dev", step=1, accuracy=0.5)) + "\n")
            work.finish({"seconds": 3.5, "finished": "2026-01-02T03:04:05+00:00", "driver": "580"})

    def results_for(self, cells):
        del cells

        def result(cell):
            self.asked.append(cell)
            return dataclasses.replace(self.store.result(cell.on(MADE_ON)), cell=cell)
        return result

    def write(self, *names, preset=QUICK, **options):
        """What is said."""
        said = []
        pages.write(names, preset, self.results_for, self.folder, "a command", say=said.append,
                    **options)
        return [str(text) for text in said]

    def matrix(self):
        with (self.folder / "accuracy.matrix.csv").open(encoding="utf-8") as file:
            return {row[0]: row[1:] for row in csv.reader(file)}

    def test_each_page_and_the_index_are_said_and_what_cells_differ_in(self):
        self.add("text", "cf", 1001, commit="a" * 40)
        self.add("text", "cf", 1002, commit="b" * 40)
        self.assertEqual(self.write("accuracy", "patterns"), [
            *(f"{self.folder}/{name}.html" for name in ("accuracy", "patterns", "index")),
            "MIXED commits: aaaaaaaaaaaa (1 cell); bbbbbbbbbbbb (1 cell): what the program does may "
            "have changed in between."])
        index = (self.folder / "index.html").read_text(encoding="utf-8")
        for name in ("accuracy", "patterns"):
            self.assertIn(f'<a href="{name}.html">', index)
        self.assertNotIn("sparsity.html", index)

    def test_of_other_tasks_than_those_of_the_tables_nothing_is_asked(self):
        self.write("sparsity")
        self.assertEqual({cell.task for cell in self.asked}, {"image", "text"})

    def test_all_that_the_preset_has_is_shown_or_what_is_done_alone(self):
        self.add("text", "cf", 1002)
        preset = dataclasses.replace(QUICK, tasks=("image", "text"), methods=("c", "cf"))
        self.write("accuracy", preset=preset)
        self.assertEqual(self.matrix(), {
            "method": ["image", "text (generated)"], "SPION-C": ["not run", "not run"],
            "SPION-CF": ["not run", "50.0 (1 not run)"]})
        self.write("accuracy", preset=preset, shows_done_alone=True)  # the seeds as asked for
        self.assertEqual(self.matrix(), {"method": ["text (generated)"],
                                         "SPION-CF": ["50.0 (1 not run)"]})
        self.write("accuracy", shows_done_alone=True,
                   preset=dataclasses.replace(preset, task_seeds=(("text", (1001, 1002)),)))
        self.assertEqual(self.matrix(), {"method": ["text (generated)"], "SPION-CF": ["50.0"]})

    def test_where_nothing_is_done_all_is_shown_as_not_run(self):
        self.write("accuracy", shows_done_alone=True,
                   preset=dataclasses.replace(QUICK, tasks=("image",), methods=("cf",)))
        self.assertEqual(self.matrix(), {"method": ["image"], "SPION-CF": ["not run"]})


if __name__ == "__main__":
    unittest.main()

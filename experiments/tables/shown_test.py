"""Numbers of different data never stand on one page of a task."""

import dataclasses
import os
import pathlib
import tempfile
import unittest

import small_runs
from cells import BENCHMARK, Cell
from origin import Origin
from result import State
from shown import OnOrigin, Whatever
from store import Store

GENERATED, REAL = "generated-8-4-2", "sha256-" + "ab" * 32
OTHER_REAL = "sha256-" + "cd" * 32
CELLS = [Cell(task, "cf", seed) for task in ("image", "text") for seed in (1, 2, 3)]
IMAGE, TEXT = CELLS[:3], CELLS[3:]


class ShownTest(unittest.TestCase):
    def setUp(self):
        self.store = Store(pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))),
                           lambda text: None)

    def add(self, cells, data, device="cpu"):
        for cell in cells:
            small_runs.add(self.store, cell.on(Origin(data, device)))

    def fail(self, cell, data):
        with self.store.work_on(cell.on(Origin(data, "cpu"))) as work:
            work.fail("error: no", {})

    def shown(self, cells, **options):
        """(data, device) of each cell, or its state."""
        selection = Whatever(self.store, options.pop("page", CELLS), **options)
        return [(result.origin.data, result.origin.device) if result.state == State.DONE
                else result.state for result in map(selection.result, cells)]


class WhateverTest(ShownTest):
    def test_what_there_is_of_one_kind_is_shown(self):
        self.add(IMAGE[:2], GENERATED)
        self.assertEqual(self.shown(IMAGE), [(GENERATED, "cpu")] * 2 + [State.MISSING])

    def test_of_a_task_one_data_is_shown_and_real_data_comes_first(self):
        self.add(IMAGE, GENERATED)
        self.add(IMAGE[:1], REAL)
        self.assertEqual(self.shown(IMAGE), [(REAL, "cpu"), State.MISSING, State.MISSING])
        self.add(IMAGE[1:], OTHER_REAL)
        self.assertEqual(self.shown(IMAGE), [State.MISSING] + [(OTHER_REAL, "cpu")] * 2)

    def test_another_task_has_data_of_its_own(self):
        self.add(IMAGE, REAL)
        self.add(TEXT, GENERATED)
        self.assertEqual(self.shown(CELLS), [(REAL, "cpu")] * 3 + [(GENERATED, "cpu")] * 3)

    def test_devices_may_share_the_work(self):
        self.add(IMAGE[:2], REAL, "NVIDIA H200")
        self.add(IMAGE[2:], REAL, "NVIDIA H100")
        self.assertEqual([device for _, device in self.shown(IMAGE)],
                         ["NVIDIA H200", "NVIDIA H200", "NVIDIA H100"])

    def test_of_a_cell_from_several_devices_the_one_of_most_cells_is_shown(self):
        self.add(IMAGE, REAL, "NVIDIA H100")
        self.add(CELLS, REAL, "NVIDIA H200")
        self.assertEqual(self.shown(CELLS), [(REAL, "NVIDIA H200")] * 6)

    def test_pages_can_have_one_device_for_each_task(self):
        """Of those with half of a page's cells at least that of most cells on all pages."""
        self.add(IMAGE[:2], REAL, "NVIDIA H100")
        self.add(IMAGE, REAL, "NVIDIA H200")
        self.add(TEXT[:1], REAL, "NVIDIA H200")
        self.add(TEXT, REAL, "NVIDIA H100")
        judge = Whatever(self.store, CELLS)
        shown = self.shown(CELLS, judge=judge)
        self.assertEqual(shown, [(REAL, "NVIDIA H200")] * 3 + [(REAL, "NVIDIA H100")] * 3)
        for page, device in ((IMAGE[:2], "NVIDIA H200"), (TEXT[1:], "NVIDIA H100")):
            self.assertEqual(self.shown(page, page=page, judge=judge), [(REAL, device)] * 2)
        few = Whatever(self.store, TEXT[:1] + IMAGE)
        self.assertEqual(self.shown(TEXT[:2], page=TEXT[:2], judge=few),
                         [(REAL, "NVIDIA H200"), State.MISSING])
        self.assertEqual(self.shown(TEXT, page=TEXT, judge=few),
                         [(REAL, "NVIDIA H100")] * 3)

    def test_seeds_do_not_make_up_for_kinds_of_cells(self):
        for kinds in ([dataclasses.replace(IMAGE[0], variant=variant) for variant in "abcde"],
                      [dataclasses.replace(IMAGE[0], method=method)
                       for method in ("cf", "c", "f", "sdpa", "dense")]):
            self.setUp()
            seeds = [dataclasses.replace(kinds[0], seed=seed) for seed in range(2, 9)]
            page = kinds + seeds
            self.add(kinds, REAL, "NVIDIA H100")
            self.add([kinds[0], *seeds], REAL, "NVIDIA H200")
            judge = Whatever(self.store, page)
            self.assertEqual(self.shown(kinds, page=page, judge=judge), [(REAL, "NVIDIA H100")] * 5)
            self.add(kinds[1:3], REAL, "NVIDIA H200")
            self.assertEqual(self.shown(kinds[:3], page=page, judge=judge),
                             [(REAL, "NVIDIA H200")] * 3)

    def test_the_user_may_ask_for_a_device_or_for_real_data(self):
        self.add(CELLS, REAL, "NVIDIA H200")
        self.add(IMAGE[:1], REAL)
        self.add(TEXT, GENERATED)
        self.assertEqual(self.shown(IMAGE, device="cpu"),
                         [(REAL, "cpu"), State.MISSING, State.MISSING])
        self.assertEqual(self.shown(TEXT, device="cpu"), [(GENERATED, "cpu")] * 3)
        self.assertEqual(self.shown(TEXT, device="cpu", real_tasks=("text",)), [State.MISSING] * 3)
        self.assertEqual(self.shown(TEXT, device="cpu", real_tasks=("image",)), [(GENERATED, "cpu")] * 3)
        self.assertEqual(self.shown(TEXT, device="cuda"), [(REAL, "NVIDIA H200")] * 3)
        self.assertEqual(self.shown(TEXT), [(REAL, "NVIDIA H200")] * 3)
        self.assertEqual(self.shown(TEXT, generated_tasks=("text",)), [(GENERATED, "cpu")] * 3)

    def test_a_benchmark_has_no_data(self):
        cell = Cell("attention", "all", 1, kind=BENCHMARK)
        self.add([cell], "", "NVIDIA H200")
        for real_tasks in ((), ("image", "text")):
            result = Whatever(self.store, [cell], real_tasks=real_tasks).result(cell)
            self.assertEqual(result.state, State.DONE)

    def test_a_cell_that_failed_on_other_data_is_not_run_on_this(self):
        self.add(IMAGE[:1], REAL)
        self.fail(IMAGE[1], REAL)
        self.fail(IMAGE[2], GENERATED)
        self.assertEqual(self.shown(IMAGE), [(REAL, "cpu"), State.FAILED, State.MISSING])

    def test_what_is_not_shown_is_known(self):
        self.add(IMAGE[:1], REAL)
        self.add(IMAGE[:2], GENERATED)
        selection = Whatever(self.store, CELLS)
        self.assertEqual([selection.result(cell).others for cell in IMAGE],
                         [(Origin(GENERATED, "cpu"),)] * 2 + [()])


    def test_what_is_damaged_is_known_whatever_is_shown(self):
        self.add(IMAGE[:1], GENERATED)
        self.add(IMAGE[:1], REAL)
        folder = self.store.folder / "cells" / IMAGE[0].on(Origin(REAL, "cpu")).id
        (folder / "cell.json").write_text("")
        result = Whatever(self.store, CELLS).result(IMAGE[0])
        self.assertEqual((result.state, result.origin.data), (State.DONE, GENERATED))
        self.assertIn("cell.json is empty", result.damage[0])
        self.add(IMAGE[:1], REAL)
        result = Whatever(self.store, CELLS).result(IMAGE[0])
        self.assertEqual((result.origin.data, result.damage), (REAL, ()))


class OnOriginTest(ShownTest):
    def test_nothing_else_is_shown(self):
        self.add(IMAGE, REAL)
        self.add(IMAGE[:1], GENERATED)
        results = [OnOrigin(self.store, lambda cell: cell.on(Origin(GENERATED, "cpu"))).result(cell)
                   for cell in IMAGE]
        self.assertEqual([result.state for result in results],
                         [State.DONE, State.MISSING, State.MISSING])
        self.assertEqual([result.others for result in results], [(Origin(REAL, "cpu"),)] * 3)
        self.assertEqual([result.cell for result in results], IMAGE)


del ShownTest  # what the others share, no test of its own

if __name__ == "__main__":
    unittest.main()

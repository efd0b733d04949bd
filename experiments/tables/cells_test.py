"""Cells are there whole or not at all; shards share them out."""

import os
import pathlib
import tempfile
import unittest

from cells import INFERENCE, Cell, State, Store, shard, with_requirements


def training(task="image", method="cf", seed=1001, **more):
    return Cell(task, method, seed, (("steps", "4"),), **more)


def inference(cell):
    return Cell(cell.task, cell.method, cell.seed, (), kind=INFERENCE, trains=cell)


class StoreTest(unittest.TestCase):
    def setUp(self):
        self.store = Store(pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))))

    def names(self, folder="cells"):
        path = self.store.folder / folder
        return sorted(entry.name for entry in path.iterdir()) if path.exists() else []

    def test_a_finished_cell_is_there_whole(self):
        cell = training()
        with self.store.work_on(cell) as work:
            (work.folder / "data").write_text("content")
            self.assertEqual(self.store.result(cell).state, State.MISSING)
            work.finish({"seconds": 3})
        result = self.store.result(cell)
        self.assertEqual(result.state, State.DONE)
        self.assertEqual((result.folder / "data").read_text(), "content")
        self.assertEqual(result.info["settings"], {"steps": "4"})
        self.assertEqual(self.names(), [cell.id])

    def test_nothing_stays_of_a_cell_that_did_not_end(self):
        with self.assertRaises(KeyboardInterrupt), self.store.work_on(training()) as work:
            (work.folder / "data").write_text("half")
            raise KeyboardInterrupt
        self.assertEqual(self.names(), [])
        self.assertEqual(self.store.result(training()).state, State.MISSING)

    def test_what_a_killed_run_left_is_removed_and_another_ones_is_not(self):
        pid = os.fork()
        if pid == 0:  # A run that is killed while it works on a cell.
            with self.store.work_on(training()) as work:
                (work.folder / "data").write_text("half")
                os._exit(9)
        os.waitpid(pid, 0)
        self.assertEqual(len(self.names()), 1)
        self.assertEqual(self.store.result(training()).state, State.MISSING)
        with self.store.work_on(training(seed=2)):
            with self.store.work_on(training(seed=3)):
                self.assertEqual(len(self.names()), 2)
        self.assertEqual(self.names(), [])

    def test_a_failed_cell_keeps_its_error_until_it_succeeds(self):
        cell = training()
        for text in ("first", "second"):
            with self.store.work_on(cell) as work:
                work.fail(text, {})
            self.assertEqual(self.store.result(cell).state, State.FAILED)
            self.assertEqual(self.store.result(cell).error, text)
        with self.store.work_on(cell) as work:
            work.finish({})
        self.assertEqual(self.store.result(cell).state, State.DONE)
        self.assertEqual(self.names("failed"), [])

    def test_the_first_of_two_results_stays(self):
        cell = training()
        with self.store.work_on(cell) as work:
            with Store(self.store.folder).work_on(training(seed=5)):
                pass
            (self.store.folder / "cells" / cell.id).mkdir()
            (self.store.folder / "cells" / cell.id / "cell.json").write_text('{"by": "another"}')
            work.finish({"by": "us"})
        self.assertEqual(self.store.result(cell).info, {"by": "another"})
        self.assertEqual(self.names(), [cell.id])


class IdTest(unittest.TestCase):
    def test_tells_apart_whatever_changes_a_result(self):
        base = training()
        others = [training(task="text"), training(method="c"), training(seed=1002),
                  training(trace_steps="1:2"), inference(base), inference(training(seed=1002)),
                  Cell("image", "cf", 1001, (("steps", "5"),))]
        self.assertEqual(len({cell.id for cell in [base, *others]}), len(others) + 1)

    def test_is_a_readable_name_of_a_folder(self):
        self.assertRegex(training(variant="shared").id, r"^image-cf-seed1001-shared-[0-9a-f]{8}$")


class ShardTest(unittest.TestCase):
    def setUp(self):
        trainings = [training(task, method) for task in ("image", "text")
                     for method in ("c", "f", "cf", "dense")]
        self.cells = trainings + [inference(cell) for cell in trainings]

    def test_shards_are_disjoint_and_complete(self):
        for count in (1, 2, 3, 5, 40):
            shards = [shard(self.cells, index, count) for index in range(count)]
            together = [cell for part in shards for cell in part]
            self.assertEqual(len(together), len(self.cells))
            self.assertEqual(set(together), set(self.cells))

    def test_a_cell_and_what_it_needs_are_in_one_shard(self):
        for part in (shard(self.cells, index, 3) for index in range(3)):
            for cell in part:
                self.assertIn(cell.root, part)

    def test_shards_are_even(self):
        sizes = [len(shard(self.cells, index, 3)) for index in range(3)]
        self.assertLessEqual(max(sizes) - min(sizes), 2)

    def test_an_index_out_of_range_is_refused(self):
        with self.assertRaisesRegex(ValueError, "shard_index=3"):
            shard(self.cells, 3, 3)

    def test_requirements_come_first_and_once(self):
        cell = training()
        self.assertEqual(with_requirements([inference(cell), cell, cell]), [cell, inference(cell)])


if __name__ == "__main__":
    unittest.main()

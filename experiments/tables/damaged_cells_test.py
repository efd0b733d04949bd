"""Between machines: what is damaged, or has failed, hides neither a good cell nor a state."""

import errno
import os
import pathlib
import shutil
import unittest
from unittest import mock

import pack
import small_runs
import unfinished
from pack_case import PackCase, training
from result import State

class DamagedCellTest(PackCase):
    def damage(self, store, name="cell.json", seed=1001):
        path = store.folder / "cells" / training(seed).id / name
        path.write_bytes(path.read_bytes()[:20])

    def test_one_that_is_there_does_not_hide_a_good_one(self):
        self.add()
        self.pack()
        for name in ("cell.json", "run/summary.json"):
            small_runs.add(self.there, training())
            self.damage(self.there, name)
            self.assertEqual(self.there.result(training()).state, State.MISSING)
            self.assertEqual((self.unpack(), self.unpack()), (1, 0))
            self.assertEqual(self.there.result(training()).state, State.DONE)
            self.assertEqual(len(list((self.there.folder / "cells").iterdir())), 2)
            shutil.rmtree(self.there.folder)

    def test_one_that_is_damaged_itself_comes_once(self):
        self.add(1)
        self.damage(self.here, "run/summary.json", seed=1)
        with self.here.work_on(training(2)) as work:
            work.fail("error: no", {})
        failed = self.here.folder / "failed" / training(2).id / "cell.json"
        failed.write_bytes(failed.read_bytes()[:20])
        self.pack()
        self.assertEqual((self.unpack(), self.unpack()), (2, 0))
        self.assertEqual(self.files(self.there), self.files(self.here))

    def test_it_does_not_hide_a_state(self):
        self.add_unfinished()
        begun = self.here.folder / "unfinished" / training().id
        aside = begun.rename(self.folder / "aside")
        self.add()
        aside.rename(begun)
        self.damage(self.here, "run/summary.json")
        packed = pack.collect(self.here.folder, lambda name: True)
        self.assertIn(f"paper/unfinished/{training().id}", [cell.name for cell in packed])

    def test_a_copy_beside_it_tells_that_a_training_is_over(self):
        folder = self.add()
        self.assertEqual(len(pack.collect(self.here.folder, lambda name: True)), 1)
        folder.rename(folder.with_name(folder.name + "+1234"))
        self.assertEqual(len(pack.collect(self.here.folder, lambda name: True)), 1)
        self.add_unfinished(self.there)
        self.pack()
        self.assertEqual(self.unpack(), 1)
        self.assertEqual(self.there.result(training()).state, State.DONE)

    def test_a_state_of_an_archive_is_taken_beside_a_damaged_cell(self):
        self.add_unfinished()
        self.pack()
        small_runs.add(self.there, training())
        self.assertEqual(self.unpack(), 0)
        self.damage(self.there)
        self.assertEqual((self.unpack(), self.unpack()), (1, 0))
        self.assertIsNotNone(self.there.unfinished(training()))

    def test_a_cell_that_cannot_be_read_is_told_and_left_out(self):
        """While it is looked for, and while it is packed."""
        for seed in (1, 2, 3):
            self.add(seed)
        told = []

        def on_error(folder, error):
            told.append((folder.name, error.errno))
        real_stat = pathlib.Path.stat

        def stat(path, **options):
            if path.name == "summary.json" and training(1).id in str(path):
                raise OSError(errno.EIO, "ill")
            return real_stat(path, **options)
        with mock.patch.object(pathlib.Path, "stat", stat):
            with self.assertRaises(OSError):
                pack.collect(self.here.folder, lambda name: False)
            cells = pack.collect(self.here.folder, lambda name: False, on_error)
        (self.here.folder / "cells" / training(2).id / "cell.json").unlink()
        with self.assertRaises(OSError):
            pack.write(cells, self.archive, 1 << 20)
        pack.write(cells, self.archive, 1 << 20, on_error)
        self.assertEqual(told, [(training(1).id, errno.EIO), (training(2).id, errno.ENOENT)])
        self.assertEqual(self.unpack(), 1)
        self.assertEqual(self.there.result(training(3)).state, State.DONE)


class UnreadTest(PackCase):
    """Of what an ill disk, or somebody's folder, does not give away nobody knows; it is told."""

    def check_left_out(self, unread, function, group):
        self.setUp()
        self.add(1)
        self.add_unfinished(seed=2)
        path = self.here.folder / group / training(1 if group == "cells" else 2).id
        real, told = getattr(pathlib.Path, function), []

        def fail(asked, *arguments, **options):
            if asked == path / unread:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(asked))
            return real(asked, *arguments, **options)
        with mock.patch.object(pathlib.Path, function, fail):
            cells = pack.collect(self.here.folder, lambda name: False,
                                 lambda folder, error: told.append((folder, error.errno)))
        self.assertEqual(told, [(path, errno.EACCES)])
        self.assertEqual(len(cells), 1)
        self.assertNotEqual(cells[0].folder, path)

    def test_whether_it_is_a_cell(self):
        self.check_left_out("cell.json", "stat", "cells")
        self.check_left_out("unfinished.json", "stat", "unfinished")

    def test_how_far_it_got(self):
        self.check_left_out("unfinished.json", "read_bytes", "unfinished")
        self.check_left_out("run/state.safetensors", "stat", "unfinished")


class FailedTest(PackCase):
    def fail(self, store, state=""):
        with store.work_on(training()) as work:
            unfinished.begin(work.folder, training(), [], "580")
            (work.folder / "run").mkdir(exist_ok=True)
            if state:
                (work.folder / "run/state.safetensors").write_text(state)
            work.fail("error: no", {"seconds": 1.0, "finished": "", "driver": ""})

    def check_goes_on(self, *counts):
        self.pack()
        self.assertEqual(tuple(self.unpack() for _ in counts), counts)
        self.assertEqual(self.there.result(training()).state, State.FAILED)
        with self.there.work_on(training()) as work:
            self.assertEqual((work.folder / "run/state.safetensors").read_text(), "state")

    def test_its_state_comes_with_it(self):
        self.fail(self.here, "state")
        self.check_goes_on(1, 0)

    def test_its_state_comes_where_it_failed_without_one(self):
        self.fail(self.here, "state")
        self.fail(self.there)
        self.check_goes_on(1, 0)

    def test_without_a_state_it_brings_nothing_to_one_that_is_there(self):
        self.fail(self.here)
        self.fail(self.there, "state")
        self.check_goes_on(0)


del PackCase  # what the others share, no test of its own

if __name__ == "__main__":
    unittest.main()

"""The state of a training outlives whatever happens to its cell, until the cell is done."""

import errno
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import fake_programs
import run_cells
import unfinished
from origin import Origin
from presets import QUICK
from programs import Machine, Programs
from result import State
from store import Store

MADE_ON = Origin("generated-8-4-2", "cpu")  # as the stand-ins say
ALL_STEPS = list(range(1, fake_programs.STEPS + 1))
PART = {"seconds": 10.0, "until": "2026-01-02T03:04:05+00:00", "driver": "580"}


def training(seed=1001):
    return QUICK.training("image", "cf", seed).on(MADE_ON)


class KeptStateTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.said = []
        self.store = Store(self.folder / "results", self.said.append)

    def names(self, folder):
        path = self.store.folder / folder
        return sorted(entry.name for entry in path.iterdir()) if path.exists() else []

    def begin(self, work, state="state"):
        unfinished.begin(work.folder, training(), work.parts or [PART], "580")
        (work.folder / "run").mkdir(exist_ok=True)
        (work.folder / "run/state.safetensors").write_text(state)

    def check_goes_on(self, state="state"):
        with self.store.work_on(training()) as work:
            self.assertEqual(work.parts[0], PART)
            self.assertEqual((work.folder / "run/state.safetensors").read_text(), state)


def failing(name, function):
    """A patch of Path.`function`: of files called so it is an error of the device."""
    real = getattr(pathlib.Path, function)

    def call(path, *arguments, **options):
        if path.name == name:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return real(path, *arguments, **options)
    return mock.patch.object(pathlib.Path, function, call)


class ErrorTest(KeptStateTest):
    def leave_with(self, fault):
        """A cell's work that is left, without an end, on a machine with this fault."""
        with self.assertRaises(OSError), self.store.work_on(training()) as work:
            self.begin(work)
            fault.start()
        self.addCleanup(mock.patch.stopall)

    def check_is_left_behind(self, fault):
        """Nobody removes it as long as the fault lasts, and then it is gone on with."""
        self.leave_with(fault)
        self.assertEqual(self.names("unfinished"), [])
        self.store.rescue_left_behind()
        self.assertEqual(len(self.names("cells")), 2)  # the folder and its lock
        fault.stop()
        self.check_goes_on()

    def test_what_it_is_of_cannot_be_read(self):
        self.check_is_left_behind(failing("unfinished.json", "read_bytes"))

    def test_whether_it_has_a_state_cannot_be_read(self):
        self.check_is_left_behind(failing("state.safetensors", "stat"))

    def test_it_cannot_be_brought_to_the_disk(self):
        self.check_is_left_behind(
            mock.patch("durable.sync_tree", side_effect=OSError(errno.EIO, "ill")))

    def test_it_cannot_be_renamed(self):
        self.check_is_left_behind(
            mock.patch("pathlib.Path.rename", side_effect=OSError(errno.ENOSPC, "full")))

    def test_it_does_not_tell_what_it_is_of(self):
        with self.store.work_on(training()) as work:
            self.begin(work)
            (work.folder / "unfinished.json").write_text("{")
        self.assertEqual(self.names("unfinished"), [training().id])
        with self.store.work_on(training()) as work:
            self.assertIsNone(work.parts)
        self.assertIn("unfinished.json is damaged", self.said[0])
        state = self.store.folder / "unfinished" / training().id / "run/state.safetensors"
        self.assertEqual(state.read_text(), "state")

    def test_it_cannot_be_read_when_it_is_taken_up(self):
        with self.store.work_on(training()) as work:
            self.begin(work)
        real_read, calls = unfinished.read, []

        def read(folder):
            calls.append(folder)
            if len(calls) > 1:
                raise OSError(errno.EIO, "the disk is ill")
            return real_read(folder)
        with mock.patch("unfinished.read", read), self.assertRaises(OSError), \
                self.store.work_on(training()):
            self.fail("nobody knows what it goes on with")
        self.check_goes_on()

    def test_a_result_that_cannot_be_written(self):
        """The training is over, and the disk full."""
        full = mock.patch("durable.write_text", side_effect=OSError(errno.ENOSPC, "full"))
        with self.assertRaises(OSError), self.store.work_on(training()) as work:
            self.begin(work)
            (work.folder / "run/state.safetensors").rename(work.folder / "run/summary.json")
            full.start()
            self.addCleanup(mock.patch.stopall)
            work.finish({"seconds": 1.0, "finished": "", "driver": ""})
        full.stop()
        with self.store.work_on(training()) as work:
            self.assertTrue((work.folder / "run/summary.json").exists())


class FailedTest(KeptStateTest):
    def setUp(self):
        super().setUp()
        self.programs = Programs(*fake_programs.write(self.folder))

    def run_missing(self, *cells, fail_after=None, **options):
        variables = {"FAKE_PACE": "0.02"} | ({"FAKE_FAIL": str(fail_after)} if fail_after else {})
        with mock.patch.dict(os.environ, variables):
            return run_cells.run_missing(cells or [training()], self.store, self.programs,
                                         [Machine()], self.said.append, **options)

    def steps(self):
        return fake_programs.steps(self.folder, "cf", 1001)

    def test_goes_on_with_retry_failed_and_not_before(self):
        self.assertEqual(self.run_missing(fail_after=5), 1)
        result = self.store.result(training())
        self.assertEqual((result.state, result.error), (State.FAILED, "error: the device is lost"))
        self.assertEqual(self.run_missing(), 1)
        self.assertEqual(self.steps(), ALL_STEPS[:5])
        self.assertEqual(self.run_missing(fail_after=9, retry_failed=True), 1)
        self.said.clear()
        self.assertEqual(self.run_missing(retry_failed=True), 0)
        self.assertIn("1 to run (1 begun)", self.said[0])
        self.assertEqual(self.steps(), ALL_STEPS)
        result = self.store.result(training())
        self.assertEqual(result.state, State.DONE)
        self.assertEqual(len(result.info["parts"]), 3)
        self.assertNotIn("error", result.info)
        self.assertEqual((self.names("failed"), self.names("unfinished")), ([], []))
        self.assertFalse((result.folder / "unfinished.json").exists())

    def test_one_that_fails_anew_does_not_cost_an_earlier_state(self):
        """As where another process has taken it up, and both fail."""
        with self.store.work_on(training()) as work:
            self.begin(work, "further")
            work.fail("first", {"seconds": 1.0, "finished": "", "driver": ""})
        with mock.patch.object(Store, "_unfinished_folders", return_value={}), \
                self.store.work_on(training()) as work:
            work.fail("second", {"seconds": 1.0, "finished": "", "driver": ""})
        self.assertEqual(self.store.result(training()).error, "second")
        self.check_goes_on("further")

    def test_without_a_state_it_starts_anew(self):
        with self.store.work_on(training()) as work:
            unfinished.begin(work.folder, training(), [], "580")
            work.fail("error: no", {"seconds": 1.0, "finished": "", "driver": ""})
        self.assertEqual(self.names(f"failed/{training().id}"), ["cell.json"])
        self.assertEqual(self.run_missing(retry_failed=True), 0)
        self.assertEqual(self.steps(), ALL_STEPS)


class DoneTest(KeptStateTest):
    def test_the_second_of_two_that_are_done_leaves_nothing(self):
        programs = Programs(*fake_programs.write(self.folder))
        with self.store.work_on(training()) as work:
            run_cells.run_missing([training()], Store(self.store.folder), programs, [Machine()],
                                  self.said.append)
            result = self.store.result(training()).folder
            unfinished.begin(work.folder, training(), [], "580")
            (work.folder / "run").mkdir()
            for path in (result / "run").iterdir():
                (work.folder / "run" / path.name).write_bytes(path.read_bytes())
            work.finish({"seconds": 1.0, "finished": "", "driver": ""})
        self.assertEqual(self.names("cells"), [training().id])
        self.assertEqual(self.names("unfinished"), [])


del KeptStateTest  # what the others share, no test of its own

if __name__ == "__main__":
    unittest.main()

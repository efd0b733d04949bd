"""Cells are there whole or not at all, whoever else is at work and whatever is damaged."""

import errno
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import small_runs
from cells import BENCHMARK, INFERENCE, Cell
from origin import Origin
from result import State
from store import Store

CPU = Origin("generated-8-4-2", "cpu")
REAL = Origin("sha256-" + "ab" * 32, "cpu")


def training(seed=1001, origin=CPU):
    return Cell("image", "cf", seed, (("steps", "4"),)).on(origin)


def inference(origin=CPU):
    return Cell("image", "cf", 1001, kind=INFERENCE, trains=training()).on(origin)


def benchmark(device="cpu"):
    return Cell("attention", "all", 1, kind=BENCHMARK).on(Origin("", device))


class StoreTest(unittest.TestCase):
    def setUp(self):
        self.said = []
        self.store = self.another()

    def another(self):
        """Another store in the same folder, or the first."""
        if not hasattr(self, "folder"):
            self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        return Store(self.folder, self.said.append)

    def names(self, folder="cells"):
        path = self.folder / folder
        return sorted(entry.name for entry in path.iterdir()) if path.exists() else []


class WorkTest(StoreTest):
    def test_a_finished_cell_is_there_whole(self):
        for cell in (training(), inference(), benchmark(), benchmark("NVIDIA H200")):
            with self.store.work_on(cell) as work:
                small_runs.write(work.folder, cell)
                (work.folder / "data").write_text("content")
                self.assertEqual(self.store.result(cell).state, State.MISSING)
                work.finish({"seconds": 3})
            result = self.store.result(cell)
            self.assertEqual(result.state, State.DONE)
            self.assertEqual(result.origin, cell.origin)
            self.assertEqual((result.folder / "data").read_text(), "content")
            self.assertEqual(result.info["settings"], dict(cell.settings))
            self.assertIn(cell.id, self.names())
        self.assertEqual(len(self.names()), 4)

    def test_nothing_stays_of_a_cell_that_did_not_end(self):
        with self.assertRaises(KeyboardInterrupt), self.store.work_on(training()) as work:
            (work.folder / "data").write_text("half")
            raise KeyboardInterrupt
        self.assertEqual(self.names(), [])
        self.assertEqual(self.store.result(training()).state, State.MISSING)

    def test_a_cell_on_another_origin_is_another_cell(self):
        small_runs.add(self.store, training())
        for origin in (REAL, Origin("generated-9-4-2", "cpu"), Origin(CPU.data, "NVIDIA H200")):
            cell = training(origin=origin)
            self.assertEqual(self.store.result(cell).state, State.MISSING)
            small_runs.add(self.store, cell)
            self.assertEqual(self.store.result(cell).origin, origin)
        self.assertEqual(len(self.store.results(training().on(None))[0]), 4)

    def test_a_run_on_another_origin_than_its_cells_has_failed(self):
        """Somebody changed the data, or the device, after the program had told of it."""
        with self.store.work_on(training()) as work:
            small_runs.write(work.folder, training(origin=REAL))
            work.finish({})
        result = self.store.result(training())
        self.assertEqual(result.state, State.FAILED)
        self.assertIn("made on data of sha256 abab", result.error)

    def test_a_program_that_leaves_no_results_has_failed(self):
        with self.store.work_on(training()) as work:
            small_runs.write(work.folder, training())
            (work.folder / "run/summary.json").write_text("{")
            work.finish({})
        result = self.store.result(training())
        self.assertEqual(result.state, State.FAILED)
        self.assertIn("run/summary.json is damaged", result.error)

    def test_a_failed_cell_keeps_its_error_until_it_succeeds(self):
        cell = training()
        for text in ("first", "second"):
            with self.store.work_on(cell) as work:
                work.fail(text, {})
            self.assertEqual(self.store.result(cell).state, State.FAILED)
            self.assertEqual(self.store.result(cell).error, text)
        small_runs.add(self.store, cell)
        self.assertEqual(self.store.result(cell).state, State.DONE)
        self.assertEqual(self.names("failed"), [])

    def test_the_first_of_two_results_stays(self):
        cell = training()
        with self.store.work_on(cell) as work:
            small_runs.write(work.folder, cell)
            small_runs.add(self.another(), cell)
            work.finish({"seconds": 99})
        self.assertEqual(self.store.result(cell).info["seconds"], 3.5)
        self.assertEqual(self.names(), [cell.id])

    def test_all_of_it_is_on_the_disk_before_it_has_its_name(self):
        events = []
        real_fsync, real_rename = os.fsync, pathlib.Path.rename

        def fsync(descriptor):
            events.append(os.readlink(f"/proc/self/fd/{descriptor}"))
            real_fsync(descriptor)

        def rename(source, target):
            self.written = {str(path) for path in source.rglob("*")} | {str(source)}
            events.append("renamed")
            return real_rename(source, target)
        with mock.patch("os.fsync", fsync), mock.patch("pathlib.Path.rename", rename):
            small_runs.add(self.store, training())
        before, after = events[:events.index("renamed")], events[events.index("renamed") + 1:]
        self.assertEqual(len(self.written), 6)
        self.assertEqual({os.path.realpath(path) for path in before if ".partial" not in path},
                         {os.path.realpath(self.folder) + path.removeprefix(str(self.folder))
                          for path in self.written})
        self.assertEqual(after, [os.path.realpath(self.folder / "cells")])


class OthersAtWorkTest(StoreTest):
    """The process's number and the host's name are those of others, as in containers."""

    # Works on a cell as process 4194999, which no machine has, and is killed when it is asked to.
    OWNER = ("import os, sys; sys.path[:0] = {path!r}; os.getpid = lambda: 4194999\n"
             "from store import Store\nfrom store_test import training\n"
             "with Store({folder!r}).work_on(training()) as work:\n"
             "  (work.folder / 'data').write_text('half')\n"
             "  print(work.folder, flush=True)\n"
             "  sys.stdin.read()\n")

    def start_owner(self):
        owner = subprocess.Popen(
            [sys.executable, "-c", self.OWNER.format(path=sys.path, folder=str(self.folder))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(owner.communicate)
        return owner, pathlib.Path(owner.stdout.readline().rstrip())

    def test_a_running_cell_of_another_container_stays(self):
        _, folder = self.start_owner()
        small_runs.add(self.store, training(seed=2))
        self.assertEqual((folder / "data").read_text(), "half")

    def test_leftovers_of_a_killed_container_with_our_name_and_number_stop_nobody(self):
        owner, folder = self.start_owner()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        self.assertTrue(folder.exists())
        with mock.patch("os.getpid", return_value=4194999):
            small_runs.add(self.store, training())
        self.assertEqual(self.names(), [training().id])


class DamagedTest(StoreTest):
    def check_not_run(self, cell, *texts):
        """Said once, in one line; and in the result."""
        self.said.clear()
        store = self.another()
        for _ in range(2):
            result = store.result(cell)
            self.assertEqual(result.state, State.MISSING)
        self.assertEqual(len(self.said), 1, self.said)
        self.assertEqual(len(result.damage), 1)
        for text in (cell.id, *texts):
            self.assertIn(text, self.said[0])
            self.assertIn(text, result.damage[0])
        self.assertNotIn("\n", self.said[0])

    def test_a_cell_file_cut_at_every_byte(self):
        cell = training()
        small_runs.add(self.store, cell)
        path = self.folder / "cells" / cell.id / "cell.json"
        whole = path.read_bytes()
        self.assertEqual(whole[-2:], b"}\n")
        for length in range(len(whole) - 1):
            path.write_bytes(whole[:length])
            self.check_not_run(cell, "cell.json")
        path.write_bytes(whole[:-1])
        self.assertEqual(self.another().result(cell).state, State.DONE)

    def test_a_cell_file_of_a_failed_cell_cut_at_every_byte(self):
        cell = training()
        with self.store.work_on(cell) as work:
            work.fail("error: no", {})
        path = self.folder / "failed" / cell.id / "cell.json"
        whole = path.read_bytes()
        for length in range(len(whole) - 1):
            path.write_bytes(whole[:length])
            self.check_not_run(cell, "cell.json")

    def test_a_cell_file_that_is_something_else(self):
        cell = training()
        small_runs.add(self.store, cell)
        path = self.folder / "cells" / cell.id / "cell.json"
        told = json.loads(path.read_text())
        for text in ("[]", "1", "null", "{}", '"id"', "[" * 100_000, "\0" * 300, "NaN",
                     json.dumps({**told, "id": "another"}),
                     json.dumps({**told, "seconds": "long"}),
                     json.dumps({**told, "origin": {"disk": "round"}}),
                     json.dumps({**told, "origin": {"data": "", "device": "cpu"}}),
                     json.dumps({**told, "files": ["run/summary.json"]}),
                     json.dumps({**told, "crc32": 7})):
            path.write_text(text)
            self.check_not_run(cell)
        path.write_bytes(b"\xff\xfe")
        self.check_not_run(cell)
        path.unlink()
        self.check_not_run(cell, "cell.json is not there")
        path.mkdir()
        self.check_not_run(cell, "cell.json: Is a directory")

    def test_a_run_of_which_a_file_is_missing_or_cut(self):
        for cell in (training(), inference(), benchmark()):
            small_runs.add(self.store, cell)
            folder = self.folder / "cells" / cell.id
            for path in folder.rglob("*.json*"):
                if path.name == "cell.json":
                    continue
                whole = path.read_bytes()
                for length in range(0, len(whole), 7):
                    path.write_bytes(whole[:length])
                    self.check_not_run(cell, path.name)
                path.unlink()
                self.check_not_run(cell, path.name)
                path.write_bytes(whole)
            self.assertEqual(self.another().result(cell).state, State.DONE)

    def test_a_run_of_which_a_byte_has_changed(self):
        """Though what it says can be read, as far as it is read at all."""
        for cell in (training(), inference()):
            small_runs.add(self.store, cell)
            for path in (self.folder / "cells" / cell.id / "run").iterdir():
                whole = path.read_bytes()
                for place in range(0, len(whole), 7):
                    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
                    self.check_not_run(cell, f"{path.name} is damaged")
                path.write_bytes(whole)
            self.assertEqual(self.another().result(cell).state, State.DONE)

    def test_a_cell_of_an_earlier_version_has_no_sums(self):
        cell = training()
        small_runs.add(self.store, cell)
        path = self.folder / "cells" / cell.id / "cell.json"
        told = json.loads(path.read_text())
        del told["crc32"]
        path.write_text(json.dumps(told))
        self.assertEqual(self.another().result(cell).state, State.DONE)

    def test_a_damaged_cell_is_run_again_and_stays_where_it_is(self):
        cell = training()
        damaged = self.folder / "cells" / cell.id
        damaged.mkdir(parents=True)
        (damaged / "cell.json").write_text("")
        small_runs.add(self.store, cell)
        self.assertEqual(self.store.result(cell).state, State.DONE)
        self.assertEqual((damaged / "cell.json").read_text(), "")
        self.assertEqual(self.said, [])

    def test_a_half_copied_cell_does_not_cost_the_finished_one(self):
        """As rsync and cp leave one while they are at it: some files, not all."""
        cell = training()
        elsewhere = Store(self.folder / "elsewhere")
        small_runs.add(elsewhere, cell)
        with self.store.work_on(cell) as work:
            small_runs.write(work.folder, cell)
            copy = shutil.copytree(elsewhere.folder / "cells" / cell.id,
                                   self.folder / "cells" / cell.id,
                                   ignore=shutil.ignore_patterns("cell.json"))
            work.finish({"seconds": 99})
        result = self.another().result(cell)
        self.assertEqual((result.state, result.info["seconds"]), (State.DONE, 99))
        # The copy is completed: either will do.
        shutil.copy(elsewhere.folder / "cells" / cell.id / "cell.json", copy)
        self.assertEqual(self.another().result(cell).state, State.DONE)

    def test_a_result_that_cannot_be_kept_is_an_error(self):
        full = mock.patch("pathlib.Path.rename", side_effect=OSError(errno.ENOSPC, "full"))
        with full, self.assertRaisesRegex(OSError, "full"):
            small_runs.add(self.store, training())
        self.assertEqual(self.names(), [])


class EarlierVersionTest(StoreTest):
    """Its folders have no origin in their names, and none in cell.json."""

    def add(self, cell, error=""):
        """As it wrote them: the id is the plan's."""
        folder = self.folder / ("failed" if error else "cells") / cell.plan_id
        folder.mkdir(parents=True)
        if not error:
            small_runs.write(folder, cell)
        (folder / "cell.json").write_text(json.dumps(
            {"id": cell.plan_id, "task": cell.task, "method": cell.method, "seed": cell.seed,
             "kind": cell.kind, "settings": dict(cell.settings), "seconds": 2.0,
             **({"error": error} if error else {})}))
        return folder

    def test_is_what_its_manifest_says(self):
        for cell in (training(origin=REAL), inference(REAL), benchmark("NVIDIA H200")):
            self.add(cell)
            self.assertEqual(self.store.result(cell).state, State.DONE)
            other = cell.on(Origin(cell.origin.data, "NVIDIA H100"))
            self.assertEqual(self.store.result(other).state, State.MISSING)
        self.assertEqual(self.store.result(training(origin=CPU)).state, State.MISSING)

    def test_what_failed_on_nobody_knows_what_is_run_again(self):
        self.add(training(), "error: no room")
        self.assertEqual(self.store.result(training()).state, State.MISSING)
        found, _ = self.store.results(training().on(None))
        self.assertEqual([(result.state, result.error) for result in found],
                         [(State.FAILED, "error: no room")])

    def test_damaged_it_may_be_any_of_its_origins(self):
        folder = self.add(training())
        (folder / "run/manifest.json").write_text("")
        self.assertEqual(self.store.result(training(origin=REAL)).state, State.MISSING)
        self.assertIn("manifest.json is empty", self.said[0])


if __name__ == "__main__":
    unittest.main()

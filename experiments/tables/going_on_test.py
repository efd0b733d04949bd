"""A training cell that was stopped or killed is gone on with, by one, and only where it belongs."""

import dataclasses
import errno
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

import fake_programs
import provenance
import run_cells
import unfinished
from origin import Origin
from presets import QUICK, inference
from programs import Machine, Programs
from result import State
from store import Store

MADE_ON = Origin("generated-8-4-2", "cpu")  # as the stand-ins say
ALL_STEPS = list(range(1, fake_programs.STEPS + 1))
PACE = 0.1
UNSHARE = ("unshare", "--map-root-user", "--pid", "--fork", "--kill-child")
CAN_UNSHARE = subprocess.run([*UNSHARE, "true"], check=False,
                             stderr=subprocess.DEVNULL).returncode == 0


def training(seed=1001, method="cf", origin=MADE_ON):
    return QUICK.training("image", method, seed).on(origin)


# Runs cells as a process of its own: `run_missing` of the trainings of these seeds.
CALL = """
import sys; sys.path[:0] = {path!r}
import run_cells
from going_on_test import training
from programs import Machine, Programs
from store import Store
try:
    run_cells.run_missing([training(seed) for seed in {seeds!r}], Store({store!r}),
                          Programs(({lra!r},), ()), [Machine()], print)
except run_cells.Interrupted:
    sys.exit(130)
"""


class GoingOnTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.programs = Programs(*fake_programs.write(self.folder))
        self.said = []
        self.store = Store(self.folder / "results", self.said.append)
        pace = mock.patch.dict(os.environ, FAKE_PACE=str(PACE))
        pace.start()
        self.addCleanup(pace.stop)

    def run_missing(self, *cells, machines=(Machine(),), **options):
        return run_cells.run_missing(cells, self.store, self.programs, machines, self.said.append,
                                     **options)

    def start_call(self, *seeds, lra=None, within=(), **options):
        call = subprocess.Popen([*within, sys.executable, "-c", CALL.format(
            path=sys.path, seeds=seeds, store=str(self.store.folder),
            lra=str(lra or self.programs.lra[0]))], stdout=subprocess.PIPE, text=True, **options)
        self.addCleanup(call.communicate)
        return call

    def steps(self, seed=1001):
        return fake_programs.steps(self.folder, "cf", seed)

    def wait_for_step(self, step, seed=1001):
        while step not in self.steps(seed):
            time.sleep(0.01)

    def stop_at(self, step, number=signal.SIGTERM, cell=None):
        """Runs a cell in this process and sends it a signal after that step."""
        def send():
            self.wait_for_step(step)
            os.kill(os.getpid(), number)
        sender = threading.Thread(target=send)
        sender.start()
        with self.assertRaises(run_cells.Interrupted):
            self.run_missing(cell or training())
        sender.join()

    def names(self, folder):
        path = self.store.folder / folder
        return sorted(entry.name for entry in path.iterdir()) if path.exists() else []

    def check_done(self, cell, parts):
        result = self.store.result(cell)
        self.assertEqual(result.state, State.DONE, result.error)
        self.assertEqual(self.names("unfinished"), [])
        self.assertEqual(len(result.info["parts"]), parts)
        self.assertAlmostEqual(result.info["seconds"],
                               sum(part["seconds"] for part in result.info["parts"]), places=2)
        self.assertEqual(len(result.json("run/manifest.json")["resumed"]), parts - 1)
        self.assertEqual(list(result.folder.rglob("state.safetensors")), [])
        self.assertFalse((result.folder / "unfinished.json").exists())
        return result


class StoppedTest(GoingOnTest):
    def test_goes_on_where_it_was_stopped_and_is_done(self):
        self.stop_at(3)
        self.assertEqual(self.names("cells"), [])
        self.assertEqual(self.names("unfinished"), [training().id])
        self.assertEqual(self.store.result(training()).state, State.MISSING)
        self.stop_at(7, signal.SIGINT)
        self.assertEqual(self.run_missing(training()), 0)
        self.assertEqual(self.steps(), ALL_STEPS)
        result = self.check_done(training(), parts=3)
        # All that its steps took, and little beside: not the time between the parts.
        self.assertGreater(result.info["seconds"], PACE * (len(ALL_STEPS) - 2))
        self.assertIn("stopped at step", (result.folder / "log.txt").read_text())
        calls = fake_programs.calls(self.folder)
        self.assertEqual(["--resume" in call for call in calls], [False, True, True])

    def test_the_time_between_parts_does_not_count(self):
        self.stop_at(3)
        time.sleep(1.0)
        self.run_missing(training())
        seconds = [part["seconds"] for part in self.check_done(training(), 2).info["parts"]]
        self.assertLess(seconds[0], PACE * 3 + 0.5)

    def test_each_signal_stops_it(self):
        for step, number in enumerate((signal.SIGHUP, signal.SIGUSR1), 1):
            self.stop_at(2 * step, number)
        self.run_missing(training())
        self.assertEqual(self.steps(), ALL_STEPS)

    def test_those_begun_come_first_and_the_plan_says_so(self):
        self.stop_at(3, cell=training(seed=1001))
        self.said.clear()
        self.run_missing(training(seed=1002), training(seed=1001))
        self.assertIn("2 to run (1 begun)", self.said[0])
        self.assertIn(training(seed=1001).id, self.said[1])

    def test_a_program_that_somebody_else_stops_ends_the_call_and_goes_on_later(self):
        """As a batch system that sends its signal to the programs alone."""
        call = self.start_call(1001, 1002)
        self.wait_for_step(3)
        children = pathlib.Path(f"/proc/{call.pid}/task/{call.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGUSR1)
        self.assertEqual(call.wait(), 130)
        self.assertEqual(self.names("unfinished"), [training().id])
        self.assertEqual(self.steps(1002), [])

    def test_a_signal_to_the_whole_group_fails_no_cell(self):
        """Ctrl-C ends what has no handler for it, such as a program that has just begun."""
        lra = self.folder / "frail"
        lra.write_text(f"#!/bin/sh\necho >>{self.folder}/begun\nexec sleep 60\n")
        lra.chmod(0o755)
        for count in range(6):
            call = self.start_call(1001, lra=lra, start_new_session=True)
            while not (self.folder / "begun").exists():
                time.sleep(0.01)
            (self.folder / "begun").unlink()
            os.killpg(call.pid, signal.SIGINT)
            self.assertEqual(call.wait(), 130, count)
            self.assertEqual((self.names("failed"), self.names("cells")), ([], []))

    def test_a_second_signal_ends_what_does_not_stop(self):
        with mock.patch.dict(os.environ, FAKE_DEAF="1"):
            call = self.start_call(1001)
            for step in (2, 5):
                self.wait_for_step(step)
                call.send_signal(signal.SIGTERM)
            self.assertEqual(call.wait(), 130)
        self.assertLess(len(self.steps()), len(ALL_STEPS))
        self.run_missing(training())
        self.check_done(training(), parts=2)

    def test_other_kinds_start_again(self):
        traced = dataclasses.replace(training(), trace_steps="1:2")
        self.stop_at(3, cell=traced)
        self.assertEqual((self.names("cells"), self.names("unfinished")), ([], []))
        self.run_missing(traced)
        self.assertEqual(self.steps(), [1, 2, 3, *ALL_STEPS])
        self.assertFalse(training().on(None).on(MADE_ON) == traced)
        self.assertFalse(inference(training()).can_go_on)

    def test_a_cpu_has_as_many_threads_as_before(self):
        """A run with another number of them is refused."""
        with mock.patch.dict(os.environ, OMP_NUM_THREADS="3"):
            self.stop_at(3)
        self.assertEqual(self.run_missing(training()), 0)
        self.assertEqual(self.store.result(training()).json("run/manifest.json")["threads"], 3)

    def test_a_part_of_another_commit_is_said(self):
        with mock.patch.dict(os.environ, FAKE_COMMIT="bead"):
            self.stop_at(3)
        self.run_missing(training())
        self.assertEqual(provenance.mixed([self.store.result(training())]), [
            "MIXED commits: bead, then c0ffee (1 cell): what the program does may have changed in "
            "between."])


class KilledTest(GoingOnTest):
    def kill_at(self, step):
        call = self.start_call(1001)
        self.wait_for_step(step)
        call.kill()
        call.wait()
        # Its program is being killed, and holds the lock as long as it lives.
        for lock in (self.store.folder / "cells").glob(".running-*.lock"):
            with lock.open("r+b") as file:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX)

    def test_what_a_killed_process_left_is_gone_on_with(self):
        self.kill_at(4)
        self.assertEqual(self.names("unfinished"), [])
        self.assertEqual(len(self.names("cells")), 2)  # the folder and its lock
        self.assertEqual(self.run_missing(training()), 0)
        result = self.check_done(training(), parts=2)
        self.assertEqual(self.names("cells"), [training().id])
        self.assertEqual(sorted(set(self.steps())), ALL_STEPS)
        self.assertLessEqual(len(self.steps()), len(ALL_STEPS) + 1)
        self.assertGreater(result.info["parts"][0]["seconds"], PACE)
        self.assertLess(result.info["parts"][0]["seconds"], 6 * PACE + 1)

    def test_a_process_killed_between_the_end_of_the_training_and_its_keeping(self):
        with self.store.work_on(training()) as work:
            folder = work.folder
            kept = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / folder.name
            unfinished.begin(folder, training(), [], "580")
            subprocess.run([*self.programs.lra, "--task=image", "--method=cf", "--device=cpu",
                            f"--out_dir={folder}/run"], check=True, capture_output=True)
            folder.rename(kept)
        kept.rename(folder)
        folder.with_name(folder.name + ".lock").touch()
        before = self.steps()
        self.run_missing(training())
        self.assertEqual(self.store.result(training()).state, State.DONE)
        self.assertEqual(self.steps(), before)

    def test_a_training_that_has_saved_nothing_starts_again(self):
        self.kill_at(1)
        for state in (self.store.folder / "cells").rglob("state.safetensors"):
            state.unlink()
        self.run_missing(training())
        self.assertEqual(self.names("unfinished"), [])
        self.assertEqual(self.steps()[-len(ALL_STEPS):], ALL_STEPS)
        self.assertNotIn("parts", self.store.result(training()).info)


class BelongsTest(GoingOnTest):
    def test_another_cell_does_not_take_it(self):
        self.stop_at(3)
        for other in (training(seed=1002),
                      training(origin=Origin("generated-9-4-2", "cpu")),
                      training(origin=Origin(MADE_ON.data, "NVIDIA H200"))):
            self.assertIsNone(self.store.unfinished(other))
            with self.store.work_on(other) as work:
                self.assertIsNone(work.parts)
        self.assertIsNotNone(self.store.unfinished(training()))

    def test_a_folder_that_is_of_another_cell_is_said_and_left_alone(self):
        self.stop_at(3)
        path = self.store.folder / "unfinished" / training().id / "unfinished.json"
        told = json.loads(path.read_text())
        for text in (json.dumps({**told, "id": "another"}),
                     json.dumps({**told, "origin": {"data": MADE_ON.data, "device": "H200"}}),
                     "{}", "", "[]", json.dumps({**told, "origin": {"disk": "round"}})):
            path.write_text(text)
            self.said.clear()
            store = Store(self.store.folder, self.said.append)
            with store.work_on(training()) as work:
                self.assertIsNone(work.parts)
            self.assertEqual(len(self.said), 1)
            self.assertIn("the cell starts anew", self.said[0])
            self.assertTrue(path.with_name("run").is_dir())

    def test_two_processes_do_not_take_the_same(self):
        self.stop_at(3)
        calls = [self.start_call(1001) for _ in range(3)]
        self.assertEqual([call.wait() for call in calls], [0] * 3)
        resumed = [call for call in fake_programs.calls(self.folder) if "--resume" in call]
        self.assertEqual(len(resumed), 1)
        self.assertEqual(len(fake_programs.calls(self.folder)), 4)
        self.assertEqual(self.store.result(training()).state, State.DONE)

    def test_what_is_under_way_is_not_taken(self):
        call = self.start_call(1001)
        self.wait_for_step(2)
        self.run_missing(training(seed=1002))
        self.assertEqual(call.wait(), 0)
        self.assertEqual(self.steps(), ALL_STEPS)

    @unittest.skipUnless(CAN_UNSHARE, "unshare makes no namespaces here")
    def test_two_containers_with_one_host_name_share_the_work(self):
        """Each has a first process, and sees none of the other's."""
        calls = [self.start_call(seed, within=UNSHARE) for seed in (1001, 1002)]
        for seed in (1001, 1002):
            self.wait_for_step(2, seed)
        calls[0].kill()
        self.assertEqual(calls[0].wait(), -signal.SIGKILL)
        self.assertEqual(self.start_call(1001, 1002, within=UNSHARE).wait(), 0)
        self.assertEqual(calls[1].wait(), 0)
        self.assertEqual(sorted(set(self.steps(1001))), ALL_STEPS)
        self.assertEqual([self.store.result(training(seed)).state for seed in (1001, 1002)],
                         [State.DONE] * 2)
        self.assertLessEqual(len(self.steps(1001)), len(ALL_STEPS) + 1)

    def test_one_that_got_further_is_taken_first_and_none_is_lost(self):
        self.stop_at(3)
        short = self.store.folder / "unfinished" / training().id
        long = short.with_name(short.name + "+further")
        short.rename(long)
        told = json.loads((long / "unfinished.json").read_text())
        told["parts"][0]["seconds"] = 1000.0
        (long / "unfinished.json").write_text(json.dumps(told))
        with mock.patch.object(Store, "_unfinished_folders", return_value={}):
            self.stop_at(4)
        self.run_missing(training())
        self.assertGreater(self.store.result(training()).info["seconds"], 1000)
        self.assertEqual(self.names("unfinished"), [training().id])

    def test_a_full_disk_costs_no_state(self):
        real_write = unfinished.durable.write_text

        def write(path, text):
            if "began" not in text:
                raise OSError(errno.ENOSPC, "full")
            real_write(path, text)
        with mock.patch("durable.write_text", write):
            self.stop_at(3)
        found = self.store.unfinished(training())
        self.assertGreater(found.seconds, PACE)
        self.run_missing(training())
        self.assertEqual(self.steps(), ALL_STEPS)
        self.check_done(training(), parts=2)


del GoingOnTest  # what the others share, no test of its own

if __name__ == "__main__":
    unittest.main()

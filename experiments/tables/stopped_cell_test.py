"""A cell of the experiment program that was stopped twice is what an undisturbed one is."""

import json
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time
import unittest

import ask
import real_cells
import run_cells
from programs import Machine, Programs
from real_cells import PRESET
from result import State
from run_times import without_times
from store import Store

PROGRAM = None


class StoppedCellTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.programs, self.machine = Programs((PROGRAM,), ()), Machine(device="cpu")
        self.store = Store(self.folder / "stopped", lambda text: None)
        where = ask.Where(self.programs, self.machine, lambda text: None)
        self.plan = PRESET.training("pathfinder", "cf")
        self.cell = where.place(self.plan)

    def run_cell(self):
        run_cells.run_missing([self.cell], self.store, self.programs, [self.machine],
                              lambda text: None)

    def steps_told(self):
        """In the log of the run under way, and of its earlier parts."""
        return sum(line.startswith("step") for log in
                   (self.store.folder / "cells").glob(".running-*/log.txt")
                   for line in log.read_text(errors="replace").splitlines())

    def stop_after_more_than(self, steps):
        def send():
            while self.steps_told() <= steps:
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGUSR1)
        sender = threading.Thread(target=send)
        sender.start()
        with self.assertRaises(run_cells.Interrupted):
            self.run_cell()
        sender.join()
        [log] = (self.store.folder / "unfinished").glob("*/log.txt")
        return sum(line.startswith("step") for line in log.read_text().splitlines())

    def test_is_the_same_but_for_times(self):
        undisturbed = real_cells.run(PROGRAM, self.folder / "undisturbed", [self.plan])[self.plan]
        told = self.stop_after_more_than(0)
        self.stop_after_more_than(told)
        self.run_cell()
        stopped = self.store.result(self.cell)
        self.assertEqual(stopped.state, State.DONE, stopped.error)
        self.assertEqual(len(stopped.info["parts"]), 3)
        resumed = [part["step"] for part in stopped.json("run/manifest.json")["resumed"]]
        self.assertEqual(len(resumed), 2)
        self.assertGreater(resumed[0], 0)
        self.assertEqual(resumed, sorted(set(resumed)))
        for name in ("run/summary.json", "run/patterns.json", "run/attention_maps.json"):
            self.assertEqual(without_times(stopped.json(name)), without_times(undisturbed.json(name)),
                             name)
        metrics = [without_times(result.json_lines("run/metrics.jsonl"))
                   for result in (stopped, undisturbed)]
        self.assertEqual(metrics[0], metrics[1])
        self.assertEqual(metrics[0][-1]["step"], int(dict(self.cell.settings)["steps"]))
        self.assertEqual(*(json.dumps([(path.name, path.read_bytes().hex()) for path in
                                       result.folder.rglob("*.safetensors")])
                           for result in (stopped, undisturbed)))


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()

"""Missing cells are run and those that are there are not; errors are kept."""

import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import fake_programs
import run_cells
from origin import Origin
from presets import QUICK, inference
from programs import Machine, Programs
from result import State
from store import Store

MADE_ON = Origin("generated-8-4-2", "cpu")  # as the stand-ins say


def training(task, method, seed=None, **changed):
    return QUICK.training(task, method, seed, **changed).on(MADE_ON)


def answering(cell):
    return inference(cell).on(MADE_ON)


class RunCellsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.programs = Programs(*fake_programs.write(self.folder))
        self.store = Store(self.folder / "results")
        self.said = []

    def run_missing(self, cells, **options):
        return run_cells.run_missing(cells, self.store, self.programs, [Machine()],
                                     self.said.append, **options)

    def test_goes_on_with_the_cells_that_are_missing(self):
        cells = [training("image", name) for name in ("cf", "dense", "sdpa")]
        self.assertEqual(self.run_missing(cells[:1]), 0)
        self.assertEqual(self.run_missing(cells), 0)
        self.assertEqual([call.split()[1] for call in fake_programs.calls(self.folder)],
                         ["--method=cf", "--method=dense", "--method=sdpa"])
        self.assertRegex(self.said[2], "3 cells: 1 there, 2 to run, about .* by estimate")
        for cell in cells:
            self.assertEqual(self.store.result(cell).json("run/summary.json")["method"],
                             cell.method)

    def test_a_generated_task_is_run_without_the_folder_of_the_others_data(self):
        machine = Machine(data_dir="/data", generated=("listops",))
        cells = [QUICK.training(task, "cf").on(Origin(data, "cpu")) for task, data in
                 (("listops", MADE_ON.data), ("image", "sha256-" + "ab" * 32))]
        self.assertEqual(run_cells.run_missing(cells, self.store, self.programs, [machine],
                                               self.said.append), 0)
        self.assertEqual(["--data_dir=/data" in call for call in fake_programs.calls(self.folder)],
                         [False, True])

    def test_passes_the_cells_flags(self):
        cell = QUICK.training("image", "c", 7, density="0.1", steps=9).on(
            Origin("sha256-" + "ab" * 32, "cpu"))
        run_cells.run_missing([cell], self.store, self.programs,
                              [Machine(data_dir="/data", device="cpu")], self.said.append)
        call = fake_programs.calls(self.folder)[0].split()
        for flag in ("--task=image", "--method=c", "--seed=7", "--density=0.1", "--steps=9",
                     "--preset=quick", "--data_dir=/data", "--device=cpu"):
            self.assertIn(flag, call)
        self.assertNotIn("--steps=24", call)

    def test_a_failed_cell_keeps_its_error_and_is_tried_again_when_asked(self):
        named, killed = training("text", "reformer"), training("text", "linformer")
        good = training("text", "cf")
        self.assertEqual(self.run_missing([named, killed, good]), 2)
        self.assertEqual(self.store.result(named).error, "error: no room for the buckets")
        self.assertIn("SIGKILL", self.store.result(killed).error)
        self.assertEqual(self.store.result(good).state, State.DONE)
        self.assertIn("FAILED: error: no room for the buckets", "\n".join(self.said))
        self.assertIn("step 1", (self.store.result(named).folder / "log.txt").read_text())
        before = len(fake_programs.calls(self.folder))
        self.assertEqual(self.run_missing([named, killed, good]), 2)
        self.assertEqual(len(fake_programs.calls(self.folder)), before)
        self.assertEqual(self.said[-2:], [
            "3 cells: 1 there, 2 failed earlier (--retry_failed runs them again), 0 to run",
            f"{named.id}: FAILED: error: no room for the buckets; and 1 more"])
        self.run_missing([named])
        self.assertEqual(self.said[-2:], [
            "1 cell: 0 there, 1 failed earlier (--retry_failed runs it again), 0 to run",
            f"{named.id}: FAILED: error: no room for the buckets"])
        self.run_missing([named], retry_failed=True)
        self.assertRegex(self.said[-2], "^1 cell: 0 there, 1 to run, about ")
        self.assertEqual(len(fake_programs.calls(self.folder)), before + 1)

    def test_a_run_without_the_trace_that_its_cell_is_for_has_failed(self):
        traced = dataclasses.replace(training("image", "cf"), trace_steps="1:2")
        with mock.patch.dict(os.environ, FAKE_UNTRACED="1"):
            self.assertEqual(self.run_missing([traced]), 1)
        self.assertEqual(self.store.result(traced).error,
                         "error: trace.json was not written; log.txt says why")
        self.assertEqual(self.run_missing([traced], retry_failed=True), 0)
        self.assertTrue(self.store.result(traced).has("trace.json"))

    def test_inference_takes_the_checkpoint_that_was_tested_and_only_that_is_kept(self):
        for method, kept in (("cf", "best_sparse"), ("dense", "best")):
            cell = training("image", method)
            self.run_missing([cell, answering(cell)])
            result = self.store.result(answering(cell))
            self.assertEqual(result.json("run/evaluation.json")["batch_ms"], 12.5)
            weights = [path.stem for path in self.store.result(cell).folder.rglob("*.safetensors")]
            self.assertEqual(weights, [kept])

    def test_programs_of_a_bundle_are_started_by_its_run(self):
        run = self.folder / "run"
        run.write_text(f'#!/bin/sh\nexec "{self.folder}/$@"\n')
        run.chmod(0o755)
        cell = training("image", "cf")
        run_cells.run_missing([cell], self.store, Programs.of_bundle(self.folder),
                              [Machine()], self.said.append)
        self.assertEqual(self.store.result(cell).state, State.DONE)

    def test_a_program_that_is_not_there_fails_its_cells(self):
        cell = training("image", "cf")
        failed = run_cells.run_missing([cell], self.store, Programs.of_bundle("/no/such"),
                                       [Machine()], self.said.append)
        self.assertEqual(failed, 1)
        self.assertEqual(self.store.result(cell).error,
                         "error: /no/such/run: No such file or directory")

    def test_inference_without_its_training_fails(self):
        cell = answering(training("text", "reformer"))
        self.run_missing([cell.trains, cell])
        self.assertIn("its training", self.store.result(cell).error)

    def test_inference_without_its_checkpoint_fails(self):
        """As where cells were brought without it."""
        cell = training("image", "cf")
        self.run_missing([cell])
        for path in self.store.result(cell).folder.rglob("*.safetensors"):
            path.unlink()
        self.run_missing([answering(cell)])
        self.assertIn("the checkpoint of its training", self.store.result(answering(cell)).error)

    def test_several_gpus_train_one_cell_and_one_of_them_measures_it(self):
        machine = Machine(device="cuda", gpu="2,5", gpus_per_cell=2)
        made_on = Origin(MADE_ON.data, "an H200").by(2)
        cell = QUICK.training("image", "cf").on(made_on)
        answer = inference(QUICK.training("image", "cf")).on(made_on)
        run_cells.run_missing([cell, answer], self.store, self.programs, [machine],
                              self.said.append)
        for each, ranks in ((cell, 2), (answer, 0)):
            result = self.store.result(each)
            self.assertEqual((result.state, result.origin), (State.DONE, made_on), result.error)
            self.assertEqual(len(result.json("run/manifest.json").get("ranks", [])), ranks)

    def test_a_cell_is_no_rank_of_what_this_process_is_a_rank_of(self):
        cell = training("image", "cf")
        with mock.patch.dict(os.environ, {"RANK": "1", "WORLD_SIZE": "2"}):
            self.run_missing([cell])
        self.assertNotIn("ranks", self.store.result(cell).json("run/manifest.json"))

    def test_several_machines_run_a_cell_each_and_inference_waits_for_its_training(self):
        gpus = [Machine(gpu=str(number)) for number in range(3)]
        cells = [training("image", name) for name in ("cf", "dense", "sdpa", "c")]
        cells = [cell for each in cells for cell in (each, answering(each))]
        seen, noted = self.folder / "seen", self.folder / "noted"
        noted.write_text(f'#!/bin/sh\necho "begin $CUDA_VISIBLE_DEVICES" >>{seen}\nsleep 0.1\n'
                         f'{self.programs.lra[0]} "$@"\n'
                         f'echo "end $CUDA_VISIBLE_DEVICES" >>{seen}\n')
        noted.chmod(0o755)
        run_cells.run_missing(cells, self.store, Programs((str(noted),), ()), gpus,
                              self.said.append)
        for cell in cells:
            result = self.store.result(cell)
            self.assertEqual(result.state, State.DONE, result.error)
        busy, most = set(), 0
        for line in seen.read_text().splitlines():
            event, gpu = line.split()
            if event == "begin":
                self.assertNotIn(gpu, busy)
                busy.add(gpu)
            else:
                busy.remove(gpu)
            most = max(most, len(busy))
        self.assertEqual(most, 3)

    def test_a_program_that_is_told_to_end_before_it_heeds_signals_has_not_failed(self):
        """By the signal, or as launch_ranks.py passes that on."""
        for end in ("kill -TERM $$", "exit 143"):
            early = self.folder / "early"
            early.write_text(f"#!/bin/sh\n{end}\n")
            early.chmod(0o755)
            self.programs = Programs((str(early),), (str(early),))
            with self.assertRaises(run_cells.Interrupted):
                self.run_missing([training("image", "cf")])
            self.assertEqual(self.store.result(training("image", "cf")).state, State.MISSING)
            self.assertFalse((self.store.folder / "failed").exists())

    def test_a_run_that_is_terminated_leaves_no_half_cell(self):
        slow = self.folder / "slow"
        slow.write_text("#!/bin/sh\ntouch " + str(self.folder) + "/started\nexec sleep 60\n")
        slow.chmod(0o755)
        script = (f"import signal, sys; sys.path[:0] = {sys.path!r}\n"
                  "signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
                  "import run_cells\nfrom programs import Machine, Programs\n"
                  "from run_cells_test import training\nfrom store import Store\n"
                  f"programs = Programs(*[({str(slow)!r},)] * 2)\n"
                  "try:\n"
                  "  run_cells.run_missing([training('image', 'cf')], "
                  f"Store({str(self.store.folder)!r}), programs, [Machine()], print)\n"
                  "except run_cells.Interrupted:\n  sys.exit(130)\n")
        with subprocess.Popen([sys.executable, "-c", script]) as process:
            while not (self.folder / "started").exists() and process.poll() is None:
                pass
            process.terminate()
            self.assertEqual(process.wait(), 130)
        self.assertEqual(list((self.store.folder / "cells").iterdir()), [])
        self.assertFalse((self.store.folder / "failed").exists())


if __name__ == "__main__":
    unittest.main()

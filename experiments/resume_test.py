"""A run that is killed or stopped again and again and resumed ends as one that was left in peace."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from run_times import without_times

PROGRAM = None
KILLS = 6

FLAGS = ["--task=image", "--method=cf", "--preset=quick", "--steps=24", "--batch_size=2",
         "--warmup_steps=2", "--capture_interval=4", "--dense_step_limit=12",
         "--transition_limit_percent=0", "--evaluation_interval=5", "--dev_examples=32",
         "--test_examples=64", "--seed=7", "--device=cpu"]


def lines(path):
    """The JSON of each line, after what MLPerf writes before it."""
    return [without_times(json.loads(line[line.index("{"):]))
            for line in path.read_text().splitlines()]


class RunCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))

    def start(self, run, *flags):
        return subprocess.Popen([PROGRAM, *FLAGS, f"--out_dir={run}", *flags], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def finish(self, run, *flags):
        """(exit code, what was said)"""
        process = self.start(run, *flags)
        out, errors = process.communicate()
        return process.returncode, out + errors

    def stop_at_first_report(self, run, *flags):
        """The process, which a signal has ended, and what it said on stderr."""
        process = self.start(run, *flags)
        self.wait_for_report(process)
        process.send_signal(signal.SIGTERM)
        return process, process.communicate()[1]

    @staticmethod
    def wait_for_report(process):
        for line in process.stdout:
            if line.startswith("step"):
                break

    def undisturbed(self):
        run = self.folder / "undisturbed"
        code, said = self.finish(run)
        self.assertEqual(code, 0, said)
        return run

    def check_same(self, run, undisturbed):
        names = {path.name for path in undisturbed.iterdir()}
        self.assertEqual({path.name for path in run.iterdir()}, names)
        self.assertNotIn("state.safetensors", names)
        for name in sorted(names):
            one, other = run / name, undisturbed / name
            if name.endswith(".safetensors"):
                self.assertEqual(one.read_bytes(), other.read_bytes(), name)
            elif name == "metrics.jsonl":
                self.assertEqual(lines(one), lines(other))
            elif name == "mllog.txt":
                kept = [event for event in lines(one) if event["key"] != "spion_resumed"]
                self.assertEqual(kept, lines(other))
            elif name in ("summary.json", "patterns.json", "attention_maps.json"):
                self.assertEqual(without_times(json.loads(one.read_text())),
                                 without_times(json.loads(other.read_text())), name)


class KilledTest(RunCase):
    def test_killed_at_random_moments(self):
        seed = int(os.environ.get("SPION_TEST_SEED", random.randrange(2**32)))
        print(f"SPION_TEST_SEED={seed}")
        moments = random.Random(seed)
        start = time.monotonic()
        undisturbed = self.undisturbed()
        longest = time.monotonic() - start
        run = self.folder / "killed"
        flags = ["--resume", "--save_interval=1"]
        kills = 0
        while kills < KILLS:
            process = self.start(run, *flags)
            try:
                _, errors = process.communicate(timeout=moments.uniform(0, longest))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                kills += 1
                continue
            self.assertEqual(process.returncode, 0, errors)
            if kills < KILLS:  # it ended: the next one from the start
                self.check_same(run, undisturbed)
                run = self.folder / f"killed_{kills}"
        code, said = self.finish(run, *flags)
        self.assertEqual(code, 0, said)
        self.check_same(run, undisturbed)
        print(f"{kills} kills")


class StoppedTest(RunCase):
    def test_each_signal_saves_and_the_same_command_goes_on(self):
        undisturbed = self.undisturbed()
        run = self.folder / "stopped here"
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2,
                   signal.SIGXCPU)
        for number in numbers:
            process = self.start(run, "--resume")
            self.wait_for_report(process)
            process.send_signal(number)
            if number == signal.SIGXCPU:  # the system repeats it
                time.sleep(0.01)
                process.send_signal(number)
            rest, errors = process.communicate()
            self.assertEqual(process.returncode, 130, errors)
            self.assertIn("stopped at step", rest)
            self.assertIn(f"--resume --out_dir='{run}' goes on", rest)
            self.assertTrue((run / "state.safetensors").exists())
        code, said = self.finish(run, "--resume")
        self.assertEqual(code, 0, said)
        self.assertIn("goes on after step", said)
        self.check_same(run, undisturbed)
        manifest = json.loads((run / "manifest.json").read_text())
        self.assertEqual(len(manifest["resumed"]), len(numbers))
        self.assertEqual(manifest["resumed"], sorted(manifest["resumed"], key=lambda x: x["step"]))

    def test_what_has_ended_is_left_as_it_is(self):
        run = self.undisturbed()
        before = {path.name: path.stat().st_mtime_ns for path in run.iterdir()
                  if path.name != "run.lock"}
        code, said = self.finish(run, "--resume")
        self.assertEqual(code, 0, said)
        self.assertIn("has ended", said)
        self.assertEqual({path.name: path.stat().st_mtime_ns for path in run.iterdir()
                          if path.name != "run.lock"}, before)

    def test_killed_between_its_summary_and_the_removal_of_its_state(self):
        run = self.undisturbed()
        (run / "state.safetensors").write_text("")
        code, said = self.finish(run, "--resume")
        self.assertEqual(code, 0, said)
        self.assertIn("has ended", said)
        self.assertFalse((run / "state.safetensors").exists())

    def test_a_trace_of_steps_that_are_done_is_said_to_be_left_out(self):
        run, trace = self.folder / "run", self.folder / "trace.json"
        self.stop_at_first_report(run, "--save_interval=1")
        code, said = self.finish(run, "--resume", f"--trace={trace}", "--trace_steps=1:30")
        self.assertEqual(code, 0, said)
        self.assertIn(f"note: --trace={trace} is not written: step 1, with which it begins, was "
                      "trained before", said)
        self.assertFalse(trace.exists())

    def test_another_run_is_refused_by_each_difference(self):
        run = self.undisturbed()
        (run / "summary.json").unlink()
        code, said = self.finish(run, "--resume", "--seed=8", "--learning_rate=0.5")
        self.assertEqual(code, 1)
        for text in ("holds another run", "seed 7 there, 8 here",
                     "hyper_parameters.learning_rate 0.001 there, 0.5 here", "--out_dir"):
            self.assertIn(text, said)
        self.assertTrue((run / "last.safetensors").exists())

    def test_a_damaged_state_is_one_error_with_its_ways_out(self):
        run = self.undisturbed()
        (run / "summary.json").unlink()
        state, stopped = run / "state.safetensors", run / "interrupted.safetensors"
        state.write_bytes(b"\x10\0\0\0\0\0\0\0{}")
        anew = (f"error: {state} is not a whole safetensors file: it ends within the header; the "
                "same command without --resume starts the run anew, and keeps what is there")
        self.assertEqual(self.finish(run, "--resume"), (1, f"{anew}\n"))
        (run / "last.safetensors").rename(stopped)
        self.assertEqual(self.finish(run, "--resume"), (
            1, f"{anew}; the model of when it was stopped, {stopped}, may be whole\n"))
        code, said = self.finish(run)
        self.assertEqual(code, 0, said)
        self.assertTrue((run.with_name(f"{run.name}.1") / stopped.name).exists())

    def test_a_log_that_was_changed_is_said_and_the_training_goes_on(self):
        undisturbed = json.loads((self.undisturbed() / "summary.json").read_text())
        both = ["metrics.jsonl", "mllog.txt"]
        for names in (both[:1], both[1:], both):
            run = self.folder / f"changed_{'_'.join(names)}"
            self.stop_at_first_report(run, "--save_interval=1")
            for name in names:
                log = bytearray((run / name).read_bytes())
                log[log.index(b"step")] ^= 1
                (run / name).write_bytes(log)
            code, said = self.finish(run, "--resume")
            self.assertEqual(code, 0, said)
            summary = json.loads((run / "summary.json").read_text())
            log_error = summary.pop("log_error")
            for name in both:
                changed = f"{run / name} was changed after the state was saved"
                self.assertEqual(f"warning: {changed}" in said, name in names)
                self.assertEqual(changed in log_error, name in names)
            self.assertEqual(without_times(summary), without_times(undisturbed))

    def test_stopped_before_its_first_report(self):
        """Then metrics.jsonl is not there yet."""
        run = self.folder / "early"
        flags = ["--steps=600", "--evaluation_interval=600"]
        process = self.start(run, *flags, "--save_interval=1")
        while process.poll() is None and not (run / "state.safetensors").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        process, errors = self.stop_at_first_report(run, *flags, "--resume")
        self.assertEqual(process.returncode, 130, errors)

    def test_what_has_results_but_no_state_is_kept(self):
        run = self.undisturbed()
        (run / "summary.json").unlink()
        code, said = self.finish(run, "--resume")
        self.assertEqual(code, 0, said)
        self.assertIn("has saved no state: it starts anew", said)
        self.assertIn(f"an earlier run is kept as {run}.1", said)
        self.assertTrue((run.with_name(run.name + ".1") / "best_sparse.safetensors").exists())

    def test_an_unfinished_run_is_said_and_kept(self):
        run = self.folder / "a run"
        self.stop_at_first_report(run, "--save_interval=1")
        code, said = self.finish(run)
        self.assertEqual(code, 0, said)
        self.assertIn(f"{run}.1; it is unfinished: --resume --out_dir='{run}.1' goes on", said)


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
    if len(sys.argv) > 1 and sys.argv[1].startswith("--kills="):
        KILLS = int(sys.argv.pop(1).split("=")[1])
    unittest.main()

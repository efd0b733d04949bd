"""A run of several processes on the CPU: who writes and speaks, how it stops, goes on and ends when
one of them is lost."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from run_times import without_times

PROGRAM = None
METHODS = None
# The program itself notices what is lost in 20 s.
LONGEST_END = 60

FLAGS = ["--task=image", "--method=cf", "--preset=quick", "--steps=24", "--batch_size=6",
         "--warmup_steps=2", "--capture_interval=4", "--dense_step_limit=12",
         "--transition_limit_percent=0", "--evaluation_interval=5", "--dev_examples=40",
         "--test_examples=64", "--seed=7", "--device=cpu"]
# It would take minutes.
LONG = ["--steps=2000", "--dense_step_limit=400", "--capture_interval=200",
        "--evaluation_interval=1000"]
LAUNCHERS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_", "TORCHELASTIC_", "OMPI_", "PMI_",
             "MPI_LOCAL", "SLURM_")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def environment(**variables):
    """This process's, told by no launcher, and these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHERS)}
    return {**kept, "OMP_NUM_THREADS": "1", **variables}


class RankCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.started = []

    def tearDown(self):
        for process in self.started:
            process.kill()
            process.communicate()

    def start(self, command, **variables):
        process = subprocess.Popen(command, env=environment(**variables), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.started.append(process)
        return process

    def start_ranks(self, ranks, run, *flags, of_rank=lambda rank: ()):
        """As the user's own launcher would: what torchrun sets."""
        port = str(free_port())
        return [self.start([PROGRAM, *FLAGS, f"--out_dir={run}", *flags, *of_rank(rank)],
                           RANK=str(rank), WORLD_SIZE=str(ranks), LOCAL_RANK=str(rank),
                           MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
                for rank in range(ranks)]

    def end(self, processes):
        """[(exit code, output, errors)] of all, which end in time."""
        return [(process.wait(LONGEST_END), *process.communicate()) for process in processes]

    def finish(self, ranks, run, *flags):
        ends = self.end(self.start_ranks(ranks, run, *flags))
        for code, _, errors in ends:
            self.assertEqual(code, 0, errors)
        return ends

    def wait_for(self, path, processes):
        while not path.exists():
            for process in processes:
                if process.poll() is not None:
                    self.fail(process.communicate()[1])
            time.sleep(0.02)

    def wait_for_line(self, beginning, process):
        for line in process.stdout:
            if line.startswith(beginning):
                return
        self.fail(process.communicate()[1])

    def read(self, run, name):
        return json.loads((run / name).read_text())


class WholeRunTest(RankCase):
    def test_rank_zero_alone_speaks_and_writes(self):
        run, again = self.folder / "two", self.folder / "again"
        ends = self.finish(2, run)
        self.assertIn("2 ranks, each with 3 examples of a batch: ", ends[0][1])
        self.assertIn("test accuracy", ends[0][1])
        self.assertEqual(ends[1][1:], ("", ""))
        manifest, summary = self.read(run, "manifest.json"), self.read(run, "summary.json")
        for told in (manifest, summary):
            self.assertEqual([rank["device"] for rank in told["ranks"]], ["cpu", "cpu"])
            self.assertEqual({rank["host"] for rank in told["ranks"]}, {socket.gethostname()})
            self.assertEqual(told["global_batch_size"], 6)
            self.assertEqual(told["batch_size_of_rank"], 3)
        self.assertGreater(min(rank["all_reduce_ms"] for rank in summary["ranks"]), 0)
        self.assertEqual(summary["all_reduce_ms"], summary["ranks"][0]["all_reduce_ms"])
        self.assertEqual(summary["transition_step"], 12)
        self.assertEqual(summary["test_examples"], 64)
        # The same bits each time.
        self.finish(2, again)
        for name in ("last.safetensors", "best_sparse.safetensors", "best_dense.safetensors"):
            self.assertEqual((run / name).read_bytes(), (again / name).read_bytes(), name)
        self.assertEqual(without_times(self.read(run, "summary.json")),
                         without_times(self.read(again, "summary.json")))

    def test_one_process_is_told_nothing_of_ranks(self):
        run = self.folder / "one"
        self.finish(1, run)
        for name in ("manifest.json", "summary.json"):
            self.assertFalse({"ranks", "global_batch_size", "all_reduce_ms"}
                             & self.read(run, name).keys())


class MethodsTest(RankCase):
    def test_every_method_is_trained_and_tested(self):
        for method in METHODS:
            with self.subTest(method):
                run = self.folder / method
                self.finish(2, run, "--task=text", "--sequence_length=128", "--block_size=32",
                            f"--method={method}", "--steps=2", "--capture_interval=1",
                            "--dense_step_limit=1", "--warmup_steps=1", "--dev_examples=8",
                            "--test_examples=8")
                self.assertEqual(self.read(run, "summary.json")["test_examples"], 8)


class StoppedTest(RankCase):
    def stop(self, run, ranks, rank, *flags):
        """A run whose rank of that number was asked to."""
        processes = self.start_ranks(ranks, run, *flags)
        self.wait_for_line("step", processes[0])
        processes[rank].send_signal(signal.SIGTERM)
        ends = self.end(processes)
        for code, _, errors in ends:
            self.assertEqual(code, 130, errors)
            self.assertEqual(errors, "")
        self.assertEqual(ends[0][1].count("stopped at step"), 1)
        self.assertTrue((run / "state.safetensors").exists())

    def test_any_ranks_signal_saves_once_and_the_same_command_goes_on(self):
        undisturbed, run = self.folder / "undisturbed", self.folder / "stopped"
        self.finish(2, undisturbed)
        for rank in (0, 1):
            self.stop(run, 2, rank, "--resume")
        ends = self.finish(2, run, "--resume")
        self.assertIn("goes on after step", ends[0][1])
        for name in ("last.safetensors", "best_sparse.safetensors"):
            self.assertEqual((run / name).read_bytes(), (undisturbed / name).read_bytes(), name)

    def test_another_number_of_ranks_goes_on(self):
        run = self.folder / "run"
        self.stop(run, 2, 1)
        self.finish(3, run, "--resume")
        manifest, summary = self.read(run, "manifest.json"), self.read(run, "summary.json")
        self.assertEqual(len(manifest["ranks"]), 2)
        self.assertEqual(len(manifest["resumed"][0]["ranks"]), 3)
        self.assertEqual(len(summary["ranks"]), 3)
        ends = self.finish(2, run, "--resume")
        self.assertIn("has ended", ends[0][1])


class LostRankTest(RankCase):
    def test_the_rest_end_and_name_the_one_that_is_lost(self):
        """All at once, as each takes the time that a silent rank is waited for."""
        cases = {"killed": (1, signal.SIGKILL), "hung": (2, signal.SIGSTOP),
                 "first_killed": (0, signal.SIGKILL), "first_hung": (0, signal.SIGSTOP)}
        runs = {}
        for name in cases:
            run = self.folder / name
            runs[name] = self.start_ranks(3, run, *LONG, "--save_interval=1")
            self.wait_for(run / "state.safetensors", runs[name])
        time.sleep(10)  # They tell each other once a second how far they are, on a busy machine later.
        for name, (rank, number) in cases.items():
            runs[name][rank].send_signal(number)
        for name, (rank, number) in cases.items():
            with self.subTest(name):
                rest = [process for other, process in enumerate(runs[name]) if other != rank]
                for code, _, errors in self.end(rest):
                    self.assertEqual(code, 1, errors)
                    lines = [line for line in errors.splitlines() if line.startswith("error: ")]
                    self.assertEqual(len(lines), 1, errors)
                    self.assertIn(f"rank {rank} of 3 on {socket.gethostname()} is lost", lines[0])
                    self.assertRegex(lines[0], r"the last step .* told of is [1-9]")
                    self.assertRegex(lines[0], f"--resume goes on from {self.folder / name}"
                                     r"/state.safetensors of step \d+")
        run = self.folder / "killed"
        processes = self.start_ranks(2, run, *LONG, "--resume", "--save_interval=1")
        self.wait_for_line("goes on after step", processes[0])
        # Whether or not it has told of the state yet.
        processes[0].kill()
        self.assertRegex(self.end(processes)[1][2],
                         f"--resume goes on from (it|{run}/state.safetensors of step)")

    def test_a_write_that_fails_ends_all(self):
        run = self.folder / "run"
        processes = self.start_ranks(2, run, "--evaluation_interval=24")
        self.wait_for(run / "metrics.jsonl", processes)
        (run / "best_sparse.safetensors").mkdir()
        ends = self.end(processes)
        self.assertEqual([end[0] for end in ends], [1, 1])
        # LibTorch may have said before that a connection broke.
        self.assertRegex(ends[0][2], "(?m)^error: .*best_sparse.safetensors")
        self.assertRegex(ends[1][2], "(?m)^error: rank 0 of 2 on .* failed after step 24: "
                         ".*best_sparse.safetensors")


class WaitingTest(RankCase):
    def start_rank(self, rank, port, *flags):
        return self.start([PROGRAM, *FLAGS, f"--out_dir={self.folder / 'run'}", *flags],
                          RANK=str(rank), WORLD_SIZE="3", MASTER_ADDR="127.0.0.1",
                          MASTER_PORT=str(port))

    def test_who_waits_says_for_whom_where_and_how_long(self):
        first, second = free_port(), free_port()
        waiting = [self.start_rank(0, first), self.start_rank(1, second)]
        until = r"until \d\d:\d\d:\d\d\n$"
        self.assertRegex(waiting[0].stderr.readline(),
                         f"^note: rank 0 of 3 on {socket.gethostname()} waits at "
                         f"127.0.0.1:{first} for ranks 1, 2, {until}")
        self.assertRegex(waiting[1].stderr.readline(),
                         f"^note: rank 1 of 3 waits at 127.0.0.1:{second} for rank 0 of 3, {until}")

    def test_what_is_wrong_whoever_comes_is_said_before(self):
        start = time.monotonic()
        alone = self.start_rank(0, free_port(), "--batch_size=4")
        self.assertRegex(alone.stderr.readline(), "^error: --batch_size=4; expected a multiple of 3")
        self.assertLess(time.monotonic() - start, 10)


class RefusedTest(RankCase):
    def errors(self, ends):
        for code, _, _ in ends:
            self.assertEqual(code, 1)
        return [line for end in ends for line in end[2].splitlines() if line.startswith("error:")]

    def test_what_all_refuse_is_said_once(self):
        ends = self.end(self.start_ranks(2, self.folder / "run", "--batch_size=5"))
        self.assertEqual(len(self.errors(ends)), 1, ends)
        self.assertIn("--batch_size=5; expected a multiple of 2", self.errors(ends)[0])
        self.assertFalse((self.folder / "run").exists())

    def test_ranks_that_were_started_for_other_runs(self):
        ends = self.end(self.start_ranks(2, self.folder / "run",
                                         of_rank=lambda rank: [f"--seed={7 + rank}"]))
        self.assertEqual(len(self.errors(ends)), 1, ends)
        self.assertIn("rank 1: seed 7 there, 8 here", self.errors(ends)[0])
        self.assertFalse((self.folder / "run").exists())

    def test_a_rank_that_has_no_part_in_it_is_named_to_all(self):
        """Without a GPU rank 1 fails before it has met the others; with one it is another kind."""
        ends = self.end(self.start_ranks(
            3, self.folder / "run", of_rank=lambda rank: ["--device=cuda"] if rank == 1 else []))
        said = "\n".join(self.errors(ends))
        self.assertRegex(ends[0][2], r"error: .*rank 1 o")
        self.assertRegex(said, r"(rank 1 of 3 on .*: .*GPU|cuda has rank 1 on)")
        self.assertFalse((self.folder / "run").exists())
        ends = self.end(self.start_ranks(
            2, self.folder / "run", of_rank=lambda rank: ["--sead=8"] if rank == 1 else []))
        self.assertRegex(ends[0][2], r"error: .*rank 1 of 2 on .*: unknown argument \"--sead=8\"")
        self.assertRegex(ends[1][2], r"error: .*unknown argument \"--sead=8\"")

    def test_variables_that_do_not_go_together(self):
        command = [PROGRAM, *FLAGS, f"--out_dir={self.folder / 'run'}"]
        for variables, text in (({"RANK": "1"}, "RANK is set in the environment, WORLD_SIZE is not"),
                                ({"RANK": "1", "WORLD_SIZE": "2"}, "no MASTER_ADDR"),
                                ({"RANK": "2", "WORLD_SIZE": "2"}, "does not go with"),
                                ({"RANK": "0", "WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1",
                                  "OMPI_COMM_WORLD_SIZE": "2"}, "contradict")):
            ends = self.end([self.start(command, **variables)])
            self.assertEqual(len(self.errors(ends)), 1, ends)
            self.assertIn(text, self.errors(ends)[0])

    def test_an_evaluation_is_of_one_process(self):
        processes = self.start_ranks(2, self.folder / "run", "--mode=eval", "--checkpoint=x")
        self.assertIn("only --mode=train runs in several processes",
                      self.errors(self.end(processes))[0])


if __name__ == "__main__":
    PROGRAM, METHODS = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2:]
    del sys.argv[1:]
    unittest.main()

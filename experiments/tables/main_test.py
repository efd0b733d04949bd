"""The command as a user gives it, with stand-ins for the programs, in a bundle."""

import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import choice
import command_line
import fake_programs
import main

ONE_CELL = ("--table=accuracy", "--preset=quick", "--tasks=image", "--methods=cf", "--seeds=1001")
GENERATED = "generated data, 8 train, 4 dev, 2 test, on cpu"
REAL = "data of sha256 abababababab, on cpu"


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.results = self.folder / "results"
        fake_programs.write(self.folder)
        self.write_program("run", f'exec "{self.folder}/$@"')

    def write_program(self, name, script):
        path = self.folder / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def flags(self, *flags):
        return [*ONE_CELL, f"--results_dir={self.results}", f"--bundle={self.folder}", *flags]

    def call(self, *flags):
        """(exit code, what was said)"""
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            code = main.main(self.flags(*flags))
        return code, out.getvalue() + errors.getvalue()

    def page(self):
        return (self.results / "quick/accuracy.md").read_text()

    def cells(self):
        return sorted(path for path in (self.results / "quick/cells").iterdir())


class SlipTest(CommandTest):
    def refuses(self, *flags):
        """What is said."""
        errors = io.StringIO()
        with self.assertRaises(SystemExit) as caught, contextlib.redirect_stderr(errors):
            main.main(self.flags(*flags))
        self.assertEqual(caught.exception.code, 2)
        return errors.getvalue()

    def test_a_slip_is_told_what_it_may_have_meant(self):
        for slip, meant in (("--table=acuracy", "accuracy"), ("--methods=skyfomer", "skyformer"),
                            ("--tasks=imgae", "image"), ("--preset=papper", "paper"),
                            ("--estimate_onyl", "--estimate_only")):
            self.assertIn(f'did you mean "{meant}"?', self.refuses(slip))

    def test_what_it_does_not_know_is_refused(self):
        for flags, said in ((["--tasks=imagenet"], "imagenet"), (["--methods=cf,best"], "best"),
                            (["--shard_index=2", "--shard_count=2"], "--shard_index=2"),
                            *(([f"--seeds={seeds}"], "whole numbers")
                              for seeds in ("x", "", "7,", "-7", "7-", "9-7", "7-8-9", "1-10001", str(2**64))),
                            (["--seeds=7,8,7"], "seed twice"), (["--seeds=7,5-8"], "seed twice"),
                            (["--generated=listops"], "--data_dir"),
                            (["--shard_count=0"], "--shard_count=0 must be at least 1"),
                            *(([f"--{name}="], f'error: --{name}=""; expected a path')
                              for name in ("data_dir", "results_dir", "bundle")),
                            (["--table=settling", "--tasks=text", "--methods=sdpa"],
                             "--table=settling has nothing of --tasks=text and --methods=sdpa"),
                            (["--preset=large_batch", "--data_dir=/data", "--generated=listops"],
                             "has no task listops")):
            self.assertIn(said, self.refuses(*flags))

    def test_a_program_is_of_its_targets_table(self):
        for target, table in (("accuracy", "accuracy"), ("all_tables", "all"), ("main_test", "all")):
            with mock.patch.object(main, "__file__", f"/out/{target}.runfiles/spion/main.py"):
                self.assertEqual(main.parse_arguments([]).table, table)
                self.assertEqual(main.parse_arguments(["--table=memory"]).table, "memory")

    def test_seeds_are_numbers_and_ranges(self):
        parser = command_line.Parser()
        choice.add_flags(parser, table_help="")
        self.assertEqual(parser.parse_args(["--seeds=1001,1006-1008,7-7"]).seeds,
                         (1001, 1006, 1007, 1008, 7))

    def test_a_variant_that_no_cell_of_the_call_is_of_is_refused(self):
        self.assertIn('"exclude"; did you mean "excluded"? these cells have continued, excluded, ',
                      self.refuses("--table=ablation", "--tasks=text", "--methods=cf",
                                   "--variants=shared,exclude"))
        self.assertIn('"excluded"; these cells have no variants',
                      self.refuses("--table=accuracy", "--variants=excluded"))

    def test_what_runs_something_does_not_go_with_a_report_alone(self):
        for flag in ("--cells_only", "--estimate_only", "--variants=excluded"):
            self.assertIn(f"{flag.partition('=')[0]} does not go with it",
                          self.refuses("--report_only", flag, "--table=ablation"))

    def test_a_report_on_a_folder_that_is_not_there_is_refused(self):
        """Else it would be one of other results, and look right."""
        self.assertIn(f"error: --results_dir={self.results}: there is no folder",
                      self.refuses("--report_only"))
        self.assertFalse(self.results.exists())

    def test_a_folder_that_is_no_bundle_is_refused(self):
        self.assertIn("error: --bundle=/nope: /nope is no bundle: ", self.refuses("--bundle=/nope"))


class UnusableFolderTest(CommandTest):
    def test_where_nothing_can_be_kept_no_way_on_is_told(self):
        self.results.write_text("a file")
        code, said = self.call()
        self.assertEqual(code, 1)
        self.assertRegex(said, rf"\nerror: {self.results}/quick/\S*: Not a directory\n$")

    def test_where_results_can_be_kept_the_same_command_goes_on(self):
        self.call()
        (self.results / "quick/accuracy.md").unlink()
        (self.results / "quick/accuracy.md").mkdir()
        code, said = self.call()
        self.assertEqual(code, 1)
        self.assertRegex(said, r"\nerror: \S+accuracy.md\S*: Is a directory; the same command goes on ")


class WithoutBazelTest(CommandTest):
    def test_the_source_starts_by_itself(self):
        """In a Python that knows nothing of Bazel's ways to modules."""
        result = subprocess.run(
            [sys.executable, "-E", main.__file__, *self.flags("--cells_only")], check=False,
            capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(len(self.cells()), 1)

    def test_output_that_nobody_takes_ends_nothing(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([sys.executable, "-E", main.__file__,
                                     *self.flags("--cells_only")], check=False, stdout=full,
                                    stderr=subprocess.PIPE)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(len(self.cells()), 1)


class EstimateTest(CommandTest):
    def test_estimates_without_running(self):
        code, said = self.call("--table=all", "--preset=paper", "--methods=cf,sdpa",
                               "--estimate_only")
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"\n\d+ cells: 0 there, \d+ to run, about .* by estimate of a GPU; on "
                         r"this CPU it will be many times that\n$")
        self.assertEqual(fake_programs.calls(self.folder), [])
        self.assertFalse(self.results.exists())


class PresetTest(CommandTest):
    def test_large_batch_is_image_with_the_settings_of_the_public_logs(self):
        self.assertEqual(main.main([f"--results_dir={self.results}", f"--bundle={self.folder}",
                                    "--table=accuracy", "--preset=large_batch", "--methods=sdpa",
                                    "--cells_only"]), 0)
        trainings = [call for call in fake_programs.calls(self.folder) if "--seed" in str(call)]
        self.assertEqual(len(trainings), 5)
        for seed, call in zip(range(1001, 1006), trainings):
            for flag in ("--task=image", "--method=sdpa", f"--seed={seed}", "--preset=paper",
                         "--batch_size=512", "--learning_rate=0.002"):
                self.assertIn(flag, call)


class OriginTest(CommandTest):
    def test_cells_on_generated_data_are_not_taken_for_those_of_real_data(self):
        self.call()
        self.assertIn("drawn: 8 train", self.page())
        code, _ = self.call("--data_dir=/data")
        self.assertEqual(code, 0)
        self.assertEqual(len(fake_programs.calls(self.folder)), 2)
        self.assertIn("image: files, sha256 abababababab", self.page())
        self.assertNotIn("drawn", self.page())
        self.assertIn(f"Not shown, though there: 1 cell made on {GENERATED}.", self.page())
        self.call()
        self.assertEqual(len(fake_programs.calls(self.folder)), 2)
        self.assertIn("drawn: 8 train", self.page())
        self.assertIn(f"Not shown, though there: 1 cell made on {REAL}.", self.page())

    def test_cells_of_a_cpu_are_not_taken_for_those_of_a_gpu(self):
        self.call("--device=cpu")
        self.call("--device=cuda")
        self.assertEqual(len(fake_programs.calls(self.folder)), 2)
        self.assertIn("- device: an H200\n", self.page())

    def test_pages_are_made_where_there_is_neither_data_nor_a_program(self):
        self.call()
        nowhere = "--bundle=/no/such/bundle"
        self.assertEqual(self.call("--report_only", nowhere)[0], 0)
        self.assertIn("drawn: 8 train", self.page())
        self.call("--data_dir=/data")
        code, said = self.call("--report_only", nowhere)
        self.assertEqual(code, 0)
        self.assertIn("image: files", self.page())
        self.assertIn(f"Not shown, though there: 1 cell made on {GENERATED}.", said)

    def test_machines_that_share_the_work_are_all_shown_and_said(self):
        for index, device in enumerate(("cpu", "cuda")):
            self.call("--cells_only", f"--device={device}", "--seeds=1001,1002",
                      f"--shard_index={index}", "--shard_count=2")
        said = ("MIXED devices: a machine (1 cell); an H200 (1 cell): their times and memory do "
                "not compare.")
        code, told = self.call("--report_only", "--seeds=1001,1002")
        self.assertEqual(code, 0)
        self.assertIn(said, told)
        self.assertIn(said, self.page())
        self.assertIn(f'<p class="warning">{said}</p>',
                      (self.results / "quick/accuracy.html").read_text())
        self.assertIn("2 done", self.page())
        self.call("--report_only", "--seeds=1001,1002", "--device=cuda")
        self.assertIn("1 done, 1 not run", self.page())

    def test_generated_data_of_some_tasks_is_shown_beside_the_files_of_others(self):
        real, tasks = ("--data_dir=/data", "--generated=listops"), "--tasks=image,listops"
        self.call(tasks, *real)
        self.assertIn("2 done", self.page())
        for flags, count in ((real, "2 done"), (real[:1], "1 done, 1 not run")):
            self.call("--report_only", tasks, *flags)
            self.assertIn(count, self.page())

    def test_a_program_that_cannot_tell_ends_the_call_before_anything_runs(self):
        self.write_program("lra", "echo 'error: /data has no image' >&2; exit 1")
        code, said = self.call("--data_dir=/data")
        self.assertEqual(code, 1)
        self.assertIn("error: /data has no image", said)
        self.assertFalse(self.results.exists())


class DamagedTest(CommandTest):
    def test_a_cut_cell_is_said_and_shown_as_not_run_and_run_again(self):
        self.call()
        path = self.cells()[0] / "cell.json"
        path.write_bytes(path.read_bytes()[:100])
        code, said = self.call("--report_only")
        self.assertEqual(code, 0)
        self.assertEqual(said.count("it counts as not run"), 1, said)
        self.assertIn("cell.json is damaged", said)
        self.assertIn("Counts as not run, for it cannot be read: cells/image-cf", self.page())
        code, said = self.call()
        self.assertEqual(code, 0)
        self.assertEqual(said.count("it counts as not run"), 1, said)
        self.assertEqual(len(fake_programs.calls(self.folder)), 2)
        self.assertIn("- cells: 1 done\n", self.page())
        self.assertNotIn("cannot be read", self.page())

    def test_a_killed_call_leaves_no_experiment_running_and_no_half_cell(self):
        for name in ("alive", "ask"):
            os.mkfifo(self.folder / name)
        self.write_program("run", f'[[ "$*" == *manifest* ]] && exec "{self.folder}/$@"\n'
                           f"cd {self.folder}; exec 3>alive; echo started >&3\n"
                           'read question <ask; echo "still there" >&3')
        with subprocess.Popen([sys.executable, main.__file__, *self.flags("--cells_only")],
                              stdout=subprocess.DEVNULL) as call:
            with (self.folder / "alive").open() as alive:
                self.assertEqual(alive.readline(), "started\n")
                call.send_signal(signal.SIGKILL)
                call.wait()
                # Open for reading too: it opens whether or not the experiment is there.
                ask = os.open(self.folder / "ask", os.O_RDWR)
                os.write(ask, b"?\n")
                self.assertEqual(alive.read(), "")
                os.close(ask)
        self.assertEqual(len(self.cells()), 2)  # the folder and its lock
        self.write_program("run", f'exec "{self.folder}/$@"')
        self.assertEqual(self.call()[0], 0)
        self.assertEqual(len(self.cells()), 1)


class BundleTest(CommandTest):
    def test_cells_need_the_standard_library_alone(self):
        """As on a GPU machine; pages are made elsewhere, of the folder that is brought there."""
        result = subprocess.run(
            [sys.executable, "-S", "-E", main.__file__,
             *self.flags("--cells_only", "--table=all", "--data_dir=/data", "--device=cuda")],
            capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        for folder in self.cells():
            told = json.loads((folder / "cell.json").read_text())
            self.assertEqual(told["origin"]["device"], "an H200")
            self.assertEqual(told["id"], folder.name)
        code, _ = self.call("--report_only", "--table=all")
        self.assertEqual(code, 0)
        self.assertIn("image: files, sha256 abababababab", self.page())

    def test_pages_without_what_draws_their_charts(self):
        result = subprocess.run([sys.executable, "-S", "-E", main.__file__, *self.flags()],
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^error: .* no package matplotlib, .*--report_only .*\n$")
        self.assertEqual(len(self.cells()), 1)


del CommandTest  # what the others share, no test of its own

if __name__ == "__main__":
    unittest.main()

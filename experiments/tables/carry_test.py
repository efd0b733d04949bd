"""`run cells` as a user gives it, with stand-ins for the programs, in a bundle."""

import contextlib
import errno
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
from unittest import mock

import carry
import fake_programs
from result import CELL_FILE
from store import Store

ONE_CELL = ("--table=accuracy", "--tasks=image", "--methods=cf", "--seeds=1001")
ALL_STEPS = list(range(1, fake_programs.STEPS + 1))
PACE = 0.1
LIST_GPUS = "#!/bin/sh\nfor i in 0 1 2; do echo \"GPU $i: an H200\"; done\n"


class CarryTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.bundle = self.folder / "bundle"
        self.bundle.mkdir()
        fake_programs.write(self.bundle)
        (self.bundle / "run").write_text(f'#!/bin/bash\nexec "{self.bundle}/$@"\n')
        (self.bundle / "run").chmod(0o755)
        self.machine = self.folder / "machine"
        self.next_machine("machine")
        variables = mock.patch.dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}")
        variables.start()
        self.addCleanup(variables.stop)
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)

    def next_machine(self, name, *files):
        """Another folder, to which these are brought."""
        self.machine, here = self.folder / name, self.machine
        self.machine.mkdir(exist_ok=True)
        for file in files:
            shutil.copy(here / file, self.machine)

    def flags(self, *flags):
        return [f"--bundle={self.bundle}", f"--results_dir={self.machine}/results",
                f"--out={self.machine}/cells.tar.xz", *ONE_CELL, *flags]

    def call(self, *flags):
        """(exit code, what was said); an error is one line, and the usage no other"""
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            try:
                code = carry.main(self.flags(*flags))
            except SystemExit as ended:
                code = ended.code
        if errors.getvalue():
            self.assertEqual(errors.getvalue().count("\n"), 1, errors.getvalue())
            self.assertEqual(errors.getvalue()[:7], "error: ")
        return code, out.getvalue() + errors.getvalue()

    def start(self, *flags):
        process = subprocess.Popen(
            [sys.executable, "-S", "-E", carry.__file__, *self.flags(*flags)], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "FAKE_PACE": str(PACE)})
        self.addCleanup(process.wait)
        return process

    def given(self):
        return f"--in={self.machine}/cells.tar.xz"

    def steps(self, seed=1001):
        return fake_programs.steps(self.bundle, "cf", seed)

    def packed(self, name="cells.tar.xz"):
        with tarfile.open(self.machine / name) as archive:
            return archive.getnames()

    def cells(self):
        return [path.parent for path in (self.machine / "results").rglob(CELL_FILE)]


class CarriedTest(CarryTest):
    def test_a_stopped_cell_goes_on_on_another_machine_with_its_data_elsewhere(self):
        process = self.start("--data_dir=/here")
        while 3 not in self.steps():
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        said = process.communicate()[0]
        self.assertEqual(process.returncode, 130, said)
        self.assertIn("the next machine goes on with --in=cells.tar.xz", said)
        self.assertIn("run/state.safetensors", "".join(self.packed()))
        self.next_machine("next", "cells.tar.xz")
        with mock.patch.dict(os.environ, FAKE_PACE=str(PACE)):
            code, said = self.call("--data_dir=/there", self.given())
        self.assertEqual(code, 0, said)
        self.assertIn("cells unpacked: 1\n", said)
        self.assertIn("1 to run (1 begun)", said)
        self.assertIn("all cells are there", said)
        self.assertEqual(self.steps(), ALL_STEPS)
        [cell] = self.cells()
        self.assertEqual(len(json.loads((cell / CELL_FILE).read_text())["parts"]), 2)
        self.assertNotIn("unfinished", "".join(self.packed()))
        self.next_machine("last", "cells.tar.xz")
        code, said = self.call("--data_dir=/elsewhere", self.given())
        self.assertEqual(code, 0)
        self.assertIn("1 there, 0 to run", said)

    def test_another_kind_of_device_does_not_take_it(self):
        process = self.start()
        while 3 not in self.steps():
            time.sleep(0.01)
        process.send_signal(signal.SIGUSR1)
        process.communicate()
        self.next_machine("next", "cells.tar.xz")
        code, said = self.call("--device=cuda", self.given())
        self.assertEqual(code, 0, said)
        self.assertNotIn("begun", said)
        self.assertIn("unfinished/", "".join(self.packed()))

    def test_inference_finds_its_model_on_another_machine(self):
        self.assertEqual(self.call()[0], 0)
        self.assertIn("best_sparse.safetensors", "".join(self.packed()))
        self.next_machine("next", "cells.tar.xz")
        code, said = self.call("--table=inference", self.given())
        self.assertEqual(code, 0, said)
        self.assertEqual(len(self.cells()), 2)
        self.assertEqual(len(fake_programs.calls(self.bundle)), 2)
        self.assertNotIn("safetensors", "".join(self.packed()))

    def test_a_failed_cell_is_told_and_carried(self):
        code, said = self.call("--tasks=text", "--methods=reformer")
        self.assertEqual(code, 1)
        self.assertIn("--retry_failed runs those again", said)
        self.assertIn("/failed/", "".join(self.packed()))

    def test_parts_of_limited_size(self):
        code, said = self.call("--seeds=1001,1002,1003")
        self.assertEqual(code, 0, said)
        whole = (self.machine / "cells.tar.xz").stat().st_size
        limit = 0.8 * whole / (1 << 20)
        code, said = self.call("--seeds=1001,1002,1003", self.given(), f"--part_mib={limit}")
        paths = sorted(self.machine.glob("*.tar.xz"))
        self.assertEqual([path.name for path in paths], ["cells.2.tar.xz", "cells.tar.xz"])
        for path in paths:
            self.assertLess(path.stat().st_size, 0.8 * whole)
        self.assertNotIn("is not divided", said)
        code, said = self.call("--part_mib=0.0001", f"--out={self.machine}/small.tar.xz")
        self.assertIn("a cell is not divided", said)

    def test_a_folder_of_archives_is_read_whole_and_replaced(self):
        code, said = self.call("--seeds=1001,1002,1003", "--part_mib=0.0001")
        self.assertEqual(len(list(self.machine.glob("*.tar.xz"))), 3)
        here = self.machine
        self.next_machine("next", "cells.tar.xz", "cells.2.tar.xz", "cells.3.tar.xz")
        code, said = self.call("--seeds=1001,1002,1003", f"--in={self.machine}")
        self.assertEqual(code, 0, said)
        self.assertIn("3 there, 0 to run", said)
        self.assertEqual([path.name for path in self.machine.glob("*.tar.xz")], ["cells.tar.xz"])
        self.assertEqual(len(list(here.glob("*.tar.xz"))), 3)


class TimeTest(CarryTest):
    def check_in_time(self, seconds, *flags, pace, **variables):
        """Returns what was said."""
        start = time.monotonic()
        # What packing takes is not measured: this machine may be busy with other tests.
        with mock.patch("pack.seconds_per_byte", return_value=0.0), \
                mock.patch.dict(os.environ, FAKE_PACE=str(pace), **variables):
            code, said = self.call(f"--minutes={seconds / 60}", *flags)
        self.assertLess(time.monotonic() - start, seconds, said)
        self.assertEqual(code, 3, said)
        self.assertIn("the time is over and cells are left", said)
        return said

    def test_all_is_packed_before_the_time_is_over(self):
        self.check_in_time(10, pace=1)
        self.assertGreaterEqual(len(self.steps()), 2)
        self.assertIn("state.safetensors", "".join(self.packed()))
        self.next_machine("next", "cells.tar.xz")
        with mock.patch.dict(os.environ, FAKE_PACE="0.01"):
            self.assertEqual(self.call(self.given())[0], 0)
        self.assertEqual(self.steps(), ALL_STEPS)

    def test_what_does_not_stop_is_killed_and_its_last_state_packed(self):
        self.check_in_time(10, pace=1, FAKE_DEAF="1")
        self.assertIn("state.safetensors", "".join(self.packed()))
        [state] = (self.machine / "results").rglob("state.safetensors")
        self.assertEqual(json.loads(state.read_text())["step"], self.steps()[-1])

    def test_what_is_to_be_packed_counts(self):
        start = time.monotonic()
        with mock.patch("pack.seconds_per_byte", return_value=60 / (8 << 20)), \
                mock.patch("time_limit._LOOK_SECONDS", 0.0), \
                mock.patch.dict(os.environ, FAKE_PACE="1"):
            code, said = self.call("--minutes=1.5")
        self.assertEqual(code, 3, said)
        self.assertLess(time.monotonic() - start, 30)

    def test_what_happened_before_the_program_began_counts(self):
        said = self.check_in_time(60, "--seconds_before=58", pace=1)
        self.assertEqual(self.steps(), [], said)
        self.assertEqual(self.packed(), [])


class GpusTest(CarryTest):
    def test_each_gpu_runs_a_cell_at_a_time(self):
        (self.folder / "nvidia-smi").write_text(LIST_GPUS)
        (self.folder / "nvidia-smi").chmod(0o755)
        (self.bundle / "run").write_text(
            f'#!/bin/bash\necho "$CUDA_VISIBLE_DEVICES $*" >>{self.folder}/seen\n'
            f'exec "{self.bundle}/$@"\n')
        with mock.patch.dict(os.environ, FAKE_PACE="0.02"):
            code, said = self.call("--seeds=1,2,3,4,5,6")
        self.assertEqual(code, 0, said)
        seen = [line for line in (self.folder / "seen").read_text().splitlines()
                if "--mode=manifest" not in line]
        self.assertEqual({line.split()[0] for line in seen}, {"0", "1", "2"})
        self.assertEqual(len(seen), 6)
        self.assertTrue(all("--device=cuda" in line for line in seen))

    def test_without_a_gpu_the_cpu(self):
        code, said = self.call()
        self.assertEqual(code, 0)
        self.assertIn("this machine has no GPU", said)
        self.assertIn("--device=cpu", fake_programs.calls(self.bundle)[0])

    def test_gpus_of_which_nothing_is_known_are_not_the_cpu(self):
        (self.folder / "nvidia-smi").write_text("#!/bin/sh\necho mismatch\nexit 18\n")
        (self.folder / "nvidia-smi").chmod(0o755)
        code, said = self.call()
        self.assertEqual(code, 1)
        self.assertIn("error: nvidia-smi --list-gpus fails (mismatch)", said)
        self.assertFalse((self.bundle / "calls.txt").exists())
        self.assertEqual(self.call("--device=cpu")[0], 0)


class ErrorTest(CarryTest):
    def test_after_an_error_of_one_cell_what_there_is_is_packed(self):
        """Of two that run side by side, one is over and cannot be kept."""
        real_keep = Store._keep

        def keep(store, cell, work):
            if cell.seed == 1001:
                raise OSError(errno.EIO, "the disk is ill")
            real_keep(store, cell, work)
        with mock.patch.dict(os.environ, FAKE_PACE="0.05"), \
                mock.patch("gpus.names", return_value=["0", "1"]), \
                mock.patch.object(Store, "_keep", keep):
            code, said = self.call("--seeds=1001,1002")
        self.assertEqual(code, 1)
        self.assertIn("cells packed: 2,", said)
        self.assertIn("after an error cells are left; the next machine goes on with --in=", said)
        self.assertIn("error: the disk is ill", said)
        self.next_machine("next", "cells.tar.xz")
        with mock.patch("gpus.names", return_value=["0"]):
            code, said = self.call("--seeds=1001,1002", self.given())
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"([12]) to run \(\1 begun\)")  # the other one may have ended too
        self.assertEqual(self.steps(), ALL_STEPS)

    def test_any_other_error_too(self):
        with mock.patch.object(Store, "_keep", side_effect=ZeroDivisionError), \
                mock.patch.dict(os.environ, FAKE_PACE="0.01"), \
                self.assertRaises(ZeroDivisionError):
            self.call()
        self.assertIn("unfinished/", "".join(self.packed()))

    def test_a_cell_that_cannot_be_read_is_said_and_left_out(self):
        self.assertEqual(self.call("--seeds=1001,1002")[0], 0)
        [path] = (self.machine / "results").glob("*/cells/*seed1001*/run/patterns.json")
        path.unlink()
        path.symlink_to("patterns.json")  # which the system refuses to follow
        (path.parent / "attention_maps.json").unlink()
        code, said = self.call("--seeds=1002", f"--out={self.machine}/others.tar.xz")
        self.assertEqual(code, 1)
        self.assertIn(f"warning: {path.parents[1]} is not packed: {path}: Too many levels", said)
        self.assertIn("cells packed: 1,", said)
        self.assertIn("seed1002", "".join(self.packed("others.tar.xz")))

    def test_parts_of_an_earlier_call_stay_where_a_cell_cannot_be_read(self):
        seeds = "--seeds=1001,1002,1003"
        self.assertEqual(self.call(seeds, "--part_mib=0.0001")[0], 0)
        [path] = (self.machine / "results").glob("*/cells/*seed1001*/run/patterns.json")
        path.unlink()
        path.symlink_to("patterns.json")
        code, said = self.call(seeds, f"--in={self.machine}")
        self.assertEqual(code, 1)
        self.assertIn("is not packed", said)
        self.assertEqual(sorted(path.name for path in self.machine.glob("*.tar.xz")),
                         ["cells.2.tar.xz", "cells.3.tar.xz", "cells.tar.xz"])

    def test_output_that_nobody_takes_ends_nothing(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([sys.executable, carry.__file__, *self.flags()], check=False,
                                    stdout=full, stderr=subprocess.PIPE)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertIn("summary.json", "".join(self.packed()))


class RefusedTest(CarryTest):
    def check_refused(self, expected, *flags, code=1):
        found, said = self.call(*flags)
        self.assertEqual((found, said.count("\n")), (code, 1), said)
        self.assertIn(expected, said)
        self.assertEqual(fake_programs.calls(self.bundle), [])

    def test_no_bundle(self):
        self.check_refused("is no bundle", f"--bundle={self.folder}")

    def test_what_is_not_there_or_no_archive(self):
        self.check_refused("is not there", "--in=/no/such.tar.xz")
        self.check_refused("is a folder without any .tar.xz", f"--in={self.machine}")
        self.check_refused("there is no folder", "--out=/no/such/cells.tar.xz")
        self.check_refused("--out=/proc/cells.tar.xz cannot be written: No such file",
                           "--out=/proc/cells.tar.xz")
        (self.machine / "cells.tar.xz").write_text("text")
        self.check_refused("is damaged, or no .tar.xz", self.given())

    def test_flags(self):
        self.check_refused('did you mean "--minutes"?', "--minuets=3", code=2)
        self.check_refused("expected a number above 0", "--minutes=0", code=2)
        self.check_refused("must end in .tar.xz", "--out=cells.zip", code=2)
        self.check_refused("--shard_index=2 must lie", "--shard_index=2", code=2)
        self.check_refused('--variants: "excluded"; these cells have', "--variants=excluded", code=2)

    def test_gpus_that_do_not_come_out_even(self):
        with mock.patch("gpus.names", return_value=["0", "1", "2"]):
            self.check_refused("--gpus_per_cell=2 does not divide the 3 GPUs", "--gpus_per_cell=2")

    def test_an_archive_of_another_preset(self):
        self.call()
        calls = len(fake_programs.calls(self.bundle))
        code, said = self.call("--preset=paper", self.given())
        self.assertEqual(code, 1)
        self.assertIn("has cells of 'quick', not of --preset=paper", said)
        self.assertEqual(len(fake_programs.calls(self.bundle)), calls)

    def test_archives_that_were_not_read_are_not_replaced(self):
        for name in ("cells.tar.xz", "cells.2.tar.xz"):
            path = self.machine / name
            path.write_text("somebody's")
            self.check_refused("would be replaced: give it to --in too")
            self.assertEqual(path.read_text(), "somebody's")
            path.unlink()


del CarryTest  # what the others share, no test of its own

if __name__ == "__main__":
    unittest.main()

"""Runs where a disk is too small, read-only or a mount point, and two in one folder.

Disks are mounted in namespaces of the test's own (unshare); where the system allows none, these
tests are skipped.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

from run_times import without_times

PROGRAM = None

FLAGS = ["--task=text", "--method=cf", "--preset=quick", "--sequence_length=64", "--block_size=16",
         "--steps=20", "--batch_size=1", "--warmup_steps=2", "--capture_interval=4",
         "--dense_step_limit=8", "--transition_limit_percent=0", "--evaluation_interval=5",
         "--dev_examples=8", "--test_examples=16", "--seed=7", "--device=cpu", "--save_interval=4"]
UNSHARE = ["unshare", "--map-root-user", "--mount"]
CAN_MOUNT = subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
                           stderr=subprocess.DEVNULL).returncode == 0


class RunCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))

    def line(self, run, *flags):
        return [PROGRAM, *FLAGS, f"--out_dir={run}", *flags]

    def finish(self, run, *flags):
        """(exit code, what was said)"""
        result = subprocess.run(self.line(run, *flags), stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        return result.returncode, result.stdout

    def error(self, said):
        """The only one."""
        [error] = [line for line in said.splitlines() if line.startswith("error:")]
        return error


@unittest.skipUnless(CAN_MOUNT, "unshare may not mount here")
class MountedTest(RunCase):
    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()

    def on_disk(self, options, script):
        """What a shell script says that is run where `disk` is a tmpfs with these options; `run`
        makes a run in it, and says its exit code."""
        command = " ".join(f"'{part}'" for part in self.line(self.disk / "run"))
        result = subprocess.run(
            [*UNSHARE, "sh", "-c", f"mount -t tmpfs -o {options} none '{self.disk}' || exit\n"
             f"run() {{ {command} \"$@\" 2>&1; echo \"exit code $?\"; }}\n{script}"],
            stdout=subprocess.PIPE, text=True, check=True)
        return result.stdout

    def test_a_disk_that_is_too_small(self):
        """Before anything is written."""
        said = self.on_disk("size=8m", f"run; echo left: $(ls '{self.disk}')")
        self.assertIn("exit code 1", said)
        self.assertRegex(self.error(said),
                         r"disk has 8 MiB free, .* may need \d+ MiB there; make room")
        self.assertTrue(said.endswith("left:\n"), said)

    def test_a_disk_that_is_full_all_at_once(self):
        """For its files, as their bytes were seen to fit: whichever is the first without a place,
        none is cut, and on a larger disk the run goes on to the same end."""
        undisturbed = self.folder / "undisturbed"
        self.assertEqual(self.finish(undisturbed)[0], 0)
        models = {path.name: path.read_bytes() for path in undisturbed.glob("*.safetensors")}
        summary = without_times(json.loads((undisturbed / "summary.json").read_text()))
        codes = set()
        for files in (1, 2, 3, 4, 6, 8, 10, 12, 20):  # the disk's own folder is one
            run = self.folder / f"of_{files}"
            said = self.on_disk(f"size=64m,nr_inodes={files}",
                                f"run; echo left: $(ls -A '{self.disk}/run' 2>&1)\n"
                                f"mount -o remount,nr_inodes=1000 '{self.disk}'\n"
                                f"run --resume; cp -r '{self.disk}/run' '{run}'")
            first, again = said.split("exit code ")[:2], said.rpartition("exit code ")[2]
            codes.add(first[1][0])
            if first[1][0] != "0":
                self.assertIn("No space left on device", self.error(first[0]), files)
                self.assertIn(str(self.disk / "run"), self.error(first[0]), files)
            self.assertEqual(again.strip(), "0", f"{files}: {said}")
            self.assertNotRegex(said, "left: .*partial", files)
            for name, content in models.items():
                self.assertEqual((run / name).read_bytes(), content, f"{files}: {name}")
            found = without_times(json.loads((run / "summary.json").read_text()))
            found.pop("log_error", None)
            self.assertEqual(found, summary, files)
        self.assertEqual(codes, {"0", "1"})

    def test_a_disk_that_is_too_small_for_a_trace(self):
        run = self.folder / "run"
        said = self.on_disk("size=64k", f"run --out_dir='{run}' --trace='{self.disk}/traces/t.json' "
                            f"--trace_steps=2:3; echo left: $(ls -A '{self.disk}/traces')")
        self.assertIn("exit code 0", said)
        [warning] = [line for line in said.splitlines() if line.startswith("warning:")]
        self.assertIn(f"did not write {self.disk}/traces/t.json", warning)
        self.assertIn("training goes on, without the trace", warning)
        self.assertTrue(said.endswith("left:\n"), said)
        self.assertTrue((run / "summary.json").exists())

    def test_a_disk_that_is_read_only(self):
        said = self.on_disk("ro", "run")
        self.assertIn("exit code 1", said)
        self.assertIn("Read-only file system", self.error(said))
        self.assertIn(str(self.disk), self.error(said))

    def test_a_mount_point(self):
        """An earlier run in it cannot be moved aside."""
        point = self.disk / "run"
        said = self.on_disk("size=64m", f"""
mkdir '{point}'; mount -t tmpfs -o size=64m none '{point}'; mkdir '{point}/lost+found'
run; run; run --resume""")
        first, second, third, _ = said.split("exit code ")
        self.assertIn("test accuracy", first)
        self.assertEqual((second[0], third[0], said.strip()[-1]), ("0", "1", "0"))
        self.assertIn("cannot be renamed", self.error(second))
        self.assertIn("has ended", third)


class TwoRunsTest(RunCase):
    def test_the_second_is_refused_and_the_first_goes_on(self):
        run = self.folder / "run"
        first = subprocess.Popen(self.line(run, "--steps=4000"), stdout=subprocess.PIPE, text=True)
        self.addCleanup(first.kill)
        while not first.stdout.readline().startswith("step"):
            self.assertIsNone(first.poll())
        for flags in ((), ("--resume",)):
            code, said = self.finish(run, "--steps=4000", *flags)
            self.assertEqual(code, 1)
            self.assertIn(f"belongs to a run that goes on, process {first.pid}", self.error(said))
        first.send_signal(signal.SIGTERM)
        with first:
            self.assertIn("stopped at step", first.stdout.read())
        self.assertEqual(first.returncode, 130)
        self.assertEqual(list(self.folder.iterdir()), [run])


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"  # so small a model is not made faster by more
    PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()

"""Each call on a file that a run makes fails once: the run survives that and says so, or ends with
one error that names the file, leaves whole files, and goes on with --resume to the same end. So does
a run that goes on.

    fault_test LRA LIBINJECT [--every=N]    every N-th call, with each kind of failure in turn
"""

import concurrent.futures
import errno
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

from run_times import without_times

PROGRAM = None
LIBRARY = None
EVERY = 1

FLAGS = ["--task=text", "--method=cf", "--preset=quick", "--sequence_length=64", "--block_size=16",
         "--steps=40", "--batch_size=1", "--warmup_steps=2", "--capture_interval=10",
         "--dense_step_limit=20", "--transition_limit_percent=0", "--evaluation_interval=20",
         "--dev_examples=8", "--test_examples=16", "--seed=7", "--device=cpu", "--save_interval=10"]

HALF = 0  # of the bytes of a write or read
KINDS = (errno.EIO, errno.ENOSPC, HALF)
IN_PARTS = ("read", "write", "pwrite")
LOGS = ("metrics.jsonl", "mllog.txt")
STATE = "state.safetensors"
MODELS = ("last.safetensors", "best_dense.safetensors", "best_sparse.safetensors")


def check_whole(path):
    """Raises if the file is cut or torn."""
    if path.name.endswith(".safetensors"):
        content = path.read_bytes()
        size = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8:8 + size])
        ends = [entry["data_offsets"][1] for name, entry in header.items()
                if name != "__metadata__"]
        assert max(ends) == len(content) - 8 - size, path
    elif path.name.endswith(".json"):
        json.loads(path.read_text())
    elif path.name in LOGS:
        for line in path.read_text().splitlines(keepends=True):
            assert line.endswith("\n"), path
            json.loads(line[line.index("{"):])


def faults(calls):
    """(number, error) of those to try; `calls`: the lines of the library's report."""
    if EVERY > 1:
        return [(number, KINDS[number // EVERY % 3])
                for number in range(1, len(calls) + 1, EVERY)]
    return [(number, error) for number, call in enumerate(calls, 1) for error in KINDS
            if error != HALF or call.split()[1] in IN_PARTS]


class FaultTest(unittest.TestCase):
    def setUp(self):
        # The library counts calls by real paths.
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))).resolve()
        self.undisturbed = self.folder / "undisturbed"
        code, said, self.calls = self.run_program(self.undisturbed, 0, 0)
        self.assertEqual(code, 0, said)
        self.assertGreater(len(self.calls), 150)  # else the library does not see them
        self.expected = self.summary(self.undisturbed)

    def run_program(self, run, call, error, *flags):
        """(exit code, what was said, the calls that the library reports)"""
        report = run.with_suffix(".report")
        report.unlink(missing_ok=True)
        environment = {**os.environ, "LD_PRELOAD": LIBRARY, "FAULT_FOLDER": str(run),
                       "FAULT_CALL": str(call), "FAULT_ERROR": str(error),
                       "FAULT_REPORT": str(report), "OMP_NUM_THREADS": "1"}
        result = subprocess.run([PROGRAM, *FLAGS, f"--out_dir={run}", *flags], env=environment,
                                capture_output=True, text=True, check=False)
        calls = report.read_text().splitlines()[:-1]
        return result.returncode, result.stdout + result.stderr, calls

    def summary(self, run):
        summary = without_times(json.loads((run / "summary.json").read_text()))
        summary.pop("log_error", None)
        return summary

    def check_survived(self, run, what, name, said):
        """A fault after which the program ended well."""
        if name in LOGS:
            self.assertIn(name, json.loads((run / "summary.json").read_text())["log_error"], what)
        if name in (*LOGS, STATE):
            self.assertIn("warning:", said, what)
            self.assertIn(name, said, what)

    def check_ended(self, run, what, operation, name, said):
        """One after which it did not."""
        if "model: " in said:  # training has begun: it goes on without logs, and without a state
            self.assertNotIn(name, LOGS, what)
            self.assertTrue(name != STATE or operation == "unlinkat", what)
        errors = [line for line in said.splitlines() if line.startswith("error:")]
        self.assertEqual(len(errors), 1, f"{what}: {said}")
        self.assertIn(name, errors[0], what)
        code, said, _ = self.run_program(run, 0, 0, "--resume")
        self.assertEqual(code, 0, f"{what}, resumed: {said}")

    def check_fault(self, call, error, earlier=None, *flags):
        """`earlier`: a folder to go on with."""
        run = self.folder / f"call_{call}_{error}"
        if earlier:
            shutil.copytree(earlier, run)
        code, said, failed = self.run_program(run, call, error, *flags)
        what = f"error {error} of call {failed}"
        self.assertTrue(failed, f"call {call}: {said}")
        self.assertIn(code, (0, 1), f"{what}: {said}")
        for path in run.iterdir() if run.exists() else ():
            if not path.name.endswith(".partial"):
                check_whole(path)
        _, operation, path = failed[-1].split(maxsplit=2)
        name = pathlib.Path(path.removesuffix(".partial")).name
        if code == 1:
            self.check_ended(run, what, operation, name, said)
        elif error != HALF or operation != "read":
            self.check_survived(run, what, name, said)
        self.assertEqual(self.summary(run), self.expected, what)
        for model in MODELS:
            self.assertEqual((run / model).read_bytes(), (self.undisturbed / model).read_bytes(),
                             what)
        self.assertFalse((run / STATE).exists(), what)
        shutil.rmtree(run)

    def check_faults(self, calls, *arguments):
        def wrong(fault):
            try:
                self.check_fault(*fault, *arguments)
                return []
            except AssertionError as error:
                return [str(error)]
        tried = faults(calls)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            found = sum(pool.map(wrong, tried), [])
        print(f"{self._testMethodName}: {len(tried)} faults of {len(calls)} calls", flush=True)
        self.assertEqual(found, [], "\n".join(found))

    def test_each_call_of_a_run_fails_once(self):
        self.check_faults(self.calls)

    def test_each_call_of_a_run_that_goes_on_fails_once(self):
        earlier, goes_on = self.folder / "earlier", self.folder / "goes_on"
        transition = next(number for number, call in enumerate(self.calls, 1)
                          if call.endswith("/patterns.json.partial"))
        self.assertEqual(self.run_program(earlier, transition, errno.EIO)[0], 1)
        shutil.copytree(earlier, goes_on)
        code, said, calls = self.run_program(goes_on, 0, 0, "--resume")
        self.assertEqual(code, 0, said)
        self.assertIn("goes on after step 10", said)
        self.check_faults(calls, earlier, "--resume")


if __name__ == "__main__":
    PROGRAM, LIBRARY = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    del sys.argv[1:3]
    if len(sys.argv) > 1 and sys.argv[1].startswith("--every="):
        EVERY = int(sys.argv.pop(1).split("=")[1])
    unittest.main()

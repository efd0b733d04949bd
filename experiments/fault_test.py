"""Each call on a file that a run makes fails once: the run survives that and says so, or ends with
one error that names the file, leaves whole files, and goes on with --resume to the same end.

    fault_test LRA LIBINJECT [--every=N]    every N-th call, with each kind of failure in turn
"""

import concurrent.futures
import errno
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

from run_times import without_times

PROGRAM = None
LIBRARY = None
EVERY = 11

FLAGS = ["--task=image", "--method=cf", "--preset=quick", "--steps=40", "--batch_size=1",
         "--warmup_steps=2", "--capture_interval=10", "--dense_step_limit=20",
         "--transition_limit_percent=0", "--evaluation_interval=20", "--dev_examples=8",
         "--test_examples=16", "--seed=7", "--device=cpu", "--save_interval=10"]


HALF_A_WRITE = 0
KINDS = (errno.EIO, errno.ENOSPC, HALF_A_WRITE)


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
    elif path.name in ("metrics.jsonl", "mllog.txt"):
        for line in path.read_text().splitlines(keepends=True):
            assert line.endswith("\n"), path
            json.loads(line[line.index("{"):])


class FaultTest(unittest.TestCase):
    def setUp(self):
        # The library counts calls by real paths.
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))).resolve()

    def run_program(self, run, call, error, *flags):
        """(exit code, what was said, the report of the library)"""
        report = run.with_suffix(".report")
        report.unlink(missing_ok=True)
        environment = {**os.environ, "LD_PRELOAD": LIBRARY, "FAULT_FOLDER": str(run),
                       "FAULT_CALL": str(call), "FAULT_ERROR": str(error),
                       "FAULT_REPORT": str(report), "OMP_NUM_THREADS": "1"}
        result = subprocess.run([PROGRAM, *FLAGS, f"--out_dir={run}", *flags], env=environment,
                                capture_output=True, text=True, check=False)
        return result.returncode, result.stdout + result.stderr, report.read_text().splitlines()

    def summary(self, run):
        summary = without_times(json.loads((run / "summary.json").read_text()))
        summary.pop("log_error", None)
        return summary

    def check_fault(self, call, error):
        run = self.folder / f"call_{call}"
        what = f"call {call}, error {error}"
        code, said, report = self.run_program(run, call, error)
        fault = report[0] if len(report) > 1 else "none"
        self.assertIn(code, (0, 1), f"{what}, {fault}: {said}")
        for path in run.iterdir() if run.exists() else ():
            if not path.name.endswith(".partial"):
                check_whole(path)
        name = pathlib.Path(fault.split()[-1].removesuffix(".partial")).name
        if code == 1:
            errors = [line for line in said.splitlines() if line.startswith("error:")]
            self.assertEqual(len(errors), 1, f"{what}, {fault}: {said}")
            self.assertIn(name, errors[0], f"{what}, {fault}")
            code, said, _ = self.run_program(run, 0, 0, "--resume")
            self.assertEqual(code, 0, f"{what}, {fault}, resumed: {said}")
        elif name in ("metrics.jsonl", "mllog.txt", "state.safetensors"):
            self.assertIn("warning:", said, f"{what}, {fault}")
            self.assertIn(name, said, f"{what}, {fault}")
        self.assertEqual(self.summary(run), self.expected, f"{what}, {fault}")
        for model in ("last.safetensors", "best_sparse.safetensors"):
            self.assertEqual((run / model).read_bytes(), self.models[model], f"{what}, {fault}")
        return f"{fault}: exit {code}"

    def test_each_call_fails_once(self):
        run = self.folder / "undisturbed"
        code, said, report = self.run_program(run, 0, 0)
        self.assertEqual(code, 0, said)
        calls = int(report[-1].split()[0])
        self.assertGreater(calls, 150, report)  # else the library does not see them
        self.expected = self.summary(run)
        self.models = {name: (run / name).read_bytes()
                       for name in ("last.safetensors", "best_sparse.safetensors")}
        faults = [(call, KINDS[call // EVERY % 3] if EVERY > 1 else kind)
                  for call in range(1, calls + 1, EVERY)
                  for kind in (KINDS if EVERY == 1 else (None,))]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(lambda fault: self.check_fault(*fault), faults))
        print(f"{len(outcomes)} faults of {calls} calls")


if __name__ == "__main__":
    PROGRAM, LIBRARY = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    del sys.argv[1:3]
    if len(sys.argv) > 1 and sys.argv[1].startswith("--every="):
        EVERY = int(sys.argv.pop(1).split("=")[1])
    unittest.main()

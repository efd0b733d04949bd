"""Each call on a file fails once while a table of two cells is made, by the tables' program or by
those that it runs: all that is there is whole, the error names the file, and the same command makes
the table.

    table_fault_test LRA LIBINJECT [--every=N]    every N-th call, with each kind of failure in turn
"""

import concurrent.futures
import errno
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from result import State, is_whole
from run_times import without_times

PROGRAM = None
LIBRARY = None
EVERY = 1

HALF = 0  # of the bytes of a write or read
WHILE_WRITTEN = r"^\.?(.+?)(\.[0-9a-f]{16})?\.partial$"  # a file's name, by either program
KINDS = (errno.EIO, errno.ENOSPC, HALF)
FLAGS = ("--table=patterns", "--preset=quick", "--tasks=text", "--methods=c,f", "--seeds=1001",
         "--device=cpu", "--retry_failed")

# The tables' program, with few and small steps.
CALL = """
import dataclasses, sys
sys.path[:0] = {path!r}
import presets
small = dict(presets.QUICK.settings, steps=4, batch_size=1, warmup_steps=1, sequence_length=64,
             block_size=16, capture_interval=1, dense_step_limit=2, evaluation_interval=2,
             dev_examples=4, test_examples=4)
presets.PRESETS["quick"] = dataclasses.replace(presets.QUICK, settings=tuple(
    (name, str(value)) for name, value in small.items()))
import main
sys.exit(main.main(sys.argv[1:]))
"""


class TableFaultTest(unittest.TestCase):
    def setUp(self):
        # The library counts calls by real paths.
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))).resolve()
        self.bundle = self.folder / "bundle"
        self.bundle.mkdir()
        (self.bundle / "run").write_text(f'#!/bin/sh\nshift\nexec "{PROGRAM}" "$@"\n')
        (self.bundle / "run").chmod(0o755)

    def make(self, table, call, error):
        """(exit code, what was said, the calls that the library reports)"""
        report, counter = table.with_suffix(".report"), table.with_suffix(".counter")
        report.unlink(missing_ok=True)
        counter.write_bytes(bytes(8))
        environment = {**os.environ, "LD_PRELOAD": LIBRARY, "FAULT_FOLDER": str(table),
                       "FAULT_CALL": str(call), "FAULT_ERROR": str(error),
                       "FAULT_REPORT": str(report), "FAULT_COUNTER": str(counter),
                       "OMP_NUM_THREADS": "1"}
        result = subprocess.run(
            [sys.executable, "-B", "-c", CALL.format(path=sys.path), *FLAGS,
             f"--bundle={self.bundle}", f"--results_dir={table}"],
            env=environment, capture_output=True, text=True, check=False)
        calls = [line for line in report.read_text().splitlines() if not line.endswith(" calls")]
        return result.returncode, result.stdout + result.stderr, calls

    def made(self, table):
        """{file: content} of what must always be the same."""
        results = {}
        for cell in (table / "quick/cells").iterdir():
            for name in ("summary.json", "patterns.json"):
                path = cell / "run" / name
                if path.exists():
                    value = without_times(json.loads(path.read_text()))
                    value.pop("log_error", None)
                    results[f"{cell.name.split('+')[0]}/{name}"] = value
        return results | {path.name: path.read_text()
                          for path in (table / "quick").glob("*.csv")}

    def check_whole(self, table, what):
        for group, state in (("cells", State.DONE), ("failed", State.FAILED)):
            for cell in (table / "quick" / group).glob("[!.]*"):
                self.assertTrue(is_whole(cell, state), f"{what}: {cell}")
        for path in (table / "quick").glob("*.*"):
            self.assertTrue(path.read_text(), f"{what}: {path}")

    def check_fault(self, call, error):
        table = self.folder / f"call_{call}_{error}"
        code, said, failed = self.make(table, call, error)
        what = f"error {error} of call {failed}"
        self.assertTrue(failed, f"call {call}: {said}")
        self.assertIn(code, (0, 1), f"{what}: {said}")
        self.assertNotIn("Traceback", said, what)
        self.check_whole(table, what)
        if code == 1:
            name = pathlib.Path(failed[-1].split(maxsplit=2)[2]).name
            self.assertRegex(said, "(?m)error: |^note: ", what)
            self.assertIn(re.sub(WHILE_WRITTEN, r"\1", name), said, what)
            code, said, _ = self.make(table, 0, 0)
            self.assertEqual(code, 0, f"{what}, again: {said}")
        self.assertEqual(self.made(table), self.expected, what)
        shutil.rmtree(table)

    def test_each_call_fails_once(self):
        undisturbed = self.folder / "undisturbed"
        code, said, calls = self.make(undisturbed, 0, 0)
        self.assertEqual(code, 0, said)
        self.assertGreater(len(calls), 150)  # else the library does not see them
        self.expected = self.made(undisturbed)
        self.assertGreater(len(self.expected), 3)

        def wrong(fault):
            try:
                self.check_fault(*fault)
                return []
            except AssertionError as found:
                return [str(found)]
        tried = [(number, KINDS[(number // EVERY) % len(KINDS)])
                 for number in range(1, len(calls) + 1, EVERY)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            found = sum(pool.map(wrong, tried), [])
        print(f"{len(tried)} faults of {len(calls)} calls", flush=True)
        self.assertEqual(found, [], "\n".join(found))


if __name__ == "__main__":
    PROGRAM, LIBRARY = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    del sys.argv[1:3]
    if len(sys.argv) > 1 and sys.argv[1].startswith("--every="):
        EVERY = int(sys.argv.pop(1).split("=")[1])
    unittest.main()

"""data_parallel.py with a program that leaves what a training would."""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import data_parallel

# Its step takes 1 ms, and 8 ms by the ranks: two are 1.8 times as fast as one, with twice the batch
# too. The loss of rank counts differs from step 2 on.
_PROGRAM = """#!/usr/bin/env python3
import json, os, pathlib, sys
flags = dict(flag[2:].split("=") for flag in sys.argv[1:])
ranks, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
if flags["task"] == "broken" and rank == ranks - 1 > 0:
    print("error: this rank is broken")
    sys.exit(1)
batch = int(flags.get("batch_size", 16))
ms = 1 + 8 * batch / 16 / ranks
out = pathlib.Path(flags["out_dir"])
if rank == 0:
    out.mkdir()
    (out / "summary.json").write_text(json.dumps(
        {"batch_size": batch, "step_ms": None, "step_ms_dense": 2 * ms, "step_ms_sparse": ms,
         "flags": flags, **({"ranks": [{"all_reduce_ms": 0.25 / (1 + i)} for i in range(ranks)]}
                            if ranks > 1 else {})}))
    (out / "metrics.jsonl").write_text("".join(json.dumps(line) + "\\n" for line in [
        {"kind": "train", "step": 1, "loss": 2.0}, {"kind": "dev", "step": 2, "loss": 9 * ranks},
        {"kind": "train", "step": 2, "loss": 1 + 0.0625 * (ranks - 1)}]))
"""


class DataParallelTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.program = self.folder / "lra"
        self.program.write_text(_PROGRAM, encoding="utf-8")
        self.program.chmod(0o755)

    def call(self, *arguments):
        """(exit code, stdout, stderr)"""
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            try:
                code = data_parallel.main([f"--lra={self.program}", *arguments])
            except SystemExit as error:
                code = error.code
        return code, out.getvalue(), errors.getvalue()

    def test_says_speed_up_and_efficiency_of_both_scalings(self):
        code, said, _ = self.call("--ranks=2,4", "--tasks=image")
        self.assertEqual(code, 0)
        table = [line.strip("| ").split(" | ") for line in said.splitlines()]
        self.assertEqual(tuple(table[0]), data_parallel.COLUMNS)
        sparse = [row[2:] for row in table[2:] if row[1] == "sparse"]
        self.assertEqual(sparse, [
            ["1", "16", "9.000", "-", "1.00", "1.00", "-"],
            ["2", "16", "5.000", "0.125 to 0.250", "1.80", "0.90", "6.2e-02"],
            ["2", "32", "9.000", "0.125 to 0.250", "2.00", "1.00", "-"],
            ["4", "16", "3.000", "0.062 to 0.250", "3.00", "0.75", "1.9e-01"],
            ["4", "64", "9.000", "0.062 to 0.250", "4.00", "1.00", "-"]])
        self.assertEqual([row[4] for row in table[2:] if row[1] == "dense"][:2], ["18.000", "10.000"])

    def test_flags_go_to_every_training_and_what_they_left_is_kept(self):
        out = self.folder / "out.json"
        code, _, _ = self.call("--ranks=2", "--tasks=image,text", "--steps=80", "--batch_size=8", f"--out={out}",
                               "--", "--precision=tf32")
        self.assertEqual(code, 0)
        runs = json.loads(out.read_text(encoding="utf-8"))
        self.assertEqual([(run["task"], run["ranks"], run["summary"]["batch_size"]) for run in runs],
                         [(task, *pair) for task in ("image", "text")
                          for pair in ((1, 8), (2, 8), (2, 16))])
        for run in runs:
            flags = run["summary"]["flags"]
            self.assertEqual((flags["precision"], flags["steps"], flags["dense_step_limit"]),
                             ("tf32", "80", "20"))

    def test_a_full_disk_ends_it_at_the_first_training(self):
        code, said, errors = self.call("--ranks=2", "--tasks=image", "--out=/dev/full")
        self.assertEqual((code, said), (1, ""))
        self.assertEqual(errors.splitlines()[-1],
                         "error: /dev/full cannot be written: No space left on device")

    def test_a_training_that_fails_is_named_with_its_last_words(self):
        code, said, errors = self.call("--ranks=2", "--tasks=broken")
        self.assertEqual((code, said), (1, ""))
        self.assertEqual(errors.splitlines()[-1],
                         "error: broken with 2 ranks: error: this rank is broken")

    def write_ranks(self, script):
        """What each of several does; one alone does as ever."""
        alone = self.folder / "alone"
        self.program.rename(alone)
        self.program.write_text(f'#!/bin/sh\n[ ${{WORLD_SIZE:-1}} = 1 ] && exec {alone} "$@"\n{script}\n')
        self.program.chmod(0o755)

    def test_of_several_ranks_the_first_error_is_told(self):
        self.write_ranks('[ $RANK = 0 ] && { echo "error: memory is out"; exit 1; }\n'
                         'sleep 0.5; echo "error: rank 0 is lost"; exit 1')
        self.assertEqual(self.call("--ranks=2", "--tasks=image")[2].splitlines()[-1],
                         "error: image with 2 ranks: error: memory is out")

    def test_a_summary_of_an_earlier_version_tells_of_rank_zero(self):
        self.program.write_text(_PROGRAM.replace('"ranks": [{"all_reduce_ms": 0.25 / (1 + i)} for i in '
                                                 'range(ranks)]', '"ranks": [{}] * ranks, '
                                                 '"all_reduce_ms": 0.5'))
        self.assertIn("| 0.500 to 0.500 |", self.call("--ranks=2", "--tasks=image")[1])

    def test_at_a_signal_all_ranks_end_and_nothing_is_left(self):
        self.write_ranks("""trap 'touch "$TMPDIR/end"' USR1  # of rank 0, which tells the others
                         while ! [ -e "$TMPDIR/end" ]; do
                           echo $RANK >>"$TMPDIR/begun.$RANK"; sleep 0.02
                         done; exit 130""")
        begun = [self.folder / f"begun.{rank}" for rank in range(2)]
        with subprocess.Popen([sys.executable, data_parallel.__file__, f"--lra={self.program}",
                               "--ranks=2"], env={**os.environ, "TMPDIR": str(self.folder)},
                              stderr=subprocess.DEVNULL) as process:
            while not all(path.exists() for path in begun):
                time.sleep(0.02)
            process.terminate()
            self.assertEqual(process.wait(), 130)
        for path in (*begun, self.folder / "end"):
            path.unlink()
        time.sleep(0.2)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"lra", "alone"})

    def test_a_wrong_flag_is_said(self):
        for flags, words in (
                (["--ranks=1"], '"1"'), (["--ranks=two"], '"two"'), ([], "--ranks"),
                (["--ranks=2", "--steps=0"], "--steps"),
                (["--ranks=2", f"--out={self.folder}"], f"--out={self.folder}; expected a file"),
                (["--ranks=2", f"--out={self.folder}/not/there"], "/not/there; expected a file")):
            code, _, errors = self.call(*flags)
            self.assertEqual(code, 2, flags)
            self.assertIn(words, errors)
        self.program.unlink()
        self.assertIn("lra", self.call("--ranks=2")[2])


if __name__ == "__main__":
    unittest.main()

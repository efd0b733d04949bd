"""metrics.jsonl and summary.json of runs of every sort have the keys that docs/run_files.md tells of,
and no other; null is nowhere but where it says what that means."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import unittest

PROGRAM = DOCUMENT = None

FLAGS = ["--task=text", "--preset=quick", "--sequence_length=64", "--block_size=16", "--steps=20",
         "--batch_size=2", "--warmup_steps=2", "--evaluation_interval=5", "--dev_examples=8",
         "--test_examples=16", "--seed=7", "--device=cpu"]
TWO_PHASES = ["--method=cf", "--capture_interval=2", "--transition_limit_percent=0"]
RUNS = {  # name: flags, ranks
    "with a transition": ([*TWO_PHASES, "--dense_step_limit=8"], 1),
    "dense throughout": ([*TWO_PHASES, "--dense_step_limit=100"], 1),
    "of a single phase": (["--method=bigbird"], 1),
    "of several ranks": ([*TWO_PHASES, "--dense_step_limit=8"], 2),
}
# What no run here has: //experiments:fault_test has logs that cannot be written.
UNSEEN = {"log_error"}


def rows_of(text, section):
    """Of the table of keys below this heading: [(kind or None, keys, when present, what null means)].
    """
    rows = []
    for line in text.partition(f"\n## {section}\n")[2].partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) < 4 or not line.startswith("| ") or "key" in cells:
            continue
        *kind, keys, _, present, null = cells
        rows.append((kind[0].strip("`") if kind else None, re.findall(r"`([^`]+)`", keys), present,
                     null))
    return rows


def flat(value, prefix=""):
    """{key: whether it is or has a null}; a.b of an object in an object, a[].b of those in a list."""
    found = {}
    for key, item in value.items():
        inner = [item] if isinstance(item, dict) else item if isinstance(item, list) else []
        if any(isinstance(one, dict) for one in inner):
            for one in inner:
                found.update(flat(one, f"{prefix}{key}{'[]' if item is inner else ''}."))
        else:
            found[prefix + key] = item is None or None in inner
    return found


class RunFilesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = DOCUMENT.read_text(encoding="utf-8")
        cls.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        for name, (flags, ranks) in RUNS.items():
            cls.train(name, flags, ranks)

    @classmethod
    def train(cls, name, flags, ranks):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = str(one.getsockname()[1])
        command = [PROGRAM, *FLAGS, *flags, f"--out_dir={cls.folder / name}"]
        processes = []
        for rank in range(ranks):
            launch = {} if ranks == 1 else {"RANK": str(rank), "WORLD_SIZE": str(ranks),
                                            "LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1",
                                            "MASTER_PORT": port}
            processes.append(subprocess.Popen(command, env={**os.environ, **launch}, text=True,
                                              stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        for process in processes:
            errors = process.communicate()[1]
            if process.returncode != 0:
                raise AssertionError(f"{name}: {errors}")

    def check(self, rows, objects):
        """That these rows tell of these objects."""
        found = [flat(value) for value in objects]
        told = {key: (present, null) for _, keys, present, null in rows for key in keys}
        self.assertEqual({key for keys in found for key in keys}, told.keys() - UNSEEN)
        self.assertEqual(set.intersection(*map(set, found)),
                         {key for key, (present, _) in told.items() if present == "always"})
        self.assertLessEqual({key for keys in found for key, is_null in keys.items() if is_null},
                             {key for key, (_, null) in told.items() if null != "-"})

    def test_metrics(self):
        lines = [json.loads(line) for name in RUNS
                 for line in (self.folder / name / "metrics.jsonl").read_text().splitlines()]
        rows = rows_of(self.document, "metrics.jsonl")
        kinds = {row[0] for row in rows} - {"all"}
        self.assertEqual({line["kind"] for line in lines}, kinds)
        for kind in sorted(kinds):
            with self.subTest(kind):
                self.check([row for row in rows if row[0] in (kind, "all")],
                           [line for line in lines if line["kind"] == kind])

    def test_summary(self):
        self.check(rows_of(self.document, "summary.json"),
                   [json.loads((self.folder / name / "summary.json").read_text())
                    for name in RUNS])


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"  # so small a model is not made faster by more
    PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
    DOCUMENT = pathlib.Path(sys.argv.pop(1))
    unittest.main()

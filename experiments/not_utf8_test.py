"""Runs the experiment program in folders whose names are in another encoding."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None


class NotUtf8Test(unittest.TestCase):
    EXPRESSIONS = "Source\tTarget\n( ( ( [MAX 2 ) 4 ) ] )\t4\n"
    SMALL = ["--task=listops", "--method=cf", "--preset=quick", "--batch_size=1",
             "--sequence_length=64"]

    def test_every_file_of_a_run_is_valid_json(self):
        parent = os.fsencode(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))) + b"/r\xe9sultats"
        data = parent + b"/data/listops-1000"
        os.makedirs(data)
        for split in (b"train", b"val", b"test"):
            pathlib.Path(os.fsdecode(data + b"/basic_" + split + b".tsv")).write_text(
                self.EXPRESSIONS)
        training, evaluation = parent + b"/run", parent + b"/eval"
        self.run_small(b"--steps=2", b"--evaluation_interval=1", b"--data_dir=" + parent + b"/data",
                       b"--out_dir=" + training)
        self.run_small(b"--mode=eval", b"--data_dir=" + parent + b"/data",
                       b"--checkpoint=" + training + b"/best_dense.safetensors",
                       b"--out_dir=" + evaluation)
        told = os.fsdecode(parent).replace(os.fsdecode(b"\xe9"), "%E9")
        for folder in (training, evaluation):
            manifest = self.json(folder, "manifest.json")
            self.assertIn(f"--data_dir={told}/data", manifest["command"])
            self.assertEqual(manifest["data_source"]["path"], f"{told}/data/listops-1000")
        self.json(training, "summary.json")
        self.assertEqual(self.json(evaluation, "evaluation.json")["checkpoint"],
                         f"{told}/run/best_dense.safetensors")
        for name, prefix in (("metrics.jsonl", 0), ("mllog.txt", len(":::MLLOG "))):
            for line in self.read(training, name).splitlines():
                json.loads(line[prefix:])

    def run_small(self, *flags):
        result = subprocess.run([PROGRAM, *self.SMALL, *flags], capture_output=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)

    @staticmethod
    def read(folder, name):
        return pathlib.Path(os.fsdecode(folder), name).read_text(encoding="utf-8")

    def json(self, folder, name):
        return json.loads(self.read(folder, name))


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()

"""The wheel in a fresh environment with the newest torch that pip finds: self-test and examples.

Installs some 5 GB for the time of the test, as torch's packages come with CUDA. Where pip reaches no
index it is skipped, and says so.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import torch

import environment
import wheel

CONTENT = None
# Has pip.
PACKAGES = pathlib.Path(torch.__file__).resolve().parents[1]


def newest_torch():
    """Its version, or None, and what pip said last."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", "torch", "--disable-pip-version-check",
         "--retries=1", "--timeout=20"],
        env=os.environ | {"PYTHONPATH": str(PACKAGES)}, capture_output=True, text=True, check=False)
    found = re.search(r"^torch \((\S+)\)", asked.stdout, re.MULTILINE)
    return found and found[1], (asked.stdout + asked.stderr).strip().rpartition("\n")[2]


class NewestTorchTest(unittest.TestCase):
    def test_selftest_and_examples(self):
        version, said = newest_torch()
        if version is None:
            print(f"SKIPPED: pip finds no torch here: {said}")
            self.skipTest("pip finds no torch here")
        with tempfile.TemporaryDirectory() as folder:
            made = environment.Environment(pathlib.Path(folder, "environment"))
            # pip sees what lies beside it, the build's torch among it.
            made.install(PACKAGES, "--ignore-installed",
                         wheel.make_wheel(CONTENT, pathlib.Path(folder)))
            for module, expected in [
                    ("spion.selftest", rf"torch {re.escape(version)}[\s\S]*all that can run here works"),
                    ("spion.examples.longformer", "against SDPA with a mask: .e-0[6-9] at most"),
                    ("spion.examples.three_phases", "sparse from here on"),
                    ("spion.examples.convert_encoder", "fine-tuned, sparse")]:
                with self.subTest(module):
                    result = made.run(folder, "-m", module)
                    print(result.stdout)
                    self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                    self.assertRegex(result.stdout, expected)


if __name__ == "__main__":
    CONTENT = json.loads(pathlib.Path(sys.argv.pop(1)).read_text())
    unittest.main()

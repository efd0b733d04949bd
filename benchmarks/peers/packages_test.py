"""The programs by a Python that has no torch: one line, and no trace of calls."""

import os
import pathlib
import subprocess
import sys
import unittest

FOLDER = pathlib.Path(__file__).parent


class PackagesTest(unittest.TestCase):
    def test_programs_say_what_they_miss(self):
        for program in ("attention.py", "training_step.py", "python_package.py"):
            with self.subTest(program):
                # -S: without what is installed.
                result = subprocess.run(
                    [sys.executable, "-S", FOLDER / program, "--cases=cases.json"],
                    capture_output=True, text=True, check=False,
                    env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"})
                self.assertEqual(result.returncode, 1)
                self.assertRegex(result.stderr, r"^error: \S+ has no package torch; .*\n$")


if __name__ == "__main__":
    unittest.main()

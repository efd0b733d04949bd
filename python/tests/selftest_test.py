"""What python -m spion.selftest says, and its exit code, when something does not work."""

import contextlib
import io
import os
import subprocess
import sys
import unittest
from unittest import mock

import torch

import spion
from spion import selftest


def run():
    """Exit code and what was printed."""
    with contextlib.redirect_stdout(io.StringIO()) as output, mock.patch("sys.argv", ["selftest"]):
        return selftest.main(), output.getvalue()


class SelftestTest(unittest.TestCase):
    def test_failures_are_counted_and_do_not_keep_others_from_running(self):
        def fail():
            raise AssertionError("off by 1\nmore")

        def skip():
            raise selftest.Skipped("no compiler")

        checks = [selftest.Check("first", fail), selftest.Check("second", skip),
                  selftest.Check("third", lambda: "fine")]
        with mock.patch.object(selftest, "_checks_of", lambda device: checks):
            code, output = run()
        self.assertEqual(code, 1)
        self.assertRegex(output, r"cpu +first +FAILED .* AssertionError: off by 1\n")
        self.assertRegex(output, r"cpu +second +skipped .* no compiler\n")
        self.assertRegex(output, r"cpu +third +ok .* fine\n")
        self.assertIn("something FAILED", output)

    def test_wrong_numbers_are_seen(self):
        right = spion.block_sparse_attention

        def wrong(q, k, v, pattern, **options):
            return right(q, k, v, pattern, **options) * (1 + 1e-4)

        with mock.patch.object(spion, "block_sparse_attention", wrong):
            with self.assertRaisesRegex(AssertionError, "out is off by 1.0e-04"):
                selftest._accuracy("cpu", torch.float32)
        with mock.patch.object(spion, "mean_attention_map", lambda q, k, padding: torch.rand(256, 256)):
            with self.assertRaisesRegex(AssertionError, "off by"):
                selftest._map("cpu")

    def test_a_refusal_of_another_kind_is_seen(self):
        with mock.patch.object(spion, "generate_pattern", side_effect=RuntimeError("refused")):
            with self.assertRaisesRegex(RuntimeError, "refused"):
                selftest._refusal("cpu")
        with mock.patch.object(spion, "generate_pattern"):
            with self.assertRaisesRegex(AssertionError, "went through"):
                selftest._refusal("cpu")

    def test_the_version(self):
        with mock.patch("sys.argv", ["selftest", "--version"]), self.assertRaises(SystemExit) as ended:
            with contextlib.redirect_stdout(io.StringIO()) as output:
                selftest.main()
        self.assertEqual((ended.exception.code, output.getvalue()),
                         (0, f"SPION {spion.__version__}\n"))


class FreshPythonTest(unittest.TestCase):
    def run_python(self, *arguments):
        return subprocess.run([sys.executable, *arguments], text=True, capture_output=True, check=False,
                              env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})

    def test_a_python_that_leaves_documentation_out(self):
        for module in ("selftest", "examples.longformer"):
            result = self.run_python("-OO", "-m", f"spion.{module}", "--help")
            self.assertEqual(result.returncode, 0, result.stderr)
        result = self.run_python("-OO", "-m", "spion.examples")
        self.assertEqual(result.stdout, "python -OO leaves out what this shows\n", result.stderr)

    def test_a_second_import_into_the_same_torch_says_what_to_do(self):
        result = self.run_python("-c", "import sys, spion\n"
                                 "for name in [name for name in sys.modules if name[:5] == 'spion']:\n"
                                 "    del sys.modules[name]\n"
                                 "import spion")
        self.assertRegex(result.stderr.splitlines()[-1],
                         "^ImportError: spion was imported before, .*: start Python anew$")


if __name__ == "__main__":
    unittest.main()

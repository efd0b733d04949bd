"""The methods that the program knows are those of baselines/methods.bzl, which have targets."""

import re
import subprocess
import sys
import unittest

PROGRAM = None
WITH_TARGETS = None


class MethodsTest(unittest.TestCase):
    def test_every_method_has_its_targets(self):
        result = subprocess.run([PROGRAM, "--task=image", "--method=none"],
                                capture_output=True, text=True, check=False)
        known = re.search(r"expected one of (.*)", result.stderr)
        self.assertIsNotNone(known, result.stderr)
        self.assertEqual(sorted(known.group(1).split(", ")), sorted(WITH_TARGETS))


if __name__ == "__main__":
    PROGRAM, WITH_TARGETS = sys.argv[1], sys.argv[2:]
    del sys.argv[1:]
    unittest.main()

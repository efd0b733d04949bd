"""Everything that names a version of SPION names that of the file VERSION."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

PROGRAMS = []
FILES = {}
# File: where the version stands in it.
_PLACES = {
    "CITATION.cff": r"^version: (\S+)$",
    "CHANGELOG.md": r"^## (\S+)$",  # the first is the last
    "python/spion/__init__.py": r'^__version__ = "(.+)"$',
    "README.md": r"^ *version = \{(.+)\},?$",
}


class VersionTest(unittest.TestCase):
    def setUp(self):
        self.version = FILES["VERSION"].read_text(encoding="utf-8").rstrip("\n")

    def test_it_is_one(self):
        self.assertRegex(self.version, r"^\d+\.\d+\.\d+$")

    def test_files_have_it(self):
        for name, place in _PLACES.items():
            with self.subTest(name):
                found = re.search(place, FILES[name].read_text(encoding="utf-8"), re.MULTILINE)
                self.assertIsNotNone(found, f"no {place}")
                self.assertEqual(found[1], self.version)

    def test_programs_say_it(self):
        for program in PROGRAMS:
            with self.subTest(program):
                result = subprocess.run([program, "--version"], capture_output=True, text=True,
                                        check=False)
                self.assertEqual((result.returncode, result.stdout),
                                 (0, f"SPION {self.version}\n"), result.stderr)


if __name__ == "__main__":
    split = sys.argv.index("--programs")
    FILES.update({os.path.normpath(path): pathlib.Path(path) for path in sys.argv[1:split]})
    PROGRAMS += sys.argv[split + 1:]
    unittest.main(argv=sys.argv[:1])

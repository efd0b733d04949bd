"""A Debian machine of stand-ins, for tests of set-up and of tools/bazel.

The stand-ins for apt-get, dpkg-query, python3, pip and Bazel do what matters to set-up, below the
test's own folder, and write down each call, word by word.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

# Each call: the program's path and its words, each ended by NUL; then a newline.
_RECORD = """#!/bin/bash
record() { printf '%s\\0' "$0" "$@" >> "$RECORD"; echo >> "$RECORD"; }
"""

STAND_INS = {
    "apt-get": _RECORD + """
record "$@"
[[ $1 != "${BROKEN:-}" ]] || { echo "no such mirror"; exit 100; }
[[ $1 != install ]] || cp "$DISTRIBUTION" "$INSTALLED"
""",
    "dpkg-query": """#!/bin/bash
[[ ! -e $INSTALLED ]] || sed 's/^/installed /' "$INSTALLED"
""",
    "id": """#!/bin/bash
[[ $1 != -u ]] || exec echo "$USER_ID"
exec /usr/bin/id "$@"
""",
    # Has no torch, and venv with Debian's packages alone. Its --clear empties as the real one does.
    "python3": _RECORD + """
[[ $* == *venv,* ]] && exec test -e "$INSTALLED"
[[ $* == *version_info* ]] && { echo "${PYTHON_NAME:-python3.11}"; exit; }
[[ $1 == -m ]] || exit 1
record "$@"
for folder in "${@:3}"; do
  [[ $folder != --clear ]] || continue
  [[ $3 != --clear || ! -d $folder ]] || find "$folder" -mindepth 1 -delete
  mkdir -p "$folder/bin" "$folder/lib/${PYTHON_NAME:-python3.11}"
  touch "$folder/pyvenv.cfg"
  cp "$PIP" "$folder/bin/pip"
done
""",
    "pip": _RECORD + """
record "$@"
""",
    "bazel": _RECORD + """
[[ $* != --version ]] || exec echo "bazel ${BAZEL_VERSION:-no_version}"
record "$@"
env > "$RECORD.environment"
""",
}

# As `dpkg-query` shows them on the two versions of Debian.
DEBIAN_12 = """\
bazel-bootstrap 4.2.3+ds-9
bazel-platforms 0.0.2-2
bazel-rules-java 4.0.0-2
bazel-rules-proto 4.0.0-3.20.0-2
bazel-skylib 1.0.3-2
g++ 4:12.2.0-3
libabsl-dev 20220623.1-1+deb12u2
libbenchmark-dev 1.7.1-1
libgmock-dev 1.12.1-0.2
libgtest-dev 1.12.1-0.2
libpng-dev 1.6.39-2+deb12u4
nlohmann-json3-dev 3.11.2-2
pkgconf 1.8.1-1
zlib1g-dev 1:1.2.13.dfsg-1
"""
DEBIAN_13 = """\
bazel-bootstrap 4.2.3+ds-11
bazel-platforms 0.0.2-2
bazel-rules-java 4.0.0-2
bazel-rules-proto 4.0.0-3.20.0-3
bazel-skylib 1.0.3-2
g++ 4:14.2.0-1
libabsl-dev 20240722.0-4
libbenchmark-dev 1.9.1-1
libgmock-dev 1.16.0-1
libgtest-dev 1.16.0-1
libpng-dev 1.6.48-1+deb13u6
nlohmann-json3-dev 3.11.3-2.1
pkgconf 1.8.1-4
zlib1g-dev 1:1.3.dfsg+really1.3.1-1+deb13u1
"""


class MachineTestCase(unittest.TestCase):
    """A bare machine: `folder` holds its stand-ins, `checkout` a checkout, `home` a home."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.addCleanup(shutil.rmtree, self.folder)
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        for name, content in STAND_INS.items():
            program = self.programs / name
            program.write_text(content)
            program.chmod(0o755)
        self.record = self.folder / "record"
        self.home = self.folder / "home"
        self.home.mkdir()
        self.checkout = self.copy_checkout("checkout")
        self.environment = {
            "BAZEL_REAL": str(self.programs / "bazel"),
            "DISTRIBUTION": str(self.write("distribution", DEBIAN_12)),
            "HOME": str(self.home),
            "INSTALLED": str(self.folder / "installed"),
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "PIP": str(self.programs / "pip"),
            "RECORD": str(self.record),
            "SPION_PYTHON": str(self.programs / "python3"),
            "USER": "john",
            "USER_ID": "0",
        }

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def copy_checkout(self, name):
        """A checkout with what set-up needs of it."""
        for file in ("tools/bazel", "tools/setup/choices.sh", "tools/setup/folders.sh",
                     "tools/setup/python.sh", "tools/setup/setup.sh", "third_party/versions.env"):
            target = self.folder / name / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        return self.folder / name

    def run_program(self, *command, **options):
        return subprocess.run([str(word) for word in command], env=self.environment, text=True,
                              capture_output=True, check=False, cwd=self.folder, **options)

    def calls(self):
        """What was called since the last time: lists of words, the program without its folder
        if that is the stand-ins'."""
        if not self.record.exists():
            return []
        lines = self.record.read_text().splitlines()
        self.record.unlink()
        calls = [line.split("\0")[:-1] for line in lines]
        return [[words[0].removeprefix(f"{self.programs}/"), *words[1:]] for words in calls]

    def check_refused(self, result, *expected):
        """One message with all that is expected, and nothing done."""
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for text in expected:
            self.assertIn(text, result.stderr)
        self.assertEqual(self.calls(), [])

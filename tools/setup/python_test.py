"""Which Python tools/bazel chooses, and that Bazel's programs run on it."""

import os
import pathlib
import sys
import unittest

import test_case

SCRIPT = 'set -eu; source "$0/tools/setup/python.sh"; choose_python; echo "$SPION_PYTHON"'


class PythonTest(test_case.MachineTestCase):
    def choose(self):
        return self.run_program("/bin/bash", "-c", SCRIPT, self.checkout)

    def check_chosen(self, expected):
        result = self.choose()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout, f"{expected}\n")

    def test_debian_has_one_of_its_own_whatever_is_on_the_path(self):
        del self.environment["SPION_PYTHON"]
        self.assertTrue((self.programs / "python3").exists())
        self.check_chosen("/usr/bin/python3")

    def test_elsewhere_the_first_on_the_path(self):
        del self.environment["SPION_PYTHON"]
        (self.programs / "dpkg-query").unlink()
        self.environment["PATH"] = str(self.programs)
        self.check_chosen(self.programs / "python3")
        (self.programs / "python3").unlink()
        self.check_refused(self.choose(), "no python3", "SPION_PYTHON")

    def test_the_users_choice(self):
        self.check_chosen(self.programs / "python3")
        self.environment["SPION_PYTHON"] = ""
        self.check_chosen("/usr/bin/python3")

    def test_choices_that_cannot_be(self):
        for choice in ("python3", "/usr/bin/my python", "/usr/bin/python2.3", "/usr/bin"):
            with self.subTest(choice):
                self.environment["SPION_PYTHON"] = choice
                self.check_refused(self.choose(), choice, "set SPION_PYTHON", "or unset it")

    def test_a_choice_that_does_not_run_or_is_too_old(self):
        for choice in ("/bin/false", "/bin/echo", "/bin/true"):
            self.environment["SPION_PYTHON"] = choice
            self.check_refused(self.choose(), f"{choice} does not run programs of Python; set")
        self.environment["SPION_PYTHON"] = str(self.programs / "python3")
        for name in ("python3.9", "python2.27", "python3.10", "python3.14", "python4.0"):
            self.environment["PYTHON_NAME"] = name
            if name in ("python3.9", "python2.27"):
                self.check_refused(self.choose(), f"/python3 is {name}; set SPION_PYTHON")
            else:
                self.check_chosen(self.programs / "python3")

    def test_set_up_uses_it(self):
        del self.environment["SPION_PYTHON"]
        self.environment["SPION_NO_INSTALL"] = "1"
        result = self.run_program(self.checkout / "tools/bazel", "build", "//a")
        self.assertIn("  /usr/bin/python3 -m venv ", result.stderr)
        self.assertNotIn(str(self.programs / "python3"), result.stderr)

    def test_this_test_runs_on_it(self):
        """From its first line on, which must not look for a Python on the PATH."""
        chosen = os.environ["CHOSEN_PYTHON"]
        self.assertEqual(os.path.realpath(sys.executable), os.path.realpath(chosen))
        stub = pathlib.Path("tools/setup/python_test")
        with stub.open() as lines:
            self.assertEqual(next(lines), f"#!{chosen}\n")


if __name__ == "__main__":
    unittest.main()

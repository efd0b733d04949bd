"""Set-up's plan and its commands, on a machine of stand-ins with a space in every path."""

import ctypes
import os
import pathlib
import unittest

import test_case

SCRIPT = ('set -euo pipefail; source "$0/tools/setup/python.sh";'
          ' source "$0/tools/setup/setup.sh"; setup_machine "$0"')

PIP_FLAGS = ["install", "--quiet", "--disable-pip-version-check"]
APT_INSTALL = ["apt-get", "install", "-qq", "--no-install-recommends"]


def versions():
    lines = pathlib.Path("third_party/versions.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def give_up_rights():
    """Root may write everywhere; after this, in the programs that are started, it may not."""
    drop_from_bounding_set, may_write_everywhere = 24, 1
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(drop_from_bounding_set, may_write_everywhere, 0, 0, 0)


def packages(debian):
    return [line.split()[0] for line in debian.splitlines()]


class SetupTest(test_case.MachineTestCase):
    def setUp(self):
        super().setUp()
        self.checkout = self.copy_checkout("john doe/my checkout")
        self.cache = self.folder / "john doe/my cache/spion"
        self.cache.mkdir(parents=True)
        nvcc = self.write("john doe/cuda 13/bin/nvcc", "")
        nvcc.chmod(0o755)
        self.environment["CUDA_HOME"] = str(nvcc.parent.parent)
        self.environment["SPION_CACHE_DIR"] = str(self.cache)
        # What words split at spaces would name.
        self.others = [self.write("john/thesis.txt", "years of work"),
                       self.write("doe/my", "more of it"),
                       self.write("cache/spion/thesis.txt", "a copy")]

    def set_up(self):
        return self.run_program("bash", "-c", SCRIPT, self.checkout)

    def environments(self):
        """(folder, pip's words after its flags) of each, in the order of set-up."""
        pinned = versions()
        result = [(self.cache / f"torch-{pinned['TORCH_VERSION']}-cuda",
                   [f"torch=={pinned['TORCH_VERSION']}"])]
        for key in ("MATPLOTLIB", "TENSORBOARD", "MLPERF_LOGGING"):
            version = pinned[f"{key}_VERSION"]
            result.append((self.cache / f"{key.lower()}-{version}",
                           ["--no-deps", f"{key.lower()}=={version}",
                            *pinned[f"{key}_COMPANIONS"].split(",")]))
        return result

    def commands(self):
        """All that a bare machine needs."""
        result = [["apt-get", "update", "-qq"],
                  APT_INSTALL + packages(test_case.DEBIAN_12) + ["python3-venv"]]
        for folder, wanted in self.environments():
            result.append(["python3", "-m", "venv", str(folder)])
            result.append([f"{folder}/bin/pip", *PIP_FLAGS, *wanted])
        return result

    def check_others_are_there(self):
        for file in self.others:
            self.assertTrue(file.exists(), file)

    def test_bare_machine_is_set_up_once(self):
        result = self.set_up()
        self.check_others_are_there()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.calls(), self.commands())
        for folder, _ in self.environments():
            self.assertTrue((folder / "complete").exists(), folder)

        again = self.set_up()
        self.assertEqual((again.returncode, again.stderr, again.stdout), (0, "", ""))
        self.assertEqual(self.calls(), [])

    def check_commands_are_printed(self):
        """Nothing is done, and what is printed does the same when it is typed."""
        result = self.set_up()
        self.assertEqual((result.returncode, self.calls()), (1, []), result.stderr)
        self.assertEqual(list(self.cache.iterdir()), [])
        typed = [line for line in result.stderr.splitlines() if line.startswith("  ")
                 and not line.startswith("  - ")]
        self.assertEqual(self.run_program("bash", "-ec", "\n".join(typed)).returncode, 0)
        self.assertEqual(self.calls(), self.commands())
        self.assertEqual(self.set_up().stderr, "")

    def test_who_is_not_root_gets_the_commands(self):
        self.environment["USER_ID"] = "1000"
        self.check_commands_are_printed()

    def test_who_wants_no_installation_gets_the_commands(self):
        self.environment["SPION_NO_INSTALL"] = "1"
        self.check_commands_are_printed()

    def test_broken_environment_is_made_anew(self):
        folder, _ = self.environments()[1]
        left = folder / "half a package"
        left.mkdir(parents=True)
        (folder / "pyvenv.cfg").touch()
        result = self.set_up()
        self.check_others_are_there()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(["python3", "-m", "venv", "--clear", str(folder)], self.calls())
        self.assertFalse(left.exists())

    def test_packages_of_another_python_are_made_anew(self):
        """As after an upgrade of Debian. LibTorch has no use for Python, and stays."""
        self.set_up()
        self.calls()
        self.environment["PYTHON_NAME"] = "python3.13"
        result = self.set_up()
        self.check_others_are_there()
        self.assertEqual(result.returncode, 0, result.stderr)
        calls = []
        for folder, wanted in self.environments()[1:]:
            calls.append(["python3", "-m", "venv", "--clear", str(folder)])
            calls.append([f"{folder}/bin/pip", *PIP_FLAGS, *wanted])
        self.assertEqual(self.calls(), calls)
        self.assertEqual(self.set_up().stderr, "")

    def test_what_is_no_environment_is_left_alone(self):
        folder, _ = self.environments()[1]
        folder.mkdir(parents=True)
        mine = folder / "thesis.txt"
        mine.touch()
        self.check_refused(self.set_up(), str(folder), "pyvenv.cfg", "SPION_CACHE_DIR")
        self.assertTrue(mine.exists())

    def test_empty_folder_becomes_an_environment(self):
        folder, _ = self.environments()[1]
        folder.mkdir(parents=True)
        self.assertEqual(self.set_up().returncode, 0)
        self.assertEqual(self.calls(), self.commands())

    def test_command_that_fails_ends_it(self):
        self.environment["BROKEN"] = "update"
        result = self.set_up()
        self.assertEqual(result.returncode, 1)
        self.assertIn("no such mirror", result.stderr)
        self.assertIn(str(self.cache / "setup.log"), result.stderr)
        self.assertEqual(self.calls(), [["apt-get", "update", "-qq"]])

    def test_a_lock_of_another_user_is_named(self):
        """As that of who shares a folder: it may be read alone."""
        lock = self.cache / "setup.lock"
        lock.touch(mode=0o444)
        result = self.run_program("bash", "-c", SCRIPT, self.checkout, preexec_fn=give_up_rights)
        self.assertEqual(self.calls(), [])
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.splitlines()[-1],
                         f"setup: {lock} belongs to {lock.owner()}: a cache folder is one user's; "
                         "set SPION_CACHE_DIR to another folder")

    def test_known_versions_pass_without_a_word(self):
        for debian in (test_case.DEBIAN_12, test_case.DEBIAN_13):
            self.write("distribution", debian)
            self.write("installed", debian)
            self.set_up()
            self.assertEqual(self.set_up().stderr, "")

    def test_other_versions_are_reported(self):
        self.assertEqual(self.set_up().returncode, 0)
        self.write("installed", test_case.DEBIAN_12.replace("1.7.1-1", "1.8.0-1"))
        self.assertEqual(self.set_up().stderr, "setup: libbenchmark-dev is version 1.8.0-1; SPION"
                         " is tested with 1.7.1 and 1.9.1\n")


if __name__ == "__main__":
    unittest.main()

"""tools/bazel hands over to Bazel with everything in its place, or says at once why it cannot."""

import unittest

import test_case

WAY = "set SPION_CACHE_DIR"


class BazelTest(test_case.MachineTestCase):
    def bazel(self, *arguments, checkout=None):
        return self.run_program((checkout or self.checkout) / "tools/bazel", *arguments)

    def bazel_call(self, *arguments):
        """The words and the environment that Bazel got in the end."""
        result = self.bazel(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        program, *words = self.calls()[-1]
        self.assertEqual(program, "bazel")
        lines = (self.folder / "record.environment").read_text().splitlines()
        return words, dict(line.split("=", 1) for line in lines if "=" in line)

    def check_build_is_refused(self, *expected, checkout=None):
        """By one message, before anything is installed."""
        self.check_refused(self.bazel("build", "//a", checkout=checkout), *expected)


class FoldersTest(BazelTest):
    def test_home_is_the_usual_place(self):
        words, environment = self.bazel_call("build", "//a")
        cache = self.home / ".cache/spion"
        self.assertEqual(words, ["build", f"--disk_cache={cache}/bazel", "//a"])
        self.assertEqual(environment["SPION_CACHE_DIR"], str(cache))

    def check_all_is_below(self, cache):
        words, environment = self.bazel_call("build", "//a")
        self.assertEqual(words, [f"--output_user_root={cache}/output", "build",
                                 f"--disk_cache={cache}/bazel", "//a"])
        self.assertEqual(environment["SPION_CACHE_DIR"], str(cache))
        self.assertEqual(list(self.home.iterdir()), [])

    def test_xdg_cache_home_is_another(self):
        self.environment["XDG_CACHE_HOME"] = str(self.folder / "caches")
        self.check_all_is_below(self.folder / "caches/spion")

    def test_spion_cache_dir_is_a_third(self):
        self.environment["XDG_CACHE_HOME"] = str(self.folder / "caches")
        self.environment["SPION_CACHE_DIR"] = str(self.folder / "ours")
        self.check_all_is_below(self.folder / "ours")

    def test_empty_variables_are_not_set(self):
        self.environment.update(XDG_CACHE_HOME="", SPION_CACHE_DIR="")
        self.test_home_is_the_usual_place()

    def test_bazel_within_bazel_goes_on_in_the_same_folders(self):
        for caches in ({}, {"XDG_CACHE_HOME": str(self.folder / "caches")}):
            self.environment.update(caches)
            words, environment = self.bazel_call("build", "//a")
            self.environment["SPION_CACHE_DIR"] = environment["SPION_CACHE_DIR"]
            self.assertEqual(self.bazel_call("build", "//a")[0], words)
            del self.environment["SPION_CACHE_DIR"]

    def test_home_and_user_are_not_needed(self):
        del self.environment["HOME"], self.environment["USER"]
        self.environment["SPION_CACHE_DIR"] = str(self.folder / "ours")
        _, environment = self.bazel_call("build", "//a")
        self.assertNotEqual(environment["USER"], "")

    def test_no_home(self):
        del self.environment["HOME"]
        self.check_build_is_refused("HOME is not set", WAY)

    def test_home_that_takes_no_folder(self):
        (self.home / ".cache").touch()
        self.check_build_is_refused(f"{self.home}/.cache/spion cannot be made", WAY)

    def test_read_only_folders(self):
        # A file system that nobody can write to, root neither.
        for variable in ("HOME", "XDG_CACHE_HOME", "SPION_CACHE_DIR"):
            with self.subTest(variable):
                self.environment[variable] = "/proc/sys"
                self.check_build_is_refused("/proc/sys", "cannot be", WAY)

    def test_cache_that_is_no_absolute_path(self):
        for variable, value in (("HOME", "home"), ("XDG_CACHE_HOME", "~/caches"),
                                ("SPION_CACHE_DIR", "ours")):
            with self.subTest(variable):
                self.environment[variable] = value
                self.check_build_is_refused(value, "absolute path", WAY)

    def test_folders_with_a_space(self):
        for variable in ("HOME", "XDG_CACHE_HOME", "SPION_CACHE_DIR", "SPION_TORCH_DIR",
                         "CUDA_HOME"):
            with self.subTest(variable):
                before = self.environment.copy()
                self.environment[variable] = f"{self.folder}/john doe"
                self.check_build_is_refused(f"{self.folder}/john doe", "without spaces", "; ")
                self.environment = before

    def test_checkout_with_a_space(self):
        checkout = self.copy_checkout("john doe/my checkout")
        self.check_build_is_refused(str(checkout), "without spaces", "move it", checkout=checkout)


class ChoicesTest(BazelTest):
    """LibTorch and the CUDA toolkit that the user names."""

    def torch(self, version_file, text):
        for file in (version_file, "include/ATen/ATen.h", "lib/libtorch_cpu.so"):
            self.write(f"torch/{file}", text if file == version_file else "")
        return str(self.folder / "torch")

    def cuda(self, version):
        nvcc = self.write("cuda/bin/nvcc", f"#!/bin/sh\necho 'release 1.2, V{version}'\n")
        nvcc.chmod(0o755)
        return str(nvcc.parent.parent)

    def test_torch_of_a_wheel_and_of_an_archive(self):
        self.environment["SPION_TORCH_DIR"] = self.torch(
            "version.py", "__all__ = ['__version__']\n__version__ = '2.11.0+cu130'\n")
        self.assertEqual(self.bazel_call("info")[0], ["info"])
        (self.folder / "torch/version.py").unlink()
        self.check_build_is_refused("is version unknown")
        self.torch("build-version", "2.11.0+cpu\n")
        self.assertEqual(self.bazel_call("info")[0], ["info"])

    def test_torch_that_cannot_be(self):
        self.environment["SPION_TORCH_DIR"] = "/no/such"
        self.check_build_is_refused("SPION_TORCH_DIR=/no/such has no include/ATen/ATen.h",
                                    "torch 2.11.0", "or unset it")
        folder = self.torch("build-version", "2.10.0+cu130\n")
        self.environment["SPION_TORCH_DIR"] = folder
        self.check_build_is_refused(f"SPION_TORCH_DIR={folder} is version 2.10.0+cu130", "unset it")
        (self.folder / "torch/lib/libtorch_cpu.so").unlink()
        self.check_build_is_refused(f"SPION_TORCH_DIR={folder} has no lib/libtorch_cpu.so")

    def test_cuda(self):
        self.environment["CUDA_HOME"] = self.cuda("13.0.88")
        self.assertEqual(self.bazel_call("info")[0], ["info"])

    def test_cuda_that_cannot_be(self):
        self.environment["CUDA_HOME"] = "/no/such"
        self.check_build_is_refused("CUDA_HOME=/no/such has no bin/nvcc",
                                    "not set, /usr/local/cuda is taken", "the CPU alone")
        for version, expected in (("12.8.93", "is of CUDA 12"), ("13", "tells no version")):
            self.environment["CUDA_HOME"] = self.cuda(version)
            self.check_build_is_refused(f"{self.folder}/cuda/bin/nvcc {expected}", "CUDA 13")


class VersionTest(BazelTest):
    def test_bazel_without_workspace(self):
        for version in ("9.0.1", "7.6.0", "40.0.0"):
            with self.subTest(version):
                self.environment["BAZEL_VERSION"] = version
                self.check_build_is_refused(f"is bazel {version}", "4.2.3", "bazel-bootstrap",
                                              "BAZEL_REAL", "tools/bazel itself")

    def test_bazel_that_is_not_there(self):
        self.environment["BAZEL_REAL"] = "/usr/bin/bazel-7.0.0"
        self.check_build_is_refused("/usr/bin/bazel-7.0.0", "4.2.3", "USE_BAZEL_VERSION")

    def test_no_bazel_at_all(self):
        self.environment["BAZEL_REAL"] = "/bin/false"
        self.check_build_is_refused("/bin/false is no Bazel", "4.2.3")

    def test_version_of_the_project_that_makes_bazel(self):
        self.environment["BAZEL_VERSION"] = "4.2.3"
        self.assertEqual(self.bazel_call("build", "//a")[0][0], "build")


class ArgumentsTest(BazelTest):
    def test_words_stay_words(self):
        words, _ = self.bazel_call("run", "//a", "--", "--out=john doe", "*", "")
        self.assertEqual(words[2:], ["//a", "--", "--out=john doe", "*", ""])

    def test_no_command(self):
        self.assertEqual(self.bazel_call()[0], [])
        self.assertEqual(self.bazel_call("--nohome_rc")[0], ["--nohome_rc"])

    def test_startup_options_go_before_ours(self):
        words, _ = self.bazel_call("--batch", "--output_base=/x y", "coverage",
                                   "--test_tag_filters=gpu", "//a")
        cache = self.home / ".cache/spion"
        self.assertEqual(words, ["--batch", "--output_base=/x y", "coverage",
                                 f"--disk_cache={cache}/bazel", "--test_tag_filters=gpu", "//a"])

    def test_other_commands_get_no_option_of_builds(self):
        self.assertEqual(self.bazel_call("info", "output_base")[0], ["info", "output_base"])

    def test_server_that_knew_less_is_ended(self):
        self.environment["SPION_CACHE_DIR"] = str(self.folder / "ours")
        self.assertEqual(self.bazel("info").returncode, 0)
        root = f"--output_user_root={self.folder}/ours/output"
        self.assertEqual(self.calls()[-2:], [["bazel", root, "shutdown"], ["bazel", root, "info"]])


if __name__ == "__main__":
    unittest.main()

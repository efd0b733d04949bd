"""Makes a bundle of small programs and starts them from it, as on a GPU machine."""

import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

import bundle
import shared_libraries

CONTENT = None


def temporary_folder():
    return pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))


def fake_torch(version):
    """A folder that looks like a LibTorch of that version; returns its lib folder."""
    torch = temporary_folder() / "torch"
    (torch / "lib").mkdir(parents=True)
    (torch / "lib" / "libtorch_cuda.so").touch()
    (torch / "version.py").write_text(f"__version__ = '{version}'\n")
    return torch / "lib"


class BundleTestCase(unittest.TestCase):
    def setUp(self):
        self.out = temporary_folder() / "bundle"

    def make(self, limit_mb=bundle.LIMIT_MB, **changes):
        return bundle.make_bundle({**CONTENT, **changes}, self.out, limit_mb)

    def check_refused(self, expected, **arguments):
        with self.assertRaisesRegex(bundle.BundleError, expected):
            self.make(**arguments)
        self.assertEqual([p.name for p in self.out.parent.iterdir() if ".partial." in p.name], [])


class ContentTest(BundleTestCase):
    def test_programs_are_stripped_and_their_libraries_travel(self):
        self.make()
        for program in ("tests/example_test_program", "benchmarks/example_benchmark"):
            sections = shared_libraries.output_of("readelf", "--sections", self.out / program)
            self.assertNotIn(".symtab", sections)
            self.assertTrue((self.out / program).stat().st_mode & stat.S_IXUSR)
        libraries = [file.name for file in (self.out / "lib").iterdir()]
        self.assertTrue(any(name.startswith("libbenchmark.so.1") for name in libraries), libraries)
        self.assertFalse(shared_libraries.SYSTEM_LIBRARIES & set(libraries))

    def test_licences_travel(self):
        self.make()
        self.assertIn("Apache License", (self.out / "LICENSE").read_text())
        notices = " ".join((self.out / "NOTICES").read_text().split())
        for name in [*(file.name for file in (self.out / "lib").iterdir()),
                     "GoogleTest (compiled in)"]:
            self.assertIn(name, notices)
        self.assertNotIn("no licence text", notices)

    def test_libraries_of_libtorch_stay_behind(self):
        program = CONTENT["files"]["benchmarks"][0]
        path = next(path for name, path in shared_libraries.found_libraries(program).items()
                    if name.startswith("libbenchmark.so"))
        is_there = shared_libraries.is_in_folder(pathlib.Path(path).parent)
        self.assertEqual(shared_libraries.libraries_to_carry(program, is_there), {})

    def test_an_earlier_bundle_is_replaced_whole(self):
        self.make()
        (self.out / "left_over").touch()
        self.make()
        self.assertFalse((self.out / "left_over").exists())
        self.assertEqual([p.name for p in self.out.parent.iterdir()], ["bundle"])


class RefusalTest(BundleTestCase):
    def test_a_folder_that_is_no_bundle(self):
        self.out.mkdir()
        (self.out / "thesis.tex").touch()
        self.check_refused("no earlier bundle")
        self.assertTrue((self.out / "thesis.tex").exists())

    def test_a_file_and_a_link(self):
        self.out.write_text("text")
        self.check_refused("no earlier bundle")
        self.out.unlink()
        self.out.symlink_to("/nowhere")
        self.check_refused("no earlier bundle")

    def test_a_place_where_nothing_can_be_written(self):
        file = temporary_folder() / "file"
        file.touch()
        for place in (file, pathlib.Path("/proc/no_such")):
            out = place / "bundle"
            with self.assertRaisesRegex(bundle.BundleError, f"^{out} cannot be written: .*'$"):
                bundle.make_bundle(CONTENT, out, bundle.LIMIT_MB)

    def test_too_large(self):
        self.check_refused("more than 0.01 MB.*example_", limit_mb=0.01)
        self.assertFalse(self.out.exists())

    def test_a_build_without_cuda(self):
        self.check_refused("no CUDA.*set CUDA_HOME", obstacle="set CUDA_HOME")

    def test_two_programs_of_one_name(self):
        files = {**CONTENT["files"], "programs": CONTENT["files"]["tests"]}
        self.check_refused("two programs are called example_test_program", files=files)

    def test_a_library_that_is_not_there(self):
        original = shared_libraries.found_libraries
        shared_libraries.found_libraries = lambda program: {}
        try:
            self.check_refused("needs libbenchmark.so.1")
        finally:
            shared_libraries.found_libraries = original


def path_with(**programs):
    """A PATH that begins with these programs, name -> shell, on a machine with a GPU."""
    folder = temporary_folder()
    for name, text in {"nvidia_smi": "echo 'GPU 0: invented'", **programs}.items():
        program = folder / name.replace("_", "-")
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


class RunTest(BundleTestCase):
    def setUp(self):
        super().setUp()
        self.make()

    def run_in_bundle(self, *arguments, torch="1.2.3+cu45", **variables):
        environment = {"PATH": path_with(), **variables}
        if torch:
            environment["TORCH_LIB"] = str(fake_torch(torch))
        return subprocess.run([self.out / "run", *arguments], capture_output=True, text=True,
                              check=False, env=environment, cwd="/")

    def last_line(self, result):
        return result.stdout.strip().splitlines()[-1]

    def test_alone_it_lists_what_is_there(self):
        for arguments in ([], ["help"], ["--help"], ["-h"]):
            result = self.run_in_bundle(*arguments, torch=None)
            self.assertEqual(result.returncode, 0, result.stderr)
            for expected in ("usage: run", "run NAME", "example_test_program", "example_benchmark",
                             "example_script.py"):
                self.assertIn(expected, result.stdout)
            self.assertNotIn("set -e", result.stdout)

    def test_help_on_a_group_needs_neither_gpu_nor_torch(self):
        for arguments in (["tests", "--help"], ["sanitize", "-h"], ["benchmarks", "--help"]):
            result = self.run_in_bundle(*arguments, torch=None, SPION_TORCH_DIR="/no/such",
                                        PATH=path_with(nvidia_smi="exit 9"))
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("usage: run", result.stdout)

    def test_the_version(self):
        result = self.run_in_bundle("--version", torch=None)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout, "SPION " + pathlib.Path("VERSION").read_text())

    def test_a_group_may_be_empty(self):
        self.make(files={**CONTENT["files"], "scripts": []})
        self.assertEqual(self.run_in_bundle(torch=None).returncode, 0)

    def test_tests_are_counted(self):
        result = self.run_in_bundle("tests")
        self.assertEqual(self.last_line(result), "4 passed, 0 failed, 1 skipped", result.stderr)
        self.assertEqual(result.returncode, 0)
        result = self.run_in_bundle("tests", "--gtest_filter=*.Passes")
        self.assertEqual(self.last_line(result), "2 passed, 0 failed, 0 skipped")

    def test_the_temporary_folder_alone_is_removed(self):
        folder = temporary_folder() / "john' doe"
        folder.mkdir()
        result = self.run_in_bundle("tests", TMPDIR=str(folder))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(list(folder.iterdir()), [])

    def test_failures_and_crashes_are_counted(self):
        result = self.run_in_bundle("tests", EXAMPLE_FAILS="1")
        self.assertEqual(self.last_line(result), "3 passed, 1 failed, 1 skipped")
        self.assertEqual(result.returncode, 1)
        result = self.run_in_bundle("tests", EXAMPLE_ENDS="1")
        self.assertEqual(self.last_line(result), "0 passed, 1 failed, 0 skipped")
        self.assertIn("ended with status 3", result.stderr)
        self.assertEqual(result.returncode, 1)

    def test_nothing_run_is_no_success(self):
        result = self.run_in_bundle("tests", "--gtest_filter=None")
        self.assertEqual(self.last_line(result), "0 passed, 0 failed, 0 skipped")
        self.assertEqual(result.returncode, 1)

    def test_sanitizer_tools_run_over_the_small_set(self):
        path = path_with(compute_sanitizer='echo "sanitizer $PYTORCH_NO_CUDA_MEMORY_CACHING $*"\n'
                                           '[ "$2" != "$BAD_TOOL" ]')
        result = self.run_in_bundle("sanitize", PATH=path)
        self.assertEqual(self.last_line(result), "4 passed, 0 failed", result.stderr)
        for tool in ("memcheck", "racecheck", "initcheck", "synccheck"):
            self.assertIn(f"sanitizer 1 --tool {tool} --error-exitcode 1", result.stdout)
        result = self.run_in_bundle("sanitize", PATH=path, BAD_TOOL="racecheck")
        self.assertEqual(self.last_line(result), "3 passed, 1 failed")
        self.assertEqual(result.returncode, 1)

    def test_benchmarks_programs_and_scripts_get_their_arguments(self):
        self.assertIn("flag --one", self.run_in_bundle("benchmarks", "--one").stdout)
        self.assertIn("flag a b", self.run_in_bundle("example_benchmark", "a b").stdout)
        self.assertIn("script x", self.run_in_bundle("example_script.py", "x").stdout)

    def test_a_program_can_tell_how_it_was_started(self):
        self.assertIn(f"started by {self.out}/run example_script.py\n",
                      self.run_in_bundle("example_script.py").stdout)

    def test_cells_starts_the_tables_without_a_checkout(self):
        """In a Python that has the standard library alone, and without a GPU."""
        for arguments in (["--help"], ["-h"], ["--out=cells.tar.xz", "--help"]):
            result = self.run_in_bundle("cells", *arguments, torch=None,
                                        SPION_TORCH_DIR="/no/such")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("--minutes", result.stdout)
        for flag, expected in (("--tsaks=image", 'did you mean "--tasks"?'),
                               ("--minutes=soon", "expected a number above 0"),
                               ("--out=cells.zip", "must end in .tar.xz")):
            result = self.run_in_bundle("cells", "--out=/tmp/cells.tar.xz", flag)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn(expected, result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_the_carried_library_is_the_one_that_is_loaded(self):
        path = self.run_in_bundle("example_script.py").stdout.splitlines()[-1]
        loaded = subprocess.run(["ldd", self.out / "benchmarks" / "example_benchmark"], text=True,
                                capture_output=True, check=True, env={"LD_LIBRARY_PATH": path})
        self.assertRegex(loaded.stdout, rf"libbenchmark\S+ => {self.out}/lib/")

    def test_the_wrong_libtorch_is_refused_by_both_versions(self):
        result = self.run_in_bundle("tests", torch="9.9.9+cu45")
        self.assertEqual(result.returncode, 1)
        self.assertIn("9.9.9+cu45", result.stderr)
        self.assertIn("1.2.3+cu45", result.stderr)
        self.assertNotIn("==", result.stdout)

    def test_libtorch_is_named_when_it_is_missing(self):
        result = self.run_in_bundle("tests", torch=None, SPION_TORCH_DIR="/no/such")
        self.assertEqual(result.returncode, 1)
        self.assertIn("/no/such/lib has no libtorch_cuda.so", result.stderr)
        result = self.run_in_bundle("tests", torch=None, PATH=path_with(python3="exit 1"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("install torch 1.2.3+cu45", result.stderr)

    def test_python_and_an_archive_name_their_version(self):
        lib = fake_torch("1.2.3+cu45")
        path = path_with(python3=f"echo {lib}")
        self.assertEqual(self.run_in_bundle("tests", torch=None, PATH=path).returncode, 0)
        (lib.parent / "build-version").write_text("7.7.7\n")
        result = self.run_in_bundle("tests", torch=None, SPION_TORCH_DIR=str(lib.parent))
        self.assertIn("7.7.7", result.stderr)

    def test_a_python_that_does_not_run_is_named(self):
        path = path_with(python3="exit 3")
        for name in ("cells", "example_script.py"):
            result = self.run_in_bundle(name, PATH=path)
            self.assertEqual(result.returncode, 1)
            self.assertIn("python3 runs no program; set SPION_PYTHON", result.stderr)
        result = self.run_in_bundle("example_script.py", SPION_PYTHON=sys.executable, PATH=path)
        self.assertEqual(result.returncode, 0, result.stderr)

    @unittest.skipIf(list(pathlib.Path("/dev").glob("nvidia[0-9]*")), "there is a GPU")
    def test_without_a_gpu_no_test_is_started(self):
        for name in ("tests", "sanitize"):
            result = self.run_in_bundle(name, PATH=path_with(nvidia_smi="exit 9"))
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn("need an NVIDIA GPU", result.stderr)

    def test_an_unknown_name(self):
        """Whatever else is not there."""
        for torch in ("1.2.3+cu45", None):
            result = self.run_in_bundle("lar", torch=torch)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1))
            self.assertIn("there is no lar here", result.stderr)


class WholeTest(BundleTestCase):
    """What of a bundle was lost on its way is said, whatever is asked of it."""

    def setUp(self):
        super().setUp()
        self.make()

    def check_not_whole(self, expected):
        for arguments in ([], ["tests"], ["cells", "--help"], ["lar"]):
            result = subprocess.run(["bash", self.out / "run", *arguments], capture_output=True,
                                    text=True, check=False, cwd="/")
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertEqual(result.stderr, f"run: {expected}\n")

    def test_a_whole_one_says_nothing(self):
        result = subprocess.run([self.out / "run"], capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_a_file_that_is_missing(self):
        for name in ("benchmarks/example_benchmark", "scripts/example_script.py", "sources/VERSION",
                     "sources/experiments/tables/carry.py", "tests/example_test_program"):
            file = self.out / name
            kept = file.rename(self.out.parent / "kept")
            result = subprocess.run([self.out / "run"], capture_output=True, text=True, check=False)
            self.assertEqual(result.stderr, "run: this bundle is not whole: "
                             f"{name} is missing; copy it again\n")
            kept.rename(file)
        [library] = (self.out / "lib").glob("libbenchmark*")
        library.unlink()
        self.check_not_whole(f"this bundle is not whole: lib/{library.name} is missing; copy it "
                             "again")

    def test_a_file_that_is_cut(self):
        cut = self.out / "tests/example_test_program"
        size = cut.stat().st_size
        os.truncate(cut, 1000)
        self.check_not_whole("this bundle is not whole: tests/example_test_program has 1000 bytes, "
                             f"{size} expected; copy it again")

    def test_a_list_that_is_missing_or_cut(self):
        listed = self.out / "bundle.txt"
        os.truncate(listed, listed.stat().st_size // 2)
        text = listed.read_text()
        for cut in (text[:text.rindex("\n") + 1], ""):
            listed.write_text(cut)
            self.check_not_whole("this bundle is not whole: bundle.txt is cut; copy it again")
        listed.unlink()
        self.check_not_whole("this bundle is not whole: bundle.txt is missing; copy it again")

    def test_permissions_that_are_lost(self):
        for name in ("tests/example_test_program", "benchmarks/example_benchmark", "run"):
            (self.out / name).chmod(0o644)
            self.check_not_whole(f"{name} may not be executed; copy the bundle in a way that keeps "
                                 "permissions, as tar and rsync -a do, to a place where programs "
                                 "may run")
            (self.out / name).chmod(0o755)


if __name__ == "__main__":
    CONTENT = json.loads(pathlib.Path(sys.argv.pop(1)).read_text())
    unittest.main()

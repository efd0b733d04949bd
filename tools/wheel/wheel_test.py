"""The wheel: what is in it, what is refused, and that an environment can use it."""

import base64
import csv
import hashlib
import io
import json
import pathlib
import sys
import tempfile
import unittest
import zipfile

import torch

import environment
import wheel

CONTENT = None
OF_ONE_TORCH = None


class WheelTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.wheel = wheel.make_wheel(CONTENT, cls.folder / "dist")
        with zipfile.ZipFile(cls.wheel) as archive:
            cls.files = {name: archive.read(name) for name in archive.namelist()}

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def of_info(self, name):
        found, = [data for path, data in self.files.items() if path.endswith(f".dist-info/{name}")]
        return found.decode()

    def test_name_and_metadata(self):
        self.assertRegex(self.wheel.name, r"^spion-[\d.]+-py3-none-manylinux_2_\d\d_x86_64\.whl$")
        self.assertIn(f"Tag: {self.wheel.stem.split('-', 2)[2]}\n", self.of_info("WHEEL"))
        metadata = self.of_info("METADATA")
        for line in ("Requires-Dist: torch>=2.11", "Requires-Python: >=3.10",
                     "License-Expression: Apache-2.0", "# SPION for PyTorch"):
            self.assertIn(line + "\n", metadata)

    def test_licences_travel(self):
        self.assertIn("Apache License", self.of_info("licenses/LICENSE"))
        notices = " ".join(self.of_info("licenses/NOTICES").split())
        carried = [name.rpartition("/")[2] for name in self.files if name.startswith("spion/libs/")]
        self.assertTrue(carried)
        for name in carried + (["CUDA runtime of NVIDIA"] if "spion/libspion_cuda.so" in self.files
                               else []):
            self.assertIn(name, notices)

    def test_the_record_is_of_all_files(self):
        rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(self.of_info("RECORD")))}
        self.assertEqual(set(rows), set(self.files))
        for name, (digest, size) in rows.items():
            if name.endswith("/RECORD"):
                continue
            kind, _, value = digest.partition("=")
            self.assertEqual(int(size), len(self.files[name]))
            self.assertEqual(base64.urlsafe_b64decode(value + "="),
                             hashlib.new(kind, self.files[name]).digest())

    def test_no_tests_and_no_folders_of_this_machine(self):
        self.assertIn("spion/py.typed", self.files)
        self.assertFalse([name for name in self.files if "test.py" in name and "selftest" not in name])
        for data in self.files.values():
            self.assertNotIn(str(pathlib.Path.home()).encode() + b"/", data)

    def test_the_same_bytes_again(self):
        again = wheel.make_wheel(CONTENT, self.folder / "again")
        self.assertEqual(again.read_bytes(), self.wheel.read_bytes())

    def test_the_tag_is_of_the_newest_symbol(self):
        self.assertEqual(wheel.glibc_for("GLIBC_2.34"), 34)
        self.assertEqual(wheel.glibc_for("GLIBCXX_3.4.29"), 34)
        self.assertEqual(wheel.glibc_for("GLIBCXX_3.4.30"), 35)
        self.assertEqual(wheel.glibc_for("CXXABI_1.3"), 17)
        with self.assertRaisesRegex(wheel.WheelError, "no manylinux tag is known.*3.4.99"):
            wheel.glibc_for("GLIBCXX_3.4.99")

    def test_symbols_of_one_torch_are_refused(self):
        with self.assertRaisesRegex(wheel.WheelError, r"c10::OfOneTorch\(\)"):
            wheel.check_symbols(OF_ONE_TORCH)

    def test_folders_of_this_machine_are_refused(self):
        with self.assertRaisesRegex(wheel.WheelError, "x.so names"):
            wheel.check_paths("x.so", str(pathlib.Path.home()).encode(), "/torch/lib")
        with self.assertRaisesRegex(wheel.WheelError, "expected .ORIGIN/libs"):
            wheel.check_search_paths(OF_ONE_TORCH)

    def test_a_wheel_that_is_too_large_is_refused(self):
        with self.assertRaisesRegex(wheel.WheelError, "more than 0.1 MB"):
            wheel.make_wheel(CONTENT, self.folder / "large", limit_mb=0.1)
        self.assertEqual(list((self.folder / "large").iterdir()), [])

    def test_a_place_where_nothing_can_be_written(self):
        file = self.folder / "file"
        file.touch()
        for place in (file, file / "below", pathlib.Path("/proc/no_such")):
            with self.assertRaisesRegex(wheel.WheelError,
                                        f"^no wheel can be written into {place}: .*'$"):
                wheel.make_wheel(CONTENT, place)

    def test_installs_and_works_in_another_environment(self):
        made = environment.Environment(self.folder / "environment")
        torch_packages = pathlib.Path(torch.__file__).resolve().parents[1]
        (made.packages / "torch.pth").write_text(f"{torch_packages}\n")
        made.install(torch_packages, "--no-index", self.wheel)
        result = made.run(self.folder, "-m", "spion.selftest")
        print(result.stdout)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"cpu +torch.compile +ok")
        self.assertIn("all that can run here works", result.stdout)
        # Abseil is the wheel's own one.
        maps = made.run(self.folder, "-c",
                        "import spion; print(open('/proc/self/maps').read())").stdout
        loaded = {line.split()[-1] for line in maps.splitlines() if "libabsl" in line}
        self.assertTrue(loaded)
        for path in loaded:
            self.assertTrue(path.startswith(str(made.packages.resolve())), path)


if __name__ == "__main__":
    CONTENT = json.loads(pathlib.Path(sys.argv.pop(1)).read_text())
    OF_ONE_TORCH = sys.argv.pop(1)
    unittest.main()

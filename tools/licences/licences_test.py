"""The notices of what is carried and of what is compiled in."""

import pathlib
import tempfile
import unittest

import licences


class LicencesTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def binary(self, content):
        path = self.folder / "binary"
        path.write_bytes(content)
        return path

    def test_a_carried_library_has_its_packages_text(self):
        zlib = next(pathlib.Path("/usr/lib").glob("*/libz.so.1"))
        text, lacking = licences.notices([], {"libz.so.1": zlib}, "")
        self.assertEqual(lacking, [])
        self.assertIn("\nlibz.so.1\n", text)
        self.assertIn("Jean-loup Gailly", text)  # zlib's first author

    def test_what_is_compiled_in_is_found_in_the_binary(self):
        text, lacking = licences.notices([self.binary(b"x[json.exception.parse_error")], {}, "")
        self.assertEqual(lacking, [])
        self.assertIn("JSON for Modern C++ (compiled in)", text)
        self.assertIn("Niels Lohmann", text)
        self.assertNotIn("GoogleTest", text)
        self.assertNotIn("CUDA", text)

    def test_the_cuda_runtime_has_the_toolkits_text(self):
        binary = self.binary(b"x cudaErrorCudartUnloading")
        (self.folder / "EULA.txt").write_text("Terms of a toolkit")
        text, lacking = licences.notices([binary], {}, self.folder)
        self.assertEqual(lacking, [])
        self.assertIn("CUDA runtime of NVIDIA (linked in)", text)
        self.assertIn("Terms of a toolkit", text)

    def test_what_has_no_text_here_is_said(self):
        own = self.folder / "libown.so.1"
        own.touch()
        text, lacking = licences.notices([self.binary(b"cudaErrorCudartUnloading")],
                                         {"libown.so.1": own}, self.folder)
        self.assertEqual(lacking, ["libown.so.1", "CUDA runtime of NVIDIA (linked in)"])
        self.assertIn("libown.so.1, CUDA runtime of NVIDIA (linked in)\n", text)
        self.assertIn("no licence text of these", text)


if __name__ == "__main__":
    unittest.main()

"""GPUs are those that this process may use."""

import os
import pathlib
import tempfile
import unittest
from unittest import mock

import gpus


class GpusTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.driver = self.folder / "driver"

    def names(self, smi="", **variables):
        """`smi`: a script in place of nvidia-smi."""
        program = self.folder / "nvidia-smi"
        program.unlink(missing_ok=True)
        if smi:
            program.write_text(f"#!/bin/sh\n{smi}\n")
            program.chmod(0o755)
        # This machine's own programs and driver are none of the test's.
        with mock.patch.dict(os.environ, {"PATH": str(self.folder), **variables}), \
                mock.patch("gpus._DRIVER", self.driver):
            if "CUDA_VISIBLE_DEVICES" not in variables:
                os.environ.pop("CUDA_VISIBLE_DEVICES", None)
            return gpus.names()

    def test_all_of_the_machine(self):
        self.assertEqual(self.names("echo 'GPU 0: NVIDIA H200 (UUID: GPU-1)'; "
                                    "echo 'GPU 1: NVIDIA H200 (UUID: GPU-2)'"), ["0", "1"])

    def test_none(self):
        for smi in ("", "exit 0", "echo 'No devices were found'; exit 6"):
            self.assertEqual(self.names(smi), [], smi)

    def test_what_cannot_be_told_is_an_error(self):
        with mock.patch("gpus._SECONDS", 0.1):
            for smi, text in (("echo 'GPU 0: A'; echo 'version mismatch' >&2; exit 18",
                               "fails (GPU 0: A version mismatch)"),
                              ("exit 9", "fails (9)"), ("exec /bin/sleep 60", "does not end within")):
                with self.assertRaises(gpus.GpusError) as raised:
                    self.names(smi)
                self.assertIn(text, str(raised.exception))
                self.assertIn("--device=cpu", str(raised.exception))
                self.assertNotIn("\n", str(raised.exception))
        self.driver.touch()
        with self.assertRaises(gpus.GpusError) as raised:
            self.names()
        self.assertIn("is not there, but NVIDIA's driver is", str(raised.exception))

    def test_those_that_the_environment_names(self):
        for text, names in (("2,5", ["2", "5"]), ("GPU-1, MIG-2", ["GPU-1", "MIG-2"]), ("", []),
                            ("-1", []), ("1,-1,0", ["1"]), ("NoDevFiles", [])):
            self.assertEqual(self.names("echo 'GPU 0: A'", CUDA_VISIBLE_DEVICES=text), names)


if __name__ == "__main__":
    unittest.main()

"""The examples run, say what they are to say, and draw; and how the second one reads CIFAR-10."""

import contextlib
import io
import pathlib
import pickle
import re
import runpy
import tempfile
import unittest
from unittest import mock

import numpy
import torch

import spion
from spion.examples import _pictures, convert_encoder, longformer, three_phases


class ExamplesTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def run_example(self, example, *arguments):
        """What it prints; its picture is in self.folder."""
        with contextlib.redirect_stdout(io.StringIO()) as output:
            example.main(["--device=cpu", f"--picture={self.folder}/p.png", *arguments])
        print(output.getvalue())
        self.assertEqual((self.folder / "p.png").read_bytes()[:4], b"\x89PNG")
        return output.getvalue()

    def refused(self, example, message, *arguments):
        with contextlib.redirect_stderr(io.StringIO()) as output, self.assertRaises(SystemExit) as end:
            example.main(list(arguments))
        self.assertNotEqual(end.exception.code, 0)
        self.assertRegex(output.getvalue(), message)

    def test_longformer(self):
        said = self.run_example(longformer, "--lengths", "256", "512")
        difference, = re.findall(r"with a mask: (\S+) at most", said)
        self.assertLess(float(difference), 1e-5)
        self.assertRegex(said, r"length +512: .*% of the blocks, dense .* ms, spion .* ms")

    def test_three_phases(self):
        said = self.run_example(three_phases)
        self.assertRegex(said, r"sparse from here on .* keeping .* % of the blocks")
        accuracy, = re.findall(r"step 150: .* test accuracy (\S+)%", said)
        self.assertGreater(float(accuracy), 30)  # chance is 10

    def test_convert_encoder(self):
        said = self.run_example(convert_encoder)
        self.assertIn("replaced 2 of 2 attentions", said)
        difference, = re.findall(r"differ by (\S+) at most", said)
        self.assertLess(float(difference), 1e-5)
        accuracy, = re.findall(r"fine-tuned, sparse: .* accuracy (\d+)%", said)
        self.assertGreater(int(accuracy), 50)  # chance is 25

    def test_the_package_lists_them(self):
        with contextlib.redirect_stdout(io.StringIO()) as output:
            runpy.run_module("spion.examples", run_name="__main__")
        for example in (longformer, three_phases, convert_encoder):
            self.assertRegex(output.getvalue(), rf"python -m {re.escape(example.__name__)} +# ")

    def test_each_tells_the_version(self):
        for example in (longformer, three_phases, convert_encoder):
            with contextlib.redirect_stdout(io.StringIO()) as output:
                with self.assertRaises(SystemExit) as ended:
                    example.main(["--version"])
            self.assertEqual((ended.exception.code, output.getvalue()),
                             (0, f"SPION {spion.__version__}\n"))

    def test_what_cannot_be_done_is_said_before_anything_is(self):
        with mock.patch("importlib.util.find_spec", return_value=None):
            self.refused(longformer, "matplotlib.*pip install matplotlib", "--picture=p.png")
        self.refused(longformer, "ends in .png or .svg", "--picture=p.pdf")
        self.refused(longformer, "there is no folder /no/such", "--picture=/no/such/p.png")
        self.refused(longformer, "--lengths: 100, expected a multiple of 64", "--lengths", "64", "100")
        self.refused(longformer, "--lengths: 0, expected", "--lengths", "0")
        self.refused(three_phases, "has no CIFAR-10", f"--data={self.folder}")
        for steps in (0, 8):
            self.refused(three_phases, "expected at least 30", f"--steps={steps}")
        self.refused(convert_encoder, "expected more than 32", "--steps=32")
        if not torch.cuda.is_available():
            self.refused(longformer, "--device=cuda: ", "--device=cuda")


class Cifar10Test(unittest.TestCase):
    def setUp(self):
        random = numpy.random.default_rng(0)
        self.batches = [(random.integers(0, 10, 3).tolist(),
                         random.integers(0, 256, (3, 3072)).astype(numpy.uint8)) for _ in range(6)]

    def written(self, version, change=lambda batch: batch):
        """A folder with batches in the layout of a version, each as `change` makes it."""
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        place = pathlib.Path(temporary.name) / f"cifar-10-batches-{version}"
        place.mkdir()
        names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
        for name, (labels, data) in zip(names, self.batches):
            if version == "py":
                batch = change({b"labels": labels, b"data": data, b"batch_label": b"one"})
                (place / name).write_bytes(pickle.dumps(batch, protocol=2))
            else:
                records = b"".join(bytes([label]) + row.tobytes() for label, row in zip(labels, data))
                (place / f"{name}.bin").write_bytes(change(records))
        return place

    def test_both_versions(self):
        for version in ("py", "bin"):
            place = self.written(version)
            for folder in (place.parent, place):
                with self.subTest(folder.name):
                    train, test = _pictures.read_cifar10(folder)
                    self.assertEqual(train.labels.tolist(),
                                     [label for labels, _ in self.batches[:5] for label in labels])
                    # By hand, of the last test picture's last pixel.
                    red, green, blue = (int(self.batches[5][1][2][1024 * c + 1023]) for c in range(3))
                    grey = int(0.2989 * red + 0.5870 * green + 0.1140 * blue + 1e-9)
                    self.assertEqual(test.pixels[2, 1023].item(), grey)

    def test_damaged_files_are_named(self):
        for version, message, change in [
                ("bin", "data_batch_1.bin: 9218 bytes, expected records of 3073",
                 lambda content: content[:-1]),
                ("bin", "data_batch_1.bin: 0 bytes", lambda content: b""),
                ("bin", "data_batch_1.bin: 3 labels up to 10",
                 lambda content: b"\x0a" + content[1:]),
                ("py", "data_batch_1: 3 labels up to 10",
                 lambda batch: batch | {b"labels": [10, 0, 0]}),
                ("py", "data_batch_1: 2 labels", lambda batch: batch | {b"labels": [0, 0]}),
                ("py", "data_batch_1 is no batch .*labels", lambda batch: {b"data": batch[b"data"]}),
                ("py", "data_batch_1 is no batch .*asks for pathlib", lambda batch: pathlib.Path())]:
            with self.subTest(message), self.assertRaisesRegex(_pictures.DataError, message):
                _pictures.read_cifar10(self.written(version, change))
        place = self.written("bin")
        (place / "test_batch.bin").unlink()
        with self.assertRaisesRegex(_pictures.DataError, "test_batch.bin is missing"):
            _pictures.read_cifar10(place)


if __name__ == "__main__":
    unittest.main()

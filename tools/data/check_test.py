"""Runs `data check` as a user would, on files of its own making."""

import hashlib
import os
import pathlib
import resource
import struct
import subprocess
import sys
import unittest
import zlib

import test_case

PROGRAM = None
IMAGE_FILES = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]


def black_png():
    """32 x 32 grey pixels."""
    def chunk(name, content):
        return (struct.pack(">I", len(content)) + name + content
                + struct.pack(">I", zlib.crc32(name + content)))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(33 * 32))) + chunk(b"IEND", b""))


class CheckTest(test_case.FolderTestCase):
    def check(self, *arguments, cwd=None, memory=resource.RLIM_INFINITY):
        environment = {name: value for name, value in os.environ.items()
                       if name != "BUILD_WORKING_DIRECTORY"}
        if cwd is not None:
            environment["BUILD_WORKING_DIRECTORY"] = str(cwd)
        return subprocess.run([os.path.abspath(PROGRAM), "check", *map(str, arguments)],
                              capture_output=True, text=True, check=False, env=environment,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS,
                                                                    (memory, memory)))

    def write_image(self):
        """The six files, of black pictures; returns the sha256 of all bytes."""
        digest = hashlib.sha256()
        (self.folder / "cifar-10-batches-bin").mkdir()
        for number, name in enumerate(IMAGE_FILES):
            record = bytes([number]) + bytes(3072)
            (self.folder / "cifar-10-batches-bin" / name).write_bytes(record * 10_000)
            digest.update(record * 10_000)
        return digest.hexdigest()

    def write_listops(self, target="4", name="listops-1000", more=""):
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        content = f"Source\tTarget\n( ( ( [MAX 2 ) 4 ) ] )\t{target}\n{more}"
        for split in ("train", "val", "test"):
            (folder / f"basic_{split}.tsv").write_text(content)
        return hashlib.sha256(content.encode() * 3).hexdigest()

    def test_an_empty_folder(self):
        result = self.check(self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        for task, way_out in (("image", "https://www.cs.toronto.edu/~kriz/cifar.html"),
                              ("listops", "bazel run //tools:make_listops"),
                              ("retrieval", "https://github.com/google-research/long-range-arena"),
                              ("text", "https://ai.stanford.edu/~amaas/data/sentiment/")):
            [line] = [line for line in result.stdout.splitlines() if line.startswith(f"{task} ")]
            self.assertRegex(line, rf"^{task} +missing: .*")
            self.assertIn(way_out, line)
        self.assertRegex(result.stdout, r"\n0 sound, \d missing, 0 broken\n")
        self.assertRegex(result.stdout, r"\nTo get image, [a-z, ]*text: bazel run //tools:data -- "
                         f"fetch TASK --out={self.folder}\n"
                         "To make listops: bazel run //tools:make_listops -- "
                         f"--out={self.folder}/listops-1000\n$")

    def test_ways_out_are_good_for_a_shell(self):
        folder = self.folder / "my data"
        folder.mkdir()
        self.assertRegex(self.check(folder).stdout,
                         f"\nTo get .* fetch TASK --out='{folder}'\n"
                         f"To make listops: .* --out='{folder}/listops-1000'\n$")

    def test_the_way_out_is_of_what_is_missing(self):
        self.write_listops()
        self.assertNotIn("make_listops", self.check(self.folder).stdout)
        self.assertNotIn("fetch", self.check(self.folder, "listops").stdout)
        (self.folder / "listops-1000").rename(self.folder / "elsewhere")
        said = self.check(self.folder, "listops").stdout
        self.assertIn("To make listops", said)
        self.assertNotIn("fetch", said)

    def test_a_task_that_fetch_has_not_is_none_to_fetch(self):
        """The product has no such task: the program is told of fewer than there are."""
        program = pathlib.Path(PROGRAM).absolute().parent / "check"
        to_get = f"To get image: bazel run //tools:data -- fetch TASK --out={self.folder}\n"
        for tasks, way_out in ((["image", "retrieval"], to_get), (["retrieval"], "")):
            result = subprocess.run([program, "--fetched=image,text", self.folder, *tasks],
                                    capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(result.stdout.partition(" broken\n")[2], way_out)

    def test_what_is_there(self):
        image, listops = self.write_image(), self.write_listops()
        result = self.check(self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"{self.folder}/cifar-10-batches-bin: 45000 train, 5000 dev, 10000 test "
                      f"pictures\n            sha256 {image}\n", result.stdout)
        self.assertIn(f"{self.folder}/listops-1000: 1 train, 1 dev, 1 test expressions; no "
                      f"sequence is longer than 2000 ids\n            sha256 {listops}\n",
                      result.stdout)
        self.assertRegex(result.stdout, r"\n2 sound, \d missing, 0 broken\n")

    def write_aan(self, name):
        folder = self.folder / name
        folder.mkdir(parents=True)
        for split in ("train", "eval", "test"):
            (folder / f"new_aan_pairs.{split}.tsv").write_text(f"1\ta\tb\tone\t{'x' * 4001}\n")

    def write_pathfinder(self, name):
        folder = self.folder / name / "curv_contour_length_14"
        (folder / "metadata").mkdir(parents=True)
        (folder / "imgs" / "0").mkdir(parents=True)
        lines = []
        for number in range(10):
            (folder / "imgs" / "0" / f"sample_{number}.png").write_bytes(black_png())
            lines.append(f"imgs/0 sample_{number}.png {number} {number % 2}\n")
        (folder / "metadata" / "0.npy").write_text("".join(lines))

    def test_a_task_without_memory_does_not_end_the_others(self):
        self.write_image()
        self.write_aan("aan")
        # The program needs 25 MB; 60,000 pictures need 150.
        result = self.check(self.folder, "image", "retrieval", memory=60_000_000)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stdout, "^image +BROKEN: there is not enough memory for what is in "
                         f"{self.folder}\n")
        self.assertIn("1 sound, 0 missing, 1 broken", result.stdout)

    def check_layout(self, listops, aan, pathfinder):
        self.write_listops(name=listops)
        self.write_aan(aan)
        self.write_pathfinder(pathfinder)
        result = self.check(self.folder)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn(f"ListOps from {self.folder}/{listops}: 1 train", result.stdout)
        self.assertIn(f"AAN from {self.folder}/{aan}: 1 train", result.stdout)
        self.assertIn(f"from {self.folder}/{pathfinder}/curv_contour_length_14: 8 train",
                      result.stdout)
        self.assertRegex(result.stdout, r"\n3 sound, \d missing, 0 broken\n")

    def test_the_layout_of_s4(self):
        self.check_layout("listops", "aan", "pathfinder/pathfinder32")

    def test_the_release_as_it_unpacks(self):
        release = "lra_release/lra_release"
        self.check_layout(f"{release}/listops-1000", f"{release}/tsv_data",
                          f"{release}/pathfinder32")

    def test_the_layout_that_the_benchmark_sets_up(self):
        self.check_layout("listops", "matching", "pathfinder/pathfinder32")

    def test_of_two_places_says_which_is_read(self):
        self.write_listops()
        self.write_listops(name="listops", target="5")
        result = self.check(self.folder, "listops")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn(f"ListOps from {self.folder}/listops-1000 (NOT from {self.folder}/listops, "
                      "where there is some too): 1 train", result.stdout)

    def test_counts_what_is_cut(self):
        self.write_listops(more=f"[SM {'1 ' * 2000}]\t0\n")
        self.write_aan("aan")
        result = self.check(self.folder)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("cut to 2000 ids: 1 of 2 train, 1 of 2 dev, 1 of 2 test sequences (the value "
                      "of an expression that is cut cannot be learnt", result.stdout)
        self.assertIn("cut to 4000 ids: 1 of 2 train, 1 of 2 dev, 1 of 2 test sequences (Long "
                      "Range Arena cuts documents", result.stdout)

    def test_what_is_broken(self):
        self.write_image()
        (self.folder / "cifar-10-batches-bin" / "data_batch_3.bin").unlink()
        self.write_listops(target="5")
        result = self.check(self.folder)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"image +BROKEN: .*/data_batch_3.bin is missing")
        self.assertRegex(result.stdout, r"listops +BROKEN: .*basic_train.tsv, line 2: target 5 "
                         "found, but the expression's value is 4")
        self.assertIn(", 2 broken\n", result.stdout)

    def test_only_the_tasks_asked_for(self):
        self.write_listops(target="5")
        result = self.check(self.folder, "image", "text")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("0 sound, 2 missing, 0 broken", result.stdout)
        self.assertNotIn("listops ", result.stdout)

    def test_a_relative_folder_is_the_users(self):
        self.write_listops()
        result = self.check("listops-1000", "listops", cwd=self.folder)
        self.assertIn("1 sound, 0 missing, 0 broken", result.stdout)

    def check_refused(self, expected, *arguments):
        result = self.check(*arguments)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertEqual(result.stderr, f"error: {expected}\n")

    def test_bad_arguments(self):
        self.check_refused(
            f"data folder {self.folder}/none is missing; bazel run //tools:data -- fetch TASK "
            f"--out={self.folder}/none makes it", self.folder / "none")
        self.check_refused(
            f"data folder {self.folder}/no ne is missing; bazel run //tools:data -- fetch TASK "
            f"--out='{self.folder}/no ne' makes it", self.folder / "no ne")
        (self.folder / "file").write_text("x")
        self.check_refused(f"data folder {self.folder}/file is not a folder", self.folder / "file")
        result = self.check(self.folder, "imdb")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, '^error: there is no task "imdb"; the tasks are: image, ')
        self.assertIn('there is no task "imgae"; did you mean image? the tasks are: ',
                      self.check(self.folder, "imgae").stderr)
        result = self.check()
        self.assertEqual((result.returncode, result.stderr),
                         (2, "error: the following arguments are required: DIR\n"))
        self.assertIn("Exit code", self.check("--help").stdout)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

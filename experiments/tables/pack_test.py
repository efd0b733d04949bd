"""What is packed is there again after unpacking; what is damaged is refused and nothing of it kept."""

import dataclasses
import io
import json
import lzma
import os
import pathlib
import resource
import shutil
import tarfile
import unittest
from unittest import mock

import pack
import small_runs
import unpack
from pack_case import PackCase, training
from result import State
from store import Store


class RoundTripTest(PackCase):
    def test_cells_of_every_state_come_again(self):
        self.add(1)
        with self.here.work_on(training(2)) as work:
            work.fail("error: no", {})
        self.add_unfinished(seed=3)
        self.assertEqual(self.pack(), [self.archive])
        self.assertEqual(self.unpack(), 3)
        for seed, state in ((1, State.DONE), (2, State.FAILED), (3, State.MISSING)):
            result = self.there.result(training(seed))
            self.assertEqual(result.state, state)
            if state != State.MISSING:
                self.assertEqual(result.info, self.here.result(training(seed)).info)
        self.assertEqual(self.there.unfinished(training(3)), self.here.unfinished(training(3)))
        with self.there.work_on(training(3)) as work:
            self.assertEqual((work.folder / "run/state.safetensors").read_bytes(), b"state")

    def test_files_are_as_old_as_they_were(self):
        """A state's time tells how far a part had got that nobody ended."""
        self.add_unfinished()
        place = f"unfinished/{training().id}/run/state.safetensors"
        os.utime(self.here.folder / place, (1_700_000_000, 1_700_000_000))
        self.pack()
        self.unpack()
        self.assertEqual((self.there.folder / place).stat().st_mtime, 1_700_000_000)

    def test_tar_unpacks_it_too(self):
        self.add()
        self.pack()
        with tarfile.open(self.archive) as content:
            content.extractall(self.there.folder.parent)
        self.assertEqual(self.there.result(training()).state, State.DONE)

    def test_other_archives_of_the_folder_are_no_parts(self):
        """Parts of an earlier call are removed."""
        self.assertEqual(pack.parts_of(self.archive), [])
        stem = self.archive.name.removesuffix(pack.SUFFIX)
        parts = [self.archive, *(pack.part_path(self.archive, number) for number in (2, 3))]
        for path in (*parts, *(self.archive.with_name(f"{name}{pack.SUFFIX}")
                               for name in (f"{stem}.old", f"{stem}2", f"{stem}.2.old", "2"))):
            path.touch()
        self.assertEqual(pack.parts_of(self.archive), parts)
        self.archive.unlink()
        self.assertEqual(pack.parts_of(self.archive), parts[1:])

    def test_nothing_to_pack_is_an_archive_too(self):
        self.here.folder.mkdir(parents=True)
        self.pack()
        self.assertEqual(self.unpack(), 0)

    def test_only_what_is_needed_is_packed(self):
        run = self.add() / "run"
        for name in ("best_dense", "last"):
            (run / f"{name}.safetensors").write_text("weights")
        for name in ("mllog.txt", "patterns.json", "notes.txt", "patterns.json.partial"):
            (run / name).write_text("{}")
        (run.parent / "trace.json").write_text("{}")
        (run.parent / "log.txt").write_text("short")
        asked = []
        self.pack(needs=asked.append)
        self.unpack()
        self.assertEqual(asked, [training().id])
        packed = {path.split("/", 2)[2] for path in self.files(self.there)}
        self.assertEqual(packed, {"cell.json", "log.txt", "run/manifest.json", "run/metrics.jsonl",
                                  "run/mllog.txt", "run/patterns.json", "run/summary.json",
                                  "trace.json"})
        (run.parent / "log.txt").write_text("long" * 100_000)
        [cell] = pack.collect(self.here.folder, lambda name: True)
        self.assertNotIn("log.txt", cell.files)
        self.assertEqual([file for file in cell.files if file.endswith("safetensors")],
                         ["run/best_dense.safetensors"])
        self.assertEqual(cell.bytes, sum((cell.folder / file).stat().st_size
                                         for file in cell.files))

    def test_what_is_under_way_is_not_packed(self):
        with self.here.work_on(training()) as work:
            small_runs.write(work.folder, training())
            (work.folder / "cell.json").write_text("{}")  # as at its end
            self.assertEqual(pack.collect(self.here.folder, lambda name: True), [])
            work.finish({})

    def test_a_training_that_is_over_but_not_kept_has_its_model(self):
        self.add_unfinished()
        run = self.here.folder / "unfinished" / training().id / "run"
        (run / "state.safetensors").rename(run / "best_dense.safetensors")
        (run / "summary.json").write_text("{}")
        self.pack()
        self.assertEqual(self.unpack(), 1)
        self.assertIn(f"unfinished/{training().id}/run/best_dense.safetensors",
                      self.files(self.there))


class LimitTest(PackCase):
    def test_whole_cells_in_parts_of_limited_size(self):
        for seed in range(5):
            self.add_unfinished(seed=seed, state=os.urandom(20_000))
        paths = self.pack(limit=50_000)
        self.assertEqual([path.name for path in paths],
                         ["cells.tar.xz", "cells.2.tar.xz", "cells.3.tar.xz"])
        for path in paths:
            self.assertLessEqual(path.stat().st_size, 50_000)
        self.assertEqual(self.unpack(paths[1]), 2)
        self.assertEqual(self.unpack(*paths), 3)
        self.assertEqual(self.files(self.there), self.files(self.here))

    def test_a_cell_that_is_larger_is_alone(self):
        for seed, size in ((1, 100), (2, 90_000), (3, 100)):
            self.add_unfinished(seed=seed, state=os.urandom(size))
        self.assertEqual([path.stat().st_size > 50_000 for path in self.pack(limit=50_000)],
                         [False, True, False])

    def test_an_archive_that_cannot_be_written_leaves_the_earlier_one(self):
        self.add()
        self.pack()
        before = self.archive.read_bytes()
        self.add(2)
        cells = pack.collect(self.here.folder, lambda name: False)
        (cells[1].folder / "cell.json").unlink()
        with self.assertRaises(FileNotFoundError):
            pack.write(cells, self.archive, 1 << 20)
        self.assertEqual(self.archive.read_bytes(), before)
        self.assertEqual(list(self.folder.glob(".*")), [])

    def check_full(self, write):
        """A place with room for 4 KiB: the error names the file, and nothing is left."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        try:
            with self.assertRaisesRegex(OSError, rf"'{self.folder}/\.cells\.tar\.xz\..*\.partial'$"):
                write()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        self.assertEqual(list(self.folder.glob("*cells*")), [])

    def test_a_full_place_is_named(self):
        self.add_unfinished(state=os.urandom(100_000))
        cells = pack.collect(self.here.folder, lambda name: False)
        self.check_full(lambda: pack.write(cells, self.archive, 1 << 20))
        small = [dataclasses.replace(cells[0], files=("run/manifest.json",))]
        with mock.patch("pack._END", os.urandom(100_000)):  # What is written last.
            self.check_full(lambda: pack.write(small, self.archive, 1 << 20))

    def test_a_place_is_tried(self):
        pack.try_place(self.archive)
        self.assertEqual(list(self.folder.glob("*cells*")), [])
        self.check_full(lambda: pack.try_place(self.archive))
        with self.assertRaisesRegex(OSError, r"'/proc/\.cells\.tar\.xz\..*\.partial'$"):
            pack.try_place(pathlib.Path("/proc/cells.tar.xz"))


class SecondsTest(PackCase):
    def seconds(self, processors=1):
        with mock.patch("os.sched_getaffinity", return_value=set(range(processors))):
            return pack.seconds(self.here.folder, pack.collect(self.here.folder, lambda name: False),
                                per_byte=1.0)

    def test_cells_side_by_side_take_as_long_as_the_longest(self):
        for seed, size in ((1, 1000), (2, 2000), (3, 90_000)):
            self.add_unfinished(seed=seed, state=bytes(size))
        alone = self.seconds(1)
        self.assertGreater(alone, 93_000)
        self.assertAlmostEqual(self.seconds(2), alone, delta=4000)
        self.assertLess(self.seconds(8), 93_000)
        self.assertGreater(self.seconds(8), 90_000)

    def test_a_training_under_way_has_its_attention_maps_until_the_transition(self):
        self.here.folder.mkdir(parents=True)
        self.assertEqual(self.seconds(), 0)
        with self.here.work_on(training()) as work:
            begun = self.seconds()
            self.assertGreater(begun, 1 << 20)
            (work.folder / "run").mkdir()
            manifest = work.folder / "run/manifest.json"
            for method, maps in (("cf", 2 * 3 * 1000**2 * 4), ("dense", 0)):
                manifest.write_text(json.dumps(
                    {"method": method, "model": {"layers": 3, "sequence_length": 1000}}))
                self.assertEqual(self.seconds() - begun, maps)
            manifest.write_text(manifest.read_text().replace("dense", "cf"))
            (work.folder / "run/patterns.json").write_text("{}")
            self.assertEqual(self.seconds(), begun)


class MergeTest(PackCase):
    def test_what_is_there_stays(self):
        small_runs.add(self.there, training(), commit="bead" * 10)
        self.add()
        self.pack()
        self.assertEqual(self.unpack(), 0)
        self.assertEqual(self.there.result(training()).json("run/manifest.json")["git_commit"],
                         "bead" * 10)

    def test_of_unfinished_ones_the_furthest_is_gone_on_with_and_packed(self):
        for here, there in ((10.0, 20.0), (20.0, 10.0)):
            self.setUp()
            self.add_unfinished(self.here, seconds=here, state=b"here")
            self.add_unfinished(self.there, seconds=there, state=b"there")
            self.pack()
            self.assertEqual(self.unpack(), 1)
            self.assertEqual(self.unpack(), 0)
            self.assertGreaterEqual(self.there.unfinished(training()).seconds, 20)
            [cell] = pack.collect(self.there.folder, lambda name: False)
            self.assertEqual((cell.folder / "run/state.safetensors").read_bytes(),
                             b"there" if there > here else b"here")

    def test_what_is_over_here_needs_no_state(self):
        self.add_unfinished()
        small_runs.add(self.there, training())
        self.pack()
        self.assertEqual(self.unpack(), 0)
        self.assertEqual(self.files(self.there, "unfinished"), [])

    def test_what_was_gone_on_with_elsewhere_is_not_packed_as_unfinished(self):
        self.add_unfinished()
        (self.here.folder / "unfinished").rename(self.folder / "kept")
        self.add()
        (self.folder / "kept").rename(self.here.folder / "unfinished")
        self.assertEqual([cell.name.split("/")[1] for cell in
                          pack.collect(self.here.folder, lambda name: False)], ["cells"])


class RefusedTest(PackCase):
    def check_refused(self, expected):
        with self.assertRaisesRegex(unpack.UnpackError, expected) as raised:
            self.unpack()
        self.assertNotIn("\n", str(raised.exception))
        self.assertIn(str(self.archive), str(raised.exception))
        self.assertEqual(self.files(self.there), [])

    def write(self, name, kind=tarfile.REGTYPE, content=b"{}"):
        with tarfile.open(self.archive, "w:xz") as archive:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "/etc/passwd"
            archive.addfile(info, io.BytesIO(content))

    def test_an_archive_that_is_cut_anywhere(self):
        self.add(1)
        self.add(2)
        self.pack()
        whole = self.archive.read_bytes()
        for length in (*range(0, len(whole), 97), len(whole) - 1):
            self.archive.write_bytes(whole[:length])
            self.check_refused("cut|damaged")
        end = len(lzma.compress(bytes(1024), preset=1))
        self.archive.write_bytes(whole[:-end])  # between two cells
        self.check_refused("is cut")

    def test_an_archive_with_a_wrong_byte(self):
        self.add()
        self.pack()
        whole = self.archive.read_bytes()
        for place in range(0, len(whole), 53):
            self.archive.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
            self.check_refused("cut|damaged")

    def test_something_else(self):
        for content in (b"", b"text", lzma.compress(b"text"), bytes(2048)):
            self.archive.write_bytes(content)
            self.check_refused("cut|damaged")

    def test_cells_of_another_preset(self):
        self.there = Store(self.folder / "there/quick")
        self.add()
        self.pack()
        self.check_refused("has cells of 'paper', not of --preset=quick")

    def test_members_that_lead_elsewhere(self):
        for name, kind in (("/paper/cells/a/cell.json", tarfile.REGTYPE),
                           ("paper/cells/../../../a", tarfile.REGTYPE),
                           ("../a", tarfile.REGTYPE),
                           ("paper/cells/a/link", tarfile.SYMTYPE),
                           ("paper/cells/a/link", tarfile.LNKTYPE),
                           ("paper/cells/a/fifo", tarfile.FIFOTYPE)):
            self.write(name, kind, b"" if kind != tarfile.REGTYPE else b"{}")
            self.check_refused("is no archive of cells")

    def header(self, size, kind=tarfile.REGTYPE, content=bytes(4096)):
        """An archive with a header that says that its member has this size."""
        info = tarfile.TarInfo("paper/cells/a/cell.json")
        info.type, info.size = kind, size
        self.archive.write_bytes(lzma.compress(info.tobuf(tarfile.GNU_FORMAT) + content))

    def test_sizes_that_the_archive_cannot_hold(self):
        for kind in (tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
            for size in (8192, 1 << 60):
                self.header(size, kind)
                self.check_refused("is damaged, or no .tar.xz: ")

    def test_a_file_of_holes(self):
        info = tarfile.TarInfo("paper/cells/a/cell.json")
        info.pax_headers = {f"GNU.sparse.{key}": value for key, value in (
            ("major", "0"), ("minor", "1"), ("map", "0,0"), ("name", info.name),
            ("size", str(1 << 40)))}
        with tarfile.open(self.archive, "w:xz", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(info)
        self.check_refused("is no archive of cells: it has 'paper/cells/a/cell.json'")

    def test_more_than_there_is_room_for(self):
        """A hundred megabytes of zeros are 15 kB in the archive."""
        self.header(100_000_000, content=bytes(100_000_000 + 4096))
        usage = shutil.disk_usage(self.folder)._replace(free=99_000_000)
        with mock.patch("shutil.disk_usage", return_value=usage):
            self.check_refused("has 100 MB, and .* has 99 MB free$")

    def test_memory_that_is_out(self):
        self.write("paper/cells/a/cell.json")
        with mock.patch("shutil.copyfileobj", side_effect=MemoryError):
            self.check_refused("cannot be read: memory is out")

    def test_the_rest_of_a_results_folder_is_left_out(self):
        for name in ("paper/accuracy.html", "paper/cells/.running-a/cell.json", "paper/a/b/c"):
            self.write(name)
            self.assertEqual(self.unpack(), 0)
        self.assertEqual(self.files(self.there), [])

    def test_one_bad_archive_of_two_and_nothing_is_put_in_place(self):
        self.add()
        self.pack()
        good = self.archive.rename(self.folder / "good.tar.xz")
        self.archive.write_bytes(b"text")
        with self.assertRaisesRegex(unpack.UnpackError, "damaged"):
            self.unpack(good, self.archive)
        self.assertEqual(self.files(self.there), [])


del PackCase  # what the others share, no test of its own

if __name__ == "__main__":
    unittest.main()

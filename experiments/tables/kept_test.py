"""What the repository keeps."""

import contextlib
import io
import lzma
import os
import pathlib
import tarfile
import tempfile
import unittest
from unittest import mock

import kept
import pack
import small_runs
from cells import Cell
from origin import Origin
from store import Store

CELL = Cell("image", "cf", 1001, (("preset", "paper"),)).on(Origin("generated-8-4-2", "cpu"))


class UnpackedTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))

    def pack(self, name, day, **made_with):
        """An archive with one cell, finished on that day."""
        store = Store(self.folder / name / "paper")
        with store.work_on(CELL) as work:
            small_runs.write(work.folder, CELL, **made_with)
            work.finish({"seconds": 3.5, "finished": f"2026-01-{day}T03:04:05+00:00", "driver": ""})
        (self.folder / "archives").mkdir(exist_ok=True)
        pack.write(pack.collect(store.folder, lambda cell: False),
                   self.folder / f"archives/{name}.tar.xz", 1 << 20)

    def unpacked(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        stack.enter_context(mock.patch("kept._ARCHIVES", self.folder / "archives"))
        return stack.enter_context(kept.unpacked())

    def refuses(self, expected):
        with self.assertRaises(kept.KeptError) as caught:
            self.unpacked()
        self.assertIn(expected, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_of_a_cell_in_several_archives_the_last_one_is_there_whole(self):
        for name, day in (("a", 11), ("b", 12), ("c", 10)):
            self.pack(name, day, commit=name * 40)
        folder, again = self.unpacked()
        manifest = Store(folder / "paper").result(CELL).json("run/manifest.json")
        self.assertEqual(manifest["git_commit"], "b" * 40)
        self.assertIn("1 cell run again, in two archives", again)
        self.doCleanups()
        self.assertFalse(folder.exists())

    def test_a_repository_without_archives_is_said(self):
        self.refuses("has no archives of results")

    def test_a_damaged_archive_is_named(self):
        self.pack("a", 11)
        archive = self.folder / "archives/a.tar.xz"
        whole = archive.read_bytes()
        for damaged in (whole[:len(whole) // 2], b"", os.urandom(1000),
                        whole[:300] + bytes([whole[300] ^ 1]) + whole[301:]):
            archive.write_bytes(damaged)
            self.refuses(str(archive))

    def test_a_cell_that_does_not_tell_when_it_was_finished_is_named(self):
        for text in ("{", "{}", "[]", '{"finished"'):
            with tarfile.open(self.folder / "a.tar", "w") as content:
                member = tarfile.TarInfo("paper/cells/x/cell.json")
                member.size = len(text)
                content.addfile(member, io.BytesIO(text.encode()))
            self.write_archive((self.folder / "a.tar").read_bytes())
            self.refuses("paper/x has no cell.json")

    def test_nothing_is_written_elsewhere(self):
        for name in ("paper/cells/x/../../../../outside", "/outside"):
            with tarfile.open(self.folder / "a.tar", "w") as content:
                content.addfile(tarfile.TarInfo(name))
            self.write_archive((self.folder / "a.tar").read_bytes())
            self.refuses("is no archive of cells")

    def write_archive(self, content):
        (self.folder / "archives").mkdir(exist_ok=True)
        (self.folder / "archives/a.tar.xz").write_bytes(lzma.compress(content))


if __name__ == "__main__":
    unittest.main()

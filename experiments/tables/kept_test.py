"""What the repository keeps, and that it is shown where there is nothing else."""

import contextlib
import csv
import io
import lzma
import os
import pathlib
import tarfile
import tempfile
import unittest
from unittest import mock

import kept
import main
import pack
import small_runs
from cells import Cell
from origin import Origin
from presets import QUICK
from store import Store

CELL = Cell("image", "cf", 1001, (("preset", "paper"),)).on(Origin("generated-8-4-2", "cpu"))


class KeptCase(unittest.TestCase):
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


class UnpackedTest(KeptCase):
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


class ReportTest(KeptCase):
    def report(self, *flags, code=0):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            self.assertEqual(main.main(["--report_only", "--table=accuracy",
                                        f"--results_dir={self.folder}/results", *flags]), code)
        return out.getvalue()

    def accuracy(self, folder):
        with (self.folder / "results" / folder / "accuracy.matrix.csv").open(encoding="utf-8") as file:
            return {row["method"]: row for row in csv.DictReader(file)}

    def test_where_there_are_no_results_the_repositorys_are_shown_and_said(self):
        said = self.report()
        self.assertEqual(said.count("has no results: these are those that the repository keeps"), 1)
        self.assertEqual(self.accuracy("kept/large_batch")["Transformer, fused attention"]["image"],
                         "42.3 ± 0.4")  # as in docs/results.md
        paper = self.accuracy("kept/paper")
        self.assertRegex(paper["SPION-CF"]["image"], r"^3[78]\.\d ± ")
        self.assertRegex(paper["SPION-CF"]["text"], r"^62\.6 ± 0\.1$")  # of three seeds, not five
        self.assertIn("retrieval (generated)", paper["SPION-CF"])
        self.assertEqual(sorted(path.name for path in (self.folder / "results").iterdir()), ["kept"])

    def test_a_page_has_one_device_for_each_task(self):
        self.report("--table=all", "--preset=paper", "--tasks=image")
        for name in main.TABLES:
            text = (self.folder / f"results/kept/paper/{name}.md").read_text(encoding="utf-8")
            self.assertNotIn("MIXED devices", text, name)
            if name in ("inference", "sparsity", "breakdown"):  # made with one seed, on one device
                self.assertNotIn("not run", text, name)

    def test_a_preset_seeds_and_tasks_that_are_asked_for_are_shown_alone(self):
        self.report("--preset=large_batch", "--seeds=1001")
        self.assertEqual(self.accuracy("kept/large_batch")["Transformer, fused attention"]["image"],
                         "42.4")
        self.assertFalse((self.folder / "results/kept/paper").exists())
        self.report("--tasks=text")
        self.assertEqual(list(self.accuracy("kept/paper")["SPION-CF"]), ["method", "text"])

    def test_own_results_of_the_preset_are_shown_alone_and_with_all_their_seeds(self):
        cell = Cell("image", "cf", 2000, QUICK.settings).on(Origin("generated-8-4-2", "cpu"))
        small_runs.add(Store(self.folder / "results/quick"), cell)
        self.assertNotIn("the repository", self.report())
        self.assertEqual(self.accuracy("quick")["SPION-CF"]["image (generated)"],
                         "50.0 (2 not run)")
        self.assertFalse((self.folder / "results/kept").exists())
        self.assertIn("the repository keeps", self.report("--preset=paper"))

    def test_what_runs_something_does_not_go_with_it(self):
        for flag in ("--cells_only", "--estimate_only"):
            with self.assertRaises(SystemExit) as caught:
                self.report(flag)
            self.assertEqual(caught.exception.code, 2)


if __name__ == "__main__":
    unittest.main()

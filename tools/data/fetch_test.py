"""Runs `data fetch` as a user would, against a server on this machine."""

import contextlib
import fcntl
import hashlib
import io
import os
import signal
import subprocess
import sys
import time
import unittest

import fetch
import sources
import test_case
from range_server import RangeServer

PROGRAM = None

REVIEW = "aclImdb/train/pos/7_9.txt"
ARCHIVE = test_case.tar_bytes({REVIEW: b"good", "aclImdb/more": test_case.noise(60_000)})
MD5 = hashlib.md5(ARCHIVE).hexdigest()
NAME = "aclImdb_v1.tar.gz"


class FetchTest(test_case.FolderTestCase):
    def setUp(self):
        super().setUp()
        self.server = self.enterContext(RangeServer(ARCHIVE))
        self.out = self.folder / "data"

    def start(self, *flags, task="text", out=None, cwd=None):
        environment = {name: value for name, value in os.environ.items()
                       if name != "BUILD_WORKING_DIRECTORY"}
        if cwd is not None:
            environment["BUILD_WORKING_DIRECTORY"] = str(cwd)
        return subprocess.Popen(
            [os.path.abspath(PROGRAM), "fetch", task, "--out", str(out or self.out), "--wait_s=0",
             *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)

    def run_fetch(self, *flags, **arguments):
        process = self.start(*flags, **arguments)
        out, err = process.communicate()
        return process.returncode, out, err

    def server_flags(self):
        return f"--url={self.server.url}", f"--md5={MD5.upper()}"

    def check_fetched(self, result):
        code, out, err = result
        self.assertEqual(code, 0, err)
        self.assertIn(f"text is in {self.out}/aclImdb", out)
        self.assertIn(f"bazel run //tools:data -- check {self.out} text", out)
        self.assertEqual((self.out / REVIEW).read_bytes(), b"good")
        self.assertEqual(sorted(os.listdir(self.out)), ["aclImdb", NAME])
        self.assertEqual((self.out / NAME).read_bytes(), ARCHIVE)

    def check_refused(self, expected, *flags, left=(), **arguments):
        code, out, err = self.run_fetch(*flags, **arguments)
        self.assertEqual((code, out), (1, ""), err)
        last = err.splitlines()[-1]
        self.assertTrue(last.startswith("error: "), err)
        self.assertRegex(last, expected)
        self.assertNotIn("Traceback", err)
        if self.out.is_dir():
            self.assertEqual(sorted(os.listdir(self.out)), sorted(left))
        return last

    def test_downloads_and_unpacks(self):
        self.server.break_after = [20_000]
        self.check_fetched(self.run_fetch(*self.server_flags()))
        self.assertEqual(len(self.server.requests), 2)

    def test_a_relative_folder_is_the_users(self):
        self.check_fetched(self.run_fetch(*self.server_flags(), out="data", cwd=self.folder))

    def test_a_second_fetch_does_nothing(self):
        self.check_fetched(self.run_fetch(*self.server_flags()))
        code, out, _ = self.run_fetch(*self.server_flags())
        self.assertEqual(code, 0)
        self.assertIn(f"{self.out}/aclImdb is there already, nothing is done", out)
        self.assertEqual(len(self.server.requests), 1)

    def test_an_archive_that_is_there_is_not_downloaded(self):
        self.out.mkdir()
        (self.out / NAME).write_bytes(ARCHIVE)
        self.check_fetched(self.run_fetch(f"--md5={MD5}"))

    def test_an_archive_that_is_there_is_checked(self):
        self.out.mkdir()
        (self.out / NAME).write_bytes(ARCHIVE)
        published = sources.SOURCES["text"].md5
        self.check_refused(f"{NAME} has md5 {MD5}, {published} was expected: delete it",
                           left=[NAME])

    def fetch_named(self, task, name, archive, md5=None):
        """Fetches from an archive of this name, in this process; returns the folder."""
        out = self.folder / name
        out.mkdir()
        (out / name).write_bytes(archive)
        said = fetch.fetch(task, out, url=test_case.refusing_url(), md5=md5)
        self.assertIn(f"{out}/{name} is no longer needed", said)
        return out

    def test_an_archive_under_the_names_that_it_has_in_practice(self):
        plain = test_case.tar_bytes({REVIEW: b"good"}, mode="w")
        for name, archive, md5 in ((NAME, ARCHIVE, MD5), ("aclImdb_v1.tgz", ARCHIVE, MD5),
                                   ("aclImdb_v1.tar", plain, None), ("aclImdb_v1", plain, None)):
            with self.subTest(name), contextlib.redirect_stderr(io.StringIO()) as err:
                out = self.fetch_named("text", name, archive, md5)
                self.assertEqual((out / REVIEW).read_bytes(), b"good")
                self.assertEqual("the published md5 does not tell" in err.getvalue(), md5 is None)

    def test_the_release_under_the_names_that_it_has_in_practice(self):
        file = "tsv_data/new_aan_pairs.train.tsv"
        for name, mode in (("lra_release.gz", "w:gz"), ("lra_release.tar.gz", "w:gz"),
                           ("lra_release.tgz", "w:gz"), ("lra_release.tar", "w"),
                           ("lra_release", "w")):
            with self.subTest(name):
                archive = test_case.tar_bytes({f"lra_release/lra_release/{file}": b"pairs"}, mode)
                out = self.fetch_named("retrieval", name, archive)
                self.assertEqual((out / file).read_bytes(), b"pairs")

    def test_of_two_archives_says_which_is_taken(self):
        self.out.mkdir()
        (self.out / NAME).write_bytes(ARCHIVE)
        (self.out / "aclImdb_v1.tar").write_bytes(b"")
        code, _, err = self.run_fetch(f"--md5={MD5}")
        self.assertEqual(code, 0, err)
        self.assertIn(f"{self.out}/{NAME} is taken; aclImdb_v1.tar beside it is not looked at", err)

    def test_a_folder_of_the_archives_name_is_none(self):
        (self.out / "lra_release" / "mine").mkdir(parents=True)
        self.server.content = test_case.tar_bytes({"lra_release/tsv_data/a.tsv": b"pairs"})
        code, _, err = self.run_fetch(f"--url={self.server.url}", task="retrieval")
        self.assertEqual(code, 0, err)
        self.assertEqual(sorted(os.listdir(self.out)),
                         ["lra_release", "lra_release.gz", "tsv_data"])

    def test_an_archive_without_a_published_checksum_is_told_by_its_own(self):
        self.server.content = test_case.tar_bytes({"lra_release/tsv_data/a.tsv": b"pairs"})
        code, _, err = self.run_fetch(f"--url={self.server.url}", task="retrieval")
        self.assertEqual(code, 0, err)
        self.assertIn(f"{self.out}/lra_release.gz is NOT checked, as its owner publishes no "
                      f"checksum: {len(self.server.content)} bytes came, of sha256 "
                      f"{hashlib.sha256(self.server.content).hexdigest()}. Compare", err)
        md5 = hashlib.md5(self.server.content).hexdigest()
        self.assertIn(f"--md5={md5} takes the same file alone", err)
        code, _, err = self.run_fetch(f"--url={self.server.url}", f"--md5={md5}",
                                      task="retrieval", out=self.folder / "again")
        self.assertEqual((code, err), (0, ""))

    def test_killed_and_resumed(self):
        for sign, code in ((signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)):
            with self.subTest(sign):
                self.server.pause_s = 0.02
                process = self.start(*self.server_flags())
                part = self.out / f"{NAME}.part"
                while not (part.exists() and part.stat().st_size > 5_000):
                    self.assertIsNone(process.poll(), "it ended by itself")
                    time.sleep(0.01)
                process.send_signal(sign)
                _, err = process.communicate()
                self.assertEqual(process.returncode, code, err)
                self.assertNotIn("Traceback", err)
                self.assertFalse((self.out / NAME).exists())
                self.assertFalse((self.out / "aclImdb").exists())
                came = part.stat().st_size
                self.assertTrue(5_000 < came < len(ARCHIVE))
                self.server.pause_s = 0.0
                self.server.requests.clear()
                self.check_fetched(self.run_fetch(*self.server_flags()))
                self.assertEqual([each["Range"] for each in self.server.requests],
                                 [f"bytes={came}-"])
                for path in sorted(self.out.rglob("*"), reverse=True):
                    path.rmdir() if path.is_dir() else path.unlink()

    def test_one_fetch_at_a_time(self):
        self.out.mkdir()
        with open(self.out / ".fetch.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.check_refused("another fetch is at work", *self.server_flags(),
                               left=[".fetch.lock"])
        self.check_fetched(self.run_fetch(*self.server_flags()))

    def test_a_wrong_checksum(self):
        self.check_refused(f"md5 {MD5} came, {sources.SOURCES['text'].md5} was expected",
                           f"--url={self.server.url}")

    def test_not_found_names_another_way(self):
        self.server.statuses = [404]
        said = self.check_refused("404 Not Found", *self.server_flags())
        self.assertIn(f"By hand: get {NAME} (https://ai.stanford.edu/~amaas/data/sentiment/), put "
                      f"it into {self.out} as {NAME}, aclImdb_v1.tgz, aclImdb_v1.tar or "
                      "aclImdb_v1, and run again", said)

    def test_a_refused_release_names_what_else_there_is(self):
        for task, folders, others in (
                ("retrieval", "tsv_data/, aan/ or matching/", 3),
                ("pathfinder", "pathfinder32/ or pathfinder/pathfinder32/", 2)):
            with self.subTest(task):
                self.server.statuses = [403]
                code, _, err = self.run_fetch(f"--url={self.server.url}", task=task)
                self.assertEqual(code, 1)
                error, *ways = err.splitlines()
                self.assertRegex(error, "^error: .* 403 Forbidden.*By hand: get lra_release.gz "
                                 r"\(https://github.com/google-research/long-range-arena\), put it "
                                 f"into {self.out} as lra_release.gz, lra_release.tar.gz, "
                                 "lra_release.tgz, lra_release.tar or lra_release, and run again")
                self.assertEqual(len(ways), others)
                self.assertTrue(all(way.startswith("- ") for way in ways), ways)
                self.assertIn(f"into {self.out}, as lra_release/ or as {folders} alone", ways[0])
                self.assertIn("numbers for fairseq, which are not read here", ways[-1])
                if task == "retrieval":
                    self.assertIn(f"put them into {self.out}/aan", ways[1])

    def test_a_refused_connection(self):
        self.check_refused("refuses the connection.*By hand", f"--url={test_case.refusing_url()}")

    def test_no_network(self):
        self.check_refused(r"no network: the name nobody\.invalid cannot be looked up.*By hand",
                           "--url=http://nobody.invalid/a.tar.gz")

    def test_an_archive_of_something_else(self):
        self.server.content = test_case.tar_bytes({"other/file": b"x"})
        md5 = hashlib.md5(self.server.content).hexdigest()
        self.check_refused("holds no folder aclImdb", f"--url={self.server.url}", f"--md5={md5}",
                           left=[NAME])

    def test_two_tasks_of_one_archive(self):
        self.server.content = test_case.tar_bytes({
            "lra_release/lra_release/tsv_data/new_aan_pairs.train.tsv": b"pairs",
            "lra_release/pathfinder32/curv_contour_length_14/metadata/0.npy": b"14",
            "lra_release/pathfinder32/curv_contour_length_9/metadata/0.npy": b"9"})
        for task in ("retrieval", "pathfinder"):
            code, _, err = self.run_fetch(f"--url={self.server.url}", task=task)
            self.assertEqual(code, 0, err)
        self.assertEqual(len(self.server.requests), 1)
        files = {str(path.relative_to(self.out)) for path in self.out.rglob("*") if path.is_file()}
        self.assertEqual(files, {"lra_release.gz", "tsv_data/new_aan_pairs.train.tsv",
                                 "pathfinder32/curv_contour_length_14/metadata/0.npy"})

    def test_listops_is_made(self):
        self.check_refused(f"make_listops -- --out={self.out}/listops-1000", task="listops")
        self.assertFalse(self.out.exists())

    def test_a_command_that_is_told_is_good_for_a_shell(self):
        self.out = self.out / "my data"
        self.check_refused(f"make_listops -- --out='{self.out}'/listops-1000", task="listops")

    def test_a_file_in_the_folders_place(self):
        self.out.write_text("mine")
        self.check_refused(f"cannot make the folder {self.out}: File exists", *self.server_flags())
        self.assertEqual(self.out.read_text(), "mine")

    def test_a_folder_that_may_not_be_made(self):
        self.check_refused("cannot make the folder /proc/here", *self.server_flags(),
                           out="/proc/here")

    def test_flags(self):
        self.assertIn("one of image, listops, pathfinder, retrieval, text",
                      self.run_fetch("--help")[1])
        self.assertEqual(self.run_fetch(task="imdb")[0], 2)


class SourcesTest(unittest.TestCase):
    def test_every_archive_has_an_address_and_a_name(self):
        for source in sources.SOURCES.values():
            self.assertRegex(source.url, r"^https://.+/[\w.-]+gz$")
            self.assertRegex(source.page, r"^https://")
            self.assertRegex(source.md5 or "0" * 32, r"^[0-9a-f]{32}$")
            self.assertNotIn("/", source.archive)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

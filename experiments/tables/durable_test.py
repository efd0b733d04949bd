"""Files are whole whoever writes, and on the disk before they have their names."""

import multiprocessing
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import durable

WRITERS, TIMES = 4, 50


def new_folder():
    return pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))


def text_of(writer):
    return f"{writer}\n" * 10_000


def write_often(path, writer):
    for _ in range(TIMES):
        durable.write_text(path, text_of(writer))


class DurableTest(unittest.TestCase):
    def setUp(self):
        self.folder = new_folder()

    def names(self):
        return [path.name for path in self.folder.iterdir()]

    def test_writers_of_one_file_do_not_disturb_each_other(self):
        path = self.folder / "page.html"
        writers = [multiprocessing.Process(target=write_often, args=(path, writer))
                   for writer in range(WRITERS)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        self.assertEqual([writer.exitcode for writer in writers], [0] * WRITERS)
        self.assertIn(path.read_text(), map(text_of, range(WRITERS)))
        self.assertEqual(self.names(), ["page.html"])

    def test_what_was_there_stays_when_writing_fails(self):
        path = self.folder / "page.html"
        durable.write_text(path, "first")
        with self.assertRaises(UnicodeEncodeError):
            durable.write_text(path, "\ud800")
        self.assertEqual(path.read_text(), "first")
        self.assertEqual(self.names(), ["page.html"])

    def test_a_file_has_the_rights_that_the_user_wants(self):
        durable.write_text(self.folder / "page.html", "")
        (self.folder / "other").write_text("")
        self.assertEqual((self.folder / "page.html").stat().st_mode,
                         (self.folder / "other").stat().st_mode)

    def test_content_goes_to_the_disk_before_the_name_and_the_name_thereafter(self):
        events = []
        real_fsync, real_replace = os.fsync, os.replace

        def fsync(descriptor):
            events.append(os.readlink(f"/proc/self/fd/{descriptor}"))
            real_fsync(descriptor)

        def replace(source, target):
            events.append("renamed")
            real_replace(source, target)
        with mock.patch("os.fsync", fsync), mock.patch("os.replace", replace):
            durable.write_text(self.folder / "page.html", "content")
        self.assertRegex(events[0], r"/\.page\.html\.[0-9a-f]+\.partial$")
        self.assertEqual(events[1:], ["renamed", os.path.realpath(self.folder)])


if __name__ == "__main__":
    unittest.main()

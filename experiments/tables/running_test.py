"""Folders of owners that were killed are removed, and no others."""

import errno
import fcntl
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import running

OWNER = ("import pathlib, sys, time; sys.path[:0] = {path!r}; import running\n"
         "with running.folder(pathlib.Path({parent!r}), 'cell') as folder:\n"
         "  (folder / 'data').write_text('half')\n"
         "  print(folder, flush=True)\n"
         "  sys.stdin.read()\n")


class RunningTest(unittest.TestCase):
    def setUp(self):
        self.parent = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))

    def start_owner(self):
        """A process that has a folder until its input ends; (process, folder)."""
        owner = subprocess.Popen(
            [sys.executable, "-c", OWNER.format(path=sys.path, parent=str(self.parent))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(owner.communicate)
        return owner, pathlib.Path(owner.stdout.readline().rstrip())

    def test_a_folder_is_there_as_long_as_its_owner_wants_it(self):
        with running.folder(self.parent, "cell") as folder:
            (folder / "data").write_text("whole")
            running.remove_left_behind(self.parent)
            self.assertEqual((folder / "data").read_text(), "whole")
        self.assertEqual(list(self.parent.iterdir()), [])

    def test_two_owners_of_one_name_have_two_folders(self):
        with running.folder(self.parent, "cell") as one, running.folder(self.parent, "cell") as two:
            self.assertNotEqual(one, two)

    def test_another_process_is_left_alone_until_it_is_killed(self):
        """Whatever its number or its host are called: neither is looked at."""
        owner, folder = self.start_owner()
        with mock.patch("os.getpid", return_value=owner.pid):
            running.remove_left_behind(self.parent)
        self.assertEqual((folder / "data").read_text(), "half")
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        self.assertTrue(folder.exists())
        running.remove_left_behind(self.parent)
        self.assertEqual(list(self.parent.iterdir()), [])

    def test_a_lock_that_was_taken_for_left_behind_is_made_again(self):
        """Somebody removes left-behind ones between the owner's making its lock and taking it."""
        real_flock, calls = fcntl.flock, []

        def flock(descriptor, operation):
            calls.append(descriptor)
            if len(calls) == 1:
                for lock in self.parent.glob("*.lock"):
                    lock.unlink()
            real_flock(descriptor, operation)
        with mock.patch("fcntl.flock", flock), running.folder(self.parent, "cell") as folder:
            self.assertEqual(len(calls), 2)
            self.assertEqual(len(list(self.parent.iterdir())), 2)
            running.remove_left_behind(self.parent)
            self.assertTrue(folder.exists())

    def test_without_locks_nothing_is_taken_for_left_behind(self):
        no_locks = mock.patch("fcntl.flock", side_effect=OSError(errno.ENOLCK, "no locks"))
        with no_locks, running.folder(self.parent, "cell") as folder:
            running.remove_left_behind(self.parent)
            self.assertTrue(folder.exists())
        with running.folder(self.parent, "cell") as folder, no_locks:
            running.remove_left_behind(self.parent)
            self.assertTrue(folder.exists())
        self.assertEqual(list(self.parent.iterdir()), [])


if __name__ == "__main__":
    unittest.main()

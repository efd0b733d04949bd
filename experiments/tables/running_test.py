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
         "with running.folder(pathlib.Path({parent!r}), 'cell') as (folder, _):\n"
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
        with running.folder(self.parent, "cell") as (folder, _):
            (folder / "data").write_text("whole")
            running.remove_left_behind(self.parent)
            self.assertEqual((folder / "data").read_text(), "whole")
        self.assertEqual(list(self.parent.iterdir()), [])

    def test_two_owners_of_one_name_have_two_folders(self):
        with running.folder(self.parent, "cell") as (one, _), \
                running.folder(self.parent, "cell") as (two, _):
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

    def kill(self, owner):
        owner.send_signal(signal.SIGKILL)
        owner.wait()

    def test_what_is_rescued_stays(self):
        owner, folder = self.start_owner()
        rescued = self.parent / "rescued"
        running.remove_left_behind(self.parent, lambda folder: folder.rename(rescued))
        self.assertFalse(rescued.exists())
        self.kill(owner)
        running.remove_left_behind(self.parent, lambda folder: folder.rename(rescued))
        self.assertEqual((rescued / "data").read_text(), "half")
        self.assertEqual(list(self.parent.iterdir()), [rescued])

    def test_what_cannot_be_rescued_is_not_removed(self):
        owner, folder = self.start_owner()
        self.kill(owner)

        def fail(folder):
            raise OSError(errno.ENOSPC, "full")
        running.remove_left_behind(self.parent, fail)
        self.assertEqual((folder / "data").read_text(), "half")

    def test_a_program_that_has_the_lock_is_an_owner_too(self):
        with running.folder(self.parent, "cell") as (folder, lock):
            program = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(lock,))
            (folder / "data").write_text("half")
            kept = folder.rename(self.parent / "kept")
            copies = [self.parent / path.name for path in self.parent.glob(".running-*.lock")]
            os.link(copies[0], self.parent / "held")  # as if the owner had been killed
        os.link(self.parent / "held", copies[0])
        kept.rename(folder)
        running.remove_left_behind(self.parent)
        self.assertTrue(folder.exists())
        program.communicate()
        running.remove_left_behind(self.parent)
        self.assertFalse(folder.exists())

    def test_an_earlier_folder_is_taken_up_by_one_alone(self):
        earlier = self.parent / "earlier"
        earlier.mkdir()
        (earlier / "data").write_text("half")
        folders = [self.parent / "nowhere", earlier]
        with running.folder(self.parent, "cell", folders) as (one, _), \
                running.folder(self.parent, "cell", folders) as (two, _):
            self.assertEqual((one / "data").read_text(), "half")
            self.assertEqual(list(two.iterdir()), [])

    def test_a_lock_that_was_taken_for_left_behind_is_made_again(self):
        """Somebody removes left-behind ones between the owner's making its lock and taking it."""
        real_flock, calls = fcntl.flock, []

        def flock(descriptor, operation):
            calls.append(descriptor)
            if len(calls) == 1:
                for lock in self.parent.glob("*.lock"):
                    lock.unlink()
            real_flock(descriptor, operation)
        with mock.patch("fcntl.flock", flock), running.folder(self.parent, "cell") as (folder, _):
            self.assertEqual(len(calls), 2)
            self.assertEqual(len(list(self.parent.iterdir())), 2)
            running.remove_left_behind(self.parent)
            self.assertTrue(folder.exists())

    def test_without_locks_nothing_is_taken_for_left_behind(self):
        no_locks = mock.patch("fcntl.flock", side_effect=OSError(errno.ENOLCK, "no locks"))
        with no_locks, running.folder(self.parent, "cell") as (folder, _):
            running.remove_left_behind(self.parent)
            self.assertTrue(folder.exists())
        with running.folder(self.parent, "cell") as (folder, _), no_locks:
            running.remove_left_behind(self.parent)
            self.assertTrue(folder.exists())
        self.assertEqual(list(self.parent.iterdir()), [])


if __name__ == "__main__":
    unittest.main()

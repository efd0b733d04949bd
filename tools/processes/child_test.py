"""A child ends with its parent."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import child

# Says that it is there, holds the pipe `alive` open, and says that it lives on when it is asked.
CHILD = 'exec 3>alive; echo started >&3; read question <ask; echo "still there" >&3'
PARENT = "import sys; sys.path[:0] = {path!r}; import child; child.start({command!r}).wait()"


class ChildTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        for name in ("alive", "ask"):
            os.mkfifo(self.folder / name)

    def said_after_the_parent_was_killed(self, command):
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT.format(path=sys.path, command=command)], cwd=self.folder)
        with (self.folder / "alive").open() as alive:
            self.assertEqual(alive.readline(), "started\n")
            parent.send_signal(signal.SIGKILL)
            parent.wait()
            # Open for reading too, so that it opens whether or not the child is there.
            ask = os.open(self.folder / "ask", os.O_RDWR)
            os.write(ask, b"?\n")
            said = alive.read()  # until nobody has it open
            os.close(ask)
        return said

    def test_is_killed_when_its_parent_is(self):
        self.assertEqual(self.said_after_the_parent_was_killed(["sh", "-c", CHILD]), "")

    def test_is_killed_whatever_it_became(self):
        self.assertEqual(self.said_after_the_parent_was_killed(
            ["sh", "-c", f"exec bash -c '{CHILD}'"]), "")

    def test_does_not_start_when_its_parent_is_gone_already(self):
        """The parent dies between fork and the request: its number is no longer the child's."""
        with mock.patch("os.getppid", return_value=1):
            process = child.start(["sh", "-c", "touch started"], cwd=self.folder)
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.assertFalse((self.folder / "started").exists())

    def test_is_like_any_other_else(self):
        with child.start(["sh", "-c", "echo out; exit 3"], stdout=subprocess.PIPE) as process:
            self.assertEqual(process.stdout.read(), b"out\n")
        self.assertEqual(process.returncode, 3)
        with self.assertRaises(FileNotFoundError):
            child.start(["/no/such/program"])


if __name__ == "__main__":
    unittest.main()

"""Ranks are told who they are, are stopped together, and end together."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import launch_ranks

TELLS = "echo $RANK $WORLD_SIZE $LOCAL_RANK $MASTER_ADDR $MASTER_PORT >told.$RANK"


class LaunchRanksTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))

    def start(self, script):
        return subprocess.Popen([*launch_ranks.command(3), "sh", "-c", script], cwd=self.folder,
                                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})

    def test_each_is_told_its_rank(self):
        with mock.patch.dict(os.environ, OMPI_COMM_WORLD_SIZE="7", OMPI_COMM_WORLD_RANK="5"):
            self.assertEqual(self.start(f"echo $OMPI_COMM_WORLD_SIZE >other.$RANK; {TELLS}").wait(), 0)
        self.assertEqual((self.folder / "other.1").read_text(), "\n")
        told = [(self.folder / f"told.{rank}").read_text().split() for rank in range(3)]
        port = told[0][-1]
        self.assertEqual(told, [[str(rank), "3", str(rank), "127.0.0.1", port]
                                for rank in range(3)])

    def test_the_exit_code_is_that_of_the_first_that_failed(self):
        self.assertEqual(self.start("exit $((RANK * 3))").wait(), 3)
        self.assertEqual(self.start("exit $((130 - RANK))").wait(), 130)
        self.assertEqual(self.start("[ $RANK = 1 ] && kill -KILL $$; exit 0").wait(), 137)

    def test_who_does_not_end_after_a_failure_is_killed(self):
        with mock.patch.multiple(launch_ranks, _LONGEST_END_SECONDS=0.2):
            code = launch_ranks.main(["2", "sh", "-c", "[ $RANK = 1 ] && exit 4; exec sleep 1000"])
        self.assertEqual(code, 128 + signal.SIGKILL)

    def test_the_first_signal_reaches_rank_zero_once(self):
        """Which tells the others by itself."""
        os.mkfifo(self.folder / "ready")
        process = self.start("trap 'echo $RANK >>signals; n=1' USR1; n=0; [ $RANK = 0 ] || exit 0; "
                             "echo >ready; while [ $n = 0 ]; do sleep 0.05; done; exit 130")
        (self.folder / "ready").read_text()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 130)
        self.assertEqual((self.folder / "signals").read_text(), "0\n")


if __name__ == "__main__":
    unittest.main()

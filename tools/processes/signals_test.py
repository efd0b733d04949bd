"""A wait ends when a child does and when a signal comes, and tells the two apart."""

import os
import signal
import subprocess
import time
import unittest

import signals


class WatchTest(unittest.TestCase):
    def waited(self, watch, seconds=60.0):
        start = time.monotonic()
        watch.wait(seconds)
        return time.monotonic() - start

    def test_a_child_ends_the_wait_and_asks_for_nothing(self):
        with signals.Watch() as watch, subprocess.Popen(["true"]) as child:
            self.assertLess(self.waited(watch), 30)
            self.assertEqual(watch.stop_requests, 0)
            self.assertEqual(child.wait(), 0)

    def test_a_child_that_ended_before_the_wait_is_not_missed(self):
        with signals.Watch() as watch, subprocess.Popen(["true"]) as child:
            child.wait()
            self.assertLess(self.waited(watch), 30)

    def test_each_signal_that_asks_to_stop_is_counted(self):
        with signals.Watch() as watch:
            numbers = (signal.SIGXCPU, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1,
                       signal.SIGUSR2)
            for count, number in enumerate(numbers, 1):
                os.kill(os.getpid(), number)
                self.assertLess(self.waited(watch), 30)
                self.assertEqual(watch.stop_requests, count)

    def test_the_systems_repeated_sigxcpu_is_one_request(self):
        with signals.Watch() as watch:
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGXCPU)
                self.assertLess(self.waited(watch), 30)
            self.assertEqual(watch.stop_requests, 1)

    def test_the_time_ends_the_wait(self):
        with signals.Watch() as watch:
            self.assertGreater(self.waited(watch, 0.01), 0.009)
            self.assertEqual(watch.stop_requests, 0)

    def test_afterwards_signals_do_what_they_did_before(self):
        before = [signal.getsignal(number) for number in signals.STOP]
        with signals.Watch():
            self.assertNotEqual([signal.getsignal(number) for number in signals.STOP], before)
        self.assertEqual([signal.getsignal(number) for number in signals.STOP], before)
        self.assertEqual(signal.set_wakeup_fd(-1), -1)

    def test_what_is_ignored_stays_ignored(self):
        """Under nohup."""
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        with signals.Watch() as watch:
            os.kill(os.getpid(), signal.SIGHUP)
            watch.wait(0.01)
            self.assertEqual(watch.stop_requests, 0)


if __name__ == "__main__":
    unittest.main()

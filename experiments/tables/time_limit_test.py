"""Programs stop early enough that what they did can be packed."""

import unittest
from unittest import mock

from time_limit import TimeLimit


class TimeLimitTest(unittest.TestCase):
    def setUp(self):
        self.now = 1000.0
        clock = mock.patch("time.monotonic", lambda: self.now)
        clock.start()
        self.addCleanup(clock.stop)
        self.packing = 30.0

    def moments(self, seconds):
        """(when to stop, when to kill), in seconds from the start"""
        limit, found = TimeLimit(1000.0, seconds, lambda: self.packing), []
        for is_time in (limit.is_time_to_stop, limit.is_time_to_kill):
            while not is_time():
                self.now += 0.25
            found.append(self.now - 1000.0)
        return found

    def test_there_is_time_for_stopping_and_packing(self):
        stop, kill = self.moments(600)
        self.assertGreaterEqual(600 - kill, 1.5 * self.packing)
        self.assertLess(600 - kill, 2 * self.packing)
        self.assertEqual(kill - stop, 20)

    def test_more_to_pack_takes_more_time(self):
        limit = TimeLimit(1000.0, 600, lambda: self.packing)
        self.now = 1400.0
        self.assertFalse(limit.is_time_to_stop())
        self.packing = 200.0
        self.now = 1411.0
        self.assertTrue(limit.is_time_to_stop())

    def test_of_a_short_time_stopping_is_a_small_part(self):
        self.packing = 0.1
        stop, kill = self.moments(20)
        self.assertGreater(stop, 15)
        self.assertEqual(kill - stop, 2)

    def test_a_time_that_is_too_short_is_over_at_once(self):
        self.assertEqual(self.moments(10), [0, 0])


if __name__ == "__main__":
    unittest.main()

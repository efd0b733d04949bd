"""What a program that failed says."""

import unittest

import programs


class ErrorTest(unittest.TestCase):
    def test_its_last_error_is_told(self):
        self.assertEqual(programs.error_of("error: a\nerror: b\nmore\n", 1), "error: b")

    def test_without_one_how_it_ended_and_what_it_said_last(self):
        for returncode, how in ((3, "exit 3"), (-9, "ended by SIGKILL"), (-42, "ended by signal 42")):
            self.assertEqual(programs.error_of("a\n\nb\n", returncode), f"{how}\na\nb")


if __name__ == "__main__":
    unittest.main()

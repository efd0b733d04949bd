"""What the command refuses before it builds anything."""

import contextlib
import io
import unittest

import run


class FlagsTest(unittest.TestCase):
    def test_no_time_is_refused(self):
        for text in ("0", "-1"):
            errors = io.StringIO()
            with self.assertRaises(SystemExit) as ended, contextlib.redirect_stderr(errors):
                run.parse_arguments([f"--minutes={text}"])
            self.assertEqual(ended.exception.code, 2)
            self.assertEqual(errors.getvalue(), f'error: argument --minutes: "{text}"; expected a '
                             "number above 0\n")

    def test_names(self):
        self.assertEqual(run.parse_arguments(["--names=tar,png", "--without=png"]).names, ["tar"])


if __name__ == "__main__":
    unittest.main()

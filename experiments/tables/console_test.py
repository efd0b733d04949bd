"""A program whose output nobody takes, or no longer."""

import os
import subprocess
import sys
import unittest

import console

SPEAKER = """
import sys; sys.path[:0] = {path!r}
import console
for number in range(3):
    console.say(f"line {{number}}")
    console.say_error(f"of {{number}}")
sys.exit(7)
"""


class ConsoleTest(unittest.TestCase):
    def speak(self, **streams):
        return subprocess.run([sys.executable, "-c", SPEAKER.format(path=sys.path)], check=False,
                              text=True, **streams)

    def test_what_is_said_arrives(self):
        result = self.speak(capture_output=True)
        self.assertEqual(result.stdout, "line 0\nline 1\nline 2\n")
        self.assertEqual(result.stderr, "error: of 0\nerror: of 1\nerror: of 2\n")
        self.assertEqual(result.returncode, 7)

    def check_goes_on(self, stream):
        """Without a word of Python's on the other stream."""
        result = self.speak(stdout=stream, stderr=subprocess.PIPE)
        self.assertEqual((result.returncode, result.stderr.count("\n")), (7, 3), result.stderr)
        result = self.speak(stdout=subprocess.PIPE, stderr=stream)
        self.assertEqual((result.returncode, result.stdout.count("\n")), (7, 3), result.stdout)
        self.assertEqual(self.speak(stdout=stream, stderr=stream).returncode, 7)

    def test_a_reader_who_has_gone(self):
        reader, writer = os.pipe()
        os.close(reader)
        self.check_goes_on(writer)
        os.close(writer)

    def test_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.check_goes_on(full)

    def test_no_stream_at_all(self):
        self.assertEqual(self.speak(preexec_fn=lambda: os.close(1)).returncode, 7)


if __name__ == "__main__":
    unittest.main()

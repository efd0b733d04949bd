"""The parser of the Python programs: the same forms as the C++ programs take."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys
import unittest
from unittest import mock

import command_line


class ParserTest(unittest.TestCase):
    def setUp(self):
        self.parser = command_line.Parser(prog="program", description="Does things.")
        self.parser.add_argument("files", nargs="*")
        self.parser.add_argument("--out", action="path", metavar="DIR", default="here", help="a folder")
        self.parser.add_argument("--tasks", type=command_line.names_of(("image", "text")))
        self.parser.add_argument("--task", type=command_line.name_of(("image", "text")))
        self.parser.add_argument("--hidden", help=command_line.argparse.SUPPRESS)
        self.parser.add_switch("force", help="overwrite")

    def parse(self, *arguments):
        return self.parser.parse_args(arguments)

    def error(self, *arguments):
        stderr, stdout = io.StringIO(), io.StringIO()
        with contextlib.redirect_stderr(stderr), contextlib.redirect_stdout(stdout), \
                self.assertRaises(SystemExit) as ended:
            self.parse(*arguments)
        self.assertEqual(ended.exception.code, 2)
        self.assertEqual(stdout.getvalue(), "")
        [line] = stderr.getvalue().splitlines()
        self.assertEqual(line[:7], "error: ")
        return line[7:]

    def test_a_switch_stands_alone_or_has_a_value(self):
        self.assertFalse(self.parse().force)
        for text in ("--force", "--force=true", "--force=yes", "--force=1", "--force=True"):
            self.assertTrue(self.parse(text).force, text)
        for text in ("--force=false", "--force=no", "--force=0"):
            self.assertFalse(self.parse("--force", text).force, text)
        self.assertEqual(self.error("--force=maybe"),
                         'argument --force: "maybe"; expected true or false')

    def test_a_switch_does_not_take_the_next_word(self):
        options = self.parse("--force", "a", "b")
        self.assertEqual((options.force, options.files), (True, ["a", "b"]))

    def test_both_forms_of_a_flag_and_the_last_of_two(self):
        self.assertEqual(self.parse("--out=x", "--out", "y").out, "y")

    def test_unknown_flags_name_what_may_have_been_meant(self):
        self.assertEqual(self.error("--uot=x"), 'unknown argument "--uot=x"; did you mean "--out"?')
        self.assertEqual(self.error("--verbose"), 'unknown argument "--verbose"; the flags are -h, '
                         "--help, --version, --out, --tasks, --task, --force")

    def test_the_version_is_that_of_the_file(self):
        out = io.StringIO()
        with self.assertRaises(SystemExit) as ended, contextlib.redirect_stdout(out):
            self.parser.parse_args(["--version"])
        self.assertEqual(ended.exception.code, 0)
        self.assertRegex(out.getvalue(), r"^SPION \d+\.\d+\.\d+\n$")

    def test_there_are_no_abbreviations(self):
        self.assertIn("unknown argument", self.error("--forc"))

    def test_names(self):
        self.assertEqual(self.parse("--tasks=text,image").tasks, ("image", "text"))
        self.assertEqual(self.parse("--task=text").task, "text")
        self.assertEqual(self.error("--tasks=text,imgae"), 'argument --tasks: "imgae"; did you '
                         'mean "image"? expected some of image, text')
        self.assertEqual(self.error("--task=listops"),
                         'argument --task: "listops"; expected one of image, text')

    def test_a_path_is_not_empty(self):
        self.assertEqual(self.parse().out, "here")
        self.assertEqual(self.parse("--out=there").out, "there")
        self.assertEqual(self.error("--out="), '--out=""; expected a path')

    def test_a_path_is_from_where_the_user_stands(self):
        with mock.patch.dict(os.environ, {"BUILD_WORKING_DIRECTORY": "/home/user/project"}):
            for text, path in (("out", "/home/user/project/out"), ("../a/./b/", "/home/user/a/b"),
                               ("/data", "/data"), (".", "/home/user/project")):
                self.assertEqual(command_line.user_path(text), pathlib.Path(path))
        with mock.patch.dict(os.environ):
            os.environ.pop("BUILD_WORKING_DIRECTORY", None)
            self.assertEqual(command_line.user_path("out"), pathlib.Path.cwd() / "out")

    def test_numbers_above_0(self):
        self.parser.add_argument("--minutes", type=command_line.positive)
        self.assertEqual(self.parse("--minutes=0.5").minutes, 0.5)
        for text in ("0", "-1", "inf", "nan", "soon", ""):
            self.assertEqual(self.error(f"--minutes={text}"),
                             f'argument --minutes: "{text}"; expected a number above 0')

    def test_arguments_that_are_not_utf8(self):
        name = os.fsdecode(b"--out=/r\xe9sultats")
        self.assertEqual(self.error(name), '"--out=/r%E9sultats" is not UTF-8; rename the file or '
                         "folder, or reach it through a link whose name is")
        self.assertEqual(self.parse("--out=/résultats").out, "/résultats")

    def test_a_current_folder_that_is_not_utf8(self):
        with mock.patch.dict(os.environ, {"BUILD_WORKING_DIRECTORY": os.fsdecode(b"/caf\xe9")}):
            self.assertIn('"/caf%E9" is not UTF-8', self.error())

    def test_help(self):
        stdout = io.StringIO()
        with contextlib.redirect_stdout(stdout), self.assertRaises(SystemExit) as ended:
            self.parse("--help")
        self.assertEqual(ended.exception.code, 0)
        for text in ("Does things.", "--out DIR", "--force [true|false]"):
            self.assertIn(text, stdout.getvalue())


_PRINTS = """
import sys
import command_line

def main(arguments):
    print("x" * int(arguments[0]))
    return 3

command_line.end(main)
"""


class EndTest(unittest.TestCase):
    """A program that prints so much and returns 3, by its exit code and what it says."""

    def end(self, size, shell):
        folder = os.path.dirname(command_line.__file__)
        done = subprocess.run(["bash", "-c", shell, sys.executable, "-c", _PRINTS, str(size)],
                              capture_output=True, check=False, text=True,
                              env={**os.environ, "PYTHONPATH": folder})
        return done.returncode, done.stderr, len(done.stdout)

    def test_what_was_printed_keeps_the_exit_code(self):
        self.assertEqual(self.end(5, '"$0" "$@"'), (3, "", 6))

    def test_a_full_disk(self):
        for size in (5, 1000000):
            self.assertEqual(self.end(size, '"$0" "$@" >/dev/full'), (
                1, "error: standard output did not take the result: No space left on device\n", 0))

    def test_a_reader_that_has_gone(self):
        code, said, _ = self.end(1000000, '"$0" "$@" | true; exit ${PIPESTATUS[0]}')
        self.assertEqual((code, said), (
            1, "error: standard output did not take the result: Broken pipe\n"))

    def test_standard_output_that_is_closed(self):
        self.assertEqual(self.end(5, '"$0" "$@" >&-'), (
            1, "error: standard output did not take the result: Bad file descriptor\n", 0))


if __name__ == "__main__":
    unittest.main()

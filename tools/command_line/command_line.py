"""Flags of the Python programs, written as those of the C++ programs (spion/base/command_line.h):

  --name=value, --name value    a flag
  --name, --name=true|false     a switch (yes, no, 1 and 0 too)

    parser = command_line.Parser(prog="compare", description=__doc__)
    parser.add_argument("--out", metavar="DIR", required=True, help="the folder to write")
    parser.add_switch("force", help="overwrite what is there")
    options = parser.parse_args(arguments)
    out = command_line.user_path(options.out)

Bad arguments end the program with one line, `error: ...`, and exit code 2. A program whose result
is what it prints ends by

    command_line.end(main)
"""

import argparse
import contextlib
import difflib
import io
import os
import pathlib
import re
import sys

BAD_USAGE = 2
NOT_PRINTED = 1
_SWITCH_VALUES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NEAR = 0.7  # of difflib's ratio


def did_you_mean(typed, known):
    """'; did you mean "<name>"?' with the nearest of the names, or "" where none is near."""
    near = difflib.get_close_matches(typed, list(known), n=1, cutoff=_NEAR)
    return f'; did you mean "{near[0]}"?' if near else ""


def name_of(known):
    """A type for add_argument: one of these names."""
    def parse(text):
        if text not in known:
            raise argparse.ArgumentTypeError(
                f'"{text}"{did_you_mean(text, known) or ";"} expected one of {", ".join(known)}')
        return text
    return parse


def names_of(known):
    """A type for add_argument: names by comma, in the order of `known`."""
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(
                    f'"{name}"{did_you_mean(name, known) or ";"} expected some of '
                    f'{", ".join(known)}')
        return tuple(name for name in known if name in names)
    return parse


def positive(text):
    """A type for add_argument: a finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f'"{text}"; expected a number above 0')
    return number


def _user_folder():
    """Where the user stands: bazel run starts programs elsewhere."""
    return os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd())


def user_path(text):
    """A path from where the user stands."""
    return pathlib.Path(os.path.normpath(os.path.join(_user_folder(), text)))


def _switch(text):
    if text.lower() not in _SWITCH_VALUES:
        raise argparse.ArgumentTypeError(f'"{text}"; expected true or false')
    return _SWITCH_VALUES[text.lower()]


def _is_utf8(text):
    try:
        text.encode()
        return True
    except UnicodeEncodeError:
        return False


def _readable(text):
    """Bytes that are not UTF-8 as %XX."""
    return re.sub("[\udc80-\udcff]", lambda match: f"%{ord(match.group()) - 0xdc00:02X}", text)


class _Version(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        version = pathlib.Path(__file__).parents[2] / "VERSION"
        if not version.is_file():
            parser.error(f"this copy of the program does not know its version: no {version}")
        print("SPION", version.read_text(encoding="utf-8"), end="")
        parser.exit()


class _Path(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        if not values:
            parser.error(f'{option_string}=""; expected a path')
        setattr(namespace, self.dest, values)


class Parser(argparse.ArgumentParser):
    """argparse's, with switches and, as action="path", flags that take no empty text; no
    abbreviations; one line an error."""

    def __init__(self, **kwargs):
        self._names = []  # which argparse adds --help to at once
        self._switches = set()
        super().__init__(**{"allow_abbrev": False,
                            "formatter_class": argparse.RawDescriptionHelpFormatter, **kwargs})
        self.register("action", "path", _Path)
        self.add_argument("--version", action=_Version, nargs=0, help="which version this is")

    def add_argument(self, *names, **kwargs):
        action = super().add_argument(*names, **kwargs)
        self._names += action.option_strings if action.help is not argparse.SUPPRESS else []
        return action

    def add_switch(self, name, help):  # pylint: disable=redefined-builtin
        self._switches.add(f"--{name}")
        return self.add_argument(f"--{name}", type=_switch, nargs="?", const=True,
                                 default=False, metavar="true|false",
                                 help=help)

    def parse_known_args(self, args=None, namespace=None):
        arguments = list(sys.argv[1:] if args is None else args)
        for text in (*arguments, _user_folder()):
            if not _is_utf8(text):
                self.error(f'"{_readable(text)}" is not UTF-8; rename the file or folder, or reach '
                           "it through a link whose name is")
        written = [f"{argument}=true" if argument in self._switches else argument
                   for argument in arguments]
        found, unknown = super().parse_known_args(written, namespace)
        if unknown:
            name = unknown[0].split("=")[0]
            hint = did_you_mean(name, self._names) or f"; the flags are {', '.join(self._names)}"
            self.error(f'unknown argument "{unknown[0]}"{hint}')
        return found, unknown

    def error(self, message):
        self.exit(BAD_USAGE, f"error: {message}\n")


def end(main):
    """Ends the program with the exit code of main(arguments), and prints at once all that it printed.
    With NOT_PRINTED and one line where standard output does not take that: it is closed, the disk is
    full, or the reader of a pipe has gone."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            code = main(sys.argv[1:])
    except SystemExit as ended:  # as by --help
        code = ended.code
    if printed.getvalue():
        try:
            _print_all(printed.getvalue())
        except OSError as error:
            print(f"error: standard output did not take the result: {error.strerror}",
                  file=sys.stderr)
            code = NOT_PRINTED
    sys.exit(code)


def _print_all(text):
    """Not by sys.stdout, which is None if closed, and keeps what failed for the program's end."""
    with open(1, "wb", buffering=0, closefd=False) as stream:
        left = memoryview(text.encode())
        while left:
            left = left[stream.write(left):]

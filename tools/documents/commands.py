"""The commands that documents show: of every block of `sh`, and those that stand in a line.

    for command in commands.of(pathlib.Path("README.md").read_text()):
        command.line      # 5
        command.words     # ["bazel", "run", "//tools:data", "--", "check", "/data"]
"""

import dataclasses
import re
import shlex

_BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SHELL = ("sh", "bash", "console", "shell")
# In a line a command is what begins so and says what it is to do.
_IN_LINE = re.compile(r"`((?:(?:tools/)?bazel (?:run|test|build)|tools/[\w/]+|python3?|pip|"
                      r"spion_bundle/run) [^`\n]+)`")


@dataclasses.dataclass(frozen=True)
class Command:
    line: int
    text: str  # without its comment
    words: tuple


def _without_comment(line):
    """A `#` begins a comment at the start of a word, outside of quotes."""
    quote = ""
    for at, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at].rstrip()
    return line.rstrip()


def _of_text(line, text):
    """A line of a shell may be several commands."""
    for part in re.split(r" && ", text):
        yield Command(line, part.strip(), tuple(shlex.split(part)))


def of(document):
    """All of a document in Markdown, in its order. ValueError: a block that has no end."""
    found, covered = [], []
    for block in _BLOCK.finditer(document):
        covered.append(block.span())
        if block[2] not in _SHELL:
            continue
        first = document.count("\n", 0, block.start(3)) + 1
        for number, line in enumerate(block[3].splitlines(), start=first):
            text = _without_comment(line.strip())
            if text:
                found += _of_text(number, text)
    outside = document
    for start, end in covered:
        outside = outside[:start] + re.sub(r"[^\n]", " ", outside[start:end]) + outside[end:]
    if "```" in outside:
        raise ValueError("a block that begins with ``` has no end")
    for match in _IN_LINE.finditer(outside):
        found += _of_text(outside.count("\n", 0, match.start()) + 1, match[1])
    return sorted(found, key=lambda command: command.line)

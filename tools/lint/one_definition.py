"""Says which types two files define under one name.

usage: tools/lint/one_definition [FILE ...]

Two types of one name in one namespace are one type to the linker, whatever they hold: a program
that links both is broken, and no compiler says so (the one-definition rule). Without files, all
C++ and CUDA files of the repository are read. Exit code 1 if there are such types.
"""

import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
_PATTERNS = ["*.h", "*.cc", "*.cu", "*.cuh"]
# What can hold braces that open no scope, or words that are no code.
_NO_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.DOTALL | re.MULTILINE)
_NAMESPACE = re.compile(r"\bnamespace\b\s*([\w:]*)\s*$")
_TYPE = re.compile(r"\b(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+(?:alignas\([^)]*\)\s*)?"
                   r"([\w:]+(?:\s*<[^;{}]*>)?)\s*(?:final\s*)?(?::[^:;{}][^;{}]*)?$", re.DOTALL)
# An unnamed namespace, a class, a function: its names are its own.
_INNER = None


def types(text):
    """The types that a file defines in namespaces with names, as `a::b::Name`."""
    code = _NO_CODE.sub(lambda match: "\n" if match.group().lstrip().startswith("#") else " ", text)
    scopes, start = [], 0
    for match in re.finditer(r"[{};]", code):
        before, start = code[start:match.start()], match.end()
        if match.group() == "}":
            if scopes:
                scopes.pop()
        elif match.group() == "{":
            namespace, type_ = _NAMESPACE.search(before), _TYPE.search(before)
            if namespace:
                scopes.append(namespace.group(1) or _INNER)
                continue
            if type_ and _INNER not in scopes:
                yield "::".join([*scopes, re.sub(r"\s+", "", type_.group(1))])
            scopes.append(_INNER)


def twins(paths):
    """(name, its files) of each type that several of the files define."""
    files = collections.defaultdict(list)
    for path in paths:
        for name in sorted(set(types(pathlib.Path(path).read_text(encoding="utf-8")))):
            files[name].append(str(path))
    return [(name, where) for name, where in sorted(files.items()) if len(where) > 1]


def repository_files():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard",
                             *_PATTERNS], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def main(arguments):
    if any(argument in ("-h", "--help") for argument in arguments):
        print(__doc__.strip())
        return 0
    found = twins(arguments or repository_files())
    for name, where in found:
        print(f"{name} is a type of its own in each of {', '.join(where)}; give them two names",
              file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

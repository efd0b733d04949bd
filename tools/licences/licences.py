"""The licences of others' code that travels in a bundle or a wheel.

The texts are those that this machine has of what it built with: a Debian package's copyright file,
the CUDA toolkit's own. None is kept here.
"""

import pathlib
import subprocess
import textwrap

FILE = "NOTICES"
_DOCUMENTS = pathlib.Path("/usr/share/doc")

# What may be compiled in: its name, a text that every binary with it has, its Debian package.
_COMPILED_IN = (
    ("JSON for Modern C++", b"[json.exception.", "nlohmann-json3-dev"),
    ("GoogleTest", b"[  PASSED  ]", "libgtest-dev"),
)
_CUDA_RUNTIME = b"cudaErrorCudartUnloading"
_CUDA_LICENCES = ("EULA.txt", "dist-info/nvidia_cuda_runtime*/licenses/License.txt")


def _package_of(library):
    """The Debian package that a shared library is of; None if it is of none."""
    path = pathlib.Path(library).resolve()
    try:
        found = subprocess.run(["dpkg-query", "--search", f"*/{path.name}"],
                               capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:  # no Debian
        return None
    for line in found.splitlines():
        package, _, listed = line.partition(": ")
        # A package may list /lib for what lies in /usr/lib.
        if pathlib.Path(listed).resolve() == path:
            return package.split(":")[0]
    return None


def _text_of(package):
    """Its copyright file; None if it is not here."""
    try:
        return (_DOCUMENTS / package / "copyright").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _cuda_text(cuda_home):
    for pattern in _CUDA_LICENCES:
        for path in sorted(pathlib.Path(cuda_home).glob(pattern)):
            return path.read_text(encoding="utf-8", errors="replace")
    return None


def _heading(names):
    line = "=" * 80
    return f"{line}\n{textwrap.fill(', '.join(names), 80)}\n{line}\n\n"


def say_lacking(names):
    if names:
        print(f"note: no licence text is found here of {', '.join(names)}; {FILE} says so")


def notices(binaries, carried, cuda_home):
    """(text, names): what NOTICES says, and of what no licence is found on this machine.

    Args:
      binaries: paths of our own programs and libraries.
      carried: name -> path of the shared libraries that travel with them.
      cuda_home: the CUDA toolkit of this build; "" if it has none.
    """
    parts = {}  # licence text or None -> names of what is under it
    by_package = {}
    for name, path in sorted(carried.items()):
        by_package.setdefault(_package_of(path), []).append(name)
    for package, names in sorted(by_package.items(), key=lambda item: str(item[0])):
        parts.setdefault(package and _text_of(package), []).extend(names)
    contents = [pathlib.Path(binary).read_bytes() for binary in binaries]
    for name, mark, package in _COMPILED_IN:
        if any(mark in content for content in contents):
            parts.setdefault(_text_of(package), []).append(f"{name} (compiled in)")
    if any(_CUDA_RUNTIME in content for content in contents):
        parts.setdefault(_cuda_text(cuda_home), []).append("CUDA runtime of NVIDIA (linked in)")
    lacking = parts.pop(None, [])
    sections = ["Besides SPION's own code, which is under the licence in LICENSE, this has the following, "
                "each under the licence that stands below it.\n"]
    sections += [f"{_heading(names)}{text.strip()}\n" for text, names in parts.items()]
    if lacking:
        sections.append(f"{_heading(lacking)}The machine that built this had no licence text of these: "
                        "look for it where they come from.\n")
    return "\n".join(sections), lacking

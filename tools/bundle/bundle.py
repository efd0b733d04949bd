"""Collects stripped programs into one folder, for a GPU machine without Bazel and network.

usage: bazel run //tools:bundle -- --out=DIR

DIR/run there lists what is in the folder and starts it (tools/bundle/run). The machine has LibTorch;
every other shared library travels along. The folder is written beside DIR and renamed at the end;
an earlier bundle in DIR is replaced, anything else there is left alone and refused.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import command_line
import licences
import shared_libraries

LIMIT_MB = 40
MARKER = "bundle.txt"
MARKER_TITLE = "SPION bundle"

class BundleError(Exception):
    pass


def copy_program(program, target):
    shutil.copyfile(program, target)
    target.chmod(0o755)
    subprocess.run(["strip", target], check=True)


def carried_libraries(program, torch_lib):
    """Name -> path of the shared libraries that neither the system nor LibTorch has there."""
    try:
        return shared_libraries.libraries_to_carry(
            program, shared_libraries.is_in_folder(torch_lib))
    except shared_libraries.MissingLibrary as error:
        raise BundleError(error) from error


def add_licences(folder, content, binaries, libraries):
    shutil.copyfile(content["license"], folder / "LICENSE")
    text, lacking = licences.notices(binaries, libraries, content["cuda_home"])
    (folder / licences.FILE).write_text(text, encoding="utf-8")
    licences.say_lacking(lacking)


def fill(folder, content):
    """Writes the whole bundle into an empty folder."""
    libraries, names, binaries = {}, set(), []
    for group, files in content["files"].items():
        (folder / group).mkdir()
        for file in files:
            name = pathlib.Path(file).name
            if name in names:
                raise BundleError(f"two programs are called {name}; rename one of the targets")
            names.add(name)
            if group == "scripts":
                shutil.copyfile(file, folder / group / name)
            else:
                copy_program(file, folder / group / name)
                libraries.update(carried_libraries(file, content["torch_lib"]))
                binaries.append(file)
    for file in content["sources"]:
        target = folder / "sources" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    (folder / "lib").mkdir()
    for name, path in libraries.items():
        shutil.copyfile(path, folder / "lib" / name)
    add_licences(folder, content, binaries, libraries)
    shutil.copyfile(pathlib.Path(__file__).parent / "run", folder / "run")
    (folder / "run").chmod(0o755)
    write_marker(folder, content["torch_version"])


def write_marker(folder, torch_version):
    """With the size of each file of the folder, by which `run` sees that all were copied."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    (folder / MARKER).write_text("".join(f"{line}\n" for line in (
        MARKER_TITLE, f"torch {torch_version}",
        *(f"file {file.stat().st_size} {file.relative_to(folder)}" for file in files), "end")))


def check_size(folder, limit_mb):
    sizes = sorted(((file.stat().st_size, file.relative_to(folder)) for file in folder.rglob("*")
                    if file.is_file()), reverse=True)
    total = sum(size for size, _ in sizes)
    if total > limit_mb * 1e6:
        largest = ", ".join(f"{name} {size / 1e6:.1f} MB" for size, name in sizes[:3])
        raise BundleError(f"the bundle would be {total / 1e6:.1f} MB, more than {limit_mb} MB; the "
                          f"largest files: {largest}; build for fewer GPUs, for example with "
                          "--//tools/build:cuda_architectures=90")
    return total


def is_bundle(folder):
    marker = folder / MARKER
    return marker.is_file() and marker.read_text().startswith(MARKER_TITLE + "\n")


def check_replaceable(out):
    if os.path.lexists(out) and not (not out.is_symlink() and out.is_dir() and is_bundle(out)):
        raise BundleError(f"{out} exists and is no earlier bundle; remove it or choose another --out")


def make_bundle(content, out, limit_mb):
    """Returns the size in bytes."""
    if content["obstacle"]:
        raise BundleError("this build has no CUDA, and a bundle is for a GPU machine: " +
                          content["obstacle"])
    check_replaceable(out)
    try:
        return put_in_place(content, out, limit_mb)
    except OSError as error:
        raise BundleError(f"{out} cannot be written: {error}") from error


def put_in_place(content, out, limit_mb):
    """As make_bundle. Raises OSError where nothing can be written."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=out.name + ".partial.") as temporary:
        made = pathlib.Path(temporary) / "bundle"
        made.mkdir()
        fill(made, content)
        size = check_size(made, limit_mb)
        check_replaceable(out)
        if out.exists():
            out.rename(pathlib.Path(temporary) / "replaced")
        made.rename(out)
    return size


def main():
    parser = command_line.Parser(prog="bazel run //tools:bundle --",
                                 description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("content", type=pathlib.Path, help=argparse.SUPPRESS)  # from the target
    parser.add_argument("--out", action="path", required=True, metavar="DIR", help="the folder to write")
    parser.add_argument("--limit_mb", type=float, default=LIMIT_MB,
                        help="largest size of the whole folder (default: %(default)s)")
    arguments = parser.parse_args()
    out = command_line.user_path(arguments.out)
    try:
        size = make_bundle(json.loads(arguments.content.read_text()), out, arguments.limit_mb)
    except BundleError as error:
        sys.exit(f"bundle: {error}")
    print(f"{out}: {size / 1e6:.1f} MB; copy it to the GPU machine and start {out.name}/run there")


if __name__ == "__main__":
    main()

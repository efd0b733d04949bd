"""Makes the wheel of the Python package, for any machine with a recent enough torch.

usage: bazel run //tools:wheel -- --out=DIR

The wheel holds the package, its operators for the CPU and, where this build has nvcc, for the GPU,
and the shared libraries that these need and neither a system nor torch has. Its tag says which
glibc they need, as their symbols' versions say. Nothing of this machine is in it: that is checked.
"""

import argparse
import base64
import hashlib
import json
import os
import pathlib
import re
import sys
import zipfile

import command_line
import licences
import shared_libraries

NAME = "spion"
LIMIT_MB = 25
REQUIRES_TORCH = "torch>=2.11"
REQUIRES_PYTHON = ">=3.10"

# torch has these loaded when the package is.
TORCH_LIBRARIES = {"libtorch.so", "libtorch_cpu.so", "libtorch_cuda.so", "libc10.so", "libc10_cuda.so"}

# Of the newest GCC that a glibc's distributions have: the minor version of glibc, and the newest
# symbols of libstdc++. As auditwheel's policies have it.
STANDARD_LIBRARIES = [
    (17, "GLIBCXX_3.4.19", "CXXABI_1.3.7"),
    (24, "GLIBCXX_3.4.22", "CXXABI_1.3.10"),
    (28, "GLIBCXX_3.4.24", "CXXABI_1.3.11"),
    (31, "GLIBCXX_3.4.28", "CXXABI_1.3.12"),
    (34, "GLIBCXX_3.4.29", "CXXABI_1.3.13"),
    (35, "GLIBCXX_3.4.30", "CXXABI_1.3.13"),
    (39, "GLIBCXX_3.4.33", "CXXABI_1.3.15"),
]


class WheelError(Exception):
    pass


def numbers_of(version):
    """"GLIBC_2.34" -> (2, 34)."""
    return tuple(int(number) for number in version.rpartition("_")[2].split("."))


def glibc_for(version):
    """The minor version of the oldest glibc 2 with which a system has symbols of that version."""
    family = version.rpartition("_")[0]
    if family == "GLIBC":
        return numbers_of(version)[1]
    if family == "GCC":
        return 17 if numbers_of(version) <= (4, 8, 0) else 28
    for glibc, *newest in STANDARD_LIBRARIES:
        for other in newest:
            if other.startswith(family + "_") and numbers_of(version) <= numbers_of(other):
                return glibc
    raise WheelError(f"no manylinux tag is known for symbols of version {version}; add it to "
                     "STANDARD_LIBRARIES, or build with an older GCC")


def platform_tag(libraries):
    versions = {version for library in libraries
                for version in shared_libraries.undefined_symbols(library).values() if version}
    return f"manylinux_2_{max([17, *map(glibc_for, versions)])}_x86_64"


def check_symbols(library):
    """Refuses what would fit one version of torch alone."""
    symbols = list(shared_libraries.undefined_symbols(library))
    bad = [name for name in shared_libraries.demangled(symbols)
           if re.search(r"\b(c10|at|torch)::", name)]
    if bad:
        raise WheelError(f"{library} needs C++ symbols of torch, which change with its version: "
                         f"{', '.join(bad[:3])}; write it over torch/csrc/stable alone")


def check_paths(name, content, torch_lib):
    """Refuses what names a folder of this machine."""
    folders = {str(pathlib.Path.home()), str(torch_lib), "/execroot/",
               os.environ.get("BUILD_WORKSPACE_DIRECTORY", "/execroot/")} - {"/"}
    for folder in folders:
        if folder.encode() in content:
            raise WheelError(f"{name} names {folder}, a folder of this machine")


def check_search_paths(library):
    for path in shared_libraries.search_paths(library):
        if path != "$ORIGIN/libs":
            raise WheelError(f"{library} has the loader look in {path}, expected $ORIGIN/libs")


def carried_libraries(libraries):
    """Name -> path of the shared libraries that travel along."""
    carried = {}
    for library in libraries:
        carried.update(shared_libraries.libraries_to_carry(
            library, lambda name, _: name in TORCH_LIBRARIES))
    return carried


def metadata(version, readme):
    return "\n".join([
        "Metadata-Version: 2.4",
        f"Name: {NAME}",
        f"Version: {version}",
        "Summary: Layer-wise sparse training of Transformers: block-sparse attention for PyTorch",
        "License-Expression: Apache-2.0",
        "License-File: LICENSE",
        f"License-File: {licences.FILE}",
        f"Requires-Python: {REQUIRES_PYTHON}",
        f"Requires-Dist: {REQUIRES_TORCH}",
        "Description-Content-Type: text/markdown",
        "", readme])


def record_line(name, content):
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"


def write_archive(path, files):
    """The same bytes from the same files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = (0o755 if ".so" in name else 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)


def put_in_place(files, wheel, limit_mb):
    """Writes the wheel, whole or not at all."""
    wheel.parent.mkdir(parents=True, exist_ok=True)
    partial = wheel.with_suffix(".partial")
    try:
        write_archive(partial, files)
        size = partial.stat().st_size
        if size > limit_mb * 1e6:
            raise WheelError(f"the wheel would be {size / 1e6:.1f} MB, more than {limit_mb} MB; build "
                             "for fewer GPUs, for example with "
                             "--//tools/build:cuda_architectures=90")
        partial.rename(wheel)
    finally:
        partial.unlink(missing_ok=True)


def make_wheel(content, out, limit_mb=LIMIT_MB):
    """Returns the wheel's path."""
    paths = {name: pathlib.Path(path) for name, path in content["files"].items()}
    readme = paths.pop("README.md").read_text(encoding="utf-8")
    libraries = [path for name, path in paths.items() if name.endswith(".so")]
    for library in libraries:
        check_symbols(library)
        check_search_paths(library)
    carried = carried_libraries(libraries)
    paths.update({f"{NAME}/libs/{name}": pathlib.Path(path) for name, path in carried.items()})
    files = {name: path.read_bytes() for name, path in sorted(paths.items())}
    notices, lacking = licences.notices(libraries, carried, content["cuda_home"])
    licences.say_lacking(lacking)
    for name, data in files.items():
        check_paths(name, data, content["torch_lib"])

    version = re.search(rb'^__version__ = "(.+)"$', files[f"{NAME}/__init__.py"],
                        re.MULTILINE)[1].decode()
    tag = f"py3-none-{platform_tag(libraries + list(carried.values()))}"
    info = f"{NAME}-{version}.dist-info"
    files[f"{info}/METADATA"] = metadata(version, readme).encode()
    files[f"{info}/WHEEL"] = (f"Wheel-Version: 1.0\nGenerator: {NAME}\nRoot-Is-Purelib: false\n"
                              f"Tag: {tag}\n").encode()
    files[f"{info}/licenses/LICENSE"] = pathlib.Path(content["license"]).read_bytes()
    files[f"{info}/licenses/{licences.FILE}"] = notices.encode()
    record = "".join(record_line(name, data) for name, data in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()

    wheel = out / f"{NAME}-{version}-{tag}.whl"
    try:
        put_in_place(files, wheel, limit_mb)
    except OSError as error:
        raise WheelError(f"no wheel can be written into {out}: {error}") from error
    return wheel


def main():
    parser = command_line.Parser(prog="bazel run //tools:wheel --",
                                 description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("content", type=pathlib.Path, help=argparse.SUPPRESS)  # from the target
    parser.add_argument("--out", action="path", required=True, metavar="DIR",
                        help="the folder to write it into")
    arguments = parser.parse_args()
    out = command_line.user_path(arguments.out)
    content = json.loads(arguments.content.read_text())
    try:
        wheel = make_wheel(content, out)
    except (WheelError, shared_libraries.MissingLibrary) as error:
        sys.exit(f"wheel: {error}")
    print(f"{wheel}: {wheel.stat().st_size / 1e6:.1f} MB")
    if content["cuda_obstacle"]:
        print(f"for the CPU alone: {content['cuda_obstacle']}")


if __name__ == "__main__":
    main()

"""What ELF files need of others: libraries, symbols and their versions, by readelf and ldd."""

import pathlib
import re
import subprocess

# What LibTorch itself needs of any system, so what a machine with LibTorch has.
SYSTEM_LIBRARIES = {
    "ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6",
    "libpthread.so.0", "librt.so.1", "libstdc++.so.6",
}


class MissingLibrary(Exception):
    pass


def output_of(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout


def needed_by(file):
    """The shared libraries that an ELF file names."""
    return re.findall(r"\(NEEDED\).*\[(.+)\]", output_of("readelf", "--dynamic", file))


def search_paths(file):
    """Where an ELF file has the loader look: its RPATH and RUNPATH."""
    return re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", output_of("readelf", "--dynamic", file))


def found_libraries(program):
    """Name -> path of all that the loader finds for a program, its libraries' own ones included."""
    return dict(re.findall(r"^\s*(\S+) => (/\S+)", output_of("ldd", program), re.MULTILINE))


def libraries_to_carry(program, is_there):
    """Name -> path of the shared libraries that a machine there lacks.

    Args:
      program: the file, which may be a library itself.
      is_there: of a name and the path here (None if there is none): whether that machine has it, as
        it has the system's.
    """
    found = found_libraries(program)
    carried, waiting = {}, [program]
    while waiting:
        user = waiting.pop()
        for name in needed_by(user):
            if name in SYSTEM_LIBRARIES or name in carried or is_there(name, found.get(name)):
                continue
            if name not in found:
                raise MissingLibrary(f"{user} needs {name}, which is not on this machine; "
                                     "install it and try again")
            carried[name] = found[name]
            waiting.append(found[name])
    return carried


def is_in_folder(folder):
    """For libraries_to_carry: whether a library lies in the folder."""
    return lambda _, path: path is not None and pathlib.Path(path).parent == pathlib.Path(folder)


def undefined_symbols(file):
    """Mangled name -> version ("GLIBC_2.34", "" if none) of what an ELF file needs of others."""
    symbols = {}
    for line in output_of("readelf", "--wide", "--dyn-syms", file).splitlines():
        fields = line.split()
        if len(fields) >= 8 and fields[6] == "UND":
            name, _, version = fields[7].partition("@")
            symbols[name] = version.lstrip("@")
    return symbols


def demangled(names):
    return output_of("c++filt", input="\n".join(names) + "\n").splitlines()

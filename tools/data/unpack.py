"""Unpacks one folder of a tar archive, whole or not at all.

    unpack(archive, "pathfinder32/curv_contour_length_14", pathlib.Path("/data"))

writes /data/pathfinder32/curv_contour_length_14, wherever in the archive that folder is. It is
filled under another name and renamed at the end. The archive is read once from end to end, in
little memory, and so gzip's checksum of all of it is checked too. A file that is larger than what
an archive of that size can hold, or than the room that is left, is refused before it is written.
"""

import gzip
import pathlib
import shutil
import tarfile
import zlib

import tar_members
from errors import FetchError, reason
from progress import Progress

_GZIP_MAGIC = b"\x1f\x8b"
_PIECE_BYTES = 1 << 20
# That gzip makes of one at most: a bit for a match of 258 bytes and a bit for its distance.
_GZIP_RATIO = 1032


def unpack(archive, folder, out):
    """Raises FetchError; out/folder is then not there. It must not be there before."""
    target = out / folder
    partial = out / (target.name + ".part")
    try:
        shutil.rmtree(partial, ignore_errors=True)  # Of a fetch that was killed.
        partial.mkdir()
        try:
            _fill(archive, pathlib.PurePosixPath(folder).parts, partial)
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FetchError(f"{archive} is no whole tar archive ({error}); delete it and run again"
                         ) from error
    except OSError as error:
        raise FetchError(f"{archive} cannot be unpacked into {out}: {reason(error)}") from error


def is_gzip(path):
    with open(path, "rb") as file:
        return file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC


def _fill(archive, wanted, partial):
    """Writes the content of the archive's folder `wanted` into the folder `partial`."""
    show = Progress(f"unpacking {archive.name}")
    size = archive.stat().st_size
    most = size * (_GZIP_RATIO if is_gzip(archive) else 1)
    prefix = None
    with open(archive, "rb") as raw, _decompressed(archive, raw) as stream:
        for member, file in tar_members.read(stream):
            show(raw.tell(), size)
            parts = pathlib.PurePosixPath(member.name).parts
            if prefix is None:
                prefix = _prefix(parts, wanted)
            if prefix is not None and parts[:len(prefix)] == prefix:
                path = parts[len(prefix):]
                if ".." in path or not (member.isfile() or member.isdir()):
                    raise FetchError(f"{archive} holds {member.name}, which is no file or "
                                     "folder below its own; nothing is unpacked")
                _check_size(archive, member, most, partial)
                _write(member, file, partial.joinpath(*path))
        while stream.read(_PIECE_BYTES):  # To the checksum at the end.
            pass
    show.end()
    if prefix is None:
        raise FetchError(f"{archive} holds no folder {'/'.join(wanted)}; is it another archive?")


def _decompressed(archive, raw):
    return gzip.GzipFile(fileobj=raw) if is_gzip(archive) else raw


def _prefix(parts, wanted):
    """The beginning of `parts` up to the end of `wanted` in it; None if it is not in it."""
    for end in range(len(wanted), len(parts) + 1):
        if parts[end - len(wanted):end] == wanted:
            return parts[:end]
    return None


def _check_size(archive, member, most, partial):
    if member.size > most:
        raise FetchError(f"{archive} says that {member.name} has {member.size} bytes, but can hold "
                         f"{most} at most; delete it and run again")
    free = shutil.disk_usage(partial).free
    if member.size > free:
        raise FetchError(f"{partial.parent} has {free / 1e6:.0f} MB free, {member.name} needs "
                         f"{member.size / 1e6:.0f} MB; give another folder as --out")


def _write(member, file, path):
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as target:
        shutil.copyfileobj(file, target, _PIECE_BYTES)

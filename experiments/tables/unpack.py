"""Cells from archives that pack.py wrote, into a store's folder.

    unpack.unpack([pathlib.Path("cells.tar.xz")], pathlib.Path("results/tables/paper"))

All archives are read before anything is put in place. What is there already stays: of a cell that
is there an archive's is left out; what is there and damaged has it beside, and so has an unfinished
one (the store takes the one that got furthest).
"""

import contextlib
import filecmp
import lzma
import os
import pathlib
import shutil
import tarfile

import running
import tar_members
import unfinished
from result import State, id_of, is_whole
from store import CELLS, FAILED, UNFINISHED, copy_of

_CHUNK = 1 << 20


class UnpackError(Exception):
    """Its text is for the user: one line, naming the archive."""


def _check_end(archive, file):
    """How many bytes it has. An archive that is cut between two cells reads like a whole one but
    for its end."""
    last, size = b"", 0
    while chunk := file.read(_CHUNK):
        last = (last + chunk)[-2 * tarfile.BLOCKSIZE:]
        size += len(chunk)
    if last != bytes(2 * tarfile.BLOCKSIZE):
        raise UnpackError(f"{archive} is cut: its end is missing; copy it again")
    return size


def _parts(archive, member):
    """The names of folders and file in a member's path, without those that lead elsewhere."""
    path = pathlib.PurePosixPath(member.name)
    # A file of holes may be of any size, whatever the archive's.
    is_plain = member.isdir() or (member.isfile() and not member.issparse())
    if path.is_absolute() or ".." in path.parts or not is_plain:
        raise UnpackError(f"{archive} is no archive of cells: it has {member.name!r}")
    return path.parts or ("",)


@contextlib.contextmanager
def _naming(archive):
    try:
        yield
    except (lzma.LZMAError, EOFError, tarfile.TarError, ValueError, OverflowError) as error:
        raise UnpackError(f"{archive} is damaged, or no .tar.xz: {error}") from None
    except MemoryError:
        raise UnpackError(f"{archive} cannot be read: memory is out") from None
    except OSError as error:
        raise UnpackError(f"{error.filename or archive}: {error.strerror}") from None


def _check_room(archive, size, folder):
    free = shutil.disk_usage(folder).free
    if size > free:
        raise UnpackError(f"{archive} has {size / 1e6:.0f} MB, and {folder} has "
                          f"{free / 1e6:.0f} MB free")


def files(archive, folder):
    """(parts of its path, modification time, content for `copy`) of each file of a whole archive,
    for which there is room in the folder. Raises UnpackError."""
    with _naming(archive), lzma.open(archive) as stream:
        _check_room(archive, _check_end(archive, stream), folder)
        stream.seek(0)
        for member, file in tar_members.read(stream):
            parts = _parts(archive, member)
            if member.isfile():
                yield parts, member.mtime, file


def copy(archive, content, target):
    """One of `files`, into an open file, before the next is asked for. Raises UnpackError."""
    with _naming(archive):
        shutil.copyfileobj(content, target, _CHUNK)


def _extract(archive, folder, preset):
    for (top, *place), mtime, content in files(archive, folder):
        if top != preset:
            raise UnpackError(f"{archive} has cells of {top!r}, not of --preset={preset}")
        # Other files are no part of a cell, such as a page.
        if (len(place) > 2 and place[0] in (CELLS, FAILED, UNFINISHED)
                and not place[1].startswith(".")):
            target = folder.joinpath(*place)
            with _naming(archive):
                target.parent.mkdir(parents=True, exist_ok=True)
                with open(target, "wb") as file:
                    copy(archive, content, file)
                os.utime(target, (mtime, mtime))


def _is_the_same(one, other):
    """Of two unfinished cells."""
    try:
        return (one / unfinished.FILE).read_bytes() == (other / unfinished.FILE).read_bytes()
    except OSError:
        return False


def _of_cell(group, cell_id):
    """The folders of a cell in a group of the store."""
    return [path for path in (group.iterdir() if group.is_dir() else ()) if id_of(path) == cell_id]


def _has_all_of(folder, cell):
    """Whether each file of a cell is in a folder too, byte for byte."""
    names = [str(path.relative_to(cell)) for path in cell.rglob("*") if path.is_file()]
    return len(filecmp.cmpfiles(folder, cell, names, shallow=False)[0]) == len(names)


def _is_needless(cell, folders, state):
    """Beside these of the same cell: one is whole, or, damaged as it is, the same."""
    return any(is_whole(folder, state) or _has_all_of(folder, cell) for folder in folders)


def _group(cell, store_folder):
    """Where a cell's folder belongs now; None: nowhere, as it brings nothing."""
    def there(group):
        return _of_cell(store_folder / group, id_of(cell))
    group = cell.parent.name
    if group == CELLS:
        return None if _is_needless(cell, there(CELLS), State.DONE) else CELLS
    if any(is_whole(path, State.DONE) for path in there(CELLS)):
        return None
    if group == FAILED and not _is_needless(cell, there(FAILED), State.FAILED):
        return FAILED
    # Of one that failed here too, its state may have got further.
    if not unfinished.has_state(cell) and group == FAILED:
        return None
    is_known = any(_is_the_same(cell, other) for other in there(UNFINISHED) + there(FAILED))
    return None if is_known else UNFINISHED


def _adopt(cell, store_folder):
    """Puts a cell's folder in its place; whether there is need."""
    group = _group(cell, store_folder)
    if group is None:
        return False
    target = store_folder / group / id_of(cell)
    target.parent.mkdir(exist_ok=True)
    cell.rename(copy_of(target) if target.exists() else target)
    return True


def unpack(archives, store_folder):
    """How many cells are new. The store's folder is called as its preset."""
    cells = store_folder / CELLS
    cells.mkdir(parents=True, exist_ok=True)
    new = 0
    with running.folder(cells, "unpacked") as (folder, _):
        for number, archive in enumerate(archives):
            part = folder / str(number)
            part.mkdir()
            _extract(archive, part, store_folder.name)
        # "cells" before "unfinished": what is over in one archive needs no state of another.
        for cell in sorted(folder.glob("*/*/*"), key=lambda cell: cell.parent.name):
            new += _adopt(cell, store_folder)
    return new

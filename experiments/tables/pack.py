"""Cells in archives, for the next machine.

    cells = pack.collect(store.folder, needs_checkpoint)
    paths = pack.write(cells, pathlib.Path("cells.tar.xz"), limit=16 << 20)

An archive is a tar.xz of whole cells, as they lie below the results' folder: `tar -xf` unpacks it
there as well as unpack.py does. Each cell has streams of its own within it, so sizes are known
exactly. Only what the next machine or a page needs is packed: no long logs, no other weights than the
states of unfinished trainings and the checkpoints that inference still has to take.
"""

import concurrent.futures
import dataclasses
import itertools
import json
import lzma
import os
import pathlib
import stat
import tarfile
import time

import durable
import running
import unfinished
from cell_run import LOG, checkpoint
from methods import SPION
from result import CELL_FILE, State, id_of, is_whole
from store import CELLS, FAILED, UNFINISHED

SUFFIX = ".tar.xz"
_LOG_BYTES = 256 << 10  # longer ones stay behind
_TEXT_LEVEL = 1
_WEIGHTS_LEVEL = 0  # they get no smaller at higher ones, which take three times as long
_WEIGHTS_SUFFIX = ".safetensors"
_END = bytes(2 * tarfile.BLOCKSIZE)
_TRIED_BYTES = 1 << 20
_WEIGHTS_BYTES = 8 << 20  # of a state, with room
_FLOAT_BYTES = 4


@dataclasses.dataclass(frozen=True)
class PackedCell:
    name: str  # in the archive: "paper/cells/image-cf-..."
    folder: pathlib.Path
    files: tuple  # below the folder, in order
    bytes: int  # of the files, before they are packed


def _belongs(folder, path, size, weights):
    return (path.suffix in (".json", ".jsonl") or path.name == "mllog.txt" or path in weights
            or (path == folder / LOG and size <= _LOG_BYTES))


def _cell(folder, *weights):
    files = {}
    for path in sorted(folder.rglob("*")):
        size = path.stat().st_size
        if path.is_file() and _belongs(folder, path, size, weights):
            files[str(path.relative_to(folder))] = size
    return PackedCell(str(folder.relative_to(folder.parents[2])), folder, tuple(files),
                      sum(files.values()))


def _is_file(path):
    """OSError: nobody knows."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _folders(parent, holding, on_error):
    """Those of cells, without what is under way."""
    found = []
    for name in sorted(os.listdir(parent)) if parent.is_dir() else []:
        try:
            if not name.startswith(".") and _is_file(parent / name / holding):
                found.append(parent / name)
        except OSError as error:
            on_error(parent / name, error)
    return found


def _unfinished_cell(folder):
    return _cell(folder, folder / unfinished.STATE if unfinished.has_state(folder)
                 else checkpoint(folder))


def _failed_cell(folder):
    return _cell(folder, folder / unfinished.STATE)


def _furthest(folders, on_error):
    """Of each unfinished cell the one that got furthest: {id: folder}"""
    found = {}
    for folder in folders:
        try:
            told = unfinished.read(folder)
        except unfinished.NoneError:
            continue
        except OSError as error:
            on_error(folder, error)
            continue
        if told.id not in found or told.seconds > found[told.id][0]:
            found[told.id] = told.seconds, folder
    return {cell: folder for cell, (_, folder) in found.items()}


def _raise(folder, error):
    del folder
    raise error


def collect(folder, needs_checkpoint, on_error=_raise):
    """[PackedCell] of all cells below a store's folder. `needs_checkpoint(id)`: whether inference
    still has to take the model of this training. A cell that cannot be read is left out;
    `on_error` is told its folder and the OSError."""
    def done_cell(path):
        return _cell(path, *([checkpoint(path)] if needs_checkpoint(path.name) else []))
    done = _folders(folder / CELLS, CELL_FILE, on_error)
    begun = _furthest(_folders(folder / UNFINISHED, unfinished.FILE, on_error), on_error)
    over = {cell for cell in begun for path in done
            if id_of(path) == cell and is_whole(path, State.DONE)}
    found = [(done_cell, path) for path in done]
    found += [(_failed_cell, path) for path in _folders(folder / FAILED, CELL_FILE, on_error)]
    found += [(_unfinished_cell, path) for cell, path in begun.items() if cell not in over]
    packed = []
    for cell_of, path in found:
        try:
            packed.append(cell_of(path))
        except OSError as error:
            on_error(path, error)
    return packed


def _bytes_under_way(folder):
    """Of a training's state, should it be stopped now: weights, AdamW's moments, the best model, and
    before the transition two attention maps of each layer."""
    try:
        manifest = json.loads((folder / "run/manifest.json").read_text(encoding="utf-8"))
        model = manifest["model"]
        has_maps = manifest["method"] in SPION and not (folder / "run/patterns.json").exists()
        maps = 2 * model["layers"] * model["sequence_length"] ** 2 * _FLOAT_BYTES
        return _WEIGHTS_BYTES + has_maps * maps
    except (OSError, ValueError, KeyError, TypeError):  # It has not begun, or is no training.
        return _WEIGHTS_BYTES


def seconds(folder, cells, per_byte):
    """What it would take to stop now and pack these cells with what is under way in the store's
    folder; `per_byte`: by seconds_per_byte."""
    sizes = [cell.bytes for cell in cells]
    sizes += [_bytes_under_way(path) for path in running.folders(folder / CELLS)]
    return per_byte * max(max(sizes, default=0), sum(sizes) / _processors())


def _processors():
    return len(os.sched_getaffinity(0))


def _member(name, path):
    content = path.read_bytes()
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(content), int(path.stat().st_mtime), 0o644
    return info.tobuf() + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def _compressed(content, level):
    return lzma.compress(content, preset=level)


def _level(file):
    return _WEIGHTS_LEVEL if file.endswith(_WEIGHTS_SUFFIX) else _TEXT_LEVEL


def _streams(cell):
    """Or the OSError: the cell cannot be read."""
    try:
        return b"".join(
            _compressed(b"".join(_member(f"{cell.name}/{file}", cell.folder / file)
                                 for file in files), level)
            for level, files in itertools.groupby(cell.files, _level))
    except OSError as error:
        return error


def part_path(out, number):
    """cells.tar.xz, cells.2.tar.xz, ..."""
    return out if number == 1 else out.with_name(
        f"{out.name.removesuffix(SUFFIX)}.{number}{SUFFIX}")


def parts_of(out):
    """`out` and its further parts, as far as they are there."""
    stem = out.name.removesuffix(SUFFIX)
    numbered = [path for path in out.parent.glob(f"*{SUFFIX}")
                if path.name.startswith(f"{stem}.")
                and path.name[len(stem) + 1:-len(SUFFIX)].isdigit()]
    return ([out] if out.exists() else []) + sorted(numbered)


def try_place(out):
    """Writes a file beside `out` and removes it. OSError: no archive can be written there."""
    path = durable.partial_path(out)
    try:
        with durable.naming(path), path.open("xb") as file:
            file.write(bytes(_TRIED_BYTES))
            file.flush()
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)


class _Parts:
    """Files beside `out`, under temporary names until all are written."""

    def __init__(self, out, limit):
        self._out = out
        self._limit = limit
        self._end = _compressed(_END, _TEXT_LEVEL)
        self._partial = []
        self._file = None

    def add(self, stream):
        if self._file is None or (self._file.tell() > 0 and
                                  self._file.tell() + len(stream) + len(self._end) > self._limit):
            self._begin()
        with durable.naming(self._partial[-1]):
            self._file.write(stream)

    def _begin(self):
        self._close()
        path = durable.partial_path(self._out)
        self._partial.append(path)
        self._file = path.open("xb")

    def _close(self):
        if self._file:
            with durable.naming(self._partial[-1]), self._file:
                self._file.write(self._end)
                self._file.flush()
                os.fsync(self._file.fileno())

    def finish(self):
        """The files, under their names."""
        if self._file is None:
            self._begin()
        self._close()
        paths = [part_path(self._out, number) for number in range(1, len(self._partial) + 1)]
        for partial, path in zip(self._partial, paths):
            partial.replace(path)
        durable.sync_folder(self._out.parent)
        return paths

    def remove(self):
        """What has not got its name."""
        for path in self._partial:
            path.unlink(missing_ok=True)


def write(cells, out, limit, on_error=_raise):
    """Packs the cells into `out`, and what is more than `limit` bytes into further files; returns
    all of them. A single cell of more is in a file alone. `on_error`: as of `collect`."""
    parts = _Parts(out, limit)
    try:
        with concurrent.futures.ThreadPoolExecutor(_processors()) as threads:
            for cell, stream in zip(cells, threads.map(_streams, cells)):
                if isinstance(stream, OSError):
                    on_error(cell.folder, stream)
                else:
                    parts.add(stream)
        return parts.finish()
    finally:
        parts.remove()


def seconds_per_byte():
    """What packing weights takes a processor of this machine."""
    content = os.urandom(_TRIED_BYTES)
    start = time.monotonic()
    _compressed(content, _WEIGHTS_LEVEL)
    return (time.monotonic() - start) / _TRIED_BYTES

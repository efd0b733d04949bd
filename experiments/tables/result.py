"""What is known of a cell, read from its folder."""

import dataclasses
import enum
import json
import pathlib
import zlib

import durable
import origin as origins
from cells import BENCHMARK, INFERENCE, TRAIN, Cell
from origin import Origin

CELL_FILE = "cell.json"
# A folder's name is the cell's id; behind this, where that name was taken, something at random.
COPY = "+"
# What a cell of each kind leaves in any case.
_FILES = {TRAIN: ("run/manifest.json", "run/metrics.jsonl", "run/summary.json"),
          INFERENCE: ("run/evaluation.json", "run/manifest.json"),
          BENCHMARK: ("benchmark.json",)}
# Members of cell.json; all but the id may be missing: in one that failed, or of an earlier version.
_MEMBERS = {"id": str, "error": str, "seconds": (int, float), "finished": str, "driver": str,
            "origin": dict, "files": dict, "crc32": dict}


class State(enum.Enum):
    DONE = "done"
    FAILED = "failed"
    MISSING = "not run"


class DamagedError(Exception):
    """Its text is one line: the file's name below the cell's folder, and what is wrong with it."""


@dataclasses.dataclass(frozen=True)
class Result:
    cell: Cell
    state: State
    folder: pathlib.Path = None
    error: str = ""  # of a failed one
    info: dict = dataclasses.field(default_factory=dict)  # cell.json
    origin: Origin = None  # what it was made on; None: unknown
    damage: tuple = ()  # what else there is of the cell and cannot be read, in words
    others: tuple = ()  # origins that it was made on too: results that are not shown

    def json(self, name):
        """A JSON file of the folder."""
        with durable.naming(self.folder / name):
            return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def has(self, name):
        return self.state == State.DONE and (self.folder / name).exists()

    def json_lines(self, name):
        path = self.folder / name
        with durable.naming(path), path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def _json(folder, name):
    """Of a .jsonl file the lines' values."""
    try:
        text = (folder / name).read_text(encoding="utf-8")
        if name.endswith(".jsonl"):
            return [json.loads(line) for line in text.splitlines()]
        if not text.strip():
            raise DamagedError(f"{name} is empty")
        return json.loads(text)
    except FileNotFoundError:
        raise DamagedError(f"{name} is not there") from None
    except OSError as error:
        raise DamagedError(f"{name}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{name} is damaged: {error}") from None


def _info(folder):
    info = _json(folder, CELL_FILE)
    if not isinstance(info, dict) or "id" not in info or not all(
            isinstance(info[name], kind) for name, kind in _MEMBERS.items() if name in info):
        raise DamagedError(f"{CELL_FILE} is damaged: not what a cell has")
    if info["id"] != id_of(folder):
        raise DamagedError(f"{CELL_FILE} is of another cell, {info['id']}")
    return info


def _files(folder):
    """Those of a run that pages are made from."""
    return sorted((folder / "run").rglob("*.json*"))


def sizes_of(folder):
    """{name: bytes} of a run's files that pages are made from, in the cell's folder."""
    return {str(path.relative_to(folder)): path.stat().st_size for path in _files(folder)}


def _sum(path):
    with durable.naming(path):
        return zlib.crc32(path.read_bytes())


def sums_of(folder):
    """{name: CRC-32} of the same. OSError: one cannot be read."""
    return {str(path.relative_to(folder)): _sum(path) for path in _files(folder)}


def _has_changed(path, name, expected):
    try:
        return _sum(path) != expected
    except OSError as error:
        raise DamagedError(f"{name}: {error.strerror}") from None


def _check_files(folder, info):
    """DamagedError: one is not there as cell.json tells it. Earlier versions told no sums."""
    sums = info.get("crc32", {})
    for name, size in info.get("files", {}).items():
        path = folder / name
        if not path.exists() or path.stat().st_size != size:
            raise DamagedError(f"{name} is not there, whole")
        if name in sums and _has_changed(path, name, sums[name]):
            raise DamagedError(f"{name} is damaged: not the bytes that were written")


def check_run(kind, folder, asked):
    """The origin of what a program left in `folder`, as the program tells it; that which was asked
    for (None: unknown) where one GPU measured the model of several. DamagedError: what it left is
    damaged."""
    if kind not in _FILES:
        raise DamagedError(f"{CELL_FILE} is damaged: a cell of kind {kind!r}")
    told = {name: _json(folder, name) for name in _FILES[kind]}
    name = "benchmark.json" if kind == BENCHMARK else "run/manifest.json"
    try:
        made_on = (origins.of_benchmark(told[name]["context"]) if kind == BENCHMARK
                   else origins.of_manifest(told[name]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedError(f"{name} is damaged: {error!r}") from None
    is_of_one = kind == INFERENCE and asked is not None and made_on == asked.of_one
    return asked if is_of_one else made_on


def _origin(info):
    """As cell.json tells it; None: it does not."""
    try:
        return Origin(**info["origin"]) if "origin" in info else None
    except TypeError:
        raise DamagedError(f"{CELL_FILE} is damaged: its origin is none") from None


def _origin_of_done(info, kind, folder):
    told = _origin(info)
    _check_files(folder, info)
    made_on = check_run(kind, folder, told)
    if told not in (None, made_on):
        raise DamagedError(f"{CELL_FILE} tells of {told}, the run of {made_on}")
    return made_on


def read(cell, folder, state):
    """The cell's result, DONE or FAILED, from its folder. DamagedError: it has none."""
    info = _info(folder)
    origin = (_origin_of_done(info, cell.kind, folder) if state == State.DONE else _origin(info))
    return Result(cell, state, folder, info.get("error", ""), info, origin)


def id_of(folder):
    """Of the cell that a folder is called after."""
    return folder.name.split(COPY)[0]


def is_whole(folder, state):
    """Whether a folder has the result of the cell that it is called after, whichever that is."""
    try:
        info = _info(folder)
        if state == State.DONE:
            _origin_of_done(info, str(info.get("kind")), folder)
        return True
    except DamagedError:
        return False

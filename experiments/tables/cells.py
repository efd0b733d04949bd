"""Cells: what tables are made of, and the folder where their results lie.

    store = Store(pathlib.Path("results/tables/quick"))
    cell = Cell("image", "cf", 1001, (("steps", "24"),))
    with store.work_on(cell) as work:          # a folder under a temporary name
        ... write into work.folder ...
        work.finish({"seconds": 3.2})          # renamed: from here on the cell is there
    store.result(cell).state                   # DONE

A result is there whole or not at all, so a run that was killed goes on with the cells that are
missing, and results of several machines are merged by copying their folders together.
"""

import contextlib
import dataclasses
import enum
import hashlib
import json
import os
import pathlib
import shutil
import socket

TRAIN = "train"
INFERENCE = "inference"
BENCHMARK = "benchmark"


@dataclasses.dataclass(frozen=True)
class Cell:
    """One run of one program. Equal cells are one cell, whatever tables they are part of."""

    task: str
    method: str
    seed: int
    settings: tuple = ()  # (flag, text) pairs, in the order of the command line
    kind: str = TRAIN
    trains: "Cell" = None  # an inference cell's training, whose checkpoint it takes
    trace_steps: str = ""  # "FIRST:LAST": a training that is traced too
    variant: str = ""  # for the name of the folder: what is special about the settings

    @property
    def id(self):
        """Its folder's name: readable, and another one if any setting is another."""
        told = json.dumps([self.kind, self.task, self.method, self.seed, self.settings,
                           self.trace_steps, self.trains.id if self.trains else ""])
        digest = hashlib.sha256(told.encode()).hexdigest()[:8]
        parts = [self.task, self.method, f"seed{self.seed}", self.variant,
                 "" if self.kind == TRAIN else self.kind, digest]
        return "-".join(part for part in parts if part)

    @property
    def root(self):
        """The cell that has to be there first, or this one: both belong to one shard."""
        return self.trains.root if self.trains else self


def with_requirements(cells):
    """The cells, each once, behind those that it needs."""
    ordered = {}
    for cell in cells:
        if cell.trains:
            ordered.setdefault(cell.trains.root)
        ordered.setdefault(cell)
    return list(ordered)


def shard(cells, index, count):
    """Every `count`-th of the cells that need no other, with those that need them."""
    if not 0 <= index < count:
        raise ValueError(f"--shard_index={index} must lie from 0 to --shard_count - 1, "
                         f"{count - 1}")
    roots = {}
    for cell in cells:
        roots.setdefault(cell.root, len(roots))
    return [cell for cell in cells if roots[cell.root] % count == index]


class State(enum.Enum):
    DONE = "done"
    FAILED = "failed"
    MISSING = "not run"


@dataclasses.dataclass(frozen=True)
class Result:
    """What is known of a cell."""

    cell: Cell
    state: State
    folder: pathlib.Path = None
    error: str = ""  # of a failed one
    info: dict = dataclasses.field(default_factory=dict)  # cell.json

    def json(self, name):
        """A JSON file of the folder."""
        return json.loads((self.folder / name).read_text())

    def has(self, name):
        return self.state == State.DONE and (self.folder / name).exists()

    def json_lines(self, name):
        with (self.folder / name).open() as file:
            return [json.loads(line) for line in file]


class Work:
    """A cell that is being made."""

    def __init__(self, folder):
        self.folder = folder
        self.ended = False
        self.info = None
        self.error = ""

    def finish(self, info):
        self.info, self.ended = info, True

    def fail(self, error, info):
        self.info, self.error, self.ended = info, error, True


class Store:
    """The cells' results below a folder:

        cells/<id>/cell.json     how it was made; beside it what the program left
        failed/<id>/cell.json    the same of one that failed, with its error
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def result(self, cell):
        done, failed = self.folder / "cells" / cell.id, self.folder / "failed" / cell.id
        for folder, state in ((done, State.DONE), (failed, State.FAILED)):
            if (folder / "cell.json").exists():
                info = json.loads((folder / "cell.json").read_text())
                return Result(cell, state, folder, info.get("error", ""), info)
        return Result(cell, State.MISSING)

    @contextlib.contextmanager
    def work_on(self, cell):
        """A Work; on leaving, what it came to. Left without an end, nothing stays."""
        parent = self.folder / "cells"
        parent.mkdir(parents=True, exist_ok=True)
        _remove_left_behind(parent)
        folder = parent / f".partial-{socket.gethostname()}-{os.getpid()}-{cell.id}"
        folder.mkdir()
        work = Work(folder)
        try:
            yield work
            if work.ended:
                self._keep(cell, work)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _keep(self, cell, work):
        info = {"id": cell.id, "task": cell.task, "method": cell.method, "seed": cell.seed,
                "kind": cell.kind, "settings": dict(cell.settings), **work.info}
        if work.error:
            info["error"] = work.error
        (work.folder / "cell.json").write_text(json.dumps(info, indent=2) + "\n")
        target = self.folder / ("failed" if work.error else "cells") / cell.id
        target.parent.mkdir(exist_ok=True)
        failed = self.folder / "failed" / cell.id
        if work.error and failed.exists():
            shutil.rmtree(failed)
        try:
            work.folder.rename(target)
        except OSError:
            # Somebody else was first; one result is as good as the other.
            if not (target / "cell.json").exists():
                raise
        if not work.error:
            shutil.rmtree(failed, ignore_errors=True)


def _remove_left_behind(parent):
    """Temporary folders of this machine's runs that were killed."""
    prefix = f".partial-{socket.gethostname()}-"
    for folder in parent.glob(prefix + "*"):
        pid = folder.name[len(prefix):].split("-")[0]
        if pid.isdigit() and not pathlib.Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)

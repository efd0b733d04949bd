"""Cells: what tables are made of.

    cell = Cell("image", "cf", 1001, (("steps", "24"),))
    cell.on(Origin("generated-8000-1000-2000", "cpu")).id

A table names its cells without an origin: whatever they are made on. To run one, or to look for its
result, it is put on an origin.
"""

import dataclasses
import hashlib
import json
import re

from origin import Origin

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
    origin: Origin = None

    def __post_init__(self):
        if not re.fullmatch(r"[\w.-]*", self.variant, re.ASCII):
            raise ValueError(f"variant {self.variant!r}: expected letters, digits, '_', '.' and "
                             "'-', as it is part of a folder's name")

    @property
    def plan_id(self):
        """The id but for the origin: readable, and another one if any setting is another."""
        told = json.dumps([self.kind, self.task, self.method, self.seed, self.settings,
                           self.trace_steps, self.trains.plan_id if self.trains else ""])
        digest = hashlib.sha256(told.encode()).hexdigest()[:8]
        parts = [self.task, self.method, f"seed{self.seed}", self.variant,
                 "" if self.kind == TRAIN else self.kind, digest]
        return "-".join(part for part in parts if part)

    @property
    def id(self):
        """Its folder's name."""
        return f"{self.plan_id}.{self.origin.name}" if self.origin else self.plan_id

    def on(self, origin):
        """The same on this origin; None: on whichever."""
        return dataclasses.replace(self, origin=origin,
                                   trains=self.trains and self.trains.on(origin))

    @property
    def can_go_on(self):
        """Whether it can be stopped and gone on with: a training. A trace is of one process, and
        the other kinds take less time than a training needs to start."""
        return self.kind == TRAIN and not self.trace_steps

    @property
    def root(self):
        """The cell that has to be there first, or this one: both belong to one shard."""
        return self.trains.root if self.trains else self


def with_requirements(cells):
    """The cells, each once, behind those that they need."""
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


def cells_text(count):
    """"1 cell", "2 cells"."""
    return f"{count} cell" if count == 1 else f"{count} cells"

"""Small cells that the experiment program runs: the quick preset's of one task, on the CPU.

    results = real_cells.run(program, folder, cells)    # {cell: Result}
"""

import dataclasses
import pathlib

import ask
import run_cells
from cells import with_requirements
from presets import QUICK
from programs import Machine, Programs
from result import State
from store import Store

PRESET = dataclasses.replace(QUICK, tasks=("pathfinder",),
                             methods=("cf", "dense", "sdpa", "every_block"), seeds=(1001,))


def _say_nothing(text):
    del text


def run(program, folder, cells):
    """{cell: Result} of these cells and of those that they need; AssertionError: one failed."""
    programs, machine = Programs(lra=(program,), sparse_attention=()), Machine(device="cpu")
    where = ask.Where(programs, machine, _say_nothing)
    store = Store(pathlib.Path(folder), _say_nothing)
    placed = {cell: where.place(cell) for cell in with_requirements(cells)}
    run_cells.run_missing(placed.values(), store, programs, [machine], _say_nothing)
    results = {cell: store.result(on_origin) for cell, on_origin in placed.items()}
    for cell, result in results.items():
        assert result.state == State.DONE, (cell.id, result.error)
    return results

"""Runs the cells of tables that are missing, then writes the tables' pages.

    failed = run_tables.run(options, workspace, "bazel run ...", print)    # options: as of main.py
"""

import functools

import ask
import choice
import command_line
import pages
import run_cells
import shown
from programs import Programs
from result import State
from store import Store


def _programs(options, workspace):
    if options.bundle:
        return Programs.of_bundle(command_line.user_path(options.bundle))
    return Programs.of_workspace(workspace)


def run(options, workspace, command, say):
    """Returns how many cells of this machine's share failed, or cannot be read; with
    --estimate_only 0, for nothing is run. `workspace`: below which Bazel built the programs, where
    no bundle is named. Raises AskError, ChartsError, Interrupted, OSError."""
    preset, names = choice.preset(options), choice.table_names(options)
    folder = command_line.user_path(options.results_dir) / preset.name
    store, programs = Store(folder, say), _programs(options, workspace)
    machine = choice.machine(options)
    where = ask.Where(programs, machine, say)
    cells = choice.cells(names, preset)
    mine = choice.share(options, cells)
    placed = [where.place(cell) for cell in mine]
    if options.estimate_only:
        run_cells.say_plan(placed, store, say, options.retry_failed)
        return 0
    if not options.cells_only:  # The pages' other cells: better asked for now than in the end.
        for cell in cells:
            where.place(cell)
    failed = run_cells.run_missing(placed, store, programs, [machine], say, options.retry_failed)
    if options.cells_only:
        return failed
    result_of = functools.cache(shown.OnOrigin(store, where.place).result)
    pages.write(names, preset, lambda _: result_of, folder, command, say)
    return sum(result_of(cell).state != State.DONE for cell in mine)

"""Writes the pages of tables, each of the cells that it is made of, and their index."""

import dataclasses
import functools

import choice
import provenance
import report
from result import State
from tables import TABLES, page_of


def _of_what_is_done(preset, cells, results):
    """The preset with those tasks, methods and seeds of tasks alone of which one of these cells is
    done; with all seeds where the user said which."""
    done = [cell for cell in cells if results(cell).state == State.DONE]
    tasks = tuple(task for task in preset.tasks if any(cell.task == task for cell in done))
    methods = {cell.method for cell in done}
    seeds = tuple((task, tuple(sorted({cell.seed for cell in done if cell.task == task})))
                  for task in tasks)
    return dataclasses.replace(
        preset, tasks=tasks or preset.tasks, task_seeds=preset.task_seeds and seeds,
        methods=tuple(filter(methods.__contains__, preset.methods)) or preset.methods)


def write(names, preset, results_for, folder, command, say=print, shows_done_alone=False):
    """The pages of these tables, and the index of all that are there. `results_for(cells)` gives a
    function of a cell, what is shown of it on a page of these cells; of other tasks than those of
    these tables it is not asked. `shows_done_alone`: a page leaves out tasks and methods of which
    it has nothing."""
    for name in names:
        cells = TABLES[name].cells(preset)
        results = functools.cache(results_for(cells))
        of_page = _of_what_is_done(preset, cells, results) if shows_done_alone else preset
        say(report.write(page_of(name, of_page, results), folder, preset.name, command))
    tasks = {cell.task for cell in choice.cells(names, preset)}
    of_all = choice.cells(TABLES, preset)
    results = results_for(of_all)
    of_index = [results(cell) for cell in of_all if cell.task in tasks]
    say(report.write_index(folder, preset.name, TABLES, of_index, command))
    for text in (*provenance.mixed(of_index), *provenance.left_out(of_index)):
        say(text)

"""Makes tables of the paper's evaluation: runs the cells that are missing, then writes the pages.

  bazel run //experiments/tables:accuracy -- --preset=quick
  bazel run //experiments/tables:all_tables -- --preset=paper --data_dir=DIR --tasks=image

Results are kept in results/tables/<preset>/ where you stand, and a run that was stopped goes on:
with the trainings that were under way, then with the cells that are missing, those of the same data
and kind of device. --shard_index=I --shard_count=N runs every N-th cell: on each machine another I,
then copy the folders together and run once more with --report_only. Where there are no results of the
preset, --report_only shows those that the repository keeps. Exit code 0: all cells are there; 1:
some failed (the pages show which, and why), or an error; 2: a wrong flag; 130: interrupted.
"""

import argparse
import dataclasses
import functools
import pathlib
import shlex
import sys

_WORKSPACE = pathlib.Path(__file__).parents[2]
# Bazel's own way there, where there is Bazel; without it this file is started from the source.
sys.path += [str(_WORKSPACE / "tools/command_line"), str(_WORKSPACE / "benchmarks")]

import ask
import charts
import choice
import command_line
import kept
import provenance
import report
import run_cells
import shown
import signals
from cells import shard
from presets import PRESETS
from programs import Machine, Programs
from result import State
from store import Store
from tables import TABLES
from there import There


def parse_arguments(arguments):
    parser = command_line.Parser(prog="tables", description=__doc__)
    choice.add_flags(parser, table_help=argparse.SUPPRESS)
    parser.add_switch("estimate_only", help="say how long it would take")
    parser.add_argument("--bundle", default="", metavar="DIR",
                        help="take the programs from a folder that //tools:bundle made")
    parser.add_switch("cells_only", help="write no pages")
    parser.add_switch("report_only", help="write the pages from what is there, whatever it was "
                      "made on; --data_dir: on real data alone, --device: on that alone")
    options = parser.parse_args(arguments)
    choice.check(parser, options)
    for name in ("cells_only", "estimate_only"):
        if options.report_only and getattr(options, name):
            parser.error(f"--report_only runs nothing and writes pages; --{name} does not go with it")
    return options


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


def write_pages(names, preset, results_for, folder, command, say=print, shows_done_alone=False):
    """The pages of these tables, and the index of all that are there. `results_for(cells)` gives a
    function of a cell, what is shown of it on a page of these cells; of other tasks than those of
    these tables it is not asked. `shows_done_alone`: a page leaves out tasks and methods of which
    it has nothing."""
    for name in names:
        cells = TABLES[name].cells(preset)
        results = functools.cache(results_for(cells))
        of_page = _of_what_is_done(preset, cells, results) if shows_done_alone else preset
        say(report.write(TABLES[name].page(of_page, results), folder, preset.name, command))
    tasks = {cell.task for cell in choice.cells(names, preset)}
    of_all = choice.cells(TABLES, preset)
    results = results_for(of_all)
    of_index = [results(cell) for cell in of_all if cell.task in tasks]
    say(report.write_index(folder, preset.name, TABLES, of_index, command))
    for text in (*provenance.mixed(of_index), *provenance.left_out(of_index)):
        say(text)


def _command(options, arguments):
    """What gives the same pages again."""
    flags = [argument for argument in arguments if not argument.startswith("--table=")]
    target = "all_tables" if options.table == "all" else options.table
    return shlex.join(["bazel", "run", f"//experiments/tables:{target}"]
                      + (["--", *flags] if flags else []))


def _say(text):
    print(text, flush=True)


def _run(options, cells, mine, store, where, programs, machine):
    """Runs what is missing of this machine's share, or tells of it; returns how many failed."""
    mine = [where.place(cell) for cell in mine]
    if options.estimate_only:
        run_cells.say_plan(mine, store, _say, options.retry_failed)
        return 0
    if not options.cells_only:  # The pages' other cells: better asked for now than in the end.
        for cell in cells:
            where.place(cell)
    return run_cells.run_missing(mine, store, programs, [machine], _say, options.retry_failed)


def _write_whatever(options, preset, store, folder, command, is_kept=False):
    """The pages of what is in the store, into `folder`; kept results were made on one card after
    the other."""
    def results_for(cells):
        return shown.Whatever(store, cells, options.device, real_data=bool(options.data_dir),
                              one_device=is_kept).result
    write_pages(choice.table_names(options), preset, results_for, folder, command, _say,
                shows_done_alone=is_kept)


def _with_seeds_there(options, preset, there, own=()):
    """The preset with the seeds of all cells that are there, and `own` ones, unless the user says
    which."""
    if options.seeds:
        return preset
    return dataclasses.replace(preset, task_seeds=tuple(
        (task, tuple(sorted({*own, *there.seeds(task)}))) for task in preset.tasks))


def _kept_presets(options, folder):
    """{name: (preset, There)}: of the preset asked for, or all, what there are cells of."""
    names = sorted(path.name for path in folder.iterdir())
    found = {}
    for name in [options.preset] if options.preset in names else names:
        there, preset = There(folder / name), PRESETS[name]
        tasks = [task for task in options.tasks or preset.tasks if task in there.tasks]
        methods = options.methods or [name for name in preset.methods if name in there.methods]
        if tasks:
            found[name] = dataclasses.replace(preset, tasks=tuple(tasks), methods=tuple(methods),
                                              seeds=options.seeds or preset.seeds), there
    if not found:
        raise kept.KeptError(f"there are no results of {', '.join(options.tasks)}, neither your own "
                             "nor in docs/results")
    return found


def _write_kept(options, own, command):
    """The same of what the repository keeps."""
    with kept.unpacked() as (folder, again):
        presets = _kept_presets(options, folder)
        _say(f"{own / options.preset} has no results: these are those that the repository keeps, "
             f"docs/results, of {' and '.join(f'--preset={name}' for name in presets)}")
        if again:
            _say(again)
        for name, (preset, there) in presets.items():
            _write_whatever(options, _with_seeds_there(options, preset, there),
                            Store(folder / name, _say), own / "kept" / name, command,
                            is_kept=True)


def _report(options, command):
    own = report.user_path(options.results_dir)
    folder = own / options.preset
    there = There(folder)
    if not there.is_empty:
        preset = choice.preset(options)
        _write_whatever(options, _with_seeds_there(options, preset, there, own=preset.seeds),
                        Store(folder, _say), folder, command)
    else:
        _write_kept(options, own, command)


def _do(options, command):
    """Returns how many cells failed, or cannot be read."""
    if options.report_only:
        _report(options, command)
        return 0
    preset, names = choice.preset(options), choice.table_names(options)
    folder = report.user_path(options.results_dir) / preset.name
    store = Store(folder, _say)
    cells = choice.cells(names, preset)
    mine = shard(cells, options.shard_index, options.shard_count)
    programs = (Programs.of_bundle(report.user_path(options.bundle)) if options.bundle
                else Programs.of_workspace(_WORKSPACE))
    machine = Machine(
        data_dir=str(report.user_path(options.data_dir)) if options.data_dir else "",
        device=options.device, gpus_per_cell=options.gpus_per_cell)
    where = ask.Where(programs, machine, _say)
    failed = _run(options, cells, mine, store, where, programs, machine)
    if options.cells_only or options.estimate_only:
        return failed
    result_of = functools.cache(shown.OnOrigin(store, where.place).result)
    write_pages(names, preset, lambda _: result_of, folder, command, _say)
    return sum(result_of(cell).state != State.DONE for cell in mine)


def main(arguments):
    options = parse_arguments(arguments)
    try:
        return 1 if _do(options, _command(options, arguments)) else 0
    except (ask.AskError, charts.ChartsError, kept.KeptError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        goes_on = "" if options.report_only else "; the same command goes on with what is missing"
        print(f"error: {error}{goes_on}", file=sys.stderr)
        return 1
    except (run_cells.Interrupted, KeyboardInterrupt):
        _say("interrupted; the same command goes on: with the trainings that were under way, where "
             "they stopped, then with the cells that are missing")
        return 130


if __name__ == "__main__":
    signals.raise_keyboard_interrupt()  # A batch system stops jobs by other signals too.
    sys.exit(main(sys.argv[1:]))

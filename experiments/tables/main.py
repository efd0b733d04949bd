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
import os
import pathlib
import shlex
import sys

import source_path  # first

import ask
import charts
import choice
import command_line
import durable
import kept
import report_only
import run_cells
import run_tables
import signals
from console import say, say_error
from programs import without_bundle
from tables import TABLES

# Below which Bazel built the programs: it starts this file by a link there, while modules that are
# imported find themselves in the source.
_WORKSPACE = pathlib.Path(__file__).parents[2]


def _own_table():
    """That of the target as whose program this file runs, with Bazel or without: its files lie in
    <target>.runfiles."""
    targets = [part.removesuffix(".runfiles") for part in pathlib.Path(__file__).parts
               if part.endswith(".runfiles")]
    return next((target for target in targets if target in TABLES), choice.ALL)


def parse_arguments(arguments):
    parser = command_line.Parser(prog="tables", description=__doc__)
    choice.add_flags(parser, table_help=argparse.SUPPRESS)
    parser.set_defaults(table=_own_table())
    parser.add_switch("estimate_only", help="say how long it would take")
    parser.add_argument("--bundle", action="path", default="", metavar="DIR",
                        help="take the programs from a folder that //tools:bundle made")
    parser.add_switch("cells_only", help="write no pages")
    parser.add_switch("report_only", help="write the pages from what is there, whatever it was "
                      "made on; --data_dir: on real data alone, but for --generated, --device: on "
                      "that alone")
    options = parser.parse_args(arguments)
    choice.check(parser, options)
    for name in ("cells_only", "estimate_only", "variants"):
        if options.report_only and getattr(options, name):
            parser.error(f"--report_only runs nothing and writes pages; --{name} does not go with it")
    results = command_line.user_path(options.results_dir)
    is_default = options.results_dir == parser.get_default("results_dir")
    if options.report_only and not is_default and not os.path.isdir(results):
        parser.error(f"--results_dir={options.results_dir}: there is no folder {results} to report on")
    bundle = command_line.user_path(options.bundle)
    if options.bundle and not options.report_only and (fault := without_bundle(bundle)):
        parser.error(f"--bundle={options.bundle}: {fault}")
    return options


def _command(options, arguments):
    """What gives the same pages again."""
    flags = [argument for argument in arguments if not argument.startswith("--table=")]
    target = "all_tables" if options.table == choice.ALL else options.table
    return shlex.join(["bazel", "run", f"//experiments/tables:{target}"]
                      + (["--", *flags] if flags else []))


def _way_on(options):
    """For the end of an error's text: only where there are, or could be, results to go on with."""
    folder = command_line.user_path(options.results_dir) / options.preset
    return ("; the same command goes on with what is missing"
            if not options.report_only and os.path.isdir(folder) else "")


def _do(options, command):
    """Returns how many cells failed, or cannot be read."""
    if options.report_only:
        report_only.write(options, command, say)
        return 0
    return run_tables.run(options, _WORKSPACE, command, say)


def main(arguments):
    options = parse_arguments(arguments)
    try:
        return 1 if _do(options, _command(options, arguments)) else 0
    except (ask.AskError, charts.ChartsError, kept.KeptError) as error:
        say_error(error)
        return 1
    except OSError as error:
        say_error(f"{durable.told(error)}{_way_on(options)}")
        return 1
    except (run_cells.Interrupted, KeyboardInterrupt):
        say("interrupted; the same command goes on: with the trainings that were under way, where "
            "they stopped, then with the cells that are missing")
        return 130


if __name__ == "__main__":
    signals.raise_keyboard_interrupt()  # A batch system stops jobs by other signals too.
    sys.exit(main(sys.argv[1:]))

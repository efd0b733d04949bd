"""Which cells a call is about, and what all of them run with: the flags that say so.

    choice.add_flags(parser)
    options = parser.parse_args(arguments)
    cells = choice.cells(choice.table_names(options), choice.preset(options))
    mine = choice.share(options, cells)    # of them, what this machine is to run
"""

import argparse
import dataclasses
import re

import command_line
import methods
from cells import shard, with_requirements
from presets import PRESETS
from programs import Machine
from tables import TABLES

ALL = "all"  # tables
_DEVICES = ("auto", "cpu", "cuda")


_MOST_SEEDS = 10_000  # of one range: a slip of the hand, beyond
_LARGEST_SEED = 2**64 - 1


def _seeds(text):
    """1001,1006-1025 as a tuple."""
    seeds = []
    for part in text.split(","):
        found = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if not first <= last < min(first + _MOST_SEEDS, _LARGEST_SEED + 1):
            raise argparse.ArgumentTypeError(
                f'"{text}"; expected whole numbers from 0 to {_LARGEST_SEED}, or ranges of them, as in '
                "1001,1006-1025")
        seeds += range(first, last + 1)
    if len(set(seeds)) < len(seeds):
        raise argparse.ArgumentTypeError(f'"{text}" has a seed twice: it would count as two runs')
    return tuple(seeds)


def add_flags(parser, table_help):
    """`table_help`: of --table, which targets of Bazel give themselves."""
    parser.add_argument("--table", type=command_line.name_of([ALL, *TABLES]), default=ALL,
                        metavar="TABLE", help=table_help)
    parser.add_argument("--preset", type=command_line.name_of(PRESETS), default="quick",
                        metavar="|".join(PRESETS),
                        help="quick: the machinery, within half an hour on two CPU cores. paper: "
                        "the published setting, for a GPU. large_batch: image with the batch size "
                        "and learning rate of the authors' public logs (%(default)s)")
    parser.add_argument("--tasks", type=command_line.names_of(methods.TASKS), metavar="A,B",
                        help="only these")
    parser.add_argument("--methods", type=command_line.names_of(methods.NAMES), metavar="A,B",
                        help="only these")
    parser.add_argument("--seeds", type=_seeds, metavar="N,M-K",
                        help="instead of the preset's, as in 1001,1006-1025")
    parser.add_argument("--variants", type=lambda text: tuple(text.split(",")), metavar="A,B",
                        help="run only cells of these variants, as their folders' names have them: "
                        "excluded, density0.1 (all)")
    parser.add_argument("--data_dir", action="path", default="", metavar="DIR",
                        help="the folder with the tasks' data; none: generated data")
    parser.add_argument("--generated", type=command_line.names_of(methods.TASKS), default=(),
                        metavar="A,B", help="tasks whose data is generated though --data_dir is "
                        "there, as listops, whose generator is the data set")
    parser.add_argument("--device", type=command_line.name_of(_DEVICES), default="auto",
                        metavar="|".join(_DEVICES),
                        help="what cells run on (%(default)s)")
    parser.add_argument("--gpus_per_cell", type=int, default=1, metavar="N",
                        help="GPUs that train one model together; its batch must divide by N "
                        "(%(default)s)")
    parser.add_argument("--results_dir", action="path", default="results/tables", metavar="DIR",
                        help="where results are kept, below it one folder a preset (%(default)s)")
    parser.add_argument("--shard_index", type=int, default=0, metavar="I",
                        help="which share of the cells this machine runs, from 0 (%(default)s)")
    parser.add_argument("--shard_count", type=int, default=1, metavar="N",
                        help="how many shares there are (%(default)s)")
    parser.add_switch("retry_failed", help="run cells that failed again")


def check(parser, options):
    """Ends the program where flags do not go together, or leave nothing of the tables."""
    if options.shard_count < 1:
        parser.error(f"--shard_count={options.shard_count} must be at least 1")
    if not 0 <= options.shard_index < options.shard_count:
        parser.error(f"--shard_index={options.shard_index} must lie from 0 to --shard_count - 1 = "
                     f"{options.shard_count - 1}")
    foreign = [task for task in (*(options.tasks or ()), *options.generated)
               if task not in PRESETS[options.preset].tasks]
    if foreign:
        parser.error(f"--preset={options.preset} has no task {', '.join(foreign)}; it has "
                     f"{', '.join(PRESETS[options.preset].tasks)}")
    if options.gpus_per_cell < 1:
        parser.error(f"--gpus_per_cell={options.gpus_per_cell} must be at least 1")
    if options.generated and not options.data_dir:
        parser.error("--generated is for tasks that --data_dir has no files of; without --data_dir all "
                     "data is generated")
    chosen, names = cells(table_names(options), preset(options)), table_names(options)
    if not chosen and cells(names, PRESETS[options.preset]):
        asked = [f"--{name}={','.join(value)}" for name in ("tasks", "methods")
                 if (value := getattr(options, name))]
        parser.error(f"--table={options.table} has nothing of {' and '.join(asked)}")
    known = sorted({cell.variant for cell in chosen} - {""})
    for variant in options.variants or ():
        if variant not in known:
            parser.error(f'--variants: "{variant}"{command_line.did_you_mean(variant, known) or ";"} '
                         f"these cells have {', '.join(known) or 'no variants'}")


def preset(options):
    """With the tasks, methods and seeds that are asked for."""
    changes = {name: getattr(options, name) for name in ("tasks", "methods", "seeds")
               if getattr(options, name)}
    return dataclasses.replace(PRESETS[options.preset], **changes)


def machine(options):
    return Machine(data_dir=str(command_line.user_path(options.data_dir)) if options.data_dir else "",
                   generated=options.generated, device=options.device,
                   gpus_per_cell=options.gpus_per_cell)


def real_tasks(options):
    """Those whose data comes from files."""
    return [task for task in methods.TASKS if machine(options).data_dir_of(task)]


def table_names(options):
    return list(TABLES) if options.table == ALL else [options.table]


def cells(names, of_preset):
    """Of these tables, each once, behind those that they need."""
    return with_requirements(cell for name in names for cell in TABLES[name].cells(of_preset))


def share(options, of_tables):
    """Of these cells, in their order, those of the variants that are asked for, and of these the
    share of this machine."""
    mine = [cell for cell in of_tables if options.variants is None or cell.variant in options.variants]
    return shard(mine, options.shard_index, options.shard_count)

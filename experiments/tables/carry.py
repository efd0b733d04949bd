"""Runs cells of the tables for a given time on all GPUs of this machine, and packs them for the next.

  bundle/run cells --minutes=25 --preset=paper --data_dir=DIR --in=cells.tar.xz --out=cells.tar.xz

A cell a GPU at a time, or --gpus_per_cell; without a GPU one at a time on the CPU. In time, or at
Ctrl-C or a signal that asks to stop, the trainings under way save their states, and all that is there
is packed, as it is after an error: give the archives to --in on the next machine, which goes on.
Exit code 0: all cells are there; 1: some failed, or an error; 2: a wrong flag; 3: the time is over
and cells are left; 130: stopped by a signal.
"""

import argparse
import dataclasses
import sys
import time

import source_path  # first

import ask
import choice
import command_line
import durable
import gpus
import pack
import run_cells
import signals
import unpack
from cells import INFERENCE
from command_line import user_path
from console import say, say_error
from presets import PRESETS
from programs import Programs, without_bundle
from store import CELLS, Store
from tables import TABLES
from time_limit import TimeLimit

_MIB = 1 << 20
_OUT_OF_TIME = 3
_INTERRUPTED = 130


class CarryError(Exception):
    """Its text is for the user: one line."""


def parse_arguments(arguments):
    parser = command_line.Parser(prog="run cells", description=__doc__)
    parser.add_argument("--minutes", type=command_line.positive, metavar="M",
                        help="until all is packed, from now on; none: until all cells are there")
    parser.add_argument("--in", dest="archives", nargs="+", action="extend", default=[],
                        metavar="FILE", help="all archives that an earlier call packed, of this "
                        "preset, or the folder that has them; may be given several times")
    parser.add_argument("--out", action="path", required=True, metavar="FILE.tar.xz", help="where cells are packed")
    parser.add_argument("--part_mib", type=command_line.positive, default=16.0, metavar="N",
                        help="the largest size of an archive; more cells go into FILE.2.tar.xz and "
                        "so on (%(default)g)")
    choice.add_flags(parser, table_help="which table's cells (%(default)s)")
    parser.add_argument("--bundle", action="path", required=True, metavar="DIR",
                        help="the folder that //tools:bundle made; `run cells` gives it")
    # What `run` took before it started this.
    parser.add_argument("--seconds_before", type=float, default=0.0, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    choice.check(parser, options)
    if not options.out.endswith(pack.SUFFIX):
        parser.error(f"--out={options.out} must end in {pack.SUFFIX}")
    return options


# ---- Archives ----


def _archives(options):
    found = []
    for text in options.archives:
        path = user_path(text)
        if path.is_dir():
            inside = sorted(path.glob(f"*{pack.SUFFIX}"))
            if not inside:
                raise CarryError(f"--in={text} is a folder without any {pack.SUFFIX}")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise CarryError(f"--in={text} is not there")
    return list(dict.fromkeys(found))


def _check_out(out, archives):
    """Archives can be written there. What is replaced must have been read: nothing is lost then."""
    if not out.parent.is_dir():
        raise CarryError(f"--out={out}: there is no folder {out.parent}")
    read = {path.resolve() for path in archives}
    for path in pack.parts_of(out):
        if path.resolve() not in read:
            raise CarryError(f"{path} is there and would be replaced: give it to --in too, or "
                             "choose another --out")
    try:  # Better now than when all cells have run.
        pack.try_place(out)
    except OSError as error:
        raise CarryError(f"--out={out} cannot be written: {error.strerror}") from error


# ---- Running ----


def _machines(options):
    """One for each GPU, or each so many as train together, or the CPU."""
    names = gpus.names() if options.device != "cpu" else []
    if not names and options.device == "auto":
        say("this machine has no GPU, or none that may be used: cells run on its CPU")
    count = options.gpus_per_cell
    if names and len(names) % count != 0:
        raise CarryError(f"--gpus_per_cell={count} does not divide the {len(names)} GPUs here; "
                         "CUDA_VISIBLE_DEVICES may name fewer")
    machine = dataclasses.replace(
        choice.machine(options), device="cuda" if names or options.device == "cuda" else "cpu")
    return [dataclasses.replace(machine, gpu=",".join(names[first:first + count]))
            for first in range(0, len(names), count)] or [machine]


def _needs_checkpoint(store_folder, preset):
    """A function of a training's folder's name: whether an inference cell of any table has yet to
    take its model."""
    plans = {cell.trains.plan_id: cell.plan_id
             for of_preset in (PRESETS[preset.name], preset)
             for cell in choice.cells(TABLES, of_preset) if cell.kind == INFERENCE}

    def needs(name):
        plan = next((plan for plan in plans if name == plan or name.startswith(f"{plan}.")), None)
        return plan is not None and not (
            store_folder / CELLS / (plans[plan] + name[len(plan):])).exists()
    return needs


def _run(options, store, preset, machines, limit):
    """How many cells failed. Raises what run_cells raises if the time or a signal ended it."""
    programs = Programs.of_bundle(user_path(options.bundle))
    where = ask.Where(programs, machines[0], say)
    cells = choice.share(options, choice.cells(choice.table_names(options), preset))
    return run_cells.run_missing([where.place(cell) for cell in cells], store, programs, machines,
                                 say, options.retry_failed, limit)


def _pack(store, needs, options, out):
    """(the archives, the folders of cells that cannot be read)"""
    unread = []

    def leave_out(folder, error):
        unread.append(folder)
        say(f"warning: {folder} is not packed: {durable.told(error)}")
    store.rescue_left_behind()
    earlier, cells = pack.parts_of(out), pack.collect(store.folder, needs, leave_out)
    paths = pack.write(cells, out, int(options.part_mib * _MIB), leave_out)
    for path in earlier:  # Of a call that had more to pack; it was read.
        if path not in paths and not unread:
            path.unlink()
    packed = [cell for cell in cells if cell.folder not in unread]
    sizes = [path.stat().st_size for path in paths]
    say(f"cells packed: {len(packed)}, {sum(sizes) / _MIB:.2f} MiB in "
        + " ".join(str(path) for path in paths))
    for path, size in zip(paths, sizes):
        if size > options.part_mib * _MIB:
            say(f"note: {path} is {size / _MIB:.1f} MiB, more than --part_mib="
                f"{options.part_mib:g}: it has one cell, and a cell is not divided")
    return paths, unread


def _do(options, start):
    """The exit code. `start`: from when on the time counts."""
    bundle, out = user_path(options.bundle), user_path(options.out)
    if fault := without_bundle(bundle):
        raise CarryError(fault)
    archives = _archives(options)
    _check_out(out, archives)
    preset = choice.preset(options)
    store = Store(user_path(options.results_dir) / preset.name, say)
    if archives:
        say(f"cells unpacked: {unpack.unpack(archives, store.folder)}")
    machines = _machines(options)
    needs, per_byte = _needs_checkpoint(store.folder, preset), pack.seconds_per_byte()

    def pack_seconds():
        cells = pack.collect(store.folder, needs, on_error=lambda folder, error: None)
        return pack.seconds(store.folder, cells, per_byte)
    limit = (TimeLimit(start, 60 * options.minutes, pack_seconds) if options.minutes
             else run_cells.NoLimit())
    code = told = failed = error = None
    try:
        failed = _run(options, store, preset, machines, limit)
    except run_cells.OutOfTime:
        code, told = _OUT_OF_TIME, "the time is over and cells are left"
    except (run_cells.Interrupted, KeyboardInterrupt):
        code, told = _INTERRUPTED, "stopped by a signal; cells are left"
    except Exception as raised:  # Whatever it is: what was done until then is worth more.
        code, told, error = 1, "after an error cells are left", raised
    with signals.Watch():  # Who asks to stop once more waits for what is packed.
        paths, unread = _pack(store, needs, options, out)
    if code:
        say(f"{told}; the next machine goes on with "
            + " ".join(f"--in={path.name}" for path in paths))
    if error:
        raise error
    if not code:
        say("all cells have run, and some failed; --retry_failed runs those again" if failed
            else "all cells are there")
    return code or (1 if failed or unread else 0)


def main(arguments):
    start = time.monotonic()
    options = parse_arguments(arguments)
    try:
        return _do(options, start - options.seconds_before)
    except KeyboardInterrupt:
        say("stopped by a signal before anything ran")
        return _INTERRUPTED
    except (CarryError, gpus.GpusError, unpack.UnpackError, ask.AskError) as error:
        say_error(error)
        return 1
    except OSError as error:
        say_error(durable.told(error))
        return 1


if __name__ == "__main__":
    signals.raise_keyboard_interrupt()
    sys.exit(main(sys.argv[1:]))

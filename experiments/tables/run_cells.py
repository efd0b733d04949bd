"""Runs the cells that are missing, one at a time on each machine or GPU, and says beforehand how
long it takes.

All of them on their origins (ask.py).
"""

import contextlib
import subprocess

import estimate
import signals
from cell_run import CellRun
from cells import cells_text
from result import State


class Interrupted(Exception):
    """By a signal: trainings under way are kept with their states, and finished cells anyway."""


class OutOfTime(Exception):
    """As Interrupted, by the time limit."""


class NoLimit:
    """How long cells may run: as long as they take."""

    tick_seconds = None

    def is_time_to_stop(self):
        return False

    def is_time_to_kill(self):
        """Those that were to stop and have not."""
        return False


def _driver():
    """The NVIDIA driver's version, or what there is instead."""
    try:
        result = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
            capture_output=True, text=True, check=True, timeout=60)
        return result.stdout.splitlines()[0].strip()
    except (OSError, subprocess.SubprocessError, IndexError):
        return "none"


def _failure(result):
    """In one line; that of an earlier version may tell no error."""
    return f"FAILED: {(result.error.splitlines() or ['log.txt says why'])[0]}"


def say_plan(cells, store, say, retry_failed):
    """Says how many of these cells are there, how many failed and are not tried again, and how long
    the others will take. Returns ({cell: Result} of all, a list of those to run): without a result,
    or failed if they are to be tried again; those that were begun come first, so that they come to
    an end."""
    results = {cell: store.result(cell) for cell in cells}
    to_run = {State.MISSING, State.FAILED} if retry_failed else {State.MISSING}
    missing = [cell for cell, result in results.items() if result.state in to_run]
    done = {cell: found.seconds for cell in missing if (found := store.unfinished(cell))}
    failed = [result for cell, result in results.items()
              if result.state == State.FAILED and cell not in missing]
    say(f"{cells_text(len(results))}: {len(results) - len(missing) - len(failed)} there, "
        + (f"{len(failed)} failed earlier (--retry_failed runs "
           f"{'it' if len(failed) == 1 else 'them'} again), " if failed else "")
        + f"{len(missing)} to run"
        + (f" ({len(done)} begun)" if done else "")
        + (f", {estimate.text(missing, results.values(), done)}" if missing else ""))
    if failed:
        say(f"{failed[0].cell.id}: {_failure(failed[0])}"
            + (f"; and {len(failed) - 1} more" if len(failed) > 1 else ""))
    return results, sorted(missing, key=lambda cell: cell not in done)


class _Loop:
    """`start`: a function of a cell and a machine, gives a CellRun."""

    def __init__(self, start, machines, limit):
        self._start = start
        self._machines = machines
        self._limit = limit
        self._runs = {}  # machine -> CellRun

    def run(self, cells, on_result):
        """Each cell that ends is told to on_result."""
        with signals.Watch() as watch:
            try:
                self._run(list(cells), on_result, watch)
            finally:
                self._end_all()

    def _end_all(self):
        """After an error nothing goes on; and each is closed, whatever comes of the others."""
        with contextlib.ExitStack() as closing:
            for run in self._runs.values():
                run.kill()
                closing.callback(run.close)

    def _run(self, waiting, on_result, watch):
        is_stopping = is_interrupted = is_left = False
        while True:
            if is_stopping:
                if watch.stop_requests > 1 or self._limit.is_time_to_kill():
                    self._each(CellRun.kill)
            elif watch.stop_requests or is_interrupted or self._limit.is_time_to_stop():
                is_stopping = True
                self._each(CellRun.stop)
            else:
                self._fill(waiting)
            if not self._runs:
                break
            has_ended = any(run.has_ended for run in self._runs.values())
            watch.wait(0.0 if has_ended else self._limit.tick_seconds)
            if watch.stop_requests and not is_stopping:
                continue  # First it is noted: Ctrl-C may have ended programs, too.
            for result in self._close_ended():
                if result:
                    on_result(result)
                else:
                    is_left = True
                    is_interrupted |= not is_stopping  # Somebody stopped the program alone.
        if watch.stop_requests or is_interrupted:
            raise Interrupted
        if waiting or is_left:
            raise OutOfTime

    def _each(self, action):
        for run in self._runs.values():
            action(run)

    def _fill(self, waiting):
        for machine in self._machines:
            if machine not in self._runs:
                busy = {*waiting, *(run.cell for run in self._runs.values())}
                cell = next((cell for cell in waiting if cell.trains not in busy), None)
                if cell is None:
                    return
                waiting.remove(cell)
                self._runs[machine] = self._start(cell, machine)

    def _close_ended(self):
        ended = [machine for machine, run in self._runs.items() if run.has_ended]
        return [self._runs.pop(machine).close() for machine in ended]


def run_missing(cells, store, programs, machines, say, retry_failed=False, limit=NoLimit()):
    """Runs them, one at a time on each of the machines; returns how many of all cells have failed,
    or cannot be read. Raises Interrupted or OutOfTime if cells are left."""
    store.rescue_left_behind()
    results, missing = say_plan(cells, store, say, retry_failed)
    driver_version = _driver() if missing else ""
    ended = []

    def on_result(result):
        ended.append(result.cell)
        results[result.cell] = result
        came_to = (f"{result.info['seconds']:.1f} s" if result.state == State.DONE
                   else _failure(result) if result.state == State.FAILED
                   else "it ended, but cannot be read")
        others = [cell for cell in missing if cell not in ended]
        left = estimate.seconds(others, results.values()) / len(machines)
        say(f"[{len(ended)}/{len(missing)}] {result.cell.id}: {came_to}"
            + (f"; about {estimate.duration(left)} left" if others else ""))

    loop = _Loop(lambda cell, machine: CellRun(cell, store, programs, machine, driver_version),
                 machines, limit)
    loop.run(missing, on_result)
    return sum(result.state != State.DONE for result in results.values())

"""Keeps a run's event files up with its metrics.jsonl."""

import contextlib
import fcntl
import os

import event_files
from run_error import RunError
from run_events import TRANSITION_FILES, event, parse_metric

METRICS = "metrics.jsonl"


def find_runs(folder):
    """The folders of runs in and below `folder`."""
    return sorted(path.parent for path in folder.rglob(METRICS))


@contextlib.contextmanager
def _locked(folder):
    """Against another converter of the same run."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_unfinished(metric, folder, is_last, place):
    """Whether the transition's files are still to come, which a run writes after its line."""
    if metric["kind"] != "transition":
        return False
    missing = [name for name in TRANSITION_FILES if not (folder / name).exists()]
    if missing and not is_last:
        raise RunError(f"{place}: a transition, but {folder} has no {' and no '.join(missing)}")
    return bool(missing)


def _events(lines, first, folder, wall_time):
    """(events of `lines`, of which the first has the number `first`, up to one that cannot be
    converted; what is wrong with that one, or None)"""
    events = []
    try:
        for index, line in enumerate(lines):
            place = f"{folder / METRICS}:{first + index}"
            metric = parse_metric(line, place)
            if _is_unfinished(metric, folder, index + 1 == len(lines), place):
                break
            events.append(event(metric, place, wall_time, folder))
    except RunError as error:
        return events, error
    return events, None


def convert(folder):
    """Writes events for the lines that have none yet, up to one that no run writes. Returns for how
    many, and the RunError that names that one, or None."""
    path = folder / METRICS
    with _locked(folder):
        wall_time = path.stat().st_mtime
        # A line without its end is still being written.
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        done = event_files.written_lines(folder)
        if done > len(lines):
            return 0, RunError(f"{path}: {len(lines)} lines, but there are events for {done}; "
                               f"remove {folder}/events.out.tfevents.*.spion and try again")
        events, error = _events(lines[done:], done + 1, folder, wall_time)
        if events:
            event_files.write(folder, done + 1, events)
        return len(events), error

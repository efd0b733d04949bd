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


def _without_unfinished_transition(metrics, folder, place):
    """The transition's files come after its line; a run that goes on has them before another."""
    for index, metric in enumerate(metrics):
        if metric["kind"] != "transition":
            continue
        missing = [name for name in TRANSITION_FILES if not (folder / name).exists()]
        if missing and index + 1 == len(metrics):
            return metrics[:index]
        if missing:
            raise RunError(f"{place(index)}: a transition, but {folder} has no "
                           f"{' and no '.join(missing)}")
    return metrics


def convert(folder):
    """Writes events for the lines that have none yet, and says for how many. RunError: a file that
    no run writes."""
    path = folder / METRICS
    with _locked(folder):
        wall_time = path.stat().st_mtime
        # A line without its end is still being written.
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        done = event_files.written_lines(folder)
        if done > len(lines):
            raise RunError(f"{path}: {len(lines)} lines, but there are events for {done}; remove "
                           f"{folder}/events.out.tfevents.*.spion and try again")

        def place(index):
            return f"{path}:{done + index + 1}"
        metrics = [parse_metric(line, place(index)) for index, line in enumerate(lines[done:])]
        metrics = _without_unfinished_transition(metrics, folder, place)
        events = [event(metric, place(index), wall_time, folder)
                  for index, metric in enumerate(metrics)]
        if events:
            event_files.write(folder, done + 1, events)
        return len(events)

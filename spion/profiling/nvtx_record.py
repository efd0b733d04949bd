"""Runs a program under the NVTX recorder and reads what it recorded."""

import collections
import json
import os
import pathlib
import subprocess
import tempfile

Range = collections.namedtuple("Range", "name parents category payload")


def run(recorder, command):
    """The completed process, and its events in the domain "spion"."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
        record = pathlib.Path(folder) / "record"
        environment = dict(os.environ, NVTX_INJECTION64_PATH=str(pathlib.Path(recorder).resolve()),
                           SPION_NVTX_RECORD=str(record))
        result = subprocess.run(command, env=environment, capture_output=True, text=True,
                                check=False)
        lines = record.read_text().splitlines() if record.exists() else []
    events = [json.loads(line) for line in lines]
    return result, [event for event in events if event["domain"] == "spion"]


def nested_ranges(events):
    """The pushed ranges in the order of their beginnings, with the names they lie in.

    Raises ValueError if one is not closed, or closed twice.
    """
    ranges = []
    open_names = collections.defaultdict(list)
    for event in events:
        stack = open_names[event["thread"]]
        if event["event"] == "push":
            ranges.append(Range(event["name"], tuple(stack), event.get("category"),
                                event.get("payload")))
            stack.append(event["name"])
        elif event["event"] == "pop":
            if not stack:
                raise ValueError("a range is closed that is not open")
            stack.pop()
    left = [stack for stack in open_names.values() if stack]
    if left:
        raise ValueError(f"never closed: {left}")
    return ranges


def phases(events):
    """(name, index of its start event, index of its end event) of the start/end ranges."""
    open_phases = {}
    found = []
    for index, event in enumerate(events):
        if event["event"] == "start":
            open_phases[event["id"]] = (event["name"], index)
        elif event["event"] == "end":
            name, start = open_phases.pop(event["id"])
            found.append((name, start, index))
    if open_phases:
        raise ValueError(f"never ended: {open_phases}")
    return sorted(found, key=lambda phase: phase[1])

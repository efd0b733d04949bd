"""Event files in a run's folder: each has the events of some lines of metrics.jsonl.

A file is written once, whole or not at all, and its name says which lines it has. So a TensorBoard
that is running finds the new ones, and nothing is written twice.
"""

import re

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.record_writer import RecordWriter

_VERSION = "brain.Event:2"
_NAME = re.compile(r"events\.out\.tfevents\.\d+\.\d+-(\d+)\.spion")
# Without "tfevents", by which TensorBoard knows its files.
_PARTIAL = "events.partial"


def written_lines(folder):
    """How many lines of metrics.jsonl, from its first, the folder's event files have."""
    matches = (_NAME.fullmatch(path.name) for path in folder.iterdir())
    return max((int(match[1]) for match in matches if match), default=0)


def write(folder, first, events):
    """Those of the lines from number `first`, counted from 1, one each; at least one."""
    last = first + len(events) - 1
    partial = folder / _PARTIAL
    with partial.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=events[0].wall_time,
                           file_version=_VERSION).SerializeToString())
        for event in events:
            writer.write(event.SerializeToString())
    # TensorBoard reads them in the order of their names.
    partial.rename(folder / (f"events.out.tfevents.{int(events[0].wall_time):010}."
                             f"{first:08}-{last:08}.spion"))

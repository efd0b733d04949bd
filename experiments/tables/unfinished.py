"""Trainings that are not over: what their folders tell, so that another process goes on.

    unfinished.begin(folder, cell, parts=[], driver="580")   # before the program starts
    unfinished.end_part(folder)                              # when it has ended, or was killed

`unfinished.json`, beside the run's own folder, names the cell and the parts that it was made in so
far. A part counts up to the last state that it saved: what came after that is done again. Of a part
that saved none nothing is told.

A state is worth hours: whoever cannot read what is there (OSError), or not understand it
(DamagedError), leaves it where it is.
"""

import contextlib
import dataclasses
import datetime
import json
import time

import durable
from origin import Origin

FILE = "unfinished.json"
STATE = "run/state.safetensors"
# What tell that a run got so far: where it goes on, or that all was done.
_SAVED = (STATE, "run/summary.json")


class NoneError(Exception):
    """The folder is of no unfinished training that can be gone on with. Its text is one line."""


class DamagedError(NoneError):
    """It has a state, but does not tell of what."""


@dataclasses.dataclass(frozen=True)
class Unfinished:
    id: str
    origin: Origin
    parts: list  # of each {"seconds": 12.5, "until": "2026-01-02T03:04:05+00:00", "driver": "580"}

    @property
    def seconds(self):
        return sum(part["seconds"] for part in self.parts)


def utc(seconds):
    """A time as people and cell.json have it."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(
        timespec="seconds")


def _write(folder, told):
    durable.write_text(folder / FILE, json.dumps(told, indent=2) + "\n")


def begin(folder, cell, parts, driver):
    """A part begins; `parts` are the earlier ones."""
    _write(folder, {"id": cell.id, "origin": dataclasses.asdict(cell.origin), "parts": parts,
                    "began": time.time(), "driver": driver})


def _saved_at(path):
    """[when a file was written], or []."""
    try:
        return [path.stat().st_mtime]
    except (FileNotFoundError, NotADirectoryError):
        return []


def has_state(folder):
    """Whether there is one to go on from. OSError: nobody knows."""
    return bool(_saved_at(folder / STATE))


def _last_saved(folder):
    """When, or None."""
    return max((time for name in _SAVED for time in _saved_at(folder / name)), default=None)


def _with_part_under_way(told, saved):
    parts, began = told["parts"], told.get("began")
    if began is None or saved < began:
        return parts
    return [*parts, {"seconds": round(saved - began, 3), "until": utc(saved),
                     "driver": told["driver"]}]


def _told(folder):
    try:
        text = (folder / FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NoneError(f"there is no {FILE}") from None
    saved = _last_saved(folder)
    if saved is None:
        raise NoneError("it has saved no state")
    try:
        told = json.loads(text)
        return told, Unfinished(told["id"], Origin(**told["origin"]),
                                _with_part_under_way(told, saved))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{FILE} is damaged: {error!r}") from None


def read(folder):
    """The Unfinished in a folder. NoneError: there is none that can be gone on with; DamagedError,
    OSError: there may be one."""
    return _told(folder)[1]


def end_part(folder):
    """The part under way is over; returns the Unfinished. Errors: as of `read`."""
    told, found = _told(folder)
    # A full disk must not cost the state: until it is written, the files' times tell the same.
    with contextlib.suppress(OSError):
        _write(folder, {"id": told["id"], "origin": told["origin"], "parts": found.parts})
    return found

"""Trainings that are not over: what their folders tell, so that another process goes on.

    unfinished.begin(folder, cell, parts=[], driver="580")   # before the program starts
    unfinished.end_part(folder)                              # when it has ended, or was killed

`unfinished.json`, beside the run's own folder, names the cell and the parts that it was made in so
far. A part counts up to the last state that it saved: what came after that is done again. Of a part
that saved none nothing is told.
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
# What tells that a run got so far: where it goes on, or that all was done.
_SAVED = (STATE, "run/summary.json")


class NoneError(Exception):
    """The folder is of no unfinished training. Its text is one line."""


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


def _last_saved(folder):
    """When, or None."""
    times = [(folder / name).stat().st_mtime for name in _SAVED if (folder / name).exists()]
    return max(times, default=None)


def _with_part_under_way(told, saved):
    parts, began = told["parts"], told.get("began")
    if began is None or saved < began:
        return parts
    return [*parts, {"seconds": round(saved - began, 3), "until": utc(saved),
                     "driver": told["driver"]}]


def _told(folder):
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        saved = _last_saved(folder)
        if saved is None:
            raise NoneError("it has saved no state")
        return told, Unfinished(told["id"], Origin(**told["origin"]),
                                _with_part_under_way(told, saved))
    except OSError as error:
        raise NoneError(f"{FILE}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NoneError(f"{FILE} is damaged: {error!r}") from None


def read(folder):
    """The Unfinished in a folder. NoneError: there is none that can be gone on with."""
    return _told(folder)[1]


def end_part(folder):
    """The part under way is over; returns the Unfinished. NoneError, as `read`."""
    told, found = _told(folder)
    # A full disk must not cost the state: until it is written, the files' times tell the same.
    with contextlib.suppress(OSError):
        _write(folder, {"id": told["id"], "origin": told["origin"], "parts": found.parts})
    return found

"""Which cells a preset's folder has, by their cell.json alone: for reports of whatever is there."""

import json

from result import CELL_FILE
from store import CELLS, FAILED, UNFINISHED


def _entries(folder):
    """None where there is no folder; pathlib's glob has none of an unreadable one, too."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


class There:
    """Of the cells of `folder` that can be read: tasks, methods, and the seeds of each task;
    `is_empty`: there is no cell, whether or not it can be read, is done, or has failed. Raises
    OSError where folders of cells cannot be read."""

    def __init__(self, folder):
        self.is_empty = not any(_entries(folder / group) for group in (CELLS, FAILED, UNFINISHED))
        self.tasks, self.methods, self._seeds = set(), set(), {}
        for cell in _entries(folder / CELLS):
            self._add(cell / CELL_FILE)

    def _add(self, path):
        try:
            info = json.loads(path.read_text(encoding="utf-8"))
            task, method, seed = info["task"], info["method"], int(info["seed"])
        except (OSError, ValueError, KeyError, TypeError):
            return  # The store says what cannot be read.
        self.tasks.add(task)
        self.methods.add(method)
        self._seeds.setdefault(task, set()).add(seed)

    def seeds(self, task):
        return tuple(sorted(self._seeds.get(task, ())))

"""The folder where cells' results lie.

    store = Store(pathlib.Path("results/tables/quick"))
    with store.work_on(cell) as work:          # a folder under a temporary name
        ... write into work.folder ...
        work.finish({"seconds": 3.2})          # renamed: from here on the cell is there
    store.result(cell).state                   # DONE

A result is there whole or not at all, so a run that was killed goes on with the cells that are
missing, and results of several machines are merged by copying their folders together. What is
damaged, or copied in part, counts as not run: it is said, and left where it is.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import secrets
import shutil

import durable
import running
from result import CELL_FILE, COPY, DamagedError, Result, State, check_run, files_of, read

_FOLDERS = {State.DONE: "cells", State.FAILED: "failed"}


class Work:
    """A cell that is being made."""

    def __init__(self, folder):
        self.folder = folder
        self.ended = False
        self.info = None
        self.error = ""

    def finish(self, info):
        self.info, self.ended = info, True

    def fail(self, error, info):
        self.info, self.error, self.ended = info, error, True


class Store:
    """The cells' results below a folder:

        cells/<id>/cell.json     how it was made; beside it what the program left
        failed/<id>/cell.json    the same of one that failed, with its error

    Folders of earlier versions have no origin in their names: their manifests tell it. `say` is
    told of what counts as not run, each once.
    """

    def __init__(self, folder, say=print):
        self.folder = pathlib.Path(folder)
        self._say = say
        self._said = set()

    def _folders(self, cell, state):
        """Of all that may be of this cell, on whatever it was made."""
        parent, name = self.folder / _FOLDERS[state], cell.plan_id
        if not parent.is_dir():
            return []
        return [parent / entry for entry in sorted(os.listdir(parent))
                if entry == name or entry.startswith(name + ".")]

    def results(self, cell):
        """(results of a cell, one of each origin that it was made on, none of them MISSING;
        {folder: text} of what cannot be read and was not made again)"""
        found, damage = {}, {}
        for state in _FOLDERS:
            for folder in self._folders(cell, state):
                try:
                    result = read(cell, folder, state)
                    found.setdefault(result.origin, result)
                except DamagedError as error:
                    damage[folder] = f"{folder.relative_to(self.folder)}: {error}"
        made = {cell.on(origin).id for origin in found}
        return list(found.values()), {folder: text for folder, text in damage.items()
                                      if _id(folder) not in made}

    def result(self, cell):
        """Of a cell on its origin."""
        found, damage = self.results(cell)
        for result in found:
            if result.origin == cell.origin:
                return result
        return self.with_damage(Result(cell, State.MISSING),
                                [text for folder, text in damage.items()
                                 if _id(folder) in (cell.id, cell.plan_id)])

    def with_damage(self, result, damage):
        """The result, knowing of what else there is of its cell and cannot be read; which is
        said."""
        for text in damage:
            if text not in self._said:
                self._said.add(text)
                self._say(f"note: {self.folder}/{text}; it counts as not run")
        return dataclasses.replace(result, damage=tuple(damage))

    @contextlib.contextmanager
    def work_on(self, cell):
        """A Work; on leaving, what it came to. Left without an end, nothing stays."""
        parent = self.folder / _FOLDERS[State.DONE]
        parent.mkdir(parents=True, exist_ok=True)
        running.remove_left_behind(parent)
        with running.folder(parent, cell.id) as folder:
            work = Work(folder)
            yield work
            if work.ended:
                self._keep(cell, work)

    def _keep(self, cell, work):
        files = files_of(work.folder)
        if not work.error:
            work.error = _fault(cell, work.folder, files)
        info = {"id": cell.id, "task": cell.task, "method": cell.method, "seed": cell.seed,
                "kind": cell.kind, "settings": dict(cell.settings),
                "origin": dataclasses.asdict(cell.origin), **work.info, "files": files}
        if work.error:
            info["error"] = work.error
        (work.folder / CELL_FILE).write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
        durable.sync_tree(work.folder)
        failed = self.folder / _FOLDERS[State.FAILED] / cell.id
        if work.error:
            shutil.rmtree(failed, ignore_errors=True)
            self._rename(work.folder, cell, State.FAILED)
        else:
            self._rename(work.folder, cell, State.DONE)
            shutil.rmtree(failed, ignore_errors=True)

    def _rename(self, folder, cell, state):
        target = self.folder / _FOLDERS[state] / cell.id
        target.parent.mkdir(exist_ok=True)
        try:
            folder.rename(target)
        except OSError:
            if not target.exists():
                raise
            # Somebody else was first, and one result is as good as the other; or what is there is
            # damaged, or being copied.
            if not _is_there(cell, target, state):
                folder.rename(target.with_name(f"{target.name}{COPY}{secrets.token_hex(4)}"))
        durable.sync_folder(target.parent)


def _is_there(cell, folder, state):
    try:
        return read(cell, folder, state).origin == cell.origin
    except DamagedError:
        return False


def _id(folder):
    """Of the cell that a folder is called after."""
    return folder.name.split(COPY)[0]


def _fault(cell, folder, files):
    """Why what lies in `folder` is not this cell; "" if it is."""
    try:
        made_on = check_run(cell.kind, folder, files)
    except DamagedError as error:
        return f"error: the program ended well, but {error}"
    if made_on != cell.origin:
        return f"error: made on {made_on}; it was to be made on {cell.origin}"
    return ""

"""The folder where cells' results lie.

    store = Store(pathlib.Path("results/tables/quick"))
    with store.work_on(cell) as work:          # a folder under a temporary name
        ... write into work.folder ...
        work.finish({"seconds": 3.2})          # renamed: from here on the cell is there
    store.result(cell).state                   # DONE

A result is there whole or not at all, so a run that was killed goes on with the cells that are
missing, and results of several machines are merged by copying their folders together. What is
damaged, or copied in part, counts as not run: it is said, and left where it is. A training that was
stopped or killed, or has failed, is kept with its state, and whoever works on the cell next goes on
with it (unfinished.py). No state is ever removed before its cell is done.
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
import unfinished
from result import (CELL_FILE, COPY, DamagedError, Result, State, check_run, id_of, is_whole,
                    read, sizes_of, sums_of)

CELLS, FAILED, UNFINISHED = "cells", "failed", "unfinished"
_FOLDERS = {State.DONE: CELLS, State.FAILED: FAILED}


class Work:
    """A cell that is being made. `lock` is a descriptor for the program that makes it: as long as
    it is open, nobody else takes the folder. `parts`: of an earlier, unfinished run that is in the
    folder (None: there is none)."""

    def __init__(self, folder, lock, parts):
        self.folder = folder
        self.lock = lock
        self.parts = parts
        self.ended = False
        self.info = None
        self.error = ""

    def finish(self, info):
        """`info`: seconds, finished and driver are those of this part."""
        self.info, self.ended = self._with_earlier_parts(info), True

    def fail(self, error, info):
        self.finish(info)
        self.error = error

    def _with_earlier_parts(self, info):
        if not self.parts:
            return info
        last = {"seconds": info["seconds"], "until": info["finished"], "driver": info["driver"]}
        parts = [*self.parts, last]
        seconds = round(sum(part["seconds"] for part in parts), 3)
        return {**info, "seconds": seconds, "parts": parts}


class Store:
    """The cells' results below a folder:

        cells/<id>/cell.json     how it was made; beside it what the program left
        failed/<id>/cell.json    the same of one that failed, with its error, and its state if any
        unfinished/<id>/         a training that was stopped or killed, with its state

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
                                      if id_of(folder) not in made}

    def result(self, cell):
        """Of a cell on its origin."""
        found, damage = self.results(cell)
        for result in found:
            if result.origin == cell.origin:
                return result
        return self.with_damage(Result(cell, State.MISSING),
                                [text for folder, text in damage.items()
                                 if id_of(folder) in (cell.id, cell.plan_id)])

    def with_damage(self, result, damage):
        """The result, knowing of what else there is of its cell and cannot be read; which is
        said."""
        for text in damage:
            self._say_once(f"{text}; it counts as not run")
        return dataclasses.replace(result, damage=tuple(damage))

    def _say_once(self, text):
        if text not in self._said:
            self._said.add(text)
            self._say(f"note: {self.folder}/{text}")

    def _with_states(self, cell):
        """The folders of this cell that may have one."""
        folders = [path for group in (UNFINISHED, FAILED) if (self.folder / group).is_dir()
                   for path in sorted((self.folder / group).iterdir()) if id_of(path) == cell.id]
        return [path for path in folders
                if path.parent.name == UNFINISHED or (path / unfinished.FILE).exists()]

    def _unfinished_folders(self, cell):
        """{folder: Unfinished} of this cell, from the one that got furthest. What cannot be gone on
        with stays where it is, and is said."""
        found = {}
        for path in self._with_states(cell) if cell.can_go_on else ():
            name = path.relative_to(self.folder)
            try:
                told = unfinished.read(path)
                if (told.id, told.origin) == (cell.id, cell.origin):
                    found[path] = told
                else:
                    self._say_once(f"{name}: {unfinished.FILE} is of {told.id}, {told.origin}; the "
                                   "cell starts anew")
            except (unfinished.NoneError, OSError) as error:
                self._say_once(f"{name}: {error}; the cell starts anew")
        return dict(sorted(found.items(), key=lambda item: -item[1].seconds))

    def unfinished(self, cell):
        """The Unfinished that work on this cell goes on with, or None."""
        return next(iter(self._unfinished_folders(cell).values()), None)

    def rescue_left_behind(self):
        """Keeps the trainings of killed processes, and removes what else they left."""
        running.remove_left_behind(self.folder / CELLS, self._keep_unfinished)

    @contextlib.contextmanager
    def work_on(self, cell):
        """A Work; on leaving, what it came to. Left without an end, a training's state stays, for
        the next who works on the cell; of anything else nothing stays. OSError: it could not be
        kept; a state is then left behind."""
        parent = self.folder / CELLS
        parent.mkdir(parents=True, exist_ok=True)
        (self.folder / UNFINISHED).mkdir(exist_ok=True)  # Now: later the disk may be full.
        self.rescue_left_behind()
        earlier = self._unfinished_folders(cell)
        with running.folder(parent, cell.id, earlier, self._keep_unfinished) as (folder, lock):
            parts = unfinished.read(folder).parts if earlier and any(folder.iterdir()) else None
            (folder / CELL_FILE).unlink(missing_ok=True)  # of one that had failed
            work = Work(folder, lock, parts)
            yield work
            if work.ended:
                self._keep(cell, work)

    def _is_done(self, cell_id):
        return any(is_whole(path, State.DONE) for path in (self.folder / CELLS).iterdir()
                   if id_of(path) == cell_id)

    def _keep_unfinished(self, folder):
        """If that is what lies in the folder, and its cell is not done."""
        try:
            cell_id = unfinished.end_part(folder).id
        except unfinished.DamagedError:
            cell_id = running.name_of(folder)
        except unfinished.NoneError:
            return
        if self._is_done(cell_id):
            return
        durable.sync_tree(folder)
        target = self.folder / UNFINISHED / cell_id
        target.parent.mkdir(exist_ok=True)
        try:
            folder.rename(target)
        except OSError:
            folder.rename(copy_of(target))
        durable.sync_folder(target.parent)

    def _keep(self, cell, work):
        if not work.error:
            work.error = _fault(cell, work.folder)
        info = {"id": cell.id, "task": cell.task, "method": cell.method, "seed": cell.seed,
                "kind": cell.kind, "settings": dict(cell.settings),
                "origin": dataclasses.asdict(cell.origin), **work.info,
                "files": sizes_of(work.folder)}
        if work.error:
            info["error"] = work.error
        else:
            info["crc32"] = sums_of(work.folder)
        durable.write_text(work.folder / CELL_FILE, json.dumps(info, indent=2) + "\n")
        failed = self.folder / FAILED / cell.id
        goes_on = bool(work.error) and cell.can_go_on and unfinished.has_state(work.folder)
        if goes_on:
            unfinished.end_part(work.folder)
        durable.sync_tree(work.folder)
        if work.error:
            self._keep_unfinished(failed)  # It may have got further.
            shutil.rmtree(failed, ignore_errors=True)
            kept = self._rename(work.folder, cell, State.FAILED)
        else:
            kept = self._rename(work.folder, cell, State.DONE)
            shutil.rmtree(failed, ignore_errors=True)
        # Not before: killed in between, the training would be lost.
        if not goes_on:
            (kept / unfinished.FILE).unlink(missing_ok=True)

    def _rename(self, folder, cell, state):
        """Where it is then."""
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
                target = folder.rename(copy_of(target))
        durable.sync_folder(target.parent)
        return target


def copy_of(path):
    """For one whose name is taken."""
    return path.with_name(f"{path.name}{COPY}{secrets.token_hex(4)}")


def _is_there(cell, folder, state):
    try:
        return read(cell, folder, state).origin == cell.origin
    except DamagedError:
        return False


def _fault(cell, folder):
    """Why what lies in `folder` is not this cell; "" if it is."""
    try:
        made_on = check_run(cell.kind, folder, cell.origin)
    except DamagedError as error:
        return f"error: the program ended well, but {error}"
    if made_on != cell.origin:
        return f"error: made on {made_on}; it was to be made on {cell.origin}"
    return ""

"""Which results pages show of cells that were made on several origins.

A call that runs cells shows those on its own data and device (OnOrigin). With --report_only there
is neither (Whatever): of each task it shows cells on one data alone, for no numbers on other data
compare with them; data from files before generated data, then what most cells have. Of a cell made
on several devices it shows that on the device of most cells. So a page may have cells of several
devices, as when machines share the work; it says so (provenance.py). Where devices did not share the
work, but did it one after the other, pages can have one device for each task (`judge`).
"""

import collections
import dataclasses

from origin import CPU
from result import Result, State


def _with_others(chosen, found):
    """`chosen`, with the origins of those of `found` that are done too."""
    return dataclasses.replace(chosen, others=tuple(
        result.origin for result in found
        if result.state == State.DONE and result.origin != chosen.origin))


class OnOrigin:
    """Results of cells on the origin where `place`, a function of a cell, puts them."""

    def __init__(self, store, place):
        self._store = store
        self._place = place

    def result(self, cell):
        chosen = self._store.result(self._place(cell))
        return _with_others(dataclasses.replace(chosen, cell=cell), self._store.results(cell)[0])


class Whatever:
    """Results of `cells` on whatever they were made; `device` "cpu" or "cuda": on that alone;
    `real_tasks`, `generated_tasks`: of these on data from files alone, or generated; `judge`, of the cells of all pages: of each task on one
    device alone, so that pages agree: of those that made at least half as many kinds of `cells`,
    whatever the seed, as any other did, and then half as many cells, the one that made most of the
    judge's."""

    def __init__(self, store, cells, device="auto", real_tasks=(), generated_tasks=(),
                 judge=None):
        self._store = store
        self._device = device
        self._asked_of_task = {**dict.fromkeys(real_tasks, True),
                               **dict.fromkeys(generated_tasks, False)}  # whether from files
        done = [(cell, result.origin) for cell in dict.fromkeys(cells)
                for result in store.results(cell)[0]
                if result.state == State.DONE and self._is_asked_for(cell.task, result.origin)]
        origins = [(cell.task, origin) for cell, origin in done]
        self._cells_on_device = collections.Counter(origin.device for _, origin in origins)
        self._cells_of_task = collections.Counter((task, origin.device) for task, origin in origins)
        self._kinds_of_task = collections.Counter((task, device) for task, device, *_ in {
            (cell.task, origin.device, cell.kind, cell.method, cell.variant)
            for cell, origin in done})
        self._data = self._data_of_tasks(origins)
        self._devices = self._devices_of_tasks(judge) if judge else {}

    @staticmethod
    def _data_of_tasks(origins):
        cells = collections.Counter((task, origin.data) for task, origin in origins)
        best = {}
        for task, origin in origins:
            rank = (origin.is_real, cells[task, origin.data], origin.data)
            best[task] = max(best.get(task, rank), rank)
        return {task: data for task, (_, _, data) in best.items()}

    def _devices_of_tasks(self, judge):
        devices = {}
        for task, device in self._cells_of_task:
            devices.setdefault(task, []).append(device)
        for task, there in devices.items():
            for counts in (self._kinds_of_task, self._cells_of_task):
                most = max(counts[task, device] for device in there)
                there = [device for device in there if 2 * counts[task, device] >= most]
            devices[task] = max(there, key=lambda device: (judge._cells_of_task[task, device], device))
        return devices

    def _is_asked_for(self, task, origin):
        return (self._device in ("auto", CPU if origin.device == CPU else "cuda")
                and (not origin.data
                     or self._asked_of_task.get(task, origin.is_real) == origin.is_real))

    def _fits(self, result):
        # What a cell of an earlier version failed on is unknown.
        return result.origin is None or (
            self._is_asked_for(result.cell.task, result.origin)
            and result.origin.data == self._data.get(result.cell.task, result.origin.data)
            and result.origin.device == self._devices.get(result.cell.task, result.origin.device))

    def _rank(self, result):
        device = result.origin.device if result.origin else ""
        return result.state == State.DONE, self._cells_on_device[device], device

    def result(self, cell):
        found, damage = self._store.results(cell)
        fitting = [result for result in found if self._fits(result)]
        chosen = max(fitting, key=self._rank) if fitting else Result(cell, State.MISSING)
        return _with_others(self._store.with_damage(chosen, damage.values()), found)

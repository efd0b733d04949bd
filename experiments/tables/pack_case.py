"""What tests of cells that go from machine to machine share: two stores and an archive."""

import os
import pathlib
import tempfile
import unittest

import pack
import small_runs
import unfinished
import unpack
from cells import Cell
from origin import Origin
from store import Store

CPU = Origin("generated-8-4-2", "cpu")


def training(seed=1001):
    return Cell("image", "cf", seed, (("steps", "4"),)).on(CPU)


class PackCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.here, self.there = (Store(self.folder / name / "paper") for name in ("here", "there"))
        self.archive = self.folder / "cells.tar.xz"

    def add(self, seed=1001):
        small_runs.add(self.here, training(seed))
        return self.here.folder / "cells" / training(seed).id

    def add_unfinished(self, store=None, seed=1001, seconds=10.0, state=b"state"):
        store = store or self.here
        with store.work_on(training(seed)) as work:
            part = {"seconds": seconds, "until": "2026-01-02T03:04:05+00:00", "driver": "580"}
            unfinished.begin(work.folder, training(seed), [part], "580")
            (work.folder / "run").mkdir(exist_ok=True)
            (work.folder / "run/manifest.json").write_text("{}")
            (work.folder / "run/state.safetensors").write_bytes(state)

    def pack(self, needs=lambda name: False, limit=1 << 20):
        return pack.write(pack.collect(self.here.folder, needs), self.archive, limit)

    def unpack(self, *archives):
        return unpack.unpack(archives or [self.archive], self.there.folder)

    def files(self, store, folder="."):
        return sorted(str(path.relative_to(store.folder))
                      for path in (store.folder / folder).rglob("*") if path.is_file())

"""What cells are there."""

import os
import pathlib
import tempfile
import unittest
from unittest import mock

import small_runs
from cells import Cell
from origin import Origin
from store import Store
from there import There


class ThereTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))

    def test_tasks_methods_and_each_tasks_seeds(self):
        store = Store(self.folder)
        for task, method, seed in (("text", "cf", 7), ("image", "cf", 12), ("image", "dense", 9),
                                   ("image", "dense", 12)):
            small_runs.add(store, Cell(task, method, seed, ()).on(Origin("generated-8-4-2", "cpu")))
        there = There(self.folder)
        self.assertEqual(there.tasks, {"text", "image"})
        self.assertEqual(there.methods, {"cf", "dense"})
        self.assertEqual(there.seeds("image"), (9, 12))
        self.assertEqual(there.seeds("text"), (7,))
        self.assertEqual(there.seeds("listops"), ())

    def test_nothing_is_there_of_what_cannot_be_read(self):
        for name, text in (("a", "{"), ("b", "[]"), ("c", '{"task": "text"}'), ("d", "")):
            folder = self.folder / "cells" / name
            folder.mkdir(parents=True)
            (folder / "cell.json").write_text(text)
        self.assertFalse(There(self.folder).tasks)
        self.assertFalse(There(self.folder).is_empty)
        self.assertTrue(There(self.folder / "nowhere").is_empty)

    def test_a_folder_that_cannot_be_read_is_not_empty(self):
        (self.folder / "cells").mkdir()
        with mock.patch("os.listdir", side_effect=PermissionError), \
             mock.patch("os.scandir", side_effect=PermissionError), \
             self.assertRaises(PermissionError):
            There(self.folder)


if __name__ == "__main__":
    unittest.main()

"""What the experiment program really leaves, and what the tables make of it."""

import os
import pathlib
import sys
import tempfile
import unittest

import breakdown_of_trace
import breakdown_by_order
import fabricated
import fake_programs
import pages
import real_cells
import small_runs
import table_breakdown
from cells import with_requirements
from json_shape import beyond, both, shape
from origin import Origin
from page import FAILED, NOT_RUN, Grid, Picture
from real_cells import PRESET
from result import CELL_FILE, Result, State
from shown import Whatever
from store import Store
from tables import TABLES, page_of

# Of tables whose cells are few.
NAMES = ("hyperparameters", "accuracy", "training_time", "memory", "inference", "breakdown",
         "operations", "patterns", "settling")
# What cells leave: each training or each inference, and some of them.
ALL = ("run/evaluation.json", "run/manifest.json", "run/metrics.jsonl", "run/summary.json")
SOME = ("run/attention_maps.json", "run/patterns.json", "trace.json")
PROGRAM = RESULTS = None


def cells():
    return with_requirements(cell for name in NAMES for cell in TABLES[name].cells(PRESET))


def new_folder():
    return pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))


def shape_of_file(result, name):
    """Lines and events of several kinds each have a shape of their own."""
    def by_kind(values, kind_of):
        kinds = {}
        for value in values:
            kind = kind_of(value)
            kinds[kind] = both(kinds[kind], shape(value)) if kind in kinds else shape(value)
        return kinds
    if name.endswith(".jsonl"):
        return by_kind(result.json_lines(name), lambda line: line.get("kind", "train"))
    if name == "trace.json":
        return by_kind((event for event in result.json(name)["traceEvents"] if event["ph"] == "X"),
                       lambda event: event["name"] if event["cat"] == "user_annotation"
                       else event["cat"])
    return shape(result.json(name))


class StandInsTest(unittest.TestCase):
    """What tests invent is what the program writes: the same keys, the same types. They may leave
    out what no page reads."""

    def check(self, invented, *names):
        """`invented`: {cell: Result}, of all cells, which have these files."""
        seen = set()
        for cell, real in RESULTS.items():
            for path in invented[cell].folder.rglob("*.json*"):
                name = str(path.relative_to(invented[cell].folder))
                if name == CELL_FILE:  # the store's own
                    continue
                seen.add(name)
                self.assertTrue(real.has(name), f"{cell.id}: {name}")
                self.assertEqual(beyond(shape_of_file(invented[cell], name),
                                        shape_of_file(real, name)), [], f"{cell.id}: {name}")
        self.assertEqual(seen, set(names))

    def of_store(self, fill):
        store = Store(new_folder())
        fill(store)
        shown = Whatever(store, RESULTS)
        return {cell: shown.result(cell) for cell in RESULTS}

    def test_fabricated_results(self):
        self.check(self.of_store(lambda store: fabricated.fill(store, list(RESULTS))), *ALL, *SOME)

    def test_fake_programs(self):
        folder = new_folder()
        [program], _ = fake_programs.write(folder)
        self.check(real_cells.run(program, folder / "results", RESULTS), *ALL, *SOME)

    def test_small_runs(self):
        def fill(store):
            for result in RESULTS.values():
                small_runs.add(store, result.cell)
        self.check(self.of_store(fill), *ALL)


class PagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pages = {name: page_of(name, PRESET, RESULTS.__getitem__) for name in NAMES}

    def texts(self, name, key):
        grid = next(block for block in self.pages[name].blocks
                    if isinstance(block, Grid) and block.key == key)
        return {row[0].text: [entry.text for entry in row[1:]] for row in grid.entries()}

    def summary(self, method):
        return RESULTS[PRESET.training("pathfinder", method)].json("run/summary.json")

    def test_no_cell_is_missing_or_cannot_be_read(self):
        for name, page in self.pages.items():
            for block in page.blocks:
                for row in block.entries() if isinstance(block, Grid) else ():
                    for entry in row:
                        self.assertNotEqual(entry.mark, FAILED, f"{name}: {entry.text}")
                        self.assertNotIn(NOT_RUN, entry.text, name)

    def test_settings_reach_the_program(self):
        for cell, result in RESULTS.items():
            self.assertEqual(result.cell.origin, Origin("generated-8000-1000-2000", "cpu"))
            manifest = result.json("run/manifest.json")
            told = {"preset": manifest["preset"], **manifest["hyper_parameters"]}
            self.assertEqual({name: str(told[name]) for name, _ in cell.settings if name in told},
                             {name: text for name, text in cell.settings if name in told})
            self.assertIn("test_examples", told)

    def test_each_setting_of_a_run_is_on_the_page(self):
        manifest = RESULTS[PRESET.training("pathfinder", "cf")].json("run/manifest.json")
        shown = self.texts("hyperparameters", "settings")
        # The page has the model's sequence_length, which is what came of the limit.
        self.assertEqual([name for name in manifest["hyper_parameters"]
                          if shown.get(name, ["-"]) == ["-"]], ["sequence_length_limit"])

    def test_numbers_are_those_of_the_run(self):
        dense = self.summary("dense")
        self.assertEqual(self.texts("accuracy", "matrix")["Transformer"][0],
                         f"{100 * dense['test_accuracy']:.1f}")

    def test_patterns_are_drawn(self):
        pictures = [block for block in self.pages["patterns"].blocks if isinstance(block, Picture)]
        self.assertEqual(len(pictures), 2)  # layers
        told = [row[3] for row in self.pages["patterns"].blocks[0].rows]
        self.assertEqual(told, [str(kept) for kept in self.summary("cf")["kept_blocks"]])

    def test_they_are_written(self):
        folder = new_folder()
        pages.write(NAMES, PRESET,
                    lambda cells: lambda cell: RESULTS.get(cell, Result(cell, State.MISSING)),
                    folder, "a command", say=lambda text: None)
        for name in NAMES:
            self.assertIn("generated dots", (folder / f"{name}.md").read_text(encoding="utf-8"))


class BreakdownTest(unittest.TestCase):
    """Against the time of operators by their names, in the same trace."""

    def traces(self):
        return {cell.method: RESULTS[cell].json("trace.json")
                for cell in table_breakdown.cells(PRESET)}

    def test_a_part_is_its_operators_and_what_lies_between(self):
        for method, trace in self.traces().items():
            told, operators = breakdown_of_trace.shares(trace), breakdown_by_order.shares(trace)
            self.assertAlmostEqual(told["step"], operators["step"])
            for part in breakdown_by_order.PARTS[:-1]:
                # An operator that is taken for another part's is missing here.
                self.assertGreater(told[part], operators[part] - 1e-9, f"{method}: {part}")
            # Which the operators leave to "other".
            self.assertGreater(told["residual stream"], 0, method)
            self.assertGreater(told["other"], 0, method)

    def test_an_attention_is_fused_or_told_apart(self):
        for method, trace in self.traces().items():
            told = breakdown_of_trace.shares(trace)
            apart = [told[part] > 0 for part in ("scores", "softmax", "weighted sum")]
            self.assertEqual(apart, [method == "dense"] * 3, method)
            self.assertEqual(told["fused attention"] > 0, method != "dense", method)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
        RESULTS = real_cells.run(PROGRAM, folder, cells())
        unittest.main()

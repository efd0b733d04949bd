"""Every table, from stand-in runs."""

import dataclasses
import functools
import os
import pathlib
import tempfile
import unittest

import ask
import fake_programs
import methods
import run_cells
from cells import shard, with_requirements
from page import NOT_PUBLISHED, NOT_RUN, Grid
from presets import PAPER, QUICK
from programs import Machine, Programs
from result import Result, State
from shown import OnOrigin, Whatever
from store import Store
from tables import TABLES, page_of


def all_cells(preset):
    return with_requirements(cell for table in TABLES.values() for cell in table.cells(preset))


def texts(page, key):
    """The entries of a grid, by their first one."""
    grid = next(block for block in page.blocks if isinstance(block, Grid) and block.key == key)
    return {row[0].text: [entry.text for entry in row[1:]] for row in grid.entries()}


class TablesTest(unittest.TestCase):
    """All cells of the quick preset, by stand-ins: two fail."""

    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        store = Store(folder / "results")
        programs = Programs(*fake_programs.write(folder))
        where = ask.Where(programs, Machine(), lambda text: None)
        # As two machines would.
        for index in range(2):
            run_cells.run_missing([where.place(cell) for cell in shard(all_cells(QUICK), index, 2)],
                                  store, programs, [Machine()], lambda text: None)
        cls.results = OnOrigin(store, where.place)
        cls.asked_for = {name: [] for name in TABLES}

        def result_for(name, cell):
            cls.asked_for[name].append(cell)
            return cls.results.result(cell)

        cls.pages = {name: page_of(name, QUICK, functools.partial(result_for, name))
                     for name in TABLES}

    def test_every_cell_has_an_end(self):
        states = {cell: self.results.result(cell).state for cell in all_cells(QUICK)}
        self.assertNotIn(State.MISSING, states.values())
        failed = {(cell.task, cell.method) for cell, state in states.items()
                  if state == State.FAILED}
        self.assertEqual(failed, {("text", "reformer"), ("text", "linformer")})

    def test_every_page_shows_the_cells_that_it_is_made_of(self):
        for name, table in TABLES.items():
            self.assertEqual({result.cell for result in self.pages[name].results},
                             set(table.cells(QUICK)), name)
            self.assertEqual(set(self.asked_for[name]), set(table.cells(QUICK)), name)
            for block in self.pages[name].blocks:
                if isinstance(block, Grid):
                    self.assertTrue(block.rows, f"{name}: {block.key}")
                    for row in block.entries():
                        self.assertEqual(len(row), len(block.columns), f"{name}: {block.key}")

    def test_accuracy(self):
        matrix = texts(self.pages["accuracy"], "matrix")
        self.assertEqual(len(matrix), len(methods.METHODS))
        # Seeds 1001 and 1002 give 1 and 2 %.
        self.assertEqual(matrix["SPION-CF"], ["1.5 ± 0.7"] * len(methods.TASKS))
        self.assertEqual(matrix["Reformer"],
                         ["1.5 ± 0.7", "failed"] + ["1.5 ± 0.7"] * (len(methods.TASKS) - 2))
        image = texts(self.pages["accuracy"], "image")
        self.assertEqual(image["Reformer"], ["1.5 ± 0.7", "2", "38.07", "48.87"])
        self.assertEqual(image["SPION-CF"], ["1.5 ± 0.7", "2", NOT_PUBLISHED, NOT_PUBLISHED])
        self.assertEqual(image["Skyformer"][2:], [NOT_PUBLISHED, "40.77"])
        for title in ("Transformer", "Transformer, fused attention", "Transformer, every block kept"):
            self.assertEqual(image[title][2:], ["42.44", "40.57"], title)

    def test_training_time(self):
        image = texts(self.pages["training_time"], "image")
        self.assertEqual(image["SPION-CF"],
                         ["50.0", "20.0", "2.00", "1.00", "1.00", "1.00", "0.600", NOT_PUBLISHED])
        self.assertEqual(image["BigBird"],
                         ["50.0", "-", "2.00", "2.50", "2.50", "2.50", "0.600", "6.53"])

    def test_memory_and_inference(self):
        self.assertEqual(texts(self.pages["memory"], "image")["BigBird"],
                         ["1458", "1791", "321", "9.95"])
        self.assertEqual(texts(self.pages["inference"], "image")["SPION-C"],
                         ["12.5", "321", "2", "sparse"])
        self.assertEqual(texts(self.pages["inference"], "text")["Reformer"][0], "failed")

    def test_breakdown(self):
        image = texts(self.pages["breakdown"], "image")
        self.assertEqual(image["Transformer"][0], "8.00")
        self.assertIn("2.00 (25 %)", image["Transformer"])
        self.assertEqual(image["Transformer, every block kept"], image["SPION-CF"])

    def test_operations(self):
        grid = self.pages["operations"].blocks[0]
        self.assertEqual(len(grid.rows), len(methods.TASKS) * 3 * 2)
        for row in grid.rows:
            self.assertEqual(row[5:8], ["12", "1428", "1428"])  # 24 * 65 - 4 * 33

    def test_sparsity_ablation_and_patterns(self):
        for task, published, values in (("image", ("0.04", "0.96"), 6), ("text", ("0.03", "0.99"), 6)):
            density, threshold = (texts(self.pages["sparsity"], f"{task}_{flag}")
                                  for flag in ("density", "threshold"))
            self.assertEqual(density["0.1"][0], "75.0 ± 0.0")
            self.assertEqual((len(density), len(threshold)), (values, values - 1))
            self.assertIn(published[0], density)
            self.assertIn(published[1], threshold)
        ablation = texts(self.pages["ablation"], "image_parts")
        self.assertEqual(ablation["SPION-CF"], ["1.5 ± 0.7", "12 ± 0", "6 ± 0", "20.0"])
        of_text = texts(self.pages["ablation"], "text_parts")
        self.assertEqual(set(ablation) - set(of_text),
                         {"the diagonal alone (SPION-C, density 0.03)",
                          "nearly every block kept (SPION-C, density 1)", "transition below 5 %",
                          "transition below 30 %", "transition below 60 %"})
        for dense in ("dense all along", "dense all along, every block"):
            self.assertEqual(ablation[dense][1:], ["-", "-", "-"])
        same = "+0.00 (+0.00 to +0.00), p 1.00, 2 seeds"  # every method's seeds give the same
        differences = texts(self.pages["ablation"], "image_differences")
        self.assertEqual(differences["SPION-CF"], ["-", same, same, same])
        self.assertEqual(differences["schedule goes on at the transition"], [same, "-", same, same])
        self.assertEqual(differences["dense all along, every block"], [same, same, same, "-"])
        self.assertEqual(differences["one pattern for all layers"], [same, same, same, same])
        pictures = [block for block in self.pages["patterns"].blocks if hasattr(block, "svg")]
        self.assertEqual(len(pictures), len(methods.TASKS) * 3 * 2)

    def test_dense_tuning(self):
        rows = texts(self.pages["dense_tuning"], "dense_tuning")
        self.assertEqual(list(rows), ["as the preset", "learning_rate 0.00005", "learning_rate 0.0002",
                                      "dropout 0.2", "dropout 0.3", "weight_decay 0.1"])
        for _, test_accuracy, difference in rows.values():
            self.assertEqual(test_accuracy, "1.5 ± 0.7")
            self.assertEqual(difference, "+0.00 (+0.00 to +0.00), p 1.00, 2 seeds")

    def page_of(self, name, *chosen, without=()):
        """The page of image with these methods alone, as if those in `without` were not run."""
        preset = dataclasses.replace(QUICK, tasks=("image",), methods=chosen)
        return page_of(name, preset, lambda cell: Result(cell, State.MISSING)
                       if cell.method in without else self.results.result(cell))

    def test_ablation_compares_with_what_is_asked_for(self):
        for chosen, yardsticks in ((("cf", "sdpa"),
                                    ["SPION-CF", "schedule goes on at the transition",
                                     "dense all along"]),
                                   (("c", "every_block"), ["dense all along, every block"])):
            grid = self.page_of("ablation", *chosen).blocks[1]
            self.assertEqual(grid.columns, ["variant", *(f"over {what}" for what in yardsticks)])
        self.assertEqual(len(self.page_of("ablation", "c").blocks), 1)

    def test_the_accuracy_to_reach_is_of_the_dense_transformer_that_is_there(self):
        for without, told in (((), "the best of Transformer, fused attention;"),
                              (("sdpa",), "the best of Transformer, every block kept;")):
            page = self.page_of("training_time", "cf", "sdpa", "every_block", without=without)
            self.assertIn(told, page.blocks[0].note)
        page = self.page_of("training_time", "cf", "sdpa", without=("sdpa",))
        self.assertNotIn("Accuracy to reach", page.blocks[0].note)

    def test_claims_name_the_dense_transformer_that_is_not_there(self):
        grid = self.page_of("claims", "cf", "sdpa", "every_block", without=("every_block",)).blocks[0]
        quality = {row[2].text: row[3].text for row in grid.entries()
                   if row[0].text == "quality kept, or better than dense"}
        self.assertEqual(quality, {
            "Transformer, fused attention": "+0.00 (+0.00 to +0.00), p 1.00, 2 seeds",
            "Transformer, every block kept": NOT_RUN})

    def test_claims_name_the_sparse_transformers_that_are_not_there(self):
        several = ("cf", "longformer", "bigbird", "reformer")
        for page in (self.page_of("claims", "cf"), self.page_of("claims", "cf", "longformer",
                                                                without=("longformer",)),
                     self.page_of("claims", *several, without=several[1:])):
            rows = [[entry.text for entry in row] for row in page.blocks[0].entries()]
            self.assertEqual([row[2:] for row in rows[:3]],
                             [["the best sparse Transformer", NOT_RUN, "-"]] * 3)

    def test_claims_are_of_these_variants(self):
        preset = dataclasses.replace(QUICK, tasks=("image",), methods=("c", "f", "cf"))
        for against, method, variant in (("SPION-F, schedule starting anew", "f", "restarted"),
                                         ("as many blocks at random places", "cf", "shuffled"),
                                         ("the diagonal alone", "c", "density0.03"),
                                         ("one pattern for all layers", "cf", "shared")):
            for lacking in ("restarted", "shuffled", "density0.03", "shared", "continued"):
                [grid] = TABLES["claims"].content(
                    preset, lambda cell: Result(cell, State.MISSING)
                    if (cell.method, cell.variant) == (method, lacking)
                    else self.results.result(cell))
                [figure] = [row[3].text for row in grid.entries() if row[2].text == against]
                self.assertEqual(figure == NOT_RUN, lacking == variant, (against, lacking))

    def test_settling(self):
        page = self.pages["settling"]
        rows = [[entry.text for entry in row] for row in page.blocks[0].entries()]
        self.assertEqual(len(rows), len(methods.TASKS) * 3 * 2 * 2)  # methods, seeds, layers
        self.assertEqual(rows[1], ["listops", "SPION-C", "1001", "1", "2.00 → 2.30", "14.8",
                                   "12 (settled)", "3", "25.0"])
        pictures = [block for block in page.blocks if hasattr(block, "svg")]
        # Three charts and two layers.
        self.assertEqual(len(pictures), len(methods.TASKS) * 3 * 5)
        for text in ("layer 0", "layer 1", "seed 1001", "seed 1002"):
            self.assertIn(text, pictures[0].svg)
        # The limit is a dashed line.
        self.assertEqual(["stroke-dasharray" in picture.svg for picture in pictures[:3]],
                         [False, True, False])

    def test_claims(self):
        [grid] = self.pages["claims"].blocks
        rows = [[entry.text for entry in row] for row in grid.entries()]
        image = {(row[0], row[2]): row[3:] for row in rows if row[1] == "image"}
        self.assertEqual(image["faster than the best sparse Transformer: a step", "Longformer"],
                         ["2.50 (20 against 50 ms)", "less"])
        self.assertEqual(image["less memory in training", "Transformer"],
                         ["1.00 (1458 against 1458 MiB)", "equal"])
        self.assertEqual(image["convolution matters", "SPION-F, schedule starting anew"],
                         ["+0.00 (+0.00 to +0.00), p 1.00, 2 seeds", "open"])
        self.assertIn(("what is gained is of sparsity",
                       "nearly every block kept, schedule starting anew"), image)
        self.assertIn(("it matters which blocks are kept", "as many blocks at random places"), image)
        self.assertIn(("each layer needs a pattern of its own", "one pattern for all layers"), image)

    def test_scaling(self):
        rows = [[entry.text for entry in row]
                for row in self.pages["scaling"].blocks[0].entries()]
        self.assertEqual(rows, [["spion", "f32", "1024", "2.00", "-"],
                                ["spion", "f32", "2048", "4.00", "-"]])

    def test_settings_that_differ_are_marked_and_documents_are_shown(self):
        page = self.pages["hyperparameters"]
        settings = texts(page, "settings")
        self.assertEqual(settings["batch_size"][3], "2 (published 128)")
        self.assertEqual(settings["learning_rate"][3], "0.0001")
        self.assertEqual(settings["shared_pattern"], ["no"] * len(methods.TASKS))
        self.assertIn("padding", texts(page, "deviations"))
        self.assertIn("linformer", texts(page, "methods"))


class WithoutResultsTest(unittest.TestCase):
    def test_every_table_says_that_nothing_was_run(self):
        store = Store(pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))))
        for preset in (QUICK, PAPER):
            for name, table in TABLES.items():
                grids = [block for block in table.content(preset, Whatever(store, []).result)
                         if isinstance(block, Grid)]
                self.assertIn(NOT_RUN, [entry.text for row in grids[0].entries()
                                        for entry in row], name)


if __name__ == "__main__":
    unittest.main()

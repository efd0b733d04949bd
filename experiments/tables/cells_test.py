"""A cell's id tells it apart from all others; shards share cells out."""

import unittest

from cells import INFERENCE, Cell, shard, with_requirements
from origin import Origin

MADE_ON = Origin("generated-8-4-2", "cpu")


def training(task="image", method="cf", seed=1001, **more):
    return Cell(task, method, seed, (("steps", "4"),), **more)


def inference(cell):
    return Cell(cell.task, cell.method, cell.seed, (), kind=INFERENCE, trains=cell)


class IdTest(unittest.TestCase):
    def test_tells_apart_whatever_changes_a_result(self):
        base = training()
        others = [training(task="text"), training(method="c"), training(seed=1002),
                  training(trace_steps="1:2"), inference(base), inference(training(seed=1002)),
                  Cell("image", "cf", 1001, (("steps", "5"),))]
        self.assertEqual(len({cell.id for cell in [base, *others]}), len(others) + 1)

    def test_tells_apart_what_a_result_was_made_on(self):
        for cell in (training(), inference(training())):
            ids = [cell.on(origin).id for origin in (
                MADE_ON, Origin("generated-9-4-2", "cpu"), Origin("sha256-" + "ab" * 32, "cpu"),
                Origin("sha256-" + "cd" * 32, "cpu"), Origin("generated-8-4-2", "NVIDIA H100"),
                Origin("generated-8-4-2", "NVIDIA H200"))]
            self.assertEqual(len(set(ids)), len(ids))

    def test_is_a_readable_name_of_a_folder(self):
        self.assertRegex(training(variant="shared").on(MADE_ON).id,
                         r"^image-cf-seed1001-shared-[0-9a-f]{8}\.generated-8-4-2\.cpu$")

    def test_a_variant_that_names_no_folder_is_refused(self):
        for variant in ("my/variant", "limit 5 %", "größer"):
            with self.assertRaisesRegex(ValueError, f"variant '{variant}': expected letters"):
                training(variant=variant)

    def test_begins_with_what_is_the_same_on_every_origin(self):
        """It is what versions without origins called the folder."""
        cell = inference(training())
        self.assertEqual(cell.plan_id, "image-cf-seed1001-inference-73cf123e")
        self.assertEqual(cell.on(MADE_ON).plan_id, cell.plan_id)
        self.assertEqual(cell.on(MADE_ON).on(None), cell)

    def test_what_a_cell_needs_is_made_on_the_same(self):
        self.assertEqual(inference(training()).on(MADE_ON).trains, training().on(MADE_ON))


class ShardTest(unittest.TestCase):
    def setUp(self):
        trainings = [training(task, method) for task in ("image", "text")
                     for method in ("c", "f", "cf", "dense")]
        self.cells = trainings + [inference(cell) for cell in trainings]

    def test_shards_are_disjoint_and_complete(self):
        for count in (1, 2, 3, 5, 40):
            shards = [shard(self.cells, index, count) for index in range(count)]
            together = [cell for part in shards for cell in part]
            self.assertEqual(len(together), len(self.cells))
            self.assertEqual(set(together), set(self.cells))

    def test_a_cell_and_what_it_needs_are_in_one_shard(self):
        for part in (shard(self.cells, index, 3) for index in range(3)):
            for cell in part:
                self.assertIn(cell.root, part)

    def test_shards_are_even(self):
        sizes = [len(shard(self.cells, index, 3)) for index in range(3)]
        self.assertLessEqual(max(sizes) - min(sizes), 2)

    def test_an_index_out_of_range_is_refused(self):
        with self.assertRaisesRegex(ValueError, "shard_index=3"):
            shard(self.cells, 3, 3)

    def test_requirements_come_first_and_once(self):
        cell = training()
        self.assertEqual(with_requirements([inference(cell), cell, cell]), [cell, inference(cell)])


if __name__ == "__main__":
    unittest.main()

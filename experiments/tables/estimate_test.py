"""Times of cells that are there are taken for those like them."""

import unittest

import estimate
from origin import Origin
from presets import LARGE_BATCH, PAPER, QUICK
from result import Result, State


def known(cell, seconds):
    return Result(cell, State.DONE, info={"seconds": seconds})


class EstimateTest(unittest.TestCase):
    def test_a_cell_takes_as_long_as_one_with_another_seed(self):
        cells = [QUICK.training("image", "cf", seed) for seed in (1, 2, 3)]
        total = estimate.seconds(cells[2:], [known(cells[0], 10), known(cells[1], 14)])
        self.assertAlmostEqual(total, 12)

    def test_a_cell_of_another_method_tells_nothing_where_there_is_one_like_it(self):
        seen = [known(QUICK.training("image", method, 1), seconds)
                for method, seconds in (("cf", 10), ("sdpa", 30))]
        for method, seconds in (("cf", 10), ("sdpa", 30)):
            self.assertAlmostEqual(estimate.seconds([QUICK.training("image", method, 2)], seen),
                                   seconds)

    def test_unlike_cells_are_scaled_as_the_others_were(self):
        slow = known(QUICK.training("image", "cf"), 30)
        alone = estimate.seconds([QUICK.training("text", "cf")], [])
        self.assertAlmostEqual(estimate.seconds([QUICK.training("text", "cf")], [slow]),
                               alone * 30 / estimate.seconds([slow.cell], []))

    def test_paper_runs_follow_their_steps_and_batches(self):
        whole = estimate.seconds([PAPER.training("image", "cf")], [])
        self.assertAlmostEqual(estimate.seconds([PAPER.training("image", "cf", steps=100)], []),
                               whole / 100)
        self.assertAlmostEqual(estimate.seconds([LARGE_BATCH.training("image", "cf")], []), 4 * whole)

    def test_a_paper_run_is_told_about_as_long_as_it_took_on_an_h200(self):
        # docs/results.md; by no more than a factor of three.
        for task, method, took in (("image", "cf", 11.5), ("image", "sdpa", 21.4),
                                   ("image", "reformer", 141), ("text", "longformer", 30.7),
                                   ("text", "every_block", 75.4), ("listops", "cf", 171.4),
                                   ("listops", "every_block", 358.7), ("pathfinder", "cf", 82.4),
                                   ("retrieval", "every_block", 199.1)):
            ratio = estimate.seconds([PAPER.training(task, method)], []) / took
            self.assertTrue(1 / 3 < ratio < 3, (task, method, ratio))

    def test_what_was_done_already_does_not_count(self):
        like = known(QUICK.training("image", "cf", 1), 10)
        begun, over = (QUICK.training("image", "cf", seed) for seed in (2, 3))
        self.assertAlmostEqual(estimate.seconds([begun], [like], {begun: 4.0}), 6)
        self.assertAlmostEqual(estimate.seconds([begun, over], [like], {over: 40.0}), 10)

    def test_of_a_cpu_nothing_is_known_before_a_cell_of_it_is_there(self):
        for preset, device, told in ((PAPER, "cpu", True), (PAPER, "NVIDIA H200", False),
                                     (QUICK, "cpu", False)):
            first, second = (preset.training("image", "cf", seed).on(Origin("", device))
                             for seed in (1, 2))
            self.assertEqual("of a GPU; on this CPU" in estimate.text([second], []), told)
            self.assertNotIn("GPU", estimate.text([second], [known(first, 10)]))

    def test_durations_are_readable(self):
        told = {50: "50 s", 89: "89 s", 90: "2 min", 700: "12 min", 89 * 60: "89 min",
                90 * 60: "1 h 30 min", 12000: "3 h 20 min", 7500: "2 h 05 min"}
        self.assertEqual({seconds: estimate.duration(seconds) for seconds in told}, told)


if __name__ == "__main__":
    unittest.main()

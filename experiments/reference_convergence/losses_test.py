"""Losses at given steps, against sums by hand."""

import unittest

from cases import Case
from losses import DEV, TRAIN, Point, losses_at, points_of

METRICS = [{"kind": "train", "step": 2, "loss": 4.0},
           {"kind": "capture", "step": 2},
           {"kind": "train", "step": 6, "loss": 1.0},
           {"kind": "dev", "step": 6, "loss": 0.5},
           {"kind": "train", "step": 7, "loss": 8.0},
           {"kind": "train", "step": 10, "loss": 4.0},
           {"kind": "dev", "step": 10, "loss": 0.25}]


class LossesTest(unittest.TestCase):
    def test_train_loss_is_the_mean_over_steps_since_the_point_before(self):
        found = losses_at([Point(6, TRAIN), Point(10, TRAIN)], METRICS)
        self.assertEqual(found, {Point(6, TRAIN): (2 * 4 + 4 * 1) / 6,
                                 Point(10, TRAIN): (1 * 8 + 3 * 4) / 4})

    def test_dev_loss_is_the_one_at_the_step(self):
        self.assertEqual(losses_at([Point(10, DEV)], METRICS), {Point(10, DEV): 0.25})

    def test_a_point_without_a_report_is_left_out(self):
        self.assertEqual(losses_at([Point(5, TRAIN), Point(7, DEV), Point(11, DEV)], METRICS), {})

    def test_points_come_in_the_order_of_training(self):
        self.assertEqual(points_of(Case("image", "cf", 10, (6, 10), (6,))),
                         [Point(6, TRAIN), Point(6, DEV), Point(10, TRAIN)])


if __name__ == "__main__":
    unittest.main()

"""Seconds of steps until an accuracy."""

import math
import unittest

import convergence

METRICS = [{"kind": "train", "step": 10, "step_ms": 100.0},
           {"kind": "dev", "step": 10, "accuracy": 0.3},
           {"kind": "capture", "step": 10},
           {"kind": "train", "step": 15, "step_ms": 20.0},
           {"kind": "train", "step": 20, "step_ms": 40.0},
           {"kind": "dev", "step": 20, "accuracy": 0.6},
           {"kind": "dev", "step": 30, "accuracy": 0.5}]


class ConvergenceTest(unittest.TestCase):
    def test_adds_the_steps_until_then(self):
        self.assertAlmostEqual(convergence.seconds_to(0.3, METRICS), 1.0)
        self.assertAlmostEqual(convergence.seconds_to(0.31, METRICS), 1.3)
        self.assertIsNone(convergence.seconds_to(0.61, METRICS))

    def test_steps_that_were_not_measured_count_like_their_neighbours(self):
        def train(step, step_ms):
            return {"kind": "train", "step": step, "step_ms": step_ms}

        end = {"kind": "dev", "step": 30, "accuracy": 0.5}
        self.assertAlmostEqual(convergence.seconds_to(
            0.5, [train(5, None), train(10, 100.0), train(15, None), train(30, 20.0), end]), 1.8)
        self.assertTrue(math.isnan(convergence.seconds_to(0.5, [train(30, None), end])))

    def test_best(self):
        self.assertEqual(convergence.best_dev_accuracy(METRICS), 0.6)
        self.assertIsNone(convergence.best_dev_accuracy(METRICS[:1]))


if __name__ == "__main__":
    unittest.main()

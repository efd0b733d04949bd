"""Seconds of steps until an accuracy."""

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

    def test_best(self):
        self.assertEqual(convergence.best_dev_accuracy(METRICS), 0.6)
        self.assertIsNone(convergence.best_dev_accuracy(METRICS[:1]))


if __name__ == "__main__":
    unittest.main()

"""Paired differences, beside tables and counts by hand."""

import itertools
import math
import operator
import random
import unittest

import paired


class PairedTest(unittest.TestCase):
    def test_student_is_that_of_printed_tables(self):
        for freedom, t in ((1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571),
                           (9, 2.262), (10, 2.228), (29, 2.045)):
            self.assertAlmostEqual(paired.student(freedom), t, delta=6e-4)
        self.assertAlmostEqual(paired.student(4, 0.99), 4.604, delta=6e-4)

    def test_signs_are_counted(self):
        # Of 8 ways +-1 +-2 +-3: 6 and -6 alone are as far as 6; 4 and 6 twice each as far as 4.
        self.assertEqual(paired.sign_flip_p([1, 2, 3]), 2 / 8)
        self.assertEqual(paired.sign_flip_p([-1, 2, 3]), 4 / 8)
        self.assertEqual(paired.sign_flip_p([1.0, -1.0]), 1)
        # Rounded otherwise, equal all the same.
        self.assertEqual(paired.sign_flip_p([0.1, 0.2, -0.3]), 1)
        # 20 of equal size: those with at most 3 or at least 17 of a sign are as far as 14 of them.
        far = 2 * sum(math.comb(20, few) for few in range(4))
        self.assertEqual(paired.sign_flip_p([-0.7] * 17 + [0.7] * 3), far / 2**20)
        self.assertEqual(paired.sign_flip_p([1.0] * 40), 2 / 2**40)
        self.assertIsNone(paired.sign_flip_p([1.0] * 41))

    def test_halves_count_what_all_ways_do(self):
        draw = random.Random(7)
        for count in range(1, 12):
            differences = [draw.randint(-9, 12) / 10 for _ in range(count)]
            found = abs(sum(differences)) - 1e-12
            far = sum(abs(sum(map(operator.mul, signs, differences))) >= found
                      for signs in itertools.product((1, -1), repeat=count))
            self.assertEqual(paired.sign_flip_p(differences), far / 2**count, differences)

    def test_a_small_p_has_one_digit(self):
        ones = dict.fromkeys(range(50), 1.0)
        far = paired.compare({seed: 2.0 + seed / 100 for seed in range(20)}, ones)
        self.assertEqual(far.text(), "+1.09 (+1.07 to +1.12), p 2e-06, 20 seeds")
        many = paired.compare({seed: 2.0 + seed % 2 for seed in range(50)}, ones)
        self.assertEqual((many.p, many.text()), (None, "+1.50 (+1.36 to +1.64), 50 seeds"))

    def test_seeds_are_paired(self):
        found = paired.compare({1: 5.0, 2: 7.0, 3: 9.0, 4: 1.0}, {3: 6.0, 2: 5.0, 1: 4.0, 9: 0.0})
        self.assertEqual((found.count, found.mean, found.p), (3, 2.0, 0.25))
        self.assertAlmostEqual(found.half, 4.303 / 3**0.5, delta=1e-3)
        self.assertEqual(found.text(), "+2.00 (-0.48 to +4.48), p 0.25, 3 seeds")
        self.assertEqual(found.verdict, "open")
        self.assertIsNone(paired.compare({1: 1.0}, {2: 1.0}))

    def test_a_verdict_needs_two_seeds_and_an_interval_without_zero(self):
        self.assertEqual(paired.compare({1: 3.0, 2: 3.1}, {1: 1.0, 2: 1.1}).verdict, "higher")
        self.assertEqual(paired.compare({1: 1.0, 2: 1.1}, {1: 3.0, 2: 3.1}).verdict, "lower")
        self.assertEqual(paired.compare({1: 3.0, 2: 4.0}, {1: 3.0, 2: 4.0}).verdict, "open")
        alone = paired.compare({1: 3.0}, {1: 1.0})
        self.assertEqual((alone.text(), alone.verdict), ("+2.00 (1 seed)", "open"))


if __name__ == "__main__":
    unittest.main()

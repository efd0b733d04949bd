import itertools
import unittest

import mann_whitney


class MannWhitneyTest(unittest.TestCase):

    def test_u_counts_pairs(self):
        self.assertEqual(mann_whitney.u_statistic([1, 2, 3], [4, 5, 6]), 0)
        self.assertEqual(mann_whitney.u_statistic([4, 5, 6], [1, 2, 3]), 9)
        self.assertEqual(mann_whitney.u_statistic([1, 3], [2, 3]), 1 + 0.5)

    def test_separate_samples_by_hand(self):
        # One ordering of 20, 70, 252, 48620 is as extreme, on either side.
        for size, orderings in ((3, 20), (4, 70), (5, 252), (9, 48620)):
            low, high = list(range(size)), list(range(size, 2 * size))
            self.assertAlmostEqual(mann_whitney.p_value(low, high), 2 / orderings, places=12)
            self.assertAlmostEqual(mann_whitney.p_value(high, low), 2 / orderings, places=12)
            self.assertAlmostEqual(mann_whitney.smallest_p(size, size), 2 / orderings, places=12)

    def test_a_mixed_sample_by_hand(self):
        # U = 2 of 5 and 5: 1 + 1 + 2 orderings of 252 have U = 0, 1, 2.
        first, second = [1, 2, 3, 4, 7], [5, 6, 8, 9, 10]
        self.assertEqual(mann_whitney.u_statistic(first, second), 2)
        self.assertAlmostEqual(mann_whitney.p_value(first, second), 2 * 4 / 252, places=12)

    def test_critical_values_of_the_published_table(self):
        # The largest U with p <= 0.05, two-sided: (n1, n2) -> U.
        for (m, n), critical in {(4, 4): 0, (5, 5): 2, (5, 8): 6, (7, 9): 12, (9, 9): 17,
                                 (10, 10): 23, (12, 20): 69, (20, 20): 127}.items():
            counts = mann_whitney.orderings(m, n)
            self.assertLessEqual(2 * sum(counts[:critical + 1]) / sum(counts), 0.05, (m, n))
            self.assertGreater(2 * sum(counts[:critical + 2]) / sum(counts), 0.05, (m, n))

    def test_orderings_against_listing_them_all(self):
        for m, n in ((1, 4), (3, 4), (4, 5)):
            counts = [0] * (m * n + 1)
            for chosen in itertools.combinations(range(m + n), m):
                others = set(range(m + n)) - set(chosen)
                counts[sum(a > b for a in chosen for b in others)] += 1
            self.assertEqual(mann_whitney.orderings(m, n), counts)

    def test_the_interval_ends_where_the_test_refuses_a_ratio(self):
        first = [7.1, 7.9, 8.3, 8.8, 9.2, 10.1, 10.7, 11.3, 12.4]
        for second in ([9.5, 10.2, 10.4, 11.9, 12.2, 13.1, 13.3, 14.8, 15.7], [3.1, 3.3, 3.9, 4.7]):
            for alpha in (0.05, 0.2):
                ends = mann_whitney.ratio_interval(first, second, alpha)
                for end, inwards in zip(ends, (1 + 1e-9, 1 - 1e-9)):
                    for ratio, is_refused in ((end * inwards, False), (end / inwards, True)):
                        p = mann_whitney.p_value([value * ratio for value in first], second)
                        self.assertEqual(p <= alpha, is_refused, (second, alpha, ratio))

    def test_the_interval_of_large_samples_is_near_the_counted_one(self):
        first, second = ([100 + 7 * i % 41 for i in range(size)] for size in (20, 20))
        counted = mann_whitney.ratio_interval(first, second, 0.05)
        approximate = mann_whitney.ratio_interval(first + [120], second, 0.05)
        for one, other in zip(counted, approximate):
            self.assertAlmostEqual(one, other, delta=0.02)

    def test_p_never_exceeds_one(self):
        self.assertEqual(mann_whitney.p_value([1, 4], [2, 3]), 1.0)
        self.assertEqual(mann_whitney.p_value([1], [2]), 1.0)

    def test_ties_take_the_normal_approximation(self):
        # U = 0.5; mean 4.5; ties of two: variance 9/12 * (7 - 6/30) = 5.1; z = (4 - 0.5)/sqrt 5.1
        # = 1.549805; p = 0.121188.
        self.assertAlmostEqual(mann_whitney.p_value([1, 2, 3], [3, 4, 5]), 0.121188, places=5)
        self.assertEqual(mann_whitney.p_value([1, 1, 1], [1, 1, 1]), 1.0)

    def test_the_approximation_meets_the_exact_value(self):
        first = [3 * i for i in range(20)]
        second = [3 * i + 10 for i in range(20)]
        exact = mann_whitney.p_value(first, second)
        # One value more leaves the exact range.
        approximate = mann_whitney.p_value(first + [28.5], second)
        self.assertLess(abs(exact - approximate), 0.02)

    def test_an_empty_sample_is_an_error(self):
        with self.assertRaises(ValueError):
            mann_whitney.p_value([], [1])


if __name__ == "__main__":
    unittest.main()

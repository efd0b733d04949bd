"""Numbers as texts, means and marks."""

import unittest

from page import (BEST, FAILED, MISSING, NEAR, NOT_PUBLISHED, Entry, Grid, marks_of_highest,
                  mean_and_spread, number, significant, significant_beside, spread_text)


class NumbersTest(unittest.TestCase):
    def test_texts(self):
        self.assertEqual([number(value, 1).text for value in (37.54, None, float("inf"))],
                         ["37.5", "-", "-"])
        self.assertEqual([significant(value).text for value in (1234.5, 12.34, 0.01234, 0)],
                         ["1234", "12.3", "0.0123", "0"])

    def test_digits_enough_for_the_side_of_a_limit(self):
        self.assertEqual([significant_beside(15, value, 2).text for value in
                          (14.4, 14.8, 14.96, 15.0, 15.3, 0.0, None, float("inf"))],
                         ["14", "14.8", "14.96", "15", "15", "0", "-", "-"])
        self.assertEqual(significant_beside(15, 15 - 1e-12, 2).text, "15.0000")

    def test_mean_and_spread(self):
        self.assertEqual(mean_and_spread([37.0, 38.0, 39.0]), (38.0, 1.0))
        self.assertEqual(mean_and_spread([37.0]), (37.0, None))
        self.assertEqual(spread_text(38.0, 1.0), "38.0 ± 1.0")
        self.assertEqual(spread_text(37.0, None), "37.0")

    def test_columns_of_numbers_are_known_from_columns_of_words(self):
        grid = Grid("key", "Title", ["method", "mean", "share", "told", "sizes"],
                    [["1", "38.2 ± 0.5", "12.1 (3 %)", "as dense", "8 layers"],
                     ["2", Entry("failed", FAILED), "-", "2 rounds", "16 layers"],
                     ["3", Entry(NOT_PUBLISHED, MISSING), "0.5 (1 %)", "-", "1e-06"],
                     ["4", "-0.25", "not reached", "075ca1ab", "2x"]])
        self.assertEqual(grid.numeric(), [False, True, True, False, True])

    def test_marks(self):
        means = {"a": (38.0, 0.5), "b": (37.5, 2.0), "c": (37.4, 2.0)}
        self.assertEqual(marks_of_highest(means), {"a": BEST, "b": NEAR, "c": ""})
        self.assertEqual(marks_of_highest({"a": (38.0, None), "b": (37.9, 9.0)}),
                         {"a": BEST, "b": ""})
        self.assertEqual(marks_of_highest({"a": (50.0, 0.0), "b": (49.9, 0.0), "c": (50.0, 3.0)}),
                         {"a": BEST, "b": "", "c": BEST})
        self.assertEqual(marks_of_highest({}), {})


if __name__ == "__main__":
    unittest.main()

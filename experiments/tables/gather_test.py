"""What is not there is said beside what is."""

import unittest

import gather
from cells import Cell
from page import FAILED, MISSING, NOT_RUN, Entry
from result import Result, State

DONE, FAIL, NONE = (Result(Cell("image", "cf", 1), state) for state in
                    (State.DONE, State.FAILED, State.MISSING))


class GatherTest(unittest.TestCase):
    def test_a_mean_says_how_many_are_not_in_it(self):
        texts = [gather.spread_entry(results, values).text for results, values in (
            ([DONE, DONE], [1.0, 3.0]), ([DONE, FAIL], [1.0]), ([DONE, NONE, FAIL], [1.0]))]
        self.assertEqual(texts, ["2.0 ± 1.4", "1.0 (1 failed)", "1.0 (1 failed, 1 not run)"])

    def test_without_values_it_says_why(self):
        for results, entry in (([FAIL, NONE], Entry("failed", FAILED)),
                               ([NONE, NONE], Entry(NOT_RUN, MISSING)), ([DONE], Entry("-"))):
            self.assertEqual(gather.spread_entry(results, []), entry)
            self.assertEqual(gather.middle_entry(results, [None]), entry)
            self.assertEqual(gather.highest_entry(results, []), entry)


if __name__ == "__main__":
    unittest.main()

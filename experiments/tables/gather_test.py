"""What is not there is said beside what is."""

import dataclasses
import operator
import unittest

import gather
from cells import Cell
from page import FAILED, MISSING, NOT_PUBLISHED, NOT_RUN, Entry
from presets import QUICK
from result import Result, State

DONE, FAIL, NONE = (Result(Cell("image", "cf", 1), state) for state in
                    (State.DONE, State.FAILED, State.MISSING))


@dataclasses.dataclass(frozen=True)
class Done(Result):
    """A training that is there, with this summary.json."""

    summary: dict = None

    def json(self, name):
        assert name == "run/summary.json"
        return self.summary


def done(seed, **summary):
    return Done(Cell("image", "cf", seed), State.DONE, summary=summary)


class TrainingsTest(unittest.TestCase):
    def test_each_method_has_its_seeds_of_a_task(self):
        preset = dataclasses.replace(QUICK, methods=("cf", "sdpa"), task_seeds=(("text", (7, 8)),))
        found = gather.by_method(preset, lambda cell: (cell.task, cell.method, cell.seed), "text")
        self.assertEqual(found, {"cf": [("text", "cf", 7), ("text", "cf", 8)],
                                 "sdpa": [("text", "sdpa", 7), ("text", "sdpa", 8)]})

    def test_accuracies_are_of_those_that_are_there(self):
        results = [FAIL, done(1002, test_accuracy=0.5), NONE, done(1001, test_accuracy=0.25)]
        self.assertEqual(gather.accuracies(results), [50, 25])
        self.assertEqual(gather.accuracy_by_seed(results), {1002: 50, 1001: 25})

    def test_a_mean_leaves_out_who_has_no_value(self):
        value = operator.itemgetter("x")
        self.assertEqual(gather.mean([done(1, x=1.0), FAIL, done(2, x=None), done(3, x=4.0)], value),
                         2.5)
        self.assertIsNone(gather.mean([done(1, x=None), NONE], value))

    def test_a_step_is_of_the_sparse_phase_or_of_the_only_one(self):
        spion = dict(step_ms=None, step_ms_dense=50.0, step_ms_sparse=20.0)
        for summary, first, last in ((spion, 50, 20), (dict(spion, step_ms_sparse=None), 50, 50),
                                     (dict(step_ms=8.0, step_ms_dense=None), 8, 8),
                                     (dict(step_ms_dense=9.0), 9, 9)):  # of an earlier version
            self.assertEqual((gather.first_step_ms(summary), gather.step_ms(summary)), (first, last))


class EntryTest(unittest.TestCase):
    def test_a_mean_says_how_many_are_not_in_it(self):
        texts = [gather.spread_entry(results, values).text for results, values in (
            ([DONE, DONE], [1.0, 3.0]), ([DONE, FAIL], [1.0]), ([DONE, NONE, FAIL], [1.0]))]
        self.assertEqual(texts, ["2.0 ± 1.4", "1.0 (1 failed)", "1.0 (1 failed, 1 not run)"])

    def test_the_middle_is_a_mean_and_the_highest_is_none(self):
        self.assertEqual(gather.middle_entry([DONE] * 3, [1.0, None, 2.0]).text, "1.50")
        self.assertEqual(gather.highest_entry([DONE] * 2, [310.4, 120.0]).text, "310")

    def test_without_values_it_says_why(self):
        for results, entry in (([FAIL, NONE], Entry("failed", FAILED)),
                               ([NONE, NONE], Entry(NOT_RUN, MISSING)), ([DONE], Entry("-"))):
            self.assertEqual(gather.spread_entry(results, []), entry)
            self.assertEqual(gather.middle_entry(results, [None]), entry)
            self.assertEqual(gather.highest_entry(results, []), entry)

    def test_a_difference_says_why_there_is_none(self):
        one, other = done(1, test_accuracy=0.5), done(2, test_accuracy=0.25)
        for results, others, entry in (([FAIL], [one], Entry("failed", FAILED)),
                                       ([one], [NONE], Entry(NOT_RUN, MISSING)),
                                       ([one], [other], Entry("-")),
                                       ([one], [done(1, test_accuracy=0.25), other],
                                        Entry("+25.00 (1 seed)"))):
            self.assertEqual(gather.difference_entry(results, others), entry)

    def test_what_was_not_published_is_said(self):
        self.assertEqual(gather.published_entry("6.53"), Entry("6.53"))
        self.assertEqual(gather.published_entry(None), Entry(NOT_PUBLISHED, MISSING))


if __name__ == "__main__":
    unittest.main()

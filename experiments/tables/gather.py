"""From cells' results to the entries of a grid."""

import paired
from page import (FAILED, MISSING, NOT_PUBLISHED, NOT_RUN, Entry, mean_and_spread, number, significant,
                  spread_text)
from result import State


def summaries(results):
    """summary.json of the trainings that are there."""
    return [result.json("run/summary.json") for result in results if result.state == State.DONE]


def metrics(results):
    """metrics.jsonl of the trainings that are there."""
    return [result.json_lines("run/metrics.jsonl") for result in results
            if result.state == State.DONE]


def seeds(results):
    """Of the trainings that are there, in the order of all that is taken from them here."""
    return [result.cell.seed for result in results if result.state == State.DONE]


def metrics_by_seed(results):
    """{seed: metrics}"""
    return dict(zip(seeds(results), metrics(results)))


def by_method(preset, results, task):
    """{method: results of its trainings of a task, one for each seed}"""
    return {name: [results(cell) for cell in preset.trainings_of(task, name)]
            for name in preset.methods}


def first_step_ms(summary):
    """Milliseconds a step of the dense phase, or of the only one, whose time stood under the dense
    phase's name in files of earlier versions."""
    return summary.get("step_ms") or summary["step_ms_dense"]


def step_ms(summary):
    """Milliseconds a step of the sparse phase, where there is one, else as first_step_ms."""
    return summary.get("step_ms_sparse") or first_step_ms(summary)


def mean(results, value):
    """Of the trainings that are there and have it: `value` of summary.json; None if none has."""
    found = [value(summary) for summary in summaries(results)]
    found = [number for number in found if number is not None]
    return mean_and_spread(found)[0] if found else None


def accuracies(results):
    """Test accuracies in percent of the trainings that are there."""
    return [100 * summary["test_accuracy"] for summary in summaries(results)]


def accuracy_by_seed(results):
    """The same: {seed: accuracy}."""
    return dict(zip(seeds(results), accuracies(results)))


def published_entry(value):
    """A published value as it was printed; None: it could not be had."""
    return Entry(value) if value else Entry(NOT_PUBLISHED, MISSING)


def without_numbers(results):
    """What stands in place of a number that none of these cells gave; None if one is there."""
    states = [result.state for result in results]
    if State.DONE in states:
        return None
    if State.FAILED in states:
        return Entry("failed", FAILED)
    return Entry(NOT_RUN, MISSING)


def spread_entry(results, values, digits=1, mark=""):
    """The mean of `values`, of the cells that are there, its spread, and how many are not."""
    if not values:
        return without_numbers(results) or Entry("-")
    states = [result.state for result in results]
    lacking = [f"{states.count(state)} {state.value}" for state in (State.FAILED, State.MISSING)
               if state in states]
    text = spread_text(*mean_and_spread(values), digits)
    return Entry(text + (f" ({', '.join(lacking)})" if lacking else ""), mark)


def middle_entry(results, values):
    """The mean of values that are there, to three significant digits; None is left out."""
    values = [value for value in values if value is not None]
    if not values:
        return without_numbers(results) or Entry("-")
    return significant(mean_and_spread(values)[0])


def highest_entry(results, values):
    """The highest, a whole number: for peaks."""
    if not values:
        return without_numbers(results) or Entry("-")
    return number(max(values), 0)


def difference_entry(results, others):
    """Test accuracy over the others', paired by seed."""
    difference = paired.compare(accuracy_by_seed(results), accuracy_by_seed(others))
    if difference is None:
        return without_numbers(results) or without_numbers(others) or Entry("-")
    return Entry(difference.text())

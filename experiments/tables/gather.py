"""From cells' results to the entries of a grid."""

from page import FAILED, MISSING, NOT_RUN, Entry, mean_and_spread, number, significant, spread_text
from result import State


def summaries(results):
    """summary.json of the trainings that are there."""
    return [result.json("run/summary.json") for result in results if result.state == State.DONE]


def first_step_ms(summary):
    """Milliseconds a step of the dense phase, or of the only one, whose time stood under the dense
    phase's name in files of earlier versions."""
    return summary.get("step_ms") or summary["step_ms_dense"]


def accuracy_by_seed(results):
    """{seed: test accuracy in percent} of the trainings that are there."""
    return {result.cell.seed: 100 * result.json("run/summary.json")["test_accuracy"]
            for result in results if result.state == State.DONE}


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


def middle_entry(results, values, digits=3):
    """The mean of values that are there, to some significant digits; None is left out."""
    values = [value for value in values if value is not None]
    if not values:
        return without_numbers(results) or Entry("-")
    return significant(mean_and_spread(values)[0], digits)


def highest_entry(results, values, digits=0):
    """The highest: for peaks."""
    if not values:
        return without_numbers(results) or Entry("-")
    return number(max(values), digits)

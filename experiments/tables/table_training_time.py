"""How long training takes: a step in both phases, the whole, and until an accuracy is reached."""

import operator

import charts
import convergence
import gather
import methods
from page import Entry, Grid, Page, Picture, mean_and_spread, significant
from published import HOURS, Published

TITLE = "Training time"
ABOUT = ("Milliseconds a training step (median of windows without captures and evaluations, mean "
         "over seeds), and how many times as fast a step of SPION's sparse phase is. Methods "
         "without a sparse phase have one step time.")
# The accuracy that everybody has to reach: that of the first of these Transformers that is there,
# less this.
_POINTS_BELOW = 0.01
_YARDSTICKS = ("sdpa", "every_block")


def cells(preset):
    return preset.trainings()


_sparse_step_ms = operator.itemgetter("step_ms_sparse")
_train_seconds = operator.itemgetter("train_seconds")


def _speed_up(mine, theirs, spion_found, found):
    if mine and theirs:
        return significant(theirs / mine)
    return gather.without_numbers(spion_found) or gather.without_numbers(found) or Entry("-")


def _time_to(accuracy, found):
    if accuracy is None:
        return Entry("-")
    times = [convergence.seconds_to(accuracy, metrics) for metrics in gather.metrics(found)]
    if not times:
        return gather.without_numbers(found)
    reached = [time for time in times if time is not None]
    if len(reached) < len(times):
        return Entry(f"not reached by {len(times) - len(reached)} of {len(times)}")
    return significant(mean_and_spread(reached)[0])


def _target(found):
    best = [convergence.best_dev_accuracy(metrics) for metrics in gather.metrics(found)]
    best = [value for value in best if value is not None]
    return mean_and_spread(best)[0] - _POINTS_BELOW if best else None


def _yardstick(found):
    """(the method, the accuracy); None for both if none is there"""
    for name in _YARDSTICKS:
        target = _target(found.get(name, []))
        if target is not None:
            return name, target
    return None, None


def page(preset, results):
    published = Published()
    spion = preset.chosen(methods.SPION)
    blocks = []
    for task in preset.tasks:
        found = gather.by_method(preset, results, task)
        yardstick, target = _yardstick(found)
        rows = []
        for name in preset.methods:
            own = found[name]
            dense, sparse = gather.mean(own, gather.first_step_ms), gather.mean(own, _sparse_step_ms)
            hours = published.of_method(methods.SKYFORMER, methods.BY_NAME[name], task, HOURS)
            speed_ups = []
            for other in spion:
                theirs = sparse if name in methods.SPION else dense
                speed_ups.append(_speed_up(gather.mean(found[other], _sparse_step_ms), theirs,
                                           found[other], own))
            rows.append([methods.title(name),
                         gather.middle_entry(own, [dense]), gather.middle_entry(own, [sparse]),
                         gather.middle_entry(own, [gather.mean(own, _train_seconds)]),
                         *speed_ups, _time_to(target, own),
                         gather.published_entry(hours)])
        note = (f"{published.where(methods.SKYFORMER, HOURS)} on another GPU, with other code. "
                "A whole training has captures, pattern search and evaluations besides.")
        if target is not None:
            note += (f" Accuracy to reach: {100 * target:.1f} % of dev, one point below the best "
                     f"of {methods.title(yardstick)}; seconds of steps until then.")
        blocks.append(Grid(task, task, [
            "method", "step, dense or only phase, ms", "step, sparse phase, ms", "whole training, s",
            *(f"speed-up of {methods.title(other)}, ×" for other in spion),
            "to the accuracy, s", "published, h"], rows, note))
        drawn = [name for name in preset.methods if gather.summaries(found[name])]
        if drawn:
            blocks.append(Picture(f"{task}: a training step", charts.bars(
                [methods.title(name) for name in drawn],
                {phase: [gather.mean(found[name], value) for name in drawn] for phase, value in
                 (("dense or only phase", gather.first_step_ms),
                  ("sparse phase", _sparse_step_ms))}, "ms")))
    return Page("training_time", TITLE, ABOUT, blocks, [results(cell) for cell in cells(preset)])

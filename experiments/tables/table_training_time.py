"""How long training takes: a step in both phases, the whole, and until an accuracy is reached."""

import operator

import charts
import convergence
import gather
import methods
import provenance
from page import Entry, Grid, Picture, mean_and_spread, significant
from published import HOURS, Published

TITLE = "Training time"
ABOUT = ("Milliseconds a training step (median of windows without captures and evaluations, mean "
         "over seeds), and how many times as fast a step of SPION's sparse phase is. Methods "
         "without a sparse phase have one step time.")
# The accuracy that everybody has to reach: that of the first of these Transformers that is there,
# less this; of each of its seeds where each has data of its own.
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


def _time_to(accuracies, found):
    """`accuracies`: by seed; a seed without one is left out."""
    if not accuracies:
        return Entry("-")
    times = [convergence.seconds_to(accuracies[seed], metrics)
             for seed, metrics in gather.metrics_by_seed(found).items() if seed in accuracies]
    if not times:
        return gather.without_numbers(found) or Entry("-")
    reached = [time for time in times if time is not None]
    if len(reached) < len(times):
        return Entry(f"not reached by {len(times) - len(reached)} of {len(times)}")
    return significant(mean_and_spread(reached)[0])


def _targets(found):
    """{seed: accuracy}"""
    best = {seed: convergence.best_dev_accuracy(metrics)
            for seed, metrics in gather.metrics_by_seed(found).items()}
    best = {seed: accuracy for seed, accuracy in best.items() if accuracy is not None}
    if best and len({made.data for made in provenance.of(found)}) == 1:
        best = dict.fromkeys(best, mean_and_spread(list(best.values()))[0])
    return {seed: accuracy - _POINTS_BELOW for seed, accuracy in best.items()}


def _yardstick(found):
    """(the method, its _targets); None and none if none is there"""
    for name in _YARDSTICKS:
        targets = _targets(found.get(name, []))
        if targets:
            return name, targets
    return None, {}


def _note(yardstick, targets):
    """What has to be reached."""
    each = dict.fromkeys(f"{100 * accuracy:.1f} %" for accuracy in targets.values())
    if len(each) == 1:
        what = next(iter(each))
    else:
        what = ", ".join(f"{100 * accuracy:.1f} % with seed {seed}"
                         for seed, accuracy in targets.items())
    seeds = ", ".join(map(str, targets))
    return (f" Accuracy to reach: {what} of dev, one point below the best of "
            f"{methods.title(yardstick)}; seconds of steps until then, with its seeds ({seeds}).")


def content(preset, results):
    published = Published()
    spion = preset.chosen(methods.SPION)
    blocks = []
    for task in preset.tasks:
        found = gather.by_method(preset, results, task)
        yardstick, targets = _yardstick(found)
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
                         *speed_ups, _time_to(targets, own),
                         gather.published_entry(hours)])
        note = (f"{published.where(methods.SKYFORMER, HOURS)} on another GPU, with other code. "
                "A whole training has captures, pattern search and evaluations besides.")
        if targets:
            note += _note(yardstick, targets)
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
    return blocks

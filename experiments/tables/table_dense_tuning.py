"""Whether the dense Transformer does better at other settings than the preset's: a method that gains
by regularising compares with a rival that may do so, too."""

import decimal

import convergence
import gather
import methods
from page import Grid, mean_and_spread

TITLE = "The Transformer, tuned"
ABOUT = ("The dense Transformer, every block kept, at other learning rates, with more dropout and "
         "with weight decay, beside SPION-CF at the preset's settings, for which nothing is tuned. "
         "The best is chosen by the dev set, as a user would: the highest dev accuracy of a run, in "
         "the mean over its seeds. Differences are paired by seed: mean, 95 % interval by Student's "
         "t, p of the exact sign-flip test, two-sided.")
_TASK = "image"
_DENSE = "every_block"
_SPION = "cf"
_TIMES_THE_RATE = ("0.5", "2")
_OTHERS = (("dropout", "0.2"), ("dropout", "0.3"), ("weight_decay", "0.1"))


def _learning_rate(preset):
    """The preset's; of `quick` the published one, which is not that of its other runs."""
    published = methods.TASK_ENTRIES[_TASK]["paper"]["learning_rate"]
    return decimal.Decimal(dict(preset.settings).get("learning_rate", published))


def _settings(preset):
    """(flag, value) of each row, None for the preset's own settings."""
    rates = (_learning_rate(preset) * decimal.Decimal(times) for times in _TIMES_THE_RATE)
    return [None, *(("learning_rate", f"{rate.normalize():f}") for rate in rates), *_OTHERS]


def _is_there(preset):
    return _TASK in preset.tasks and _DENSE in preset.methods


def _trainings(preset, setting):
    if setting is None:
        return preset.trainings_of(_TASK, _DENSE)
    return preset.trainings_of(_TASK, _DENSE, "".join(setting), **dict([setting]))


def _spion_trainings(preset):
    return preset.trainings_of(_TASK, _SPION) if _SPION in preset.methods else []


def cells(preset):
    if not _is_there(preset):
        return []
    return [*(cell for setting in _settings(preset) for cell in _trainings(preset, setting)),
            *_spion_trainings(preset)]


def _dev_accuracies(found):
    best = (convergence.best_dev_accuracy(metrics) for metrics in gather.metrics(found))
    return [100 * accuracy for accuracy in best if accuracy is not None]


def _choice(runs):
    """What is said of the best by the dev set, of the settings whose seeds are all there."""
    dev = {what: _dev_accuracies(found) for what, found in runs.items()}
    means = {what: mean_and_spread(dev[what])[0] for what, found in runs.items()
             if len(dev[what]) == len(found)}
    if not means:
        return "None is chosen: of no setting are all seeds there."
    if len(means) == 1:
        return f"None is chosen: all seeds are there of one setting alone, {next(iter(means))}."
    best = max(means, key=means.get)
    return (f"Chosen of {len(means)} of {len(runs)} settings, whose seeds are all there: {best} "
            f"({means[best]:.1f} % on the dev set).")


def _grid(preset, results):
    spion = [results(cell) for cell in _spion_trainings(preset)]
    runs = {" ".join(setting) if setting else "as the preset":
            [results(cell) for cell in _trainings(preset, setting)] for setting in _settings(preset)}
    rows = [[what, gather.spread_entry(found, _dev_accuracies(found)),
             gather.spread_entry(found, gather.accuracies(found)),
             gather.difference_entry(spion, found)]
            for what, found in runs.items()]
    return Grid("dense_tuning", _TASK, ["the Transformer", "highest dev accuracy, %",
                                        "test accuracy, %", "SPION-CF over it, points"],
                rows, _choice(runs))


def content(preset, results):
    return [_grid(preset, results)] if _is_there(preset) else []

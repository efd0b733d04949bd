"""How many blocks to keep: SPION-C's density and SPION-CF's threshold, swept."""

import charts
import gather
import methods
from page import Grid, Picture, mean_and_spread

TITLE = "Sparsity"
ABOUT = ("Accuracy and time against the share of kept blocks: the density that SPION-C asks for, "
         "and the quantile that SPION-CF's flood fill must exceed. A density below one block a row "
         "leaves the diagonal; the diagonal's blocks that are among the highest count twice, so a density "
         "of 1 keeps somewhat less than all.")
_METHOD_OF = {"density": "c", "threshold": "cf"}  # whose setting it is
_SWEEPS = {  # with each task's published settings among them
    "image": {"density": ("0.03", "0.04", "0.1", "0.25", "0.5", "1"),
              "threshold": ("0.8", "0.9", "0.96", "0.98", "0.99")},
    "text": {"density": ("0.02", "0.03", "0.1", "0.25", "0.5", "1"),
             "threshold": ("0.9", "0.96", "0.98", "0.99", "0.995")},
}


def _sweeps(preset):
    """(task, flag, method, values) of what the preset has."""
    return [(task, flag, _METHOD_OF[flag], values) for task, sweeps in _SWEEPS.items()
            for flag, values in sweeps.items()
            if task in preset.tasks and _METHOD_OF[flag] in preset.methods]


def _trainings(preset, task, flag, method, value):
    return preset.trainings_of(task, method, f"{flag}{value}", **{flag: value})


def cells(preset):
    return [cell for task, flag, method, values in _sweeps(preset) for value in values
            for cell in _trainings(preset, task, flag, method, value)]


def content(preset, results):
    blocks = []
    for task, flag, method, values in _sweeps(preset):
        rows, accuracies, times = [], [], []
        for value in values:
            found = [results(cell) for cell in _trainings(preset, task, flag, method, value)]
            told = gather.summaries(found)
            shares = [100 * sum(summary["kept_blocks"])
                      / (len(summary["kept_blocks"]) * summary["total_blocks"])
                      for summary in told if summary["kept_blocks"]]
            if shares:
                share = mean_and_spread(shares)[0]
                accuracies.append((share, mean_and_spread(gather.accuracies(found))[0]))
                times.append((share, mean_and_spread(
                    [summary["step_ms_sparse"] for summary in told])[0]))
            rows.append([value, gather.spread_entry(found, shares, 1),
                         gather.spread_entry(found, gather.accuracies(found), 1),
                         gather.middle_entry(found, [summary["step_ms_sparse"]
                                                     for summary in told]),
                         gather.middle_entry(found, [summary["step_ms_dense"]
                                                     for summary in told])])
        blocks.append(Grid(f"{task}_{flag}", f"{task}, {methods.title(method)}: {flag}",
                           [flag, "kept blocks, %", "test accuracy, %", "step, sparse phase, ms",
                            "step, dense phase, ms"], rows))
        for points, unit in ((accuracies, "test accuracy, %"), (times, "step, sparse phase, ms")):
            if points:
                blocks.append(Picture(f"{task}, {methods.title(method)}: {unit}", charts.curves(
                    {methods.title(method): sorted(points)}, "kept blocks, %", unit)))
    return blocks

"""Where a training step's time goes."""

import dataclasses

import breakdown_of_trace
import charts
import gather
import methods
from page import FAILED, Entry, Grid, Picture, significant

TITLE = "Breakdown of a step"
ABOUT = ("Milliseconds of a training step, forward and backward together, and their share: from a "
         "trace of some steps, for SPION of its sparse phase. On a GPU the kernels' own time. At the "
         "paper's settings of a run of 200 steps whose patterns are made at step 100, so its steps "
         "are not quite those of a whole training.")
_METHODS = (*methods.DENSE, "cf")
# At the paper's sizes a few hundred steps tell; the sparse phase comes at step 100.
_PAPER_STEPS = {"steps": 200, "capture_interval": 50, "dense_step_limit": 100,
                "dev_examples": 256, "test_examples": 256}
_TRACED = {"quick": "21:24", "paper": "181:190"}


def _training(preset, task, name):
    changed = _PAPER_STEPS if preset.of_program == "paper" else {}
    return dataclasses.replace(preset.training(task, name, variant="traced", **changed),
                               trace_steps=_TRACED[preset.of_program])


def cells(preset):
    return [_training(preset, task, name) for task in preset.tasks
            for name in preset.chosen(_METHODS)]


def _share(ms, step):
    if not ms:
        return Entry("-")
    return Entry(f"{significant(ms).text} ({100 * ms / step:.0f} %)")


def content(preset, results):
    blocks = []
    for task in preset.tasks:
        rows, drawn = [], {}
        for name in preset.chosen(_METHODS):
            result = results(_training(preset, task, name))
            missing = gather.without_numbers([result])
            if missing:
                rows.append([methods.title(name), missing,
                             *[Entry("-")] * len(breakdown_of_trace.PARTS)])
                continue
            try:
                told = breakdown_of_trace.shares(result.json("trace.json"))
            except (OSError, ValueError) as error:
                rows.append([methods.title(name), Entry(f"failed: {error}", FAILED),
                             *[Entry("-")] * len(breakdown_of_trace.PARTS)])
                continue
            drawn[methods.title(name)] = told
            rows.append([methods.title(name), significant(told["step"]),
                         *(_share(told[part], told["step"]) for part in breakdown_of_trace.PARTS)])
        columns = ["method", *(f"{part}, ms" for part in ("step", *breakdown_of_trace.PARTS))]
        blocks.append(Grid(task, task, columns, rows,
                           "A fused attention has no scores, softmax and weighted sum of its own. "
                           "Residual stream: embedding, dropout, sums and normalisation. Other: "
                           "loss and copies."))
        if drawn:
            blocks.append(Picture(f"{task}: a training step", charts.stacked(
                list(drawn), {part: [told[part] for told in drawn.values()]
                              for part in breakdown_of_trace.PARTS}, "ms")))
    return blocks

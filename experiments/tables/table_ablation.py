"""What each part of the method is worth: one thing changed at a time."""

import gather
import methods
from page import Entry, Grid

TITLE = "Ablation"
ABOUT = ("SPION-CF, and the same with one part changed: without flood fill (SPION-C's top blocks), "
         "without the convolution, as many blocks at random places in place of those found (the diagonal "
         "stays), pruned entries left out of the softmax, one pattern for all layers, a learning rate "
         "that goes on at the transition; on image also the diagonal alone, nearly every block kept, "
         "which leaves nothing of the method but that its schedule starts anew, and another limit for "
         "the transition. Published SPION-F changes two things: it has no convolution, and its learning "
         "rate goes on; so it compares with SPION-CF whose schedule goes on, and SPION-F whose schedule "
         "starts anew with SPION-CF. Dense all along is LibTorch's fused attention, with every block "
         "what SPION's dense phase computes. Differences are paired by seed: mean, 95 % interval by "
         "Student's t, p of the exact sign-flip test, two-sided.")
_DENSE = "dense all along"
_DENSE_AS_SPION = "dense all along, every block"
_WHOLE = "SPION-CF"
_CONTINUED = "schedule goes on at the transition"
DIAGONAL = "density0.03"  # the variant that keeps it alone
RESTART_ALONE = "density1"  # nearly every block: what is left of the method
_THOROUGH = "image"  # the task with all rows
# what it is, method, variant's name, flags
_ROWS = (
    (_WHOLE, "cf", "", {}),
    ("top blocks instead of flood fill (SPION-C)", "c", "", {}),
    ("no convolution, schedule goes on (SPION-F)", "f", "", {}),
    ("no convolution, schedule starts anew", "f", "restarted", {"continued_schedule": "no"}),
    ("as many blocks at random places", "cf", "shuffled", {"shuffled_pattern": "yes"}),
    ("pruned entries excluded, not score 0", "cf", "excluded", {"excluded_pruned": "yes"}),
    ("one pattern for all layers", "cf", "shared", {"shared_pattern": "yes"}),
    (_CONTINUED, "cf", "continued", {"continued_schedule": "yes"}),
)
_ROWS_OF_THOROUGH = (
    ("the diagonal alone (SPION-C, density 0.03)", "c", DIAGONAL, {"density": "0.03"}),
    ("nearly every block kept (SPION-C, density 1)", "c", RESTART_ALONE, {"density": 1}),
    ("transition below 5 %", "cf", "limit5", {"transition_limit_percent": 5}),
    ("transition below 30 %", "cf", "limit30", {"transition_limit_percent": 30}),
    ("transition below 60 %", "cf", "limit60", {"transition_limit_percent": 60}),
)
_ROWS_OF_DENSE = (
    (_DENSE, "sdpa", "", {}),
    (_DENSE_AS_SPION, "every_block", "", {}),
)


def _rows(preset, task):
    rows = (*_ROWS, *(_ROWS_OF_THOROUGH if task == _THOROUGH else ()), *_ROWS_OF_DENSE)
    titles = set()
    for title, method, *_ in rows:
        if title in titles:
            raise ValueError(f"two rows of the ablation are called {title!r}: each needs a title of "
                             "its own")
        if method not in methods.NAMES:
            raise ValueError(f"the ablation's row {title!r} is of a method {method!r}; expected one "
                             f"of {', '.join(methods.NAMES)}")
        titles.add(title)
    return [row for row in rows if row[1] in preset.methods]


def _trainings(preset, task, method, variant, flags):
    return preset.trainings_of(task, method, variant, **flags)


def cells(preset):
    return [cell for task in preset.tasks for _, *row in _rows(preset, task)
            for cell in _trainings(preset, task, *row)]


def runs_of_variant(preset, results, task, wanted):
    """The task's results of the variant of that name; none if its method is not asked for."""
    return [results(cell) for _, method, variant, flags in _rows(preset, task) if variant == wanted
            for cell in _trainings(preset, task, method, variant, flags)]


def _grids(preset, results, task):
    rows, differences = [], []
    runs = {what: [results(cell) for cell in _trainings(preset, task, *row)]
            for what, *row in _rows(preset, task)}
    yardsticks = [what for what in (_WHOLE, _CONTINUED, _DENSE, _DENSE_AS_SPION) if what in runs]
    for what, found in runs.items():
        told = gather.summaries(found)
        rows.append([what,
                     gather.spread_entry(found, gather.accuracies(found)),
                     gather.spread_entry(found, [summary["transition_step"] for summary in told
                                                 if summary["transition_step"] is not None], 0),
                     gather.spread_entry(found, [sum(summary["kept_blocks"]) for summary in told
                                                 if summary["kept_blocks"]], 0),
                     gather.middle_entry(found, [summary["step_ms_sparse"] for summary in told])])
        differences.append([what, *(
            Entry("-") if other == what else gather.difference_entry(found, runs[other])
            for other in yardsticks)])
    yield Grid(f"{task}_parts", task, ["variant", "test accuracy, %", "transition at step",
                                       "kept blocks, all layers", "step, sparse phase, ms"], rows)
    if yardsticks:
        yield Grid(f"{task}_differences", f"{task}: differences of test accuracy, points",
                   ["variant", *(f"over {what}" for what in yardsticks)], differences)


def content(preset, results):
    return [grid for task in preset.tasks for grid in _grids(preset, results, task)]

"""How long cells will take: from cells like them that are there, else from what such steps took: of
`quick` on a CPU, of all else on a GPU."""

import statistics

import methods
from cells import BENCHMARK, INFERENCE
from origin import CPU
from result import State

# What a `quick` cell took on two CPU cores, seconds.
_QUICK_SECONDS = 3.0
_INFERENCE_SECONDS = {"quick": 2.0, "paper": 60.0}
_BENCHMARK_SECONDS = {"quick": 60.0, "paper": 120.0}
# A step of the slow methods in steps of the task's `step_ms`, about (docs/baselines.md).
_STEPS = {"dense": 6, "sdpa": 2, "reformer": 7, "skyformer": 7, "nystromformer": 6, "kernelised": 14}


def _preset(cell):
    return dict(cell.settings).get("preset", "quick")


def _like(cell):
    """What cells must have in common to take as long."""
    return cell.kind, cell.task, cell.method, cell.settings


def _prior(cell):
    preset = _preset(cell)
    if cell.kind == BENCHMARK:
        return _BENCHMARK_SECONDS[preset if preset in _BENCHMARK_SECONDS else "quick"]
    if cell.kind == INFERENCE:
        return _INFERENCE_SECONDS[preset]
    if preset == "quick":
        return _QUICK_SECONDS
    task = methods.TASK_ENTRIES[cell.task]
    steps, examples = (int(dict(cell.settings).get(name, task["paper"][name]))
                       for name in ("steps", "batch_size"))
    of_paper = examples / task["paper"]["batch_size"]
    return steps * task["step_ms"] * of_paper * _STEPS.get(cell.method, 1) / 1e3


def seconds(cells, known, done=None):
    """Of all cells; `known` are results, `done` the seconds that some cells had already. Cells
    unlike any that is known are scaled as those that are known were off the prior."""
    took, ratios = {}, []
    for result in known:
        if result.state == State.DONE and result.info.get("seconds"):
            took.setdefault(_like(result.cell), []).append(result.info["seconds"])
            ratios.append(result.info["seconds"] / _prior(result.cell))
    scale = statistics.median(ratios) if ratios else 1.0
    return sum(max(0.0, (statistics.fmean(took[_like(cell)]) if _like(cell) in took
                         else scale * _prior(cell)) - (done or {}).get(cell, 0.0))
               for cell in cells)


def duration(total):
    """"50 s", "12 min", "3 h 20 min"."""
    if total < 90:
        return f"{total:.0f} s"
    minutes = round(total / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


def _is_of_another_device(cells, known):
    """Whether cells of a CPU are estimated by what a GPU took: nothing is known of such CPUs."""
    runs_on_cpu = any(cell.origin and cell.origin.device == CPU and _preset(cell) != "quick"
                      for cell in cells)
    return runs_on_cpu and not any(result.state == State.DONE and result.info.get("seconds")
                                   for result in known)


def text(cells, known, done=None):
    """For the user, before anything runs."""
    said = f"about {duration(seconds(cells, known, done))} by estimate"
    if _is_of_another_device(cells, known):
        said += " of a GPU; on this CPU it will be many times that"
    return said

"""When a training got somewhere, from its metrics.jsonl."""

import math


def seconds_to(accuracy, metrics):
    """Seconds of training steps until the dev accuracy was first that high; None: never.

    Steps alone: captures, the pattern search and evaluations are not in it. Steps that were not
    measured count like those measured before them, the first like those after them.
    """
    seconds, last_step = 0.0, 0
    step_ms = next((metric["step_ms"] for metric in metrics
                    if metric["kind"] == "train" and metric["step_ms"] is not None), math.nan)
    for metric in metrics:
        if metric["kind"] == "train":
            step_ms = step_ms if metric["step_ms"] is None else metric["step_ms"]
            seconds += (metric["step"] - last_step) * step_ms / 1e3
            last_step = metric["step"]
        elif metric["kind"] == "dev" and metric["accuracy"] >= accuracy:
            return seconds
    return None


def best_dev_accuracy(metrics):
    """The highest; None if dev was never looked at."""
    return max((metric["accuracy"] for metric in metrics if metric["kind"] == "dev"), default=None)

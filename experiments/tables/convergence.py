"""When a training got somewhere, from its metrics.jsonl."""


def seconds_to(accuracy, metrics):
    """Seconds of training steps until the dev accuracy was first that high; None: never.

    Steps alone: captures, the pattern search and evaluations are not in it.
    """
    seconds, last_step = 0.0, 0
    for metric in metrics:
        if metric["kind"] == "train":
            seconds += (metric["step"] - last_step) * metric["step_ms"] / 1e3
            last_step = metric["step"]
        elif metric["kind"] == "dev" and metric["accuracy"] >= accuracy:
            return seconds
    return None


def best_dev_accuracy(metrics):
    """The highest; None if dev was never looked at."""
    return max((metric["accuracy"] for metric in metrics if metric["kind"] == "dev"), default=None)

"""The losses of a run at given steps, from its metrics.jsonl."""

import dataclasses

TRAIN = "train"
DEV = "dev"


@dataclasses.dataclass(frozen=True, order=True)
class Point:
    step: int
    loss: str  # TRAIN: mean over the steps since the train point before; DEV: of the dev set

    def __str__(self):
        return f"{self.loss} loss at step {self.step}"


def points_of(case):
    """The case's points in the order in which training reaches them."""
    return sorted([*(Point(step, TRAIN) for step in case.train_points),
                   *(Point(step, DEV) for step in case.dev_points)],
                  key=lambda point: (point.step, point.loss == DEV))


def losses_at(points, metrics):
    """{point: loss} of those points that the run has; a point that it lacks is left out.

    `metrics`: the lines of metrics.jsonl. Each train line holds the mean loss over the steps since
    the train line before.
    """
    wanted = set(points)
    found = {}
    reported = 0  # last step of the line before
    weighted, steps = 0.0, 0  # since the last train point
    for metric in metrics:
        point = Point(metric["step"], metric["kind"])
        if metric["kind"] == TRAIN:
            weighted += metric["loss"] * (metric["step"] - reported)
            steps += metric["step"] - reported
            reported = metric["step"]
            if point in wanted:
                found[point] = weighted / steps
                weighted, steps = 0.0, 0
        elif point in wanted:
            found[point] = metric["loss"]
    return found

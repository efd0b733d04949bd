"""What is trained for the bands: tasks and methods of the preset `quick` on generated data."""

import dataclasses

PRESET = "quick"
RECORDED_SEEDS = (1001, 1002, 1003, 1004, 1005)
TESTED_SEED = 1006


@dataclasses.dataclass(frozen=True)
class Case:
    task: str
    method: str
    steps: int
    train_points: tuple  # steps at which a report ends: the mean train loss since the point before
    dev_points: tuple  # steps at which dev is evaluated: its loss

    @property
    def name(self):
        return f"{self.task}_{self.method}"


# All three phases to the preset's last step where that tells something and is cheap; listops learns
# nothing in it that a longer run would show, and a dense step costs three sparse ones.
CASES = {
    case.name: case for case in (
        Case("image", "cf", 300, (24, 50, 100, 150, 200, 250, 300), (50, 100, 150, 200, 250, 300)),
        Case("text", "cf", 300, (24, 50, 100, 150, 200, 250, 300), (50, 100, 150, 200, 250, 300)),
        Case("image", "dense", 100, (24, 50, 74, 100), (50, 100)),
        Case("listops", "cf", 100, (24, 50, 74, 100), (50, 100)),
    )
}

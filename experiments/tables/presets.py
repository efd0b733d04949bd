"""What a preset runs: which tasks, methods and seeds, and with which flags.

`quick` shows that the machinery works; `paper` is the published setting; `large_batch` is image
with the batch size and learning rate of the authors' public training logs, where every method
learns more than at the published ones.
"""

import dataclasses

import methods
from cells import INFERENCE, Cell


@dataclasses.dataclass(frozen=True)
class Preset:
    name: str
    seeds: tuple
    tasks: tuple = methods.TASKS
    methods: tuple = methods.NAMES
    settings: tuple = ()  # flags of every training
    task_seeds: tuple = ()  # (task, seeds) of those tasks that have others

    def seeds_of(self, task):
        return dict(self.task_seeds).get(task, self.seeds)

    @property
    def of_program(self):
        """The experiment program's preset that this one starts from: quick or paper."""
        return dict(self.settings)["preset"]

    def training(self, task, method, seed=None, variant="", **changed):
        """A training cell; `changed` are flags beside the preset's, as text or numbers."""
        extra = {name: str(value) for name, value in changed.items()}
        settings = tuple((name, extra.pop(name, value)) for name, value in self.settings)
        return Cell(task, method, self.seeds_of(task)[0] if seed is None else seed,
                    settings + tuple(extra.items()), variant=variant)

    def trainings_of(self, task, method, variant="", **changed):
        """With every seed of the task."""
        return [self.training(task, method, seed, variant, **changed) for seed in self.seeds_of(task)]

    def trainings(self):
        """Every method on every task with every seed."""
        seeds = dict.fromkeys(seed for task in self.tasks for seed in self.seeds_of(task))
        return [self.training(task, method, seed) for seed in seeds for task in self.tasks
                if seed in self.seeds_of(task) for method in self.methods]

    def chosen(self, names):
        """Those of the methods that are asked for."""
        return [name for name in names if name in self.methods]


def inference(training):
    """The cell that measures inference with the model that `training` leaves."""
    kept = ("preset", "sequence_length", "batch_size", "block_size", "test_examples")
    settings = tuple(pair for pair in training.settings if pair[0] in kept)
    return Cell(training.task, training.method, training.seed, settings, kind=INFERENCE,
                trains=training, variant=training.variant)


# The sparse phase comes at step 12, and both phases are long enough to be timed.
_QUICK = (("preset", "quick"), ("steps", "24"), ("batch_size", "2"), ("warmup_steps", "4"),
          ("sequence_length", "512"), ("capture_interval", "4"), ("dense_step_limit", "12"),
          ("evaluation_interval", "6"), ("dev_examples", "16"), ("test_examples", "64"))

QUICK = Preset("quick", seeds=(1001, 1002), settings=_QUICK)
PAPER = Preset("paper", seeds=(1001, 1002, 1003), settings=(("preset", "paper"),))
LARGE_BATCH = Preset("large_batch", seeds=(1001, 1002, 1003, 1004, 1005), tasks=("image",),
                     settings=(*PAPER.settings, ("batch_size", "512"), ("learning_rate", "0.002")))
PRESETS = {preset.name: preset for preset in (QUICK, PAPER, LARGE_BATCH)}

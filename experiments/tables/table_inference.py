"""Time and memory of answering one batch with a trained model."""

import gather
import methods
from page import Entry, Grid, number, significant
from presets import inference

TITLE = "Inference"
ABOUT = ("One batch through a trained model without gradients: median of nine passes, and peak "
         "memory. SPION answers under the patterns of its sparse phase.")


def cells(preset):
    return [inference(preset.training(task, name)) for task in preset.tasks
            for name in preset.methods]


def content(preset, results):
    blocks = []
    for task in preset.tasks:
        rows = []
        for name in preset.methods:
            result = results(inference(preset.training(task, name)))
            missing = gather.without_numbers([result])
            if missing:
                rows.append([methods.title(name), missing, *[Entry("-")] * 3])
                continue
            told = result.json("run/evaluation.json")
            rows.append([methods.title(name), significant(told["batch_ms"]),
                         number(told["peak_memory_mib"], 0), str(told["batch_size"]),
                         # Files of earlier versions have a phase of methods without phases, too.
                         told["phase"] if name in methods.SPION else "-"])
        blocks.append(Grid(task, task, ["method", "a batch, ms", "peak memory, MiB",
                                        "examples a batch", "phase"], rows))
    return blocks

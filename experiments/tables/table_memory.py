"""Peak memory of training and of inference."""

import charts
import gather
import methods
from page import Grid, Picture
from presets import inference
from published import MEMORY, Published
from result import State

TITLE = "Memory"
ABOUT = ("Peak memory, MiB, the highest of the seeds: on a GPU what tensors took, and what LibTorch "
         "held for them, recorded steps and its cache included; on a CPU the resident memory of "
         "the whole process, data and program included. SPION's training peak is that of its dense "
         "phase.")


def cells(preset):
    return preset.trainings() + [inference(preset.training(task, name)) for task in preset.tasks
                                 for name in preset.methods]


def content(preset, results):
    published = Published()
    blocks = []
    for task in preset.tasks:
        rows, drawn = [], {}
        for name in preset.methods:
            training = [results(cell) for cell in preset.trainings_of(task, name)]
            answering = results(inference(preset.training(task, name)))
            peaks = [answering.json("run/evaluation.json")["peak_memory_mib"]] \
                if answering.state == State.DONE else []
            trained = [summary["peak_memory_mib"] for summary in gather.summaries(training)]
            held = [summary["peak_reserved_mib"] for summary in gather.summaries(training)
                    if "peak_reserved_mib" in summary]
            if trained or peaks:
                drawn[methods.title(name)] = (max(trained, default=None), max(peaks, default=None))
            gigabytes = published.of_method(methods.SKYFORMER, methods.BY_NAME[name], task, MEMORY)
            rows.append([methods.title(name),
                         gather.highest_entry(training, trained),
                         gather.highest_entry(training, held),
                         gather.highest_entry([answering], peaks),
                         gather.published_entry(gigabytes)])
        blocks.append(Grid(task, task, ["method", "training, MiB", "held, MiB",
                                        "inference, MiB", "published, training, GB"], rows,
                           f"Published: {published.where(methods.SKYFORMER, MEMORY)}, on another "
                           "GPU with other batches."))
        if drawn:
            blocks.append(Picture(f"{task}: peak memory", charts.bars(
                list(drawn), {"training": [peak for peak, _ in drawn.values()],
                              "inference": [peak for _, peak in drawn.values()]}, "MiB")))
    return blocks

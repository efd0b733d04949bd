"""Every setting of every task as it ran, marked where it is not the published one."""

import gather
import markdown_table
from page import DEVIATES, Entry, Grid
from published import SETTINGS_SOURCE, Published
from result import State

TITLE = "Hyper-parameters"
ABOUT = ("What the runs were made with, from their own manifests. A setting that differs from the "
         f"published one ({SETTINGS_SOURCE}) is marked, and the published one stands behind it.")

_MODEL = ("sequence_length", "vocabulary", "classes", "layers", "width", "feed_forward", "heads",
          "dropout")
_TRAINING = ("batch_size", "learning_rate", "warmup_steps", "steps", "beta1", "beta2", "epsilon",
             "weight_decay", "gradient_limit")
_PHASES = ("capture_interval", "transition_limit_percent", "dense_step_limit", "block_size",
           "density", "threshold", "shared_pattern", "shuffled_pattern", "excluded_pruned",
           "continued_schedule")
_EVALUATION = ("evaluation_interval", "dev_examples", "test_examples")
# 0 in these means: none, or all.
_SETTINGS = _MODEL + _TRAINING + _PHASES + _EVALUATION


def _training(preset, task):
    return preset.training(task, (preset.chosen(("cf", "c", "f")) or preset.methods)[0])


def cells(preset):
    return [_training(preset, task) for task in preset.tasks]


def _text(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def setting_entry(value, published):
    """Ours, and behind it the published one where that is another number."""
    if value is None:
        return Entry("-")
    if published is None or float(published) == float(value):
        return Entry(_text(value))
    return Entry(f"{_text(value)} (published {published})", DEVIATES)


def content(preset, results):
    published = Published()
    found = {task: results(_training(preset, task)) for task in preset.tasks}
    manifests = {task: result.json("run/manifest.json") for task, result in found.items()
                 if result.state == State.DONE}

    def entry(task, name):
        if task not in manifests:
            return gather.without_numbers([found[task]])
        manifest = manifests[task]
        value = manifest["model"].get(name, manifest["hyper_parameters"].get(name))
        return setting_entry(value, published.value(SETTINGS_SOURCE, "SPION", task, name))

    def told(task, what):
        if task not in manifests:
            return gather.without_numbers([found[task]])
        return Entry(what(manifests[task]))

    rows = [[name, *(entry(task, name) for task in preset.tasks)] for name in _SETTINGS]
    rows.append(["precision", *(told(task, lambda m: m["precision"]) for task in preset.tasks)])
    return [
        Grid("settings", "Settings", ["setting", *preset.tasks], rows,
             "-: no such setting in the version that ran. Intervals, limits and warm-up are in steps, "
             "transition_limit_percent in percent, lengths and blocks in tokens. dense_step_limit 0: "
             "no limit; dev_examples and test_examples 0: all; density is "
             "SPION-C's, threshold that of SPION-F and -CF. Optimiser: AdamW, one-cycle schedule "
             "with linear annealing, gradients clipped by value."),
        Grid("data", "Data", ["task", "source and sizes", "sha256"],
             [[task, told(task, lambda m: m["data_source"]["description"]),
               told(task, lambda m: m["data_source"]["sha256"])] for task in preset.tasks]),
        Grid("methods", "Settings of the other methods",
             *markdown_table.read("docs/baselines.md", "| method |")),
        Grid("deviations", "Deviations from the reference implementation",
             *markdown_table.read("docs/architecture.md", "| what | reference |"))]

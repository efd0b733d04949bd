"""Test accuracy of every method on every task, beside what others published."""

import charts
import gather
import methods
import provenance
from page import Grid, Picture, marks_of_highest, mean_and_spread
from published import ACCURACY, Published
from result import State

TITLE = "Accuracy"
ABOUT = ("Test accuracy in percent: mean and sample standard deviation over the seeds; where every "
         "method has several seeds the highest is marked, and those within its spread. SPION is "
         "tested with the best checkpoint of its sparse phase, under its own patterns.")

# More curves than these hide each other.
_DRAWN = (*methods.SPION, *methods.DENSE)


def cells(preset):
    return preset.trainings()


def _curve(result):
    if result.state != State.DONE:
        return []
    return [(metric["step"], 100 * metric["accuracy"])
            for metric in result.json_lines("run/metrics.jsonl") if metric["kind"] == "dev"]


def _is_generated(by_method):
    return any(made.is_generated for found in by_method.values() for made in provenance.of(found))


def content(preset, results):
    ours, marks = {}, {}
    for task in preset.tasks:
        ours[task] = gather.by_method(preset, results, task)
        means = {name: mean_and_spread(percents) for name, found in ours[task].items()
                 if (percents := gather.accuracies(found))}
        # One seed tells nothing of who is highest.
        comparable = len(means) > 1 and all(spread is not None for _, spread in means.values())
        marks[task] = marks_of_highest(means) if comparable else {}

    def entry(task, name):
        found = ours[task][name]
        return gather.spread_entry(found, gather.accuracies(found), 1, marks[task].get(name, ""))

    titles = {task: f"{task} (generated)" if _is_generated(ours[task]) else task
              for task in preset.tasks}
    blocks = [Grid("matrix", "All tasks", ["method", *titles.values()],
                   [[methods.title(name), *(entry(task, name) for task in preset.tasks)]
                    for name in preset.methods])]
    published = Published()
    sources = (methods.LRA, methods.SKYFORMER)
    for task in preset.tasks:
        rows = []
        for name in preset.methods:
            # However its attention is computed, it is the one Transformer.
            known = methods.BY_NAME["dense" if name in methods.DENSE else name]
            values = [published.of_method(source, known, task, ACCURACY)
                      for source in sources]
            rows.append([methods.title(name), entry(task, name),
                         str(len(gather.accuracies(ours[task][name]))),
                         *(gather.published_entry(value) for value in values)])
        blocks.append(Grid(task, f"{titles[task]}: beside published values",
                           ["method", "here", "seeds", *sources], rows,
                           ("Data that this program made: no accuracy here compares with a published "
                            "one. " if titles[task] != task else "")
                           + "Published: " + "; ".join(published.where(source, ACCURACY)
                                                       for source in sources)
                           + ". Other code, other sizes of models, other hardware."))
        drawn = {name: _curve(ours[task][name][0]) for name in preset.chosen(_DRAWN)}
        drawn = {methods.title(name): points for name, points in drawn.items() if points}
        if drawn:
            seed = preset.seeds_of(task)[0]
            blocks.append(Picture(f"{task}: dev accuracy during training, seed {seed}",
                                  charts.curves(drawn, "step", "dev accuracy, %")))
    return blocks

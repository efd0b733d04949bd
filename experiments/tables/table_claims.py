"""The figures that speak for or against each claim of the paper, from the cells that are there."""

import operator

import gather
import methods
import paired
import provenance
import table_ablation
from page import Entry, Grid, mean_and_spread

TITLE = "The claims"
ABOUT = ("What speaks for or against each claim of the paper: SPION-CF beside what the claim compares "
         "it with. Times and memory are means over the seeds that are there, and say how many times "
         "as much the other takes: above 1, SPION-CF takes less. A sparse Transformer is one whose "
         "attention leaves entries out; those that approximate all of them stand apart. Accuracies "
         "are differences of test accuracy in points, paired by seed, with the 95 % interval by "
         "Student's t and the p of the exact sign-flip test, two-sided; with five seeds it is 0.0625 "
         "at least. An interval with 0 "
         "in it leaves open which is better. Published SPION-F's learning rate goes on at the "
         "transition; so that the convolution alone differs, SPION-F's starts anew here, as SPION-CF's "
         "does. "
         "Where the cells compared are of other commits, the figure says so: what the program does may "
         "have changed in between.")
_SPION = "cf"
_BEST_SPARSE = "the best sparse Transformer"
_BEST_APPROXIMATE = "the best approximation of all entries"


def cells(preset):
    if _SPION not in preset.methods:
        return []
    return list(dict.fromkeys([*preset.trainings(), *table_ablation.cells(preset)]))


def _other_commits(mine, other):
    """What a figure says of cells that SPION-CF's are compared with."""
    commits = [{commit for made in provenance.of(found) for commit in made.commits}
               for found in (mine, other)]
    return ", other commits" if commits[0] != commits[1] else ""


def _other_seeds(mine, other):
    """The same, of means over their seeds."""
    here, there = gather.seeds(mine), gather.seeds(other)
    return f", {len(here)} and {len(there)} seeds" if here != there else ""


def _paired(mine, other):
    """Those of either whose seeds both have."""
    seeds = set(gather.seeds(mine)) & set(gather.seeds(other))
    return ([result for result in found if result.cell.seed in seeds] for found in (mine, other))


class _Task:
    """Rows of one task."""

    def __init__(self, preset, results, task):
        self.name = task
        self._found = gather.by_method(preset, results, task)

    def row(self, claim, what, figure, finding, other=()):
        nothing = (gather.without_numbers(self._found[_SPION])
                   or gather.without_numbers(other))
        return [claim, self.name, what, figure or nothing or Entry("-"), finding]

    def ratio(self, claim, what, names, value, unit):
        """Against the one of `names` that takes least, `what` where none is there; `value`: of a
        training's summary.json."""
        taken = {name: gather.mean(self._found[name], value) for name in names
                 if name in self._found}
        taken = {name: mean for name, mean in taken.items() if mean}
        mine = gather.mean(self._found[_SPION], value)
        if not taken or not mine:
            return self.row(claim, what, None, "-", [result for name in names
                                                     for result in self._found.get(name, [])])
        least = min(taken, key=taken.get)
        ratio = taken[least] / mine
        return self.row(claim, methods.title(least),
                        f"{ratio:.2f} ({mine:.4g} against {taken[least]:.4g} {unit})"
                        + _other_seeds(self._found[_SPION], self._found[least])
                        + _other_commits(self._found[_SPION], self._found[least]),
                        "less" if ratio > 1 else "more" if ratio < 1 else "equal")

    def difference(self, claim, what, other):
        mine = self._found[_SPION]
        found = paired.compare(gather.accuracy_by_seed(mine), gather.accuracy_by_seed(other))
        return self.row(claim, what, found and found.text() + _other_commits(*_paired(mine, other)),
                        found.verdict if found else "-", other)

    def difference_from_best(self, claim, what, names):
        """From the one of `names` whose mean accuracy is highest, `what` where none is there."""
        means = {name: gather.accuracy_by_seed(self._found[name]) for name in names}
        means = {name: mean_and_spread(list(found.values()))[0]
                 for name, found in means.items() if found}
        if not means:
            return self.row(claim, what, None, "-", [result for name in names
                                                     for result in self._found[name]])
        best = max(means, key=means.get)
        return self.difference(claim, methods.title(best), self._found[best])

    def rows(self, preset, results):
        sparse = [name for name in preset.methods
                  if name not in (*methods.SPION, *methods.DENSE, *methods.APPROXIMATE)]
        yield self.ratio("faster than the best sparse Transformer: a step", _BEST_SPARSE, sparse,
                         gather.step_ms, "ms")
        yield self.ratio("the whole training", _BEST_SPARSE, sparse,
                         operator.itemgetter("train_seconds"), "s")
        yield self.difference_from_best("quality beside the best sparse Transformer", _BEST_SPARSE,
                                        sparse)
        yield self.difference_from_best(f"quality beside {_BEST_APPROXIMATE}", _BEST_APPROXIMATE,
                                        preset.chosen(methods.APPROXIMATE))
        for name in preset.chosen(methods.DENSE):
            title = methods.title(name)
            yield self.ratio("faster than dense: a step", title, [name], gather.step_ms, "ms")
            yield self.ratio("less memory in training", title, [name],
                             operator.itemgetter("peak_memory_mib"), "MiB")
            yield self.ratio("less memory held by LibTorch", title, [name],
                             operator.methodcaller("get", "peak_reserved_mib"), "MiB")
            yield self.difference("quality kept, or better than dense", title, self._found[name])
        if "c" in self._found:
            yield self.difference("flood fill matters", methods.title("c"), self._found["c"])
        if "f" in self._found:
            yield self.difference(
                "convolution matters", f"{methods.title('f')}, schedule starting anew",
                table_ablation.runs_of_variant(preset, results, self.name, "restarted"))
        for claim, what, variant in (
                ("what is gained is of sparsity", "nearly every block kept, schedule starting anew",
                 table_ablation.RESTART_ALONE),
                ("it matters which blocks are kept", "as many blocks at random places", "shuffled"),
                ("it matters which blocks are kept", "the diagonal alone", table_ablation.DIAGONAL)):
            runs = table_ablation.runs_of_variant(preset, results, self.name, variant)
            if runs:
                yield self.difference(claim, what, runs)
        yield self.difference("each layer needs a pattern of its own", "one pattern for all layers",
                              table_ablation.runs_of_variant(preset, results, self.name, "shared"))


def content(preset, results):
    if _SPION not in preset.methods:
        rows = [["-", "-", "-", gather.without_numbers([]), "-"]]
    else:
        rows = [row for task in preset.tasks
                for row in _Task(preset, results, task).rows(preset, results)]
    return [Grid("claims", "Claims",
                 ["claim", "task", "SPION-CF against", "figure", "it is"], rows)]

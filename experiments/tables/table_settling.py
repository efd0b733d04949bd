"""How the attention maps settled: their change from capture to capture, layer by layer; and what
pruning took from then on."""

import charts
import gather
import methods
import table_patterns
from page import Grid, Note, Picture, significant, significant_beside
from result import State

TITLE = "Settling"
ABOUT = ("How the dense phase ends: at each capture a layer's attention map, averaged over batch and "
         "heads, is compared with that of the capture before. The distance is the Frobenius norm of "
         "their difference; the change is that of the distance, in percent of the one before. The "
         "sparse phase begins when no layer's change reaches the limit (dashed). Below stand the "
         "maps at that step and the patterns made of them, of one seed. Pruned entries count as zeros "
         "in the softmax: the share of it that they take, the mean over rows, heads and the first "
         "batch of dev, is told at each evaluation of the sparse phase by runs since it is recorded.")


def cells(preset):
    return [cell for task in preset.tasks for name in preset.chosen(methods.SPION)
            for cell in preset.trainings_of(task, name)]


def _metrics(result):
    return result.json_lines("run/metrics.jsonl")


def _points(metrics, field, layer, factor=1):
    """(step, value) of the metrics that have this list; None of a change from a distance of 0."""
    points = [(metric["step"], metric[field][layer]) for metric in metrics if metric.get(field)]
    return [(step, None if value is None else factor * value) for step, value in points]


def _limit(result):
    """Of a layer's change, in percent."""
    return result.json("run/manifest.json")["hyper_parameters"]["transition_limit_percent"]


def _in_turn(entries):
    return " → ".join(entry.text for entry in entries) or "-"


def _told(points):
    return _in_turn(significant(value) for _, value in points)


def _rows(result):
    """One a layer."""
    summary, metrics, limit = result.json("run/summary.json"), _metrics(result), _limit(result)
    settled = any(metric.get("settled") for metric in metrics)
    how = "settled" if settled else "limit of steps"
    for layer, kept in enumerate(summary["kept_blocks"]):
        changes = _points(metrics, "change_percent", layer)
        yield [result.cell.task, methods.title(result.cell.method), str(result.cell.seed),
               str(layer), _told(_points(metrics, "distance", layer)),
               _in_turn(significant_beside(limit, value, 2) for _, value in changes),
               f"{summary['transition_step']} ({how})", str(kept),
               _told(_ends(_points(metrics, "pruned_share", layer, 100)))]


def _ends(points):
    return [points[0], points[-1]] if len(points) > 2 else points


def _panels(found, field, factor):
    """{layer: {seed: points}}; nothing if no run has this."""
    metrics = {f"seed {result.cell.seed}": _metrics(result) for result in found}
    if not any(metric.get(field) for of_seed in metrics.values() for metric in of_seed):
        return {}
    layers = len(found[0].json("run/summary.json")["kept_blocks"])
    return {f"layer {layer}": {seed: _points(of_seed, field, layer, factor)
                               for seed, of_seed in metrics.items()} for layer in range(layers)}


def _drawn(name, found):
    for title, y_label, field, factor, line in (
            ("distance between neighbouring captures", "distance", "distance", 1, None),
            ("change of the distance", "change, %", "change_percent", 1, _limit(found[0])),
            ("share of the softmax that pruned zeros take", "share, %", "pruned_share", 100, None)):
        panels = _panels(found, field, factor)
        if panels:
            yield Picture(f"{name}: {title}", charts.panels(panels, "step", y_label, line,
                                                            logarithmic=field != "pruned_share"))
    yield from table_patterns.pictures_of(f"{name}, seed {found[0].cell.seed}", found[0])


def content(preset, results):
    rows, drawn = [], []
    for task in preset.tasks:
        for method in preset.chosen(methods.SPION):
            name = methods.title(method)
            all_seeds = [results(cell) for cell in preset.trainings_of(task, method)]
            found = [result for result in all_seeds
                     if result.state == State.DONE and result.has("run/patterns.json")]
            for result in found:
                rows += _rows(result)
            if found:
                drawn += _drawn(f"{task}, {name}", found)
            else:
                rows.append([task, name, gather.without_numbers(all_seeds) or "no sparse phase",
                             *["-"] * 6])
    grid = Grid("captures", "Captures", ["task", "method", "seed", "layer", "distances", "changes, %",
                                         "sparse from step", "kept blocks", "pruned zeros' share, %"],
                rows)
    return [grid, *(drawn or [Note("No capture yet.")])]

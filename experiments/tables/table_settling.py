"""How the attention maps settled: their change from capture to capture, layer by layer."""

import charts
import gather
import methods
import table_patterns
from page import Grid, Note, Page, Picture, significant
from result import State

TITLE = "Settling"
ABOUT = ("How the dense phase ends: at each capture a layer's attention map, averaged over batch and "
         "heads, is compared with that of the capture before. The distance is the Frobenius norm of "
         "their difference; the change is that of the distance, in percent of the one before. The "
         "sparse phase begins when no layer's change reaches the limit (dashed). Below stand the "
         "maps at that step and the patterns made of them, of one seed.")


def cells(preset):
    return [preset.training(task, name, seed) for task in preset.tasks
            for name in preset.chosen(methods.SPION) for seed in preset.seeds]


def _captures(result):
    return [metric for metric in result.json_lines("run/metrics.jsonl")
            if metric["kind"] == "capture"]


def _points(captures, field, layer):
    """(step, value) of the captures that have this field; None of a change from a distance of 0."""
    return [(capture["step"], capture[field][layer]) for capture in captures if capture[field]]


def _told(points, digits):
    return " → ".join(significant(value, digits).text for _, value in points) or "-"


def _rows(result):
    """One a layer."""
    summary, captures = result.json("run/summary.json"), _captures(result)
    how = "settled" if captures and captures[-1]["settled"] else "limit of steps"
    for layer, kept in enumerate(summary["kept_blocks"]):
        yield [result.cell.task, methods.title(result.cell.method), str(result.cell.seed),
               str(layer), _told(_points(captures, "distance", layer), 3),
               _told(_points(captures, "change_percent", layer), 2),
               f"{summary['transition_step']} ({how})", str(kept)]


def _panels(found, field):
    """{layer: {seed: points}}."""
    captures = {f"seed {result.cell.seed}": _captures(result) for result in found}
    layers = len(found[0].json("run/summary.json")["kept_blocks"])
    return {f"layer {layer}": {seed: _points(of_seed, field, layer)
                               for seed, of_seed in captures.items()} for layer in range(layers)}


def _drawn(name, found):
    limit = found[0].json("run/manifest.json")["hyper_parameters"].get("transition_limit_percent")
    for title, y_label, field, line in (
            ("distance between neighbouring captures", "distance", "distance", None),
            ("change of the distance", "change, %", "change_percent", limit)):
        panels = _panels(found, field)
        if any(points for series in panels.values() for points in series.values()):
            yield Picture(f"{name}: {title}", charts.panels(panels, "step", y_label, line))
    yield from table_patterns.pictures_of(f"{name}, seed {found[0].cell.seed}", found[0])


def page(preset, results):
    rows, drawn = [], []
    for task in preset.tasks:
        for method in preset.chosen(methods.SPION):
            name = methods.title(method)
            all_seeds = [results(preset.training(task, method, seed)) for seed in preset.seeds]
            found = [result for result in all_seeds
                     if result.state == State.DONE and result.has("run/patterns.json")]
            for result in found:
                rows += _rows(result)
            if found:
                drawn += _drawn(f"{task}, {name}", found)
            else:
                rows.append([task, name, gather.without_numbers(all_seeds) or "no sparse phase",
                             *["-"] * 5])
    grid = Grid("captures", "Captures", ["task", "method", "seed", "layer", "distances", "changes, %",
                                         "sparse from step", "kept blocks"], rows)
    return Page("settling", TITLE, ABOUT, [grid, *(drawn or [Note("No capture yet.")])],
                [results(cell) for cell in cells(preset)])

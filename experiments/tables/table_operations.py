"""Operations of attention, counted along the patterns that training made."""

import gather
import methods
import operations_count
from page import Entry, Grid, significant

TITLE = "Operations"
ABOUT = ("Operations of one head of one layer on one example, forward: counted row by row along "
         "the pattern, and by the formulas, dense 2L²(2D+1) - L(D+1) and sparse 2C(2D+1) - L(D+1), "
         "where C is the number of kept entries and D the size of a head.")
_COLUMNS = ["task", "method", "layer", "L", "D", "C", "counted", "formula", "dense",
            "dense / sparse"]


def cells(preset):
    return [preset.training(task, name) for task in preset.tasks
            for name in preset.chosen(methods.SPION)]


def _layer_row(result, manifest, number, layer):
    length = manifest["model"]["sequence_length"]
    head_dim = manifest["model"]["width"] // manifest["model"]["heads"]
    kept = layer["kept_blocks"] * layer["block_size"] ** 2
    counted = operations_count.counted(layer["columns_of_row"], layer["block_size"], head_dim)
    dense = operations_count.dense_formula(length, head_dim)
    return [result.cell.task, methods.title(result.cell.method), str(number), str(length),
            str(head_dim), str(kept), str(counted),
            str(operations_count.sparse_formula(kept, length, head_dim)), str(dense),
            significant(dense / counted)]


def content(preset, results):
    rows = []
    for cell in cells(preset):
        result = results(cell)
        missing = gather.without_numbers([result])
        if missing or not result.has("run/patterns.json"):
            rows.append([cell.task, methods.title(cell.method), missing or
                         Entry("no sparse phase"), *[Entry("-")] * (len(_COLUMNS) - 3)])
            continue
        manifest = result.json("run/manifest.json")
        rows += [_layer_row(result, manifest, number, layer)
                 for number, layer in enumerate(result.json("run/patterns.json")["layers"])]
    return [Grid("counted", "One layer, one head, one example", _COLUMNS, rows)]

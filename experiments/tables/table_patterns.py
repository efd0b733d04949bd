"""The pattern of every layer as a picture, with the attention map that it was made from."""

import gather
import methods
import pictures
from page import Grid, Note, Picture

TITLE = "Patterns"
ABOUT = ("For each layer the attention map at the transition, averaged over batch, heads and "
         "blocks (the highest black, the lowest white), and beside it the blocks that the sparse "
         "phase keeps, in black. Rows are queries, columns are keys.")


def cells(preset):
    return [preset.training(task, name) for task in preset.tasks
            for name in preset.chosen(methods.SPION)]


def pictures_of(name, result):
    """A picture of each layer's map and pattern, of a cell that is done and has a sparse phase."""
    maps = result.json("run/attention_maps.json")["layers"]
    drawn = []
    for number, layer in enumerate(result.json("run/patterns.json")["layers"]):
        total, means = layer["blocks_per_side"] ** 2, maps[number]["mean_of_block"]
        drawn.append(Picture(
            f"{name}, layer {number}",
            pictures.attention_map(means) + pictures.pattern(layer["columns_of_row"]),
            f"map: {min(map(min, means)):.2e} to {max(map(max, means)):.2e}, uniform would be "
            f"{1 / len(means) / layer['block_size']:.2e}; pattern: {layer['kept_blocks']} of "
            f"{total} blocks of {layer['block_size']} x {layer['block_size']}"))
    return drawn


def content(preset, results):
    rows, drawn = [], []
    for cell in cells(preset):
        result = results(cell)
        missing = gather.without_numbers([result])
        if missing or not result.has("run/patterns.json"):
            rows.append([cell.task, methods.title(cell.method), missing or "no sparse phase",
                         "-", "-", "-"])
            continue
        for number, layer in enumerate(result.json("run/patterns.json")["layers"]):
            total = layer["blocks_per_side"] ** 2
            rows.append([cell.task, methods.title(cell.method), str(number),
                         str(layer["kept_blocks"]), str(total),
                         f"{100 * layer['kept_blocks'] / total:.1f}"])
        drawn += pictures_of(f"{cell.task}, {methods.title(cell.method)}", result)
    return [Grid("kept", "Kept blocks", ["task", "method", "layer", "kept", "of", "%"], rows),
            *(drawn or [Note("No pattern yet.")])]

"""TensorBoard's events of a run, from the lines and files that the run wrote."""

import io
import json
import math

import numpy
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from run_error import RunError

# What is shown of a line of each kind, as <kind>/<name>; of a list <kind>/<name>/layer_<index>.
_SCALARS = {
    "train": ("loss", "accuracy", "learning_rate", "step_ms"),
    "dev": ("loss", "accuracy"),
    "capture": ("distance", "change_percent"),
    "transition": ("kept_blocks", "pattern_search_ms"),
}
# Files that the transition leaves, after its line.
TRANSITION_FILES = ("attention_maps.json", "patterns.json")
_MOST = 2**63 - 1  # of whole numbers
# A block is as many pixels as fit into this, at least one.
_PICTURE_SIDE = 512


def parse_metric(line, place):
    """A line of metrics.jsonl as a dict; RunError begins with `place`."""
    try:
        metric = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{place}: not JSON: {error}") from None
    kind = metric.get("kind") if isinstance(metric, dict) else None
    if not isinstance(kind, str) or kind not in _SCALARS:
        raise RunError(f'{place}: no metric: a "kind" of {", ".join(_SCALARS)} was expected')
    missing = [name for name in ("step", *_SCALARS[kind]) if name not in metric]
    if missing:
        raise RunError(f'{place}: a {kind} metric without {", ".join(missing)}')
    for name in ("step", "time_ms"):
        value = metric.get(name, 0)
        if not isinstance(value, int) or abs(value) > _MOST:
            raise RunError(f"{place}: {name} {json.dumps(value)}, no whole number of 64 bits")
    return metric


def _number(value, place):
    # JSON has no infinity: a change from a distance of zero is written as null.
    if value is None:
        return math.inf
    if isinstance(value, float) or isinstance(value, int) and abs(value) <= _MOST:
        return float(value)
    raise RunError(f"{place}: {json.dumps(value)} where a number was expected")


def _scalars(metric, place):
    kind = metric["kind"]
    for name in _SCALARS[kind]:
        value = metric[name]
        if isinstance(value, list):
            for layer, one in enumerate(value):
                yield f"{kind}/{name}/layer_{layer}", _number(one, place)
        elif value is not None:  # a step_ms that was not measured
            yield f"{kind}/{name}", _number(value, place)


def _pattern_pixels(layer):
    """Kept blocks black, pruned ones white."""
    rows = layer["columns_of_row"]
    pixels = numpy.full((len(rows), len(rows)), 255, numpy.uint8)
    for row, columns in enumerate(rows):
        pixels[row, columns] = 0
    return pixels


def _map_pixels(layer):
    """The highest mean of a block black, the lowest white."""
    means = numpy.array(layer["mean_of_block"], float)
    lowest, highest = means.min(), means.max()
    share = (means - lowest) / (highest - lowest if highest > lowest else 1)
    return (255 - numpy.rint(255 * share)).astype(numpy.uint8)


def _image(pixels):
    scale = max(1, _PICTURE_SIDE // len(pixels))
    picture = Image.fromarray(numpy.kron(pixels, numpy.ones((scale, scale), numpy.uint8)))
    png = io.BytesIO()
    picture.save(png, "PNG")
    return Summary.Image(height=picture.height, width=picture.width, colorspace=1,
                         encoded_image_string=png.getvalue())


def _images(folder, name, tag, pixels):
    path = folder / name
    try:
        layers = json.loads(path.read_text(encoding="utf-8"))["layers"]
        return [Summary.Value(tag=f"{tag}/layer_{index}", image=_image(pixels(layer)))
                for index, layer in enumerate(layers)]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise RunError(f"{path}: not what a run writes: {error!r}") from None


def event(metric, place, wall_time, folder):
    """The event of a metric; at the transition with the pictures from `folder`.

    Its time is the metric's, or `wall_time` (seconds) for lines of versions that wrote none.
    """
    values = [Summary.Value(tag=tag, simple_value=value) for tag, value in _scalars(metric, place)]
    if metric["kind"] == "transition":
        values += _images(folder, "patterns.json", "pattern", _pattern_pixels)
        values += _images(folder, "attention_maps.json", "attention_map", _map_pixels)
    seconds = metric["time_ms"] / 1e3 if "time_ms" in metric else wall_time
    return Event(wall_time=seconds, step=metric["step"], summary=Summary(value=values))

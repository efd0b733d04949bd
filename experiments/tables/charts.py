"""Bars and curves as SVG, drawn by matplotlib in the colours of the page, light or dark.

    svg = charts.bars(["cf", "sdpa"], {"step, ms": [2.0, 5.0]}, "ms")
    svg = charts.curves({"cf": [(1, 2.0), (2, 3.0)]}, "step", "loss")

The same numbers give the same text. A number that is None is not drawn. matplotlib is
looked for when something is drawn, and where there is none that is a ChartsError: machines that only
run cells need none.
"""

import contextlib
import io
import re
import sys
import zlib

# Colours that stand in for the page's own, which are known in the browser only (write_html.py).
_INK = "#010203"
_SERIES = ["#0a0b0%d" % number for number in range(6)]
_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "spion", "font.family": "sans-serif",
          "font.size": 10, "text.color": _INK, "axes.edgecolor": _INK, "axes.labelcolor": _INK,
          "xtick.color": _INK, "ytick.color": _INK, "axes.spines.top": False,
          "axes.spines.right": False, "legend.frameon": False}
_MARKERS = "os^Dvx"
_WIDTH = 5.2  # inches, at which texts can still be read on a telephone


class ChartsError(Exception):
    """Its text is for the user: one line."""


class _Drawing:
    """A figure under way; `svg` once it is left. `axes`: of its one part, or rows of them."""

    def __init__(self, pyplot, width, height, **parts):
        self._pyplot = pyplot
        self.figure, self.axes = pyplot.subplots(figsize=(width, height), **parts)
        self.svg = None

    def close(self):
        buffer = io.StringIO()
        self.figure.savefig(buffer, format="svg", transparent=True, bbox_inches="tight",
                            metadata={"Date": None})
        self._pyplot.close(self.figure)
        self.svg = _in_a_page(buffer.getvalue())


@contextlib.contextmanager
def _drawing(width, height, **parts):
    """A _Drawing of that many inches, in our style; `parts` as of pyplot.subplots."""
    try:
        import matplotlib  # pylint: disable=import-outside-toplevel
    except ModuleNotFoundError:
        raise ChartsError(f"{sys.executable} has no package matplotlib, which draws the pages' charts: "
                          "pip install matplotlib, or take --cells_only here and --report_only on a "
                          "machine that has it") from None
    matplotlib.use("svg")
    from matplotlib import pyplot  # pylint: disable=import-outside-toplevel
    with matplotlib.rc_context({**_STYLE, "axes.prop_cycle": matplotlib.cycler(color=_SERIES)}):
        drawing = _Drawing(pyplot, width, height, **parts)
        yield drawing
        drawing.close()


def _in_a_page(text):
    """matplotlib's file as a part of a page."""
    text = text[text.index("<svg"):].replace("<svg", '<svg class="chart"', 1)
    text = text.replace(_INK, "currentColor")
    for number, colour in enumerate(_SERIES):
        text = text.replace(colour, f"var(--s{number})")
    # Several pictures on a page must not share names.
    own = f"p{zlib.crc32(text.encode()):08x}-"
    return re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\1{own}", text)


def _legend_above(axes, columns):
    """Where it hides nothing."""
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=columns, borderaxespad=0.0,
                columnspacing=1.2, handlelength=1.4)


def _few_ticks(axes):
    """So few that long numbers do not run into each other."""
    axes.locator_params(axis="x", nbins=6)


def bars(labels, series, unit):
    """Horizontal bars: for each label one of each series, {name: values in the order of labels}."""
    height = 0.8 / len(series)
    with _drawing(_WIDTH, 0.9 + 0.11 * len(labels) * (1 + len(series))) as drawing:
        axes = drawing.axes
        for number, (name, values) in enumerate(series.items()):
            drawn = [(place, value) for place, value in enumerate(values) if value is not None]
            axes.barh([place + (number - (len(series) - 1) / 2) * height for place, _ in drawn],
                      [value for _, value in drawn], height=height, label=name)
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.set_xlabel(unit)
        _few_ticks(axes)
        if len(series) > 1:
            _legend_above(axes, len(series))
    return drawing.svg


def stacked(labels, parts, unit):
    """One bar a label, made of parts: {name: values in the order of labels}."""
    hatches = ("", "////", "....", "xxxx")
    with _drawing(_WIDTH, 1.2 + 0.35 * len(labels)) as drawing:
        axes = drawing.axes
        begin = [0.0] * len(labels)
        for number, (name, values) in enumerate(parts.items()):
            axes.barh(range(len(labels)), values, left=begin, label=name,
                      color=_SERIES[number % len(_SERIES)],
                      hatch=hatches[number // len(_SERIES)], edgecolor=_INK, linewidth=0.3)
            begin = [start + value for start, value in zip(begin, values)]
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.set_xlabel(unit)
        _few_ticks(axes)
        _legend_above(axes, 4)
    return drawing.svg


def _lines(axes, series):
    for number, (name, points) in enumerate(series.items()):
        drawn = [(x, y) for x, y in points if x is not None and y is not None]
        axes.plot([x for x, _ in drawn], [y for _, y in drawn], label=name, markersize=4,
                  marker=_MARKERS[number % len(_MARKERS)])


def curves(series, x_label, y_label, logarithmic=False):
    """Lines through (x, y) points: {name: points}."""
    with _drawing(_WIDTH, 3.2) as drawing:
        axes = drawing.axes
        _lines(axes, series)
        if logarithmic:
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        if len(series) > 1:
            _legend_above(axes, 3)
    return drawing.svg


def panels(parts, x_label, y_label, limit, logarithmic):
    """Small multiples of curves side by side, {title: {name: points}}, on the same axes. `limit`: a
    dashed line at this height; None: none. `logarithmic`: the upward axis is."""
    with _drawing(_WIDTH, 2.6, ncols=len(parts), sharex=True, sharey=True, squeeze=False,
                  layout="constrained") as drawing:
        [row] = drawing.axes
        for axes, (title, series) in zip(row, parts.items()):
            _lines(axes, series)
            if limit is not None:
                axes.axhline(limit, color=_INK, linewidth=0.8, linestyle="--")
            if logarithmic:
                axes.set_yscale("log")
            axes.set_title(title, fontsize=10)
            axes.locator_params(axis="x", nbins=max(2, 6 // len(parts)))
        row[0].set_ylabel(y_label)
        drawing.figure.supxlabel(x_label, fontsize=10)
        names = row[0].get_legend_handles_labels()
        if len(names[0]) > 1:
            drawing.figure.legend(*names, loc="outside upper center", ncols=5, columnspacing=1.2,
                                  handlelength=1.4)
    return drawing.svg

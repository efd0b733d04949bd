"""Time and memory of one attention layer against the length."""

import dataclasses
import re

import charts
import gather
from cells import BENCHMARK, Cell
from page import FAILED, Entry, Grid, Picture, significant
from result import State
from results import read_results

TITLE = "Scaling"
ABOUT = ("Forward and backward of one attention layer against the length L, SPION's kernels beside "
         "dense attention. On a GPU 131,072 tokens in all and 8 kept blocks of 64 a row; on a CPU "
         "4 examples and as many blocks as SPION-C keeps.")
_NAME = re.compile(r"(?P<implementation>[^/]+)/[^/]+/(?P<dtype>[^/]+)/"
                   r"L(?P<length>\d+)_[^/]*/fwdbwd$")
_FLAGS = {"quick": (("benchmark_filter", "/L[0-9].*/fwdbwd$"), ("benchmark_repetitions", "3"),
                    ("benchmark_min_time", "0.01")),
          "paper": (("benchmark_filter", "/L[0-9].*/fwdbwd$"),)}


def _cell(preset):
    return Cell("attention", "all", preset.seeds[0], _FLAGS[preset.of_program], kind=BENCHMARK)


def cells(preset):
    return [_cell(preset)]


@dataclasses.dataclass(frozen=True)
class Point:
    """One implementation at one length."""

    implementation: str
    dtype: str
    length: int
    ms: float = None
    peak_mib: float = None
    error: str = ""


def points(benchmarks):
    """By implementation and dtype, then length; of Results.benchmarks."""
    found = []
    for name, benchmark in benchmarks.items():
        match = _NAME.match(name)
        if not match:
            continue
        key = (match["implementation"], match["dtype"], int(match["length"]))
        if benchmark.error:
            found.append(Point(*key, error=benchmark.error))
            continue
        peak = benchmark.counters.get("peak_bytes")
        found.append(Point(*key, ms=1e3 * benchmark.median,
                           peak_mib=None if peak is None else peak / 2**20))
    return sorted(found, key=lambda point: (point.implementation, point.dtype, point.length))


def _row(point):
    time = Entry(f"failed: {point.error}", FAILED) if point.error else significant(point.ms)
    return [point.implementation, point.dtype, str(point.length), time,
            significant(point.peak_mib)]


def _curves(found, field):
    series = {}
    for point in found:
        series.setdefault(f"{point.implementation}, {point.dtype}", []).append(
            (point.length, getattr(point, field)))
    return {name: line for name, line in series.items() if any(y is not None for _, y in line)}


def content(preset, results):
    result = results(_cell(preset))
    pictures = []
    if result.state == State.DONE:
        found = points(read_results(result.folder / "benchmark.json").benchmarks)
        rows = [_row(point) for point in found]
        for field, unit, title in (("ms", "ms", "Time"), ("peak_mib", "MiB", "Peak memory")):
            lines = _curves(found, field)
            if lines:
                pictures.append(Picture(f"{title} against the length",
                                        charts.curves(lines, "L", unit, logarithmic=True)))
    else:
        rows = [[gather.without_numbers([result]), *["-"] * 4]]
    return [Grid("length", "Forward and backward",
                 ["implementation", "dtype", "L", "time, ms", "peak memory, MiB"], rows,
                 "Medians; each result is checked against the double oracle first. Memory is "
                 "measured on a GPU only."), *pictures]

"""Time and memory of one attention layer against the length."""

import re

import gather
from cells import BENCHMARK, Cell, State
from page import Entry, Grid, Page, significant

TITLE = "Scaling"
ABOUT = ("Forward and backward of one attention layer against the length L, SPION's kernels beside "
         "dense attention. On a GPU 131,072 tokens in all and 8 kept blocks of 64 a row; on a CPU "
         "4 examples and as many blocks as SPION-C keeps.")
_NAME = re.compile(r"(?P<implementation>[^/]+)/[^/]+/(?P<dtype>[^/]+)/L(?P<length>\d+)_[^/]*/fwdbwd$")
_FLAGS = {"quick": (("benchmark_filter", "/L[0-9].*/fwdbwd$"), ("benchmark_repetitions", "3"),
                    ("benchmark_min_time", "0.01")),
          "paper": (("benchmark_filter", "/L[0-9].*/fwdbwd$"),)}


def _cell(preset):
    return Cell("attention", "all", preset.seeds[0], _FLAGS[preset.name], kind=BENCHMARK)


def cells(preset):
    return [_cell(preset)]


def _median(runs):
    times = sorted(run["real_time"] for run in runs)
    return times[len(times) // 2]


def rows(benchmarks):
    """By implementation and dtype, then length; from Google Benchmark's repetitions."""
    runs = {}
    for run in benchmarks:
        match = _NAME.match(run["run_name"])
        if match and run["run_type"] == "iteration":
            key = (match["implementation"], match["dtype"], int(match["length"]))
            runs.setdefault(key, []).append(run)
    for key in sorted(runs):
        first = runs[key][0]
        if first.get("error_occurred"):
            yield [*map(str, key), Entry("failed: " + first["error_message"], "failed"), "-"]
            continue
        scale = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}[first["time_unit"]]
        peak = first.get("peak_bytes")
        yield [*map(str, key), significant(_median(runs[key]) * scale),
               significant(peak / 2**20) if peak is not None else Entry("-")]


def page(preset, results):
    result = results(_cell(preset))
    if result.state == State.DONE:
        found = list(rows(result.json("benchmark.json")["benchmarks"]))
    else:
        found = [[gather.without_numbers([result]), *["-"] * 4]]
    blocks = [Grid("length", "Forward and backward",
                   ["implementation", "dtype", "L", "ms", "peak memory, MiB"], found,
                   "Medians; each result is checked against the double oracle first. Memory is "
                   "measured on a GPU only.")]
    return Page("scaling", TITLE, ABOUT, blocks, [result])

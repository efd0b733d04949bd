"""Reads the JSON that the benchmark programs write with --benchmark_out=FILE.

    results = read_results("before.json")
    results.benchmarks["spion/cuda/bf16/image/fwd"].seconds     # one a repetition

benchmarks/peers writes the same form.
"""

import dataclasses
import json
import statistics
import sys

_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


class BadInput(Exception):
    """A file that cannot be read as results; the message names the file and says what is wrong."""


@dataclasses.dataclass
class Benchmark:
    # One a repetition, finite and above 0; empty on an error.
    seconds: list = dataclasses.field(default_factory=list)
    counters: dict = dataclasses.field(default_factory=dict)  # of the last repetition
    error: str = ""

    @property
    def median(self):
        return statistics.median(self.seconds)


@dataclasses.dataclass
class Results:
    path: str
    context: dict
    benchmarks: dict  # name -> Benchmark, in the file's order


# What Google Benchmark writes beside the counters.
_FIELDS = {
    "name", "run_name", "run_type", "repetitions", "repetition_index", "threads", "iterations",
    "real_time", "cpu_time", "time_unit", "family_index", "per_family_instance_index",
    "error_occurred", "error_message", "label"
}


def read_results(path):
    """Raises BadInput if the file is missing, is no results file, has no repetitions, or has a time
    that is no finite number above 0."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"{path} is not JSON: {error}") from error

    if not isinstance(content, dict) or not isinstance(content.get("benchmarks"), list):
        raise BadInput(f'{path} has no list "benchmarks"; write it with --benchmark_out=FILE')
    results = Results(path, content.get("context", {}), {})
    for number, run in enumerate(content["benchmarks"]):
        try:
            _add(results, run)
        except (KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"{path}: benchmark number {number} lacks or misuses {error}") from error
    if content["benchmarks"] and not results.benchmarks:
        raise BadInput(f"{path} has aggregates only; write it with --benchmark_out=FILE and without "
                       "--benchmark_report_aggregates_only")
    return results


def _seconds(path, run):
    time, unit = run["real_time"], run["time_unit"]
    is_number = isinstance(time, (int, float)) and not isinstance(time, bool)
    if not is_number or not 0 < time <= sys.float_info.max:  # NaN is not
        raise BadInput(f"{path}: {run['run_name']}: real_time is {json.dumps(time)}; expected a "
                       "finite number above 0")
    if unit not in _SECONDS:
        raise BadInput(f"{path}: {run['run_name']}: time_unit is {json.dumps(unit)}; expected one "
                       f"of {', '.join(_SECONDS)}")
    return time * _SECONDS[unit]


def _add(results, run):
    if run["run_type"] != "iteration":
        return
    benchmark = results.benchmarks.setdefault(run["run_name"], Benchmark())
    if run.get("error_occurred"):
        benchmark.error = run["error_message"]
        return
    benchmark.seconds.append(_seconds(results.path, run))
    benchmark.counters = {key: value for key, value in run.items() if key not in _FIELDS}

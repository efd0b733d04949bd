"""Runs the cells that are missing, one after the other, and says beforehand how long it takes.

All of them on their origins (ask.py).
"""

import datetime
import subprocess
import time

import child
import estimate
from cells import BENCHMARK, INFERENCE, TRAIN
from programs import error_of
from result import State

_LOG = "log.txt"
_INTERRUPTED = 130  # the experiment program's exit code
_NOT_STARTED = 127  # as a shell says


class Interrupted(Exception):
    """Ctrl-C: the cell under way is dropped, the others stay."""


def command(cell, folder, store, programs, machine):
    """The command line that makes a cell in `folder`."""
    if cell.kind == BENCHMARK:
        return [*programs.sparse_attention, f"--device={machine.device}",
                f"--benchmark_out={folder}/benchmark.json",
                *(f"--{name}={value}" for name, value in cell.settings)]
    line = [*programs.lra, f"--task={cell.task}", f"--method={cell.method}",
            f"--seed={cell.seed}", f"--device={machine.device}", f"--out_dir={folder}/run"]
    if machine.data_dir:
        line.append(f"--data_dir={machine.data_dir}")
    line += [f"--{name}={value}" for name, value in cell.settings]
    if cell.kind == INFERENCE:
        line += ["--mode=eval", f"--checkpoint={checkpoint(store.result(cell.trains).folder)}"]
    if cell.trace_steps:
        line += [f"--trace={folder}/trace.json", f"--trace_steps={cell.trace_steps}"]
    return line


def checkpoint(folder):
    """Of a training cell's folder, the one that its test took: the sparse phase's best where there
    was one."""
    sparse = folder / "run/best_sparse.safetensors"
    return sparse if sparse.exists() else folder / "run/best_dense.safetensors"


def _keep_one_checkpoint(folder):
    """Hundreds of cells would fill a disk with the others."""
    kept = checkpoint(folder)
    for path in (folder / "run").glob("*.safetensors"):
        if path != kept:
            path.unlink()


def driver():
    """The NVIDIA driver's version, or what there is instead."""
    try:
        result = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
            capture_output=True, text=True, check=True, timeout=60)
        return result.stdout.splitlines()[0].strip()
    except (OSError, subprocess.SubprocessError, IndexError):
        return "none"


def _run(line, log):
    """The program's exit code; what it says goes to the file `log`."""
    with log.open("w") as file:
        try:
            process = child.start(line, stdout=file, stderr=subprocess.STDOUT)
        except OSError as error:
            file.write(f"error: {line[0]}: {error.strerror}\n")
            return _NOT_STARTED
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise Interrupted from None


def run_cell(cell, store, programs, machine, driver_version):
    """Makes one cell; returns its result."""
    if cell.trains and store.result(cell.trains).state != State.DONE:
        with store.work_on(cell) as work:
            work.fail(f"its training {cell.trains.id} is not there", {})
        return store.result(cell)
    with store.work_on(cell) as work:
        line = command(cell, work.folder, store, programs, machine)
        start = time.monotonic()
        returncode = _run(line, work.folder / _LOG)
        if returncode == _INTERRUPTED:
            raise Interrupted
        info = {"command": [part.replace(str(work.folder), "CELL") for part in line],
                "seconds": round(time.monotonic() - start, 3),
                "finished": datetime.datetime.now(datetime.timezone.utc).isoformat(
                    timespec="seconds"),
                "driver": driver_version}
        if returncode == 0:
            if cell.kind == TRAIN:
                _keep_one_checkpoint(work.folder)
            work.finish(info)
        else:
            work.fail(error_of((work.folder / _LOG).read_text(errors="replace"), returncode), info)
    return store.result(cell)


def results_of(cells, store):
    """{cell: Result}"""
    return {cell: store.result(cell) for cell in cells}


def say_plan(results, say, retry_failed=False):
    """Says how many of these cells are there, and how long the others will take; returns those:
    without a result, or failed if they are to be tried again."""
    to_run = {State.MISSING, State.FAILED} if retry_failed else {State.MISSING}
    missing = [cell for cell, result in results.items() if result.state in to_run]
    say(f"{len(results)} cells: {len(results) - len(missing)} there, {len(missing)} to run"
        + (f", {estimate.text(missing, results.values())}" if missing else ""))
    return missing


def run_missing(cells, store, programs, machine, say, retry_failed=False):
    """Runs them; returns how many of all cells have failed. Raises Interrupted after Ctrl-C."""
    results = results_of(cells, store)
    missing = say_plan(results, say, retry_failed)
    driver_version = driver() if missing else ""
    for number, cell in enumerate(missing, 1):
        results[cell] = result = run_cell(cell, store, programs, machine, driver_version)
        came_to = (f"{result.info['seconds']:.1f} s" if result.state == State.DONE
                   else f"FAILED: {result.error.splitlines()[0]}")
        left = estimate.seconds(missing[number:], results.values())
        say(f"[{number}/{len(missing)}] {cell.id}: {came_to}"
            + (f"; about {estimate.duration(left)} left" if number < len(missing) else ""))
    return sum(result.state == State.FAILED for result in results.values())

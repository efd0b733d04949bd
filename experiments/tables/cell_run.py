"""The run of one cell: its program, and what becomes of it.

    run = CellRun(cell, store, programs, machine, driver_version)
    while not run.has_ended: ...
    result = run.close()     # None: it was stopped, and goes on or starts again another time
"""

import contextlib
import json
import signal
import subprocess
import time

import child
import durable
import launch_ranks
import signals
import unfinished
from cells import BENCHMARK, INFERENCE, TRAIN
from origin import CPU
from programs import error_of
from result import State

LOG = "log.txt"
_TRACE = "trace.json"
# The experiment program's exit code; and what a signal that asks for an end comes to before the
# program, or launch_ranks.py, heeds it.
_INTERRUPTED = {130, *(-number for number in signals.STOP), *(128 + number for number in signals.STOP)}
_NOT_STARTED = 127  # as a shell says
# The experiment program saves its state then; others end.
_STOP = signal.SIGUSR1


def command(cell, folder, store, programs, machine, goes_on=False):
    """The command line that makes a cell in `folder`, or goes on with it there."""
    if cell.kind == BENCHMARK:
        return [*programs.sparse_attention, f"--device={machine.device}",
                f"--benchmark_out={folder}/benchmark.json",
                *(f"--{name}={value}" for name, value in cell.settings)]
    ranks = machine.gpus_per_cell if cell.kind == TRAIN else 1
    line = [*launch_ranks.command(ranks), *programs.lra, f"--task={cell.task}",
            f"--method={cell.method}", f"--seed={cell.seed}", f"--device={machine.device}",
            f"--out_dir={folder}/run"]
    data_dir = machine.data_dir_of(cell.task)
    if data_dir:
        line.append(f"--data_dir={data_dir}")
    line += [f"--{name}={value}" for name, value in cell.settings]
    if goes_on:
        line.append("--resume")
    if cell.kind == INFERENCE:
        line += ["--mode=eval", f"--checkpoint={checkpoint(store.result(cell.trains).folder)}"]
    if cell.trace_steps:
        line += [f"--trace={folder}/{_TRACE}", f"--trace_steps={cell.trace_steps}"]
    return line


def checkpoint(folder):
    """Of a training cell's folder, the one that its test took: the sparse phase's best where there
    was one."""
    names = [folder / f"run/{name}.safetensors" for name in ("best_sparse", "best", "best_dense")]
    return next((path for path in names if path.exists()), names[-1])


def _keep_one_checkpoint(folder):
    """Hundreds of cells would fill a disk with the others."""
    kept = checkpoint(folder)
    for path in (folder / "run").glob("*.safetensors"):
        if path != kept:
            path.unlink()


def _obstacle(cell, store):
    """Why the cell cannot be run; "" if it can."""
    if not cell.trains:
        return ""
    training = store.result(cell.trains)
    if training.state != State.DONE:
        return f"its training {cell.trains.id} is not there"
    if not checkpoint(training.folder).exists():
        return f"the checkpoint of its training {cell.trains.id} is not there"
    return ""


def _threads_of(folder):
    """What a run on a CPU must have again: another number of threads adds up otherwise, and is
    refused."""
    try:
        manifest = json.loads((folder / "run/manifest.json").read_text(encoding="utf-8"))
        return {"OMP_NUM_THREADS": str(manifest["threads"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # The program says what is wrong.


class CellRun:
    """`driver_version` goes into cell.json."""

    def __init__(self, cell, store, programs, machine, driver_version):
        self.cell = cell
        self._store = store
        self._driver_version = driver_version
        self._process = None
        self._is_stopped = False
        self._start = time.monotonic()
        self._stack = contextlib.ExitStack()
        self._work = self._stack.enter_context(store.work_on(cell))
        with contextlib.ExitStack() as on_error:
            on_error.push(self._stack)
            self._begin(programs, machine)
            on_error.pop_all()

    def _begin(self, programs, machine):
        obstacle = _obstacle(self.cell, self._store)
        if obstacle:
            self._work.fail(obstacle, {})
            return
        folder, goes_on = self._work.folder, self._work.parts is not None
        if self.cell.can_go_on:
            unfinished.begin(folder, self.cell, self._work.parts or [], self._driver_version)
        self._line = command(self.cell, folder, self._store, programs, machine, goes_on)
        variables = machine.environment
        if goes_on and self.cell.origin.device == CPU:
            variables.update(_threads_of(folder))
        with (folder / LOG).open("a") as log:
            try:
                self._process = child.start(self._line, stdout=log, stderr=subprocess.STDOUT,
                                            env=variables, pass_fds=(self._work.lock,))
            except OSError as error:
                log.write(f"error: {self._line[0]}: {error.strerror}\n")

    @property
    def has_ended(self):
        return self._process is None or self._process.poll() is not None

    def stop(self):
        """As soon as it can, with its state saved."""
        self._send(_STOP)

    def kill(self):
        """At once: what it did since it saved a state is done again."""
        self._send(signal.SIGKILL)

    def _send(self, number):
        self._is_stopped = True
        if not self.has_ended:
            self._process.send_signal(number)

    def close(self):
        """After its end: the cell's result, or None if it was stopped."""
        with self._stack:
            if not self._work.ended:
                self._end(self._process.wait() if self._process else _NOT_STARTED)
            if not self._work.ended:
                return None
        return self._store.result(self.cell)

    def _end(self, returncode):
        """Gives the work its end, unless it was stopped."""
        if returncode in _INTERRUPTED or (returncode < 0 and self._is_stopped):
            return
        folder = self._work.folder
        info = {"command": [part.replace(str(folder), "CELL") for part in self._line],
                "seconds": round(time.monotonic() - self._start, 3),
                "finished": unfinished.utc(time.time()),
                "driver": self._driver_version}
        if returncode == 0 and self.cell.trace_steps and not (folder / _TRACE).exists():
            self._work.fail(f"error: {_TRACE} was not written; {LOG} says why", info)
        elif returncode == 0:
            if self.cell.kind == TRAIN:
                _keep_one_checkpoint(folder)
            self._work.finish(info)
        else:
            with durable.naming(folder / LOG):
                log = (folder / LOG).read_text(errors="replace")
            self._work.fail(error_of(log, returncode), info)

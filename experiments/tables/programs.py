"""How the experiment and the benchmark program are started, and what they say when they fail."""

import dataclasses
import os
import signal

import launch_ranks

_RUN = "run"  # what starts a bundle's programs
_ERROR_LINES = 12  # of the log, when the program names no error


@dataclasses.dataclass(frozen=True)
class Programs:
    """The beginnings of their command lines."""

    lra: tuple
    sparse_attention: tuple

    @classmethod
    def of_workspace(cls, root):
        """As Bazel built them, below `root`."""
        return cls((f"{root}/experiments/lra",), (f"{root}/benchmarks/sparse_attention",))

    @classmethod
    def of_bundle(cls, folder):
        """In a folder that //tools:bundle made."""
        run = f"{folder}/{_RUN}"
        return cls((run, "lra"), (run, "sparse_attention"))


def without_bundle(folder):
    """What is wrong with a folder that //tools:bundle did not make; "" with others."""
    if os.path.isfile(f"{folder}/{_RUN}"):
        return ""
    return (f"{folder} is no bundle: it has no program {_RUN}; make one with `bazel run "
            "//tools:bundle -- --out=DIR`")


@dataclasses.dataclass(frozen=True)
class Machine:
    """What every run gets besides its cell's settings."""

    data_dir: str = ""
    device: str = "auto"
    gpu: str = ""  # those that programs see, joined by commas; "": all
    gpus_per_cell: int = 1  # that train one model together
    generated: tuple = ()  # tasks whose data is generated though data_dir is there

    def data_dir_of(self, task):
        """"": its data is generated."""
        return "" if task in self.generated else self.data_dir

    @property
    def environment(self):
        """Of every program: this process's, but a cell is a run of its own, whatever this process
        was started as a part of."""
        own = launch_ranks.environment_of_one()
        return {**own, "CUDA_VISIBLE_DEVICES": self.gpu} if self.gpu else own


def _end(returncode):
    if returncode >= 0:
        return f"exit {returncode}"
    try:
        return f"ended by {signal.Signals(-returncode).name}"
    except ValueError:  # of the real-time ones two have names
        return f"ended by signal {-returncode}"


def error_of(log, returncode):
    """What a program that failed says: its line `error: ...`, or the end of its output."""
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    for line in reversed(lines):
        if line.startswith("error: "):
            return line
    return "\n".join([_end(returncode), *lines[-_ERROR_LINES:]])

"""How the experiment and the benchmark program are started, and what they say when they fail."""

import dataclasses
import signal

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
        return cls((f"{folder}/run", "lra"), (f"{folder}/run", "sparse_attention"))


@dataclasses.dataclass(frozen=True)
class Machine:
    """What every run gets besides its cell's settings."""

    data_dir: str = ""
    device: str = "auto"
    gpu: str = ""  # the only one that programs see; "": all

    @property
    def environment(self):
        """Variables of every program."""
        return {"CUDA_VISIBLE_DEVICES": self.gpu} if self.gpu else {}


def error_of(log, returncode):
    """What a program that failed says: its line `error: ...`, or the end of its output."""
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    for line in reversed(lines):
        if line.startswith("error: "):
            return line
    how = f"ended by {signal.Signals(-returncode).name}" if returncode < 0 else f"exit {returncode}"
    return "\n".join([how, *lines[-_ERROR_LINES:]])

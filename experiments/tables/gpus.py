"""The GPUs of this machine, as CUDA_VISIBLE_DEVICES names them."""

import itertools
import os
import pathlib
import re
import subprocess

_COMMAND = ["nvidia-smi", "--list-gpus"]
_SECONDS = 60
_NAME = re.compile(r"\d+|(GPU|MIG)-.+")
_DRIVER = pathlib.Path("/proc/driver/nvidia/version")  # there as long as the driver is loaded


class GpusError(Exception):
    """Nobody knows which GPUs there are. Its text is for the user: one line."""


def _error(what):
    return GpusError(f"{' '.join(_COMMAND)} {what}, so this machine's GPUs are not known; mend it, "
                     "or name them in CUDA_VISIBLE_DEVICES, or take --device=cpu")


def _listed():
    """What nvidia-smi says; "" where there is no GPU."""
    try:
        listed = subprocess.run(_COMMAND, capture_output=True, text=True, errors="replace",
                                check=False, timeout=_SECONDS)
    except FileNotFoundError:
        if _DRIVER.exists():
            raise _error("is not there, but NVIDIA's driver is") from None
        return ""
    except OSError as error:
        raise _error(f"cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise _error(f"does not end within {_SECONDS} s") from None
    said = " ".join((listed.stdout + listed.stderr).split())
    if "no devices" in said.lower():
        return ""
    if listed.returncode != 0:
        raise _error(f"fails ({said or listed.returncode})")
    return listed.stdout


def names():
    """Those that this process may use; [] where there is none. GpusError: it cannot be told."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        # As CUDA reads it: from the first that names none on, such as -1 or NoDevFiles, there are
        # no more.
        return list(itertools.takewhile(_NAME.fullmatch, map(str.strip, visible.split(","))))
    return [str(number) for number, line in enumerate(
        line for line in _listed().splitlines() if line.startswith("GPU "))]

"""The GPUs of this machine, as CUDA_VISIBLE_DEVICES names them."""

import os
import subprocess


def names():
    """Those that this process may use; [] where there is none."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name.strip() for name in visible.split(",") if name.strip()]
    try:
        listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True,
                                check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [str(number) for number, line in enumerate(
        line for line in listed.splitlines() if line.startswith("GPU "))]

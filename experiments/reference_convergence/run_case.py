"""Trains one case with one seed, on the CPU, and reads what the run leaves."""

import dataclasses
import json
import pathlib
import subprocess

from cases import PRESET
from losses import losses_at, points_of

_ERROR_LINES = 12  # of the program's output


class RunFailed(Exception):
    """The program's own words."""


@dataclasses.dataclass(frozen=True)
class CaseRun:
    losses: dict  # of losses_at
    settings: dict  # of settings_in
    manifest: dict  # the run's manifest.json


def flags(case, seed):
    """The command line but for the folder. A single test example: the test set is not looked at."""
    return [f"--task={case.task}", f"--method={case.method}", f"--preset={PRESET}",
            f"--steps={case.steps}", *(f"--{name}={value}" for name, value in case.settings),
            "--device=cpu", "--precision=float32", "--test_examples=1", f"--seed={seed}"]


def settings_in(manifest):
    """What two runs must share for their losses to compare; all of it is settled by the code."""
    return {"preset": manifest["preset"],
            "data": manifest["data_source"]["name"],
            "precision": manifest["precision"],
            "hyper_parameters": manifest["hyper_parameters"],
            "model": manifest["model"]}


def read(case, folder):
    """The run that lies in `folder`."""
    folder = pathlib.Path(folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    metrics = [json.loads(line)
               for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return CaseRun(losses_at(points_of(case), metrics), settings_in(manifest), manifest)


def train(program, case, seed, folder):
    """Runs the program into `folder`; raises RunFailed with its last lines if it fails."""
    result = subprocess.run([str(program), *flags(case, seed), f"--out_dir={folder}"],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False)
    if result.returncode != 0:
        said = "\n".join(result.stdout.splitlines()[-_ERROR_LINES:])
        raise RunFailed(f"{case.name}, seed {seed}: exit {result.returncode}\n{said}")
    return read(case, folder)

"""The options that all examples have."""

import argparse
import importlib.util
import pathlib

import torch

import spion
from spion import _libraries


def parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """With --device, --picture and --version. The description's first line is shown; `python -OO`
    leaves none."""
    made = argparse.ArgumentParser(prog=f"python -m {module}",
                                   description=(description or "").split("\n", maxsplit=1)[0])
    made.add_argument("--version", action="version", version=f"SPION {spion.__version__}")
    made.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto",
                      help="auto takes a GPU, or the CPU where there is none (default: auto)")
    made.add_argument("--picture", type=pathlib.Path, metavar="FILE",
                      help="draw what happened into FILE, .png or .svg, by matplotlib")
    return made


def parsed(made: argparse.ArgumentParser, arguments: list[str] | None) -> argparse.Namespace:
    """The options, with `device` a torch.device. Ends the program where they cannot be followed."""
    options = made.parse_args(arguments)
    obstacle = _libraries.gpu_obstacle()
    if options.device == "cuda" and obstacle is not None:
        made.error(f"--device=cuda: {obstacle}")
    if options.picture is not None:
        if options.picture.suffix not in (".png", ".svg"):
            made.error(f"--picture={options.picture}: expected a name that ends in .png or .svg")
        if not options.picture.parent.is_dir():
            made.error(f"--picture={options.picture}: there is no folder {options.picture.parent}")
        if importlib.util.find_spec("matplotlib") is None:
            made.error("--picture needs matplotlib, which is not installed; pip install matplotlib")
    if options.device == "auto":
        options.device = "cpu" if obstacle is not None else "cuda"
    options.device = torch.device(options.device)
    return options

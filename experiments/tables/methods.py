"""The methods of the tables: their order, their names, and what others call them."""

import ast
import dataclasses
import pathlib

LRA = "Tay et al. 2021 (LRA)"
SKYFORMER = "Chen et al. 2021 (Skyformer)"
# method -> source -> its name there
PUBLISHED = {
    "dense": {LRA: "Transformer", SKYFORMER: "Self-Attention"},
    "longformer": {LRA: "Longformer"},
    "bigbird": {LRA: "BigBird", SKYFORMER: "BigBird"},
    "sparse_transformer": {LRA: "Sparse Trans."},
    "reformer": {LRA: "Reformer", SKYFORMER: "Reformer"},
    "skyformer": {SKYFORMER: "Skyformer"},
    "kernelised": {SKYFORMER: "Kernelized Attention"},
    "linformer": {LRA: "Linformer", SKYFORMER: "Linformer"},
    "nystromformer": {SKYFORMER: "Nystromformer"},
}


@dataclasses.dataclass(frozen=True)
class Method:
    name: str  # as in //experiments:lra_<task>_<name>
    title: str
    published: dict


def _titles():
    """{name: title} of METHODS in methods.bzl, whose syntax is Python's."""
    path = pathlib.Path(__file__).parents[2] / "baselines/methods.bzl"
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "METHODS":
            return ast.literal_eval(statement.value)
    raise ValueError(f"{path} has no METHODS")


METHODS = tuple(Method(name, title, PUBLISHED.get(name, {})) for name, title in _titles().items())
BY_NAME = {method.name: method for method in METHODS}
NAMES = tuple(BY_NAME)
SPION = ("c", "f", "cf")
TASKS = ("listops", "text", "retrieval", "image", "pathfinder")


def title(name):
    return BY_NAME[name].title

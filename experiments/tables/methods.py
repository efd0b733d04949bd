"""The methods and tasks of the tables: their order, their names, and what others call them."""

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


def _listed(file, name):
    """What is called so in a .bzl file, whose syntax is Python's."""
    path = pathlib.Path(__file__).parents[2] / file
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == name:
            return ast.literal_eval(statement.value)
    raise ValueError(f"{path} has no {name}")


METHODS = tuple(Method(name, title, PUBLISHED.get(name, {})) for name, (title, _) in
                _listed("baselines/methods.bzl", "METHODS").items())
BY_NAME = {method.name: method for method in METHODS}
NAMES = tuple(BY_NAME)
SPION = ("c", "f", "cf")
DENSE = ("dense", "sdpa", "every_block")  # the Transformer, its attention computed in three ways
# Fewer products by an approximation of the whole softmax, none of whose entries is left out.
APPROXIMATE = ("skyformer", "kernelised", "linformer", "nystromformer")
TASK_ENTRIES = _listed("spion/data/tasks.bzl", "TASKS")
TASKS = tuple(TASK_ENTRIES)


def title(name):
    return BY_NAME[name].title

"""The methods of the tables: their order, their names, and what others call them."""

import dataclasses

LRA = "Tay et al. 2021 (LRA)"
SKYFORMER = "Chen et al. 2021 (Skyformer)"


@dataclasses.dataclass(frozen=True)
class Method:
    name: str  # as in //experiments:lra_<task>_<name>
    title: str
    published: dict = dataclasses.field(default_factory=dict)  # source -> its name there


METHODS = (
    Method("c", "SPION-C"),
    Method("f", "SPION-F"),
    Method("cf", "SPION-CF"),
    Method("dense", "Transformer", {LRA: "Transformer", SKYFORMER: "Self-Attention"}),
    Method("sdpa", "Transformer, fused attention"),
    Method("longformer", "Longformer", {LRA: "Longformer"}),
    Method("bigbird", "BigBird", {LRA: "BigBird", SKYFORMER: "BigBird"}),
    Method("sparse_transformer", "Sparse Transformer, strided", {LRA: "Sparse Trans."}),
    Method("sparse_transformer_fixed", "Sparse Transformer, fixed"),
    Method("reformer", "Reformer", {LRA: "Reformer", SKYFORMER: "Reformer"}),
    Method("skyformer", "Skyformer", {SKYFORMER: "Skyformer"}),
    Method("kernelised", "Kernelised attention", {SKYFORMER: "Kernelized Attention"}),
    Method("linformer", "Linformer", {LRA: "Linformer", SKYFORMER: "Linformer"}),
    Method("nystromformer", "Nystromformer", {SKYFORMER: "Nystromformer"}),
)
BY_NAME = {method.name: method for method in METHODS}
NAMES = tuple(BY_NAME)
SPION = ("c", "f", "cf")
TASKS = ("listops", "text", "retrieval", "image", "pathfinder")


def title(name):
    return BY_NAME[name].title

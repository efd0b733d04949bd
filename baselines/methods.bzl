"""All methods: their names, as of --method and of targets, and their titles, in the tables' order.

The one list of them. BUILD files load it; experiments/tables/methods.py reads it as Python, also
where there is no Bazel. The factories in registry.cc are held to it by //experiments:methods_test.
"""

METHODS = {
    "c": "SPION-C",
    "f": "SPION-F",
    "cf": "SPION-CF",
    "dense": "Transformer",
    "sdpa": "Transformer, fused attention",
    "longformer": "Longformer",
    "bigbird": "BigBird",
    "sparse_transformer": "Sparse Transformer, strided",
    "sparse_transformer_fixed": "Sparse Transformer, fixed",
    "reformer": "Reformer",
    "skyformer": "Skyformer",
    "kernelised": "Kernelised attention",
    "linformer": "Linformer",
    "nystromformer": "Nystromformer",
}

"""All methods: their names, as of --method and of targets, in the tables' order; of each its title
and the target that defines it: of a method my_way the function `Method MyWayMethod()`.

The one list of them: BUILD files load it, the registry is generated from it, and
experiments/tables/methods.py reads it as Python, also where there is no Bazel.
"""

METHODS = {
    "c": ("SPION-C", "//baselines:spion_methods"),
    "f": ("SPION-F", "//baselines:spion_methods"),
    "cf": ("SPION-CF", "//baselines:spion_methods"),
    "dense": ("Transformer", "//baselines/dense:method"),
    "sdpa": ("Transformer, fused attention", "//baselines/dense:method"),
    "every_block": ("Transformer, every block kept", "//baselines/dense:method"),
    "longformer": ("Longformer", "//baselines/fixed_pattern:method"),
    "bigbird": ("BigBird", "//baselines/fixed_pattern:method"),
    "sparse_transformer": ("Sparse Transformer, strided", "//baselines/fixed_pattern:method"),
    "sparse_transformer_fixed": ("Sparse Transformer, fixed", "//baselines/fixed_pattern:method"),
    "reformer": ("Reformer", "//baselines/reformer:method"),
    "skyformer": ("Skyformer", "//baselines/skyformer:method"),
    "kernelised": ("Kernelised attention", "//baselines/skyformer:method"),
    "linformer": ("Linformer", "//baselines/linformer:method"),
    "nystromformer": ("Nystromformer", "//baselines/nystromformer:method"),
}

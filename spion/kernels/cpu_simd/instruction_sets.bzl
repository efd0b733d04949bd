"""Compiles one kernel source for each instruction set."""

load("//tools/build:cc.bzl", "spion_cc_library")

# instruction_set.cc asks the processor for exactly these features.
_X86_FLAGS = {
    "portable": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"],
}

# Speed also in debug builds, whose tests would take minutes; and products fused with sums, which
# GCC leaves apart in ISO C++ modes.
_ALWAYS = ["-O3", "-ffp-contract=fast"]

def simd_cc_library(name, hdrs, textual_hdrs, deps, **kwargs):
    """A library of <name>_portable.cc, <name>_avx2.cc and <name>_avx512.cc.

    Args:
      name: the library, and what its three sources begin with.
      hdrs: plain declarations of the functions that the sources define.
      textual_hdrs: templates that only these sources include.
      deps: dependencies of all three.
      **kwargs: passed on to each library (testonly, visibility).
    """
    spion_cc_library(
        name = name + "_hdrs",
        hdrs = hdrs,
        textual_hdrs = textual_hdrs,
        deps = deps,
        **kwargs
    )
    for instruction_set, flags in _X86_FLAGS.items():
        spion_cc_library(
            name = name + "_" + instruction_set,
            srcs = [name + "_" + instruction_set + ".cc"],
            copts = _ALWAYS + select({
                "@platforms//cpu:x86_64": flags,
                "//conditions:default": [],
            }),
            deps = [":" + name + "_hdrs"],
            **kwargs
        )
    spion_cc_library(
        name = name,
        deps = [":" + name + "_hdrs"] + [
            ":" + name + "_" + instruction_set
            for instruction_set in _X86_FLAGS
        ],
        **kwargs
    )

"""Tests of what an NVTX tool hears. Where there is no CUDA toolkit there is no NVTX: the macros make no target."""

load("@cuda//:defs.bzl", "HAS_NVCC")
load("//tools/build:cc.bzl", "spion_cc_binary")

def nvtx_recorder(name, **kwargs):
    """The recording tool, a shared library."""
    if HAS_NVCC:
        spion_cc_binary(
            name = name,
            testonly = True,
            linkshared = True,
            linkopts = ["-ldl"],
            deps = ["@cuda//:headers"],
            **kwargs
        )

def nvtx_test(name, program, srcs, **kwargs):
    """A py_test whose first two arguments are the program and the recorder; it imports nvtx_record."""
    if HAS_NVCC:
        native.py_test(
            name = name,
            srcs = srcs,
            args = [
                "$(location %s)" % program,
                "$(location //spion/profiling:libnvtx_recorder.so)",
            ],
            data = [
                program,
                "//spion/profiling:libnvtx_recorder.so",
            ],
            deps = ["//spion/profiling:nvtx_record"],
            **kwargs
        )

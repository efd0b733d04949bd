"""Tests of what an NVTX tool hears. Without a CUDA toolkit there is no NVTX, and no target here."""

load("@cuda//:defs.bzl", "HAS_NVCC")
load("//tools/build:cc.bzl", "spion_cc_binary")
load("//tools/build:py.bzl", "py_unit_test")

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

def nvtx_test(name, program, **kwargs):
    """A test of <name>.py that gets the program and the recorder; it imports nvtx_record."""
    if HAS_NVCC:
        py_unit_test(
            name = name,
            programs = [program, "//spion/profiling:libnvtx_recorder.so"],
            deps = ["//spion/profiling:nvtx_record"],
            **kwargs
        )

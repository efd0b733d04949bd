"""C++ over LibTorch's stable ABI alone: one binary for this and later versions of LibTorch."""

load("//tools/build:cc.bzl", "spion_cc_library", "spion_cc_test")
load("//tools/build:cuda.bzl", "spion_cuda_cc_library")

# The oldest LibTorch that such code runs with: 2.11. Only what that version has is declared.
_DEFINES = ["TORCH_TARGET_VERSION=0x020b000000000000"]

# The stable ABI's own classes are hidden, and a class of ours that holds one has to be too.
_COPTS = ["-fvisibility=hidden"]

def stable_cc_library(name, deps = [], **kwargs):
    spion_cc_library(
        name = name,
        copts = _COPTS,
        local_defines = _DEFINES,
        deps = deps + ["@torch//:stable"],
        **kwargs
    )

def stable_cc_test(name, deps = [], **kwargs):
    spion_cc_test(
        name = name,
        copts = _COPTS,
        local_defines = _DEFINES,
        deps = deps + ["@torch//:cpu"],
        **kwargs
    )

def stable_cuda_cc_library(name, deps = [], **kwargs):
    """The same over LibTorch's CUDA side; an empty library where this build has none."""
    spion_cuda_cc_library(
        name = name,
        copts = _COPTS,
        local_defines = _DEFINES + ["USE_CUDA"],
        deps = deps + ["@torch//:stable_cuda"],
        **kwargs
    )

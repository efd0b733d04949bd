"""The C++ rules of this workspace: the native ones with our warnings, and GoogleTest in tests."""

_COPTS = ["-Wall", "-Wextra", "-Werror", "-Wno-sign-compare"]

def spion_cc_library(name, copts = [], **kwargs):
    native.cc_library(name = name, copts = _COPTS + copts, **kwargs)

def spion_cc_binary(name, copts = [], **kwargs):
    native.cc_binary(name = name, copts = _COPTS + copts, **kwargs)

def spion_cc_test(name, copts = [], deps = [], size = "small", **kwargs):
    native.cc_test(
        name = name,
        size = size,
        copts = _COPTS + copts,
        deps = deps + ["@googletest//:gmock", "@googletest//:gtest_main"],
        **kwargs
    )

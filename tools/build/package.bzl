"""The Python package: its shared libraries, and programs and tests that import it."""

load("//tools/build:cc.bzl", "spion_cc_binary")
load("//tools/build:cuda.bzl", "HAS_CUDA")
load("@torch//:defs.bzl", "TORCH_HAS_PYTHON")

# What the package is called, by which its modules import each other.
PACKAGE = "spion"

def package_library(name, deps, cuda = False):
    """The package's shared library <name>.so; no target with `cuda` where this build has none.

    Libraries that travel with a wheel lie in libs beside it. They need each other, so the way to
    them is an RPATH, which goes down, and no RUNPATH, which does not.

    Args:
      name: of the library.
      deps: what it is linked of.
      cuda: whether it is of the CUDA side.
    """
    if cuda and not HAS_CUDA:
        return
    spion_cc_binary(
        name = "{}/{}.so".format(PACKAGE, name),
        srcs = [],
        linkshared = True,
        linkopts = [
            "-Wl,--as-needed",
            "-Wl,--gc-sections",
            "-Wl,--strip-all",
            "-Wl,--disable-new-dtags",
            "-Wl,-rpath,$$ORIGIN/libs",
            "-Wl,--version-script=$(location //tools/build:hidden.lds)",
        ],
        visibility = ["//tools/wheel:__pkg__"],
        deps = deps + ["//tools/build:hidden.lds"],
    )

def package_libraries():
    """Their labels."""
    names = ["libspion", "libspion_cuda"] if HAS_CUDA else ["libspion"]
    return ["//python:{}/{}.so".format(PACKAGE, name) for name in names]

def package_test(name, srcs = None, main = None, deps = [], size = "medium", **kwargs):
    """A test of tests/<name>.py, with the package and torch; none where torch has no Python side.

    Args:
      name: of the test.
      srcs: instead of that file.
      main: instead of that file.
      deps: besides the package.
      size: as of py_test.
      **kwargs: as of py_test.
    """
    if not TORCH_HAS_PYTHON:
        return
    native.py_test(
        name = name,
        size = size,
        srcs = srcs or ["tests/{}.py".format(name)],
        main = main or "tests/{}.py".format(name),
        # Else Bazel makes packages of all folders, this workspace's own one among them, which is
        # called spion too.
        legacy_create_init = False,
        deps = deps + ["//python:package"],
        **kwargs
    )

"""The C++ rules of this workspace: the native ones with our warnings, and GoogleTest in tests.

    spion_cc_unit(
        name = "gzip",                    # gzip.cc, gzip.h; gzip_test from gzip_test.cc
        deps = ["@zlib"],
        test_deps = [":tar"],
    )
"""

_COPTS = ["-Wall", "-Wextra", "-Werror", "-Wno-sign-compare"]

def spion_cc_library(name, copts = [], **kwargs):
    native.cc_library(name = name, copts = _COPTS + copts, **kwargs)

def spion_cc_binary(name, srcs = None, copts = [], **kwargs):
    """A program, from <name>.cc if `srcs` does not say otherwise."""
    native.cc_binary(
        name = name,
        srcs = [name + ".cc"] if srcs == None else srcs,
        copts = _COPTS + copts,
        **kwargs
    )

def spion_cc_test(name, srcs = None, copts = [], deps = [], size = "small", **kwargs):
    """A GoogleTest program, from <name>.cc if `srcs` does not say otherwise."""
    native.cc_test(
        name = name,
        size = size,
        srcs = [name + ".cc"] if srcs == None else srcs,
        copts = _COPTS + copts,
        deps = deps + ["@googletest//:gmock", "@googletest//:gtest_main"],
        **kwargs
    )

def split_test_arguments(arguments):
    """The arguments that do not begin with test_, and those that do, without it.

    Args:
      arguments: a macro's keyword arguments.
    """
    rest = {key: value for key, value in arguments.items() if not key.startswith("test_")}
    of_test = {key[len("test_"):]: value for key, value in arguments.items() if key not in rest}
    return rest, of_test

def each_once(labels):
    """These, in their order, without repetitions: Bazel refuses them."""
    return {label: None for label in labels}.keys()

def spion_cc_unit(name, srcs = None, hdrs = None, deps = [], **kwargs):
    """A library, and its test where there is one: the target <name>_test, of <name>_test.cc.

    Args:
      name: of the library; its files are <name>.cc and <name>.h, as far as they are there.
      srcs: instead of these.
      hdrs: instead of these.
      deps: of the library; the test has them too.
      **kwargs: for the library; for the test where they begin with test_, as test_deps, test_size.
    """
    of_library, of_test = split_test_arguments(kwargs)
    srcs = native.glob([name + ".cc"]) if srcs == None else srcs
    hdrs = native.glob([name + ".h"]) if hdrs == None else hdrs
    if not srcs and not hdrs:
        fail("there is neither {}.cc nor {}.h".format(name, name))
    spion_cc_library(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        deps = deps,
        **of_library
    )
    if native.glob([name + "_test.cc"]):
        spion_cc_test(
            name = name + "_test",
            deps = each_once([":" + name] + deps + of_test.pop("deps", [])),
            **of_test
        )
    elif of_test:
        fail("{} has no {}_test.cc: {} are for nothing".format(name, name, of_test.keys()))

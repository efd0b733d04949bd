"""The C++ rules of this workspace: the native ones with our warnings, and GoogleTest in tests.

    spion_cc_unit(
        name = "gzip",                    # gzip.cc, gzip.h; gzip_test from gzip_test.cc
        deps = ["@zlib"],
        test_deps = [":tar"],
    )
    cc_units({"gzip": ["@zlib"], "gzip_test": ["tar"]})  # the same
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

def cc_units(deps, sizes = {}, **kwargs):
    """Units of a table, and their tests.

        cc_units({
            "file": ["folder", "@absl"],
            "folder": ["@absl"],
            "folder_test": ["file"],
        })

    Args:
      deps: {name: deps of the unit: names of this package's units, labels of others}. What <name>_test
        has besides is under that name; it is an entry of its own too, where no unit is called <name>.
      sizes: {test: its size}, of those that are not small.
      **kwargs: as of spion_cc_unit, for all.
    """
    units_of_table(spion_cc_unit, spion_cc_test, deps, sizes, kwargs)

def units_of_table(unit, unit_test, deps, sizes, kwargs):
    """What cc_units and py_units say, by the macros of a unit and of a test."""
    for name, of_unit in deps.items():
        test = name if name.endswith("_test") else name + "_test"
        size = sizes.get(test, "small")
        if name != test:
            of_test = {"test_deps": _labels(deps[test])} if test in deps else {}
            if test in sizes:
                of_test["test_size"] = size
            unit(name = name, deps = _labels(of_unit), **dict(kwargs, **of_test))
        elif name[:-len("_test")] not in deps:
            unit_test(name = name, size = size, deps = _labels(of_unit), **kwargs)

def _labels(units):
    return [unit if unit[0] in "@/" else ":" + unit for unit in units]

"""The Python rules of this workspace: the native ones, by the names of their files.

    py_unit(
        name = "store",                   # store.py; store_test from store_test.py
        deps = [":result"],
        test_deps = [":small_runs"],
    )
"""

load("//tools/build:cc.bzl", "each_once", "split_test_arguments", "units_of_table")

def py_unit(name, deps = [], **kwargs):
    """A library of <name>.py, and its test where there is one: the target <name>_test.

    Args:
      name: of the library.
      deps: of the library; the test has them too.
      **kwargs: for the library; for the test where they begin with test_, as test_deps, test_size.
    """
    of_library, of_test = split_test_arguments(kwargs)
    native.py_library(name = name, srcs = [name + ".py"], deps = deps, **of_library)
    if native.glob([name + "_test.py"]):
        py_unit_test(
            name = name + "_test",
            deps = each_once([":" + name] + deps + of_test.pop("deps", [])),
            **of_test
        )
    elif of_test:
        fail("{} has no {}_test.py: {} are for nothing".format(name, name, of_test.keys()))

def py_units(imports, sizes = {}, **kwargs):
    """The units of a table, and their tests.

        py_units({
            "store": ["durable", "result", "//tools/command_line"],
            "store_test": ["small_runs"],
        })

    Args:
      imports: {name: what <name>.py imports: names of this package's units, labels of others}. What
        <name>_test imports besides is under that name; it is an entry of its own too, where no unit
        is called <name>.
      sizes: {test: its size}, of those that are not small.
      **kwargs: as of py_unit, for all.
    """
    units_of_table(py_unit, py_unit_test, imports, sizes, kwargs)

def py_unit_test(name, srcs = [], programs = [], args = [], data = [], size = "small", **kwargs):
    """A test of <name>.py.

    Args:
      name: of the test.
      srcs: beside that file.
      programs: whose paths are its first arguments.
      args: further arguments.
      data: further files.
      size: as of py_test.
      **kwargs: as of py_test.
    """
    native.py_test(
        name = name,
        size = size,
        srcs = srcs + [name + ".py"],
        args = ["$(rootpath {})".format(program) for program in programs] + args,
        data = data + programs,
        **kwargs
    )

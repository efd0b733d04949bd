"""Lists in .bzl files become C++: what the list names is declared by that, and needs no header."""

load("//tools/build:cc.bzl", "each_once", "spion_cc_library")

def camel_case(name):
    """SparseTransformer of sparse_transformer."""
    return "".join([part.capitalize() for part in name.split("_")])

def _check_names(names, file):
    """Refuses a name that no function of C++ and no target can be called by.

    Args:
      names: of methods or tasks.
      file: that lists them.
    """
    for name in names:
        kept = [c for c in name.elems() if c in "abcdefghijklmnopqrstuvwxyz0123456789_"]
        if not name[:1].isalpha() or len(kept) != len(name):
            fail("{} lists \"{}\"; expected a name of lower-case letters, digits and _, which begins with a letter".format(file, name))

def cc_list(name, header, declarations, type, function, entries, deps, **kwargs):
    """A library that defines `std::vector<type> function()`, of these entries.

    Args:
      name: of the library.
      header: what declares the type.
      declarations: of the functions that the entries call.
      type: of an entry.
      function: what returns the list.
      entries: expressions of C++.
      deps: where the header and the functions are.
      **kwargs: as of cc_library.
    """
    native.genrule(
        name = name + "_source",
        outs = [name + ".cc"],
        cmd = "cat > $@ <<'END'\n" + """#include <vector>

#include "{header}"

namespace spion {{

{declarations}

std::vector<{type}> {function}();
std::vector<{type}> {function}() {{
  return {{
{entries}
  }};
}}

}}  // namespace spion
END
""".format(
            header = header,
            declarations = "\n".join(declarations),
            type = type,
            function = function,
            entries = "\n".join(["      %s," % entry for entry in entries]),
        ).replace("$", "$$").replace("$$@", "$@"),
        **{key: value for key, value in kwargs.items() if key == "testonly"}
    )
    spion_cc_library(
        name = name,
        srcs = [name + ".cc"],
        deps = each_once(deps),
        **kwargs
    )

def method_list(name, methods, deps = None, **kwargs):
    """AllMethods() of a METHODS (baselines/methods.bzl): `<Name>Method()` of each.

    Args:
      name: of the library.
      methods: {name: (title, label)}.
      deps: instead of the methods' labels.
      **kwargs: as of cc_library.
    """
    _check_names(methods.keys(), "baselines/methods.bzl")
    functions = [camel_case(method) + "Method()" for method in methods]
    cc_list(
        name = name,
        header = "spion/nn/method.h",
        declarations = ["Method %s;" % function for function in functions],
        type = "Method",
        function = "AllMethods",
        entries = functions,
        deps = (deps or [label for _, label in methods.values()]) + ["//spion/nn:method"],
        **kwargs
    )

def task_list(name, tasks, deps = None, **kwargs):
    """AllTasks() of a TASKS (spion/data/tasks.bzl), in the order of names.

    Args:
      name: of the library.
      tasks: {name: its entry}.
      deps: instead of the loaders' labels.
      **kwargs: as of cc_library.
    """
    _check_names(tasks.keys(), "spion/data/tasks.bzl")
    for task, entry in tasks.items():
        for key in ("loader", "load", "paper", "step_ms"):
            if key not in entry:
                fail("spion/data/tasks.bzl: the entry of \"{}\" has no \"{}\"".format(task, key))
    cc_list(
        name = name,
        header = "spion/data/task_entry.h",
        declarations = [
            "absl::StatusOr<TaskData> %s(const TaskOptions& options);" % tasks[task]["load"]
            for task in sorted(tasks)
        ],
        type = "TaskEntry",
        function = "AllTasks",
        entries = [
            "{{.name = \"{name}\", .load = {function}, .paper = {{{paper}}}}}".format(
                name = task,
                function = tasks[task]["load"],
                paper = ", ".join([".%s = %s" % pair for pair in tasks[task]["paper"].items()]),
            )
            for task in sorted(tasks)
        ],
        deps = (deps or [entry["loader"] for entry in tasks.values()]) +
               ["//spion/data:task_entry"],
        **kwargs
    )

"""tables: a program for each of the tables."""

def tables(names):
    """//experiments/tables:<name> for every name: the one program with that table.

    And :all_tables, with all of them; :all would be Bazel's word for every target of the package.
    """
    for name in names + ["all_tables"]:  # main.py knows its target
        native.py_binary(
            name = name,
            testonly = True,
            srcs = ["main.py"],
            main = "main.py",
            visibility = [
                "//tools/build:__pkg__",
                "//tools/documents:__pkg__",
            ],
            deps = [":main"],
        )

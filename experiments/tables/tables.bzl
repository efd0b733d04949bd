"""tables: a program for each of the tables."""

def tables(names):
    """//experiments/tables:<name> for every name: the one program with that table."""
    for name in names:
        native.py_binary(
            name = name,
            testonly = True,
            srcs = ["main.py"],
            args = ["--table=" + name],
            main = "main.py",
            visibility = ["//tools/build:__pkg__"],
            deps = [":main"],
        )

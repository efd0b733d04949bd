"""The Python that runs every Python program and test: the one that tools/bazel chose."""

load("//third_party/python:interpreter.bzl", "PYTHON_VARIABLE", "python_interpreter")

_BUILD = """
load("@bazel_tools//tools/python:toolchain.bzl", "py_runtime_pair")

# Its path stands in each program's first line too, as Bazel would look for `python` on the PATH.
py_runtime(
    name = "runtime",
    interpreter_path = "{python}",
    python_version = "PY3",
    stub_shebang = "#!{python}",
)

py_runtime_pair(
    name = "runtimes",
    py3_runtime = ":runtime",
)

toolchain(
    name = "toolchain",
    toolchain = ":runtimes",
    toolchain_type = "@bazel_tools//tools/python:toolchain_type",
)
"""

def _python_toolchain_impl(repository_ctx):
    python = python_interpreter(repository_ctx)
    repository_ctx.file("BUILD.bazel", _BUILD.format(python = python))
    repository_ctx.file("defs.bzl", "PYTHON = {}\n".format(repr(python)))

python_toolchain = repository_rule(
    implementation = _python_toolchain_impl,
    environ = [PYTHON_VARIABLE],
    configure = True,
    local = True,
)

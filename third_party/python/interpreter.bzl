"""The path of the Python that tools/bazel chose."""

# Set by tools/bazel, which alone decides.
PYTHON_VARIABLE = "SPION_PYTHON"

def python_interpreter(repository_ctx):
    python = repository_ctx.os.environ.get(PYTHON_VARIABLE)
    if not python:
        fail("@{}: {} is not set; start Bazel by tools/bazel, which sets it".format(
            repository_ctx.name,
            PYTHON_VARIABLE,
        ))
    return python

"""The folder where tools/bazel keeps the Python environments that it made."""

# Set by tools/bazel, which alone decides.
CACHE_VARIABLE = "SPION_CACHE_DIR"

def cache_folder(repository_ctx):
    folder = repository_ctx.os.environ.get(CACHE_VARIABLE)
    if not folder:
        fail("@{}: {} is not set; start Bazel by tools/bazel, which sets it".format(
            repository_ctx.name,
            CACHE_VARIABLE,
        ))
    return folder

"""The CUDA toolkit, where there is one: $CUDA_HOME, else /usr/local/cuda.

Without nvcc the repository is there all the same, with HAS_NVCC = False: the workspace then
builds for the CPU alone.
"""

load("//third_party:versions.bzl", "read_versions")

_BUILD = """
cc_library(
    name = "headers",
    hdrs = glob(["include/**"]),
    includes = ["include"],
    visibility = ["//visibility:public"],
)

cc_library(
    name = "runtime",
    linkopts = {linkopts},
    visibility = ["//visibility:public"],
    deps = [":headers"],
)
"""

_EMPTY = """
cc_library(name = "headers", visibility = ["//visibility:public"])
cc_library(name = "runtime", visibility = ["//visibility:public"])
"""

def _nvcc_version(repository_ctx, nvcc):
    for word in repository_ctx.execute([nvcc, "--version"]).stdout.split(" "):
        if word.startswith("V") and word.count(".") == 2:
            return word[1:].strip().split("\n")[0]
    fail("@cuda: cannot read the version of {}".format(nvcc))

def _cuda_repository_impl(repository_ctx):
    chosen = repository_ctx.os.environ.get("CUDA_HOME")
    home = repository_ctx.path(chosen or "/usr/local/cuda")
    nvcc = repository_ctx.path("{}/bin/nvcc".format(home))
    if not nvcc.exists:
        if chosen:
            fail("@cuda: CUDA_HOME={} has no bin/nvcc; unset CUDA_HOME to take /usr/local/cuda, or to build for the CPU alone where that is not there".format(chosen))
        repository_ctx.file("BUILD.bazel", _EMPTY)
        repository_ctx.file("defs.bzl", "HAS_NVCC = False\nCUDA_HOME = \"\"\nCUDA_VERSION = \"\"\n")
        return

    version = _nvcc_version(repository_ctx, nvcc)
    major = read_versions(repository_ctx)["CUDA_MAJOR"]
    if version.split(".")[0] != major:
        fail("@cuda: {} is CUDA {}, this LibTorch is built for CUDA {}; set CUDA_HOME to a {}.x toolkit".format(
            nvcc,
            version,
            major,
            major,
        ))
    repository_ctx.symlink("{}/include".format(home), "include")
    repository_ctx.file("BUILD.bazel", _BUILD.format(linkopts = repr([
        "-L{}/lib64".format(home),
        "-lcudart_static",
        "-ldl",
        "-lrt",
        "-lpthread",
    ])))
    repository_ctx.file("defs.bzl", "HAS_NVCC = True\nCUDA_HOME = {}\nCUDA_VERSION = {}\n".format(
        repr(str(home)),
        repr(version),
    ))

cuda_repository = repository_rule(
    implementation = _cuda_repository_impl,
    environ = ["CUDA_HOME"],
    configure = True,
    local = True,
)

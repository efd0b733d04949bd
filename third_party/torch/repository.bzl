"""LibTorch: the C++ side of the torch wheel, or of a LibTorch archive.

Looked for in this order: $SPION_TORCH_DIR; the environment that tools/bazel made; a torch that
the Python of tools/bazel can import.
"""

load("//third_party:cache_folder.bzl", "CACHE_VARIABLE", "cache_folder")
load("//third_party:versions.bzl", "read_versions")
load("//third_party/python:interpreter.bzl", "PYTHON_VARIABLE", "python_interpreter")

def _environment_torch(repository_ctx, version):
    """The torch folder in the project's environment, the CUDA flavour first; or None."""
    for flavour in ["cuda", "cpu"]:
        root = repository_ctx.path("{}/torch-{}-{}".format(
            cache_folder(repository_ctx),
            version,
            flavour,
        ))
        lib = root.get_child("lib")
        if not root.get_child("complete").exists or not lib.exists:
            continue
        for python in lib.readdir():
            torch = python.get_child("site-packages").get_child("torch")
            if torch.exists:
                return torch
    return None

def _python_torch(repository_ctx):
    result = repository_ctx.execute([python_interpreter(repository_ctx), "-c", "\n".join([
        "import importlib.util",
        "spec = importlib.util.find_spec('torch')",
        "print(spec.submodule_search_locations[0] if spec else '')",
    ])])
    found = result.stdout.strip()
    return repository_ctx.path(found) if result.return_code == 0 and found else None

def _version_of(repository_ctx, torch):
    archive = torch.get_child("build-version")
    if archive.exists:
        return repository_ctx.read(archive).strip()
    wheel = torch.get_child("version.py")
    if wheel.exists:
        for line in repository_ctx.read(wheel).split("\n"):
            if line.startswith("__version__"):
                return line.split("=", 1)[1].strip().strip("'\"")
    return None

def _has_cuda_side(repository_ctx, torch):
    """Whether libtorch_cuda.so has the libraries that it needs: in packages beside the wheel, or in the archive."""
    lib = torch.get_child("lib")
    if not lib.get_child("libtorch_cuda.so").exists:
        return False
    beside = repository_ctx.path("{}/../nvidia/cudnn".format(torch)).exists
    return beside or any([file.basename.startswith("libcublas") for file in lib.readdir()])

_BUILD = """
cc_library(
    name = "headers",
    hdrs = glob(["include/**"]),
    includes = ["include", "include/torch/csrc/api/include"],
)

# LibTorch on the CPU: no CUDA library is loaded.
cc_library(
    name = "cpu",
    linkopts = [
        "-L{lib}",
        "-Wl,-rpath,{lib}",
        "-ltorch_cpu",
        "-lc10",
    ],
    visibility = ["//visibility:public"],
    deps = [":headers"],
)

# LibTorch's stable ABI alone: what is built with it runs with later versions too. Brings no path to
# this LibTorch along, as its users are Python packages, where LibTorch is loaded already.
cc_library(
    name = "stable",
    linkopts = [
        "-L{lib}",
        "-ltorch_cpu",
    ],
    visibility = ["//visibility:public"],
    deps = [":headers"],
)

# The same with its CUDA side.
cc_library(
    name = "stable_cuda",
    linkopts = {stable_cuda_linkopts},
    visibility = ["//visibility:public"],
    deps = [":stable"],
)

{python}
# NCCL's, which the wheel brings beside itself; the library is found by libtorch_cuda.so. None where
# TORCH_HAS_NCCL is False.
cc_library(
    name = "nccl_headers",
    hdrs = glob(["nccl/**"]),
    includes = ["nccl"],
    visibility = ["//visibility:public"],
)

# LibTorch with its CUDA side where it has one. For programs; libraries use :cpu.
cc_library(
    name = "torch",
    linkopts = {cuda_linkopts},
    visibility = ["//visibility:public"],
    deps = [":cpu"],
)
"""

_PYTHON = """
# torch for Python programs. One label for the whole folder, which is never changed.
py_library(
    name = "python",
    data = ["site-packages"],
    imports = ["site-packages"],
    visibility = ["//visibility:public"],
)
"""

# Whether this Python can import the torch in a folder, found out without the seconds of doing so.
_CAN_IMPORT = """
import importlib.util, os, sys, sysconfig
folder = sys.argv[1]
sys.path.insert(0, folder)
needed = ["filelock", "fsspec", "jinja2", "networkx", "sympy", "typing_extensions"]
is_for_this_python = os.path.exists(folder + "/torch/_C" + sysconfig.get_config_var("EXT_SUFFIX"))
print(is_for_this_python and all(map(importlib.util.find_spec, needed)))
"""

def _is_importable(repository_ctx, torch, has_cuda):
    """Whether Python programs can use it. A wheel with CUDA does not load without CUDA's libraries."""
    if not has_cuda and torch.get_child("lib").get_child("libtorch_cuda.so").exists:
        return False
    result = repository_ctx.execute([
        python_interpreter(repository_ctx),
        "-c",
        _CAN_IMPORT,
        str(torch.dirname),
    ])
    return result.return_code == 0 and result.stdout.strip() == "True"

def _torch_repository_impl(repository_ctx):
    supported = read_versions(repository_ctx)["TORCH_VERSION"]
    fix = "unset SPION_TORCH_DIR and run tools/bazel, which installs torch {} into an environment of its own, or point SPION_TORCH_DIR at one".format(supported)

    chosen = repository_ctx.os.environ.get("SPION_TORCH_DIR")
    torch = (repository_ctx.path(chosen) if chosen else None) or \
            _environment_torch(repository_ctx, supported) or \
            _python_torch(repository_ctx)
    if not torch:
        fail("@torch: no LibTorch found; " + fix)
    for needed in ["include/ATen/ATen.h", "lib/libtorch_cpu.so"]:
        if not repository_ctx.path("{}/{}".format(torch, needed)).exists:
            fail("@torch: {} has no {}; {}".format(torch, needed, fix))
    version = _version_of(repository_ctx, torch)
    if not version or version.split("+")[0] != supported:
        fail("@torch: {} is version {}, SPION needs {}; {}".format(torch, version, supported, fix))

    lib = str(torch.get_child("lib"))
    has_cuda = _has_cuda_side(repository_ctx, torch)
    has_python = _is_importable(repository_ctx, torch, has_cuda)
    if has_python:
        repository_ctx.symlink(torch.dirname, "site-packages")
    cuda_linkopts = ["-Wl,--no-as-needed", "-ltorch", "-ltorch_cuda", "-lc10_cuda", "-Wl,--as-needed"]
    repository_ctx.symlink(torch.get_child("include"), "include")
    nccl = repository_ctx.path("{}/../nvidia/nccl/include".format(torch))
    has_nccl = has_cuda and nccl.get_child("nccl.h").exists
    if has_nccl:
        repository_ctx.symlink(nccl, "nccl")
    repository_ctx.file("BUILD.bazel", _BUILD.format(
        lib = lib,
        cuda_linkopts = repr(cuda_linkopts if has_cuda else []),
        stable_cuda_linkopts = repr(["-ltorch_cuda"] if has_cuda else []),
        python = _PYTHON if has_python else "",
    ))
    repository_ctx.file("defs.bzl", "\n".join([
        "TORCH_VERSION = {}".format(repr(version)),
        "TORCH_LIB = {}".format(repr(lib)),
        "TORCH_HAS_CUDA = {}".format(has_cuda),
        "TORCH_HAS_NCCL = {}".format(has_nccl),
        "TORCH_HAS_PYTHON = {}".format(has_python),
        "",
    ]))

torch_repository = repository_rule(
    implementation = _torch_repository_impl,
    environ = ["SPION_TORCH_DIR", CACHE_VARIABLE, PYTHON_VARIABLE, "CUDA_HOME"],
    configure = True,
    local = True,
)

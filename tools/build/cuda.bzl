"""CUDA device code: one nvcc action a .cu file, for the architectures of a build setting.

    cuda_library(
        name = "forward",
        srcs = ["forward.cu"],
        hdrs = ["softmax.cuh"],
        deps = [":api"],
    )

Code for one GPU alone names its architecture: architectures = ["90a"]. It is built whatever the
build setting says, and asks at run time whether it is there.

A cc_library as far as others can see. Where there is no nvcc the macro makes no target; the others
here make none, or an empty library, where this build has no CUDA, so that no BUILD file asks.
"""

load("//tools/build:cc.bzl", "spion_cc_binary", "spion_cc_library", "spion_cc_test", "spion_cc_unit")
load("@cuda//:defs.bzl", "CUDA_HOME", "HAS_NVCC")
load("@torch//:defs.bzl", "TORCH_HAS_CUDA")

# Whether this build has CUDA: device code needs nvcc, and running it LibTorch's CUDA side.
HAS_CUDA = HAS_NVCC and TORCH_HAS_CUDA

# Why this build has no CUDA, in words for the user; empty if it has.
CUDA_OBSTACLE = (
    "there is no nvcc: install the CUDA toolkit, or set CUDA_HOME to it" if not HAS_NVCC else
    "this LibTorch has no CUDA side: unset SPION_TORCH_DIR and run tools/bazel again" if not HAS_CUDA else ""
)

def with_cuda(value, otherwise = []):
    """`value` where this build has CUDA: for an attribute."""
    return value if HAS_CUDA else otherwise

def with_nvcc(value, otherwise = []):
    """`value` where there is a CUDA toolkit: for an attribute."""
    return value if HAS_NVCC else otherwise

CudaArchitecturesInfo = provider(fields = ["numbers"])

def _cuda_architectures_impl(ctx):
    numbers = ctx.build_setting_value
    for number in numbers:
        if not number[:2].isdigit():
            fail("cuda_architectures: {} is not a compute capability such as 90".format(number))
    return CudaArchitecturesInfo(numbers = numbers)

cuda_architectures = rule(
    implementation = _cuda_architectures_impl,
    build_setting = config.string_list(flag = True),
)

def _architecture_flags(numbers):
    flags = ["-gencode=arch=compute_{0},code=sm_{0}".format(number) for number in numbers]
    last = numbers[-1]
    if not last.isdigit():  # 90a: its PTX is for no later GPU
        return flags
    return flags + ["-gencode=arch=compute_{0},code=compute_{0}".format(last)]

def _nvcc_objects_impl(ctx):
    headers = []
    includes = []
    for dep in ctx.attr.deps:
        context = dep[CcInfo].compilation_context
        headers.append(context.headers)
        includes += ["-isystem=" + path for path in context.system_includes.to_list()]
        includes += ["-I" + path for path in context.includes.to_list()]

    objects = []
    for source in ctx.files.srcs:
        object = ctx.actions.declare_file("{}/{}.o".format(ctx.label.name, source.basename))
        arguments = ctx.actions.args()
        arguments.add_all(["-c", source.path, "-o", object.path, "-I."])
        arguments.add_all(["-std=c++20", "-O3", "-Xcompiler=-fPIC", "--expt-relaxed-constexpr"])
        arguments.add_all(["--compress-mode=size", "--threads=2", "--Werror=all-warnings"])
        if ctx.var["COMPILATION_MODE"] == "dbg":
            # For Nsight Compute's source view; triples a program's size.
            arguments.add("-lineinfo")
        numbers = ctx.attr.architectures or ctx.attr._architectures[CudaArchitecturesInfo].numbers
        arguments.add_all(_architecture_flags(numbers))
        arguments.add_all(depset(includes))
        ctx.actions.run(
            executable = CUDA_HOME + "/bin/nvcc",
            arguments = [arguments],
            inputs = depset(ctx.files.srcs + ctx.files.hdrs, transitive = headers),
            outputs = [object],
            mnemonic = "NvccCompile",
            progress_message = "Compiling CUDA %s" % source.short_path,
            use_default_shell_env = True,
        )
        objects.append(object)
    return DefaultInfo(files = depset(objects))

_nvcc_objects = rule(
    implementation = _nvcc_objects_impl,
    attrs = {
        "architectures": attr.string_list(),
        "deps": attr.label_list(providers = [CcInfo]),
        "hdrs": attr.label_list(allow_files = [".h", ".cuh"]),
        "srcs": attr.label_list(allow_files = [".cu"]),
        "_architectures": attr.label(default = "//tools/build:cuda_architectures"),
    },
)

def cuda_headers(name, hdrs, deps = [], **kwargs):
    """Device code in headers, for .cu files and, emulated, for tests on the CPU.

        cuda_headers(
            name = "softmax",
            hdrs = ["softmax.cuh"],
            deps = ["//spion/kernels/cuda_tiles"],
        )

    A cuda_library has it among its deps, and so has an emulated_test.

    Args:
      name: of the target.
      hdrs: no file is compiled for itself, as it means nothing to a host compiler alone.
      deps: other headers.
      **kwargs: as of cc_library.
    """
    native.cc_library(name = name, textual_hdrs = hdrs, deps = deps, **kwargs)

def _spion_cuda(rule, name, visibility = None, **kwargs):
    if HAS_CUDA:
        rule(name = name, visibility = visibility, **kwargs)
    else:
        native.cc_library(name = name, visibility = visibility)

def spion_cuda_cc_library(name, **kwargs):
    """Host code over CUDA or LibTorch's CUDA side; an empty library where this build has none."""
    _spion_cuda(spion_cc_library, name, **kwargs)

def spion_cuda_cc_unit(name, **kwargs):
    """The same as a unit (cc.bzl), whose test needs no GPU; an empty library without CUDA."""
    _spion_cuda(spion_cc_unit, name, **kwargs)

def spion_cuda_cc_test(name, **kwargs):
    """A test of such code that needs no GPU; no target where this build has no CUDA."""
    if HAS_CUDA:
        spion_cc_test(name = name, **kwargs)

def emulated_test(name, deps, **kwargs):
    """A test of device code on the CPU, which //spion/kernels/cuda_emulation emulates.

    Args:
      name: of the test.
      deps: besides the emulation.
      **kwargs: as of spion_cuda_cc_test.
    """
    spion_cuda_cc_test(
        name = name,
        copts = ["-Wno-unknown-pragmas"],  # nvcc's
        deps = deps + [
            "//spion/kernels/cuda_emulation:instructions",
            "//spion/kernels/cuda_emulation:thread_block",
        ],
        **kwargs
    )

def spion_cuda_cc_binary(name, **kwargs):
    """A program of such code; no target where this build has no CUDA."""
    if HAS_CUDA:
        spion_cc_binary(name = name, **kwargs)

def spion_cuda_test(name, srcs, deps, size = "medium", visibility = None):
    """A GoogleTest program that needs a GPU; no target where this build has no CUDA.

    Its cases are a library, <name>_cases, too: the bundle links those of all tests into one program,
    as each program carries the kernels of several architectures.
    """
    if not HAS_CUDA:
        return
    spion_cc_library(
        name = name + "_cases",
        testonly = True,
        srcs = srcs,
        visibility = visibility,
        deps = deps + [
            "@googletest//:gmock",
            "@torch",
        ],
        alwayslink = True,
    )
    spion_cc_test(
        name = name,
        size = size,
        srcs = [],
        tags = ["gpu"],
        deps = [":{}_cases".format(name)],
    )

def cuda_library(name, srcs, hdrs = [], deps = [], architectures = [], **kwargs):
    if not HAS_NVCC:
        return
    _nvcc_objects(
        name = name + ".objects",
        srcs = srcs,
        architectures = architectures,
        hdrs = hdrs,
        deps = deps,
    )
    native.cc_library(
        name = name,
        srcs = [name + ".objects"],
        linkstatic = True,
        deps = deps + ["@cuda//:runtime"],
        **kwargs
    )

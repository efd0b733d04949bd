"""wheel: the program that makes the Python package's wheel."""

load("//tools/build:cuda.bzl", "CUDA_OBSTACLE")
load("//tools/build:package.bzl", "package_libraries")
load("@cuda//:defs.bzl", "CUDA_HOME")
load("@torch//:defs.bzl", "TORCH_LIB")

def _wheel_content_impl(ctx):
    content = ctx.actions.declare_file(ctx.label.name + ".json")
    files = ctx.files.files + ctx.files.libraries
    ctx.actions.write(content, json.encode({
        "cuda_home": CUDA_HOME,
        "cuda_obstacle": ctx.attr.cuda_obstacle,
        "files": {file.short_path[len("python/"):]: file.short_path for file in files},
        "license": ctx.file.license.short_path,
        "torch_lib": ctx.attr.torch_lib,
    }))
    return DefaultInfo(
        files = depset([content]),
        runfiles = ctx.runfiles(files = files + [ctx.file.license, content]),
    )

_wheel_content = rule(
    implementation = _wheel_content_impl,
    attrs = {
        "cuda_obstacle": attr.string(doc = "why there are no CUDA operators; empty if there are"),
        "files": attr.label_list(allow_files = True),
        "libraries": attr.label_list(allow_files = True),
        "license": attr.label(allow_single_file = True),
        "torch_lib": attr.string(mandatory = True),
    },
    doc = "A JSON file for wheel.py: what goes into the wheel.",
)

def wheel(name):
    """`bazel run` of it takes --out=DIR."""
    _wheel_content(
        name = name + "_content",
        files = ["//python:files"],
        libraries = package_libraries(),
        license = "//:LICENSE",
        cuda_obstacle = CUDA_OBSTACLE,
        torch_lib = TORCH_LIB,
    )
    native.py_binary(
        name = name,
        srcs = ["wheel.py"],
        args = ["$(rootpath :{}_content)".format(name)],
        data = [":{}_content".format(name)],
        main = "wheel.py",
        deps = [
            "//tools/command_line",
            "//tools/licences",
            "//tools/shared_libraries",
        ],
        visibility = ["//tools:__pkg__"],
    )

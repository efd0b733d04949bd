"""bundle: the program that collects other programs into a folder for a GPU machine."""

load("//tools/build:cuda.bzl", "CUDA_OBSTACLE", "with_cuda")
load("@cuda//:defs.bzl", "CUDA_HOME")
load("@torch//:defs.bzl", "TORCH_LIB", "TORCH_VERSION")

def _bundle_content_impl(ctx):
    groups = {
        "tests": ctx.attr.tests,
        "benchmarks": ctx.attr.benchmarks,
        "programs": ctx.attr.programs,
    }
    files = ctx.files.scripts + ctx.files.sources
    paths = {"scripts": [file.short_path for file in ctx.files.scripts]}
    for group, targets in groups.items():
        executables = [target[DefaultInfo].files_to_run.executable for target in targets]
        paths[group] = [file.short_path for file in executables]
        files += executables
    content = ctx.actions.declare_file(ctx.label.name + ".json")
    ctx.actions.write(content, json.encode({
        "cuda_home": CUDA_HOME,
        "files": paths,
        "license": ctx.file.license.short_path,
        "obstacle": ctx.attr.obstacle,
        "sources": [file.short_path for file in ctx.files.sources],
        "torch_lib": ctx.attr.torch_lib,
        "torch_version": ctx.attr.torch_version,
    }))
    return DefaultInfo(
        files = depset([content]),
        runfiles = ctx.runfiles(files = files + [ctx.file.license, content]),
    )

bundle_content = rule(
    implementation = _bundle_content_impl,
    attrs = {
        "benchmarks": attr.label_list(),
        "license": attr.label(allow_single_file = True, default = "//:LICENSE"),
        "obstacle": attr.string(doc = "why this build can make no bundle; empty if it can"),
        "programs": attr.label_list(),
        "scripts": attr.label_list(allow_files = True),
        "sources": attr.label_list(
            allow_files = True,
            doc = "of a Python program that finds its modules as they lie here",
        ),
        "tests": attr.label_list(),
        "torch_lib": attr.string(mandatory = True),
        "torch_version": attr.string(mandatory = True),
    },
    doc = "A JSON file for bundle.py: what goes into the bundle, and what it is built against.",
)

def bundle(name, tests, benchmarks, programs, scripts, sources):
    """`bazel run` of it takes --out=DIR. Says why, and stops, where the build has no CUDA."""
    bundle_content(
        name = name + "_content",
        testonly = True,
        tests = with_cuda(tests),
        benchmarks = with_cuda(benchmarks),
        programs = with_cuda(programs),
        scripts = with_cuda(scripts),
        sources = with_cuda(sources),
        obstacle = CUDA_OBSTACLE,
        torch_lib = TORCH_LIB,
        torch_version = TORCH_VERSION,
    )
    native.py_binary(
        name = name,
        testonly = True,
        srcs = ["bundle.py"],
        args = ["$(rootpath :{}_content)".format(name)],
        data = [
            "run",
            ":{}_content".format(name),
        ],
        main = "bundle.py",
        deps = [
            "//tools/command_line",
            "//tools/licences",
            "//tools/shared_libraries",
        ],
        visibility = ["//tools:__pkg__"],
    )

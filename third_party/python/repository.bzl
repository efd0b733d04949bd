"""Python packages that tools/bazel installed into an environment of their own."""

load("//third_party:cache_folder.bzl", "CACHE_VARIABLE", "cache_folder")
load("//third_party:versions.bzl", "read_versions")
load("//third_party/python:interpreter.bzl", "PYTHON_VARIABLE")

_BUILD = """
# One label for the whole folder: it is never changed, only made anew under another version's name.
py_library(
    name = "{name}",
    data = ["site-packages"],
    imports = ["site-packages"],
    visibility = ["//visibility:public"],
)
"""

def _python_package_impl(repository_ctx):
    package = repository_ctx.attr.package
    version = read_versions(repository_ctx)[package.upper() + "_VERSION"]
    root = repository_ctx.path("{}/{}-{}".format(
        cache_folder(repository_ctx),
        package,
        version,
    ))
    fix = "run tools/bazel, which installs it"
    if not root.get_child("complete").exists:
        fail("@{}: {} {} is not in {}; {}".format(repository_ctx.name, package, version, root, fix))
    for python in root.get_child("lib").readdir():
        site_packages = python.get_child("site-packages")
        if site_packages.get_child(package).exists:
            repository_ctx.symlink(site_packages, "site-packages")
            repository_ctx.file("BUILD.bazel", _BUILD.format(name = package))
            return
    fail("@{}: {} has no package {}; remove that folder and {}".format(
        repository_ctx.name,
        root,
        package,
        fix,
    ))

python_package = repository_rule(
    implementation = _python_package_impl,
    attrs = {
        "package": attr.string(mandatory = True, doc = "its name; its version is in versions.env"),
    },
    environ = [CACHE_VARIABLE, PYTHON_VARIABLE],
    configure = True,
    local = True,
)

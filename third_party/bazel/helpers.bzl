"""Bazel 4 downloads these helper repositories unless the workspace has them: here it has."""

def _stub_impl(repository_ctx):
    for path, content in repository_ctx.attr.files.items():
        repository_ctx.file(path, content)

_stub = repository_rule(
    implementation = _stub_impl,
    attrs = {"files": attr.string_dict(mandatory = True)},
    doc = "A repository made of the given files.",
)

# Debian's own rules_cc is too recent for this Bazel; the native rules are all that anybody loads.
_RULES_CC = "\n".join([
    "{0} = native.{0}".format(rule)
    for rule in [
        "cc_binary",
        "cc_import",
        "cc_library",
        "cc_proto_library",
        "cc_test",
        "cc_toolchain",
        "cc_toolchain_suite",
        "objc_library",
    ]
])

_COVERAGE = """
filegroup(name = "coverage_report_generator", visibility = ["//visibility:public"])
filegroup(name = "lcov_merger", visibility = ["//visibility:public"])
"""

def bazel_helpers():
    _stub(name = "rules_cc", files = {
        "BUILD.bazel": "",
        "cc/BUILD.bazel": "",
        "cc/defs.bzl": _RULES_CC,
    })
    _stub(name = "remote_coverage_tools", files = {"BUILD.bazel": _COVERAGE})
    for name, path in {
        "bazel_skylib": "/usr/share/bazel/tools/skylib",
        "platforms": "/usr/share/bazel/tools/platforms",
        "rules_java": "/usr/share/bazel/rules/java",
        "rules_proto": "/usr/share/bazel/rules/proto",
    }.items():
        native.local_repository(name = name, path = path)

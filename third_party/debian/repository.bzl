"""A C++ library from a Debian package: found by pkg-config, linked from the system."""

_TARGET = """
cc_library(
    name = "{name}",
    linkopts = {linkopts},
    visibility = ["//visibility:public"],
)
"""

def _debian_library_impl(repository_ctx):
    header = "/usr/include/" + repository_ctx.attr.header
    fix = "run tools/bazel, which installs it, or: apt-get install " + repository_ctx.attr.package
    if not repository_ctx.path(header).exists:
        fail("@{}: {} is not there; {}".format(repository_ctx.name, header, fix))

    targets = []
    for name, modules in repository_ctx.attr.modules.items():
        result = repository_ctx.execute(["pkg-config", "--libs"] + modules.split(" "))
        if result.return_code != 0:
            fail("@{}: pkg-config does not know {}; {}\n{}".format(
                repository_ctx.name,
                modules,
                fix,
                result.stderr,
            ))
        linkopts = [option.strip() for option in result.stdout.split(" ") if option.strip()]
        targets.append(_TARGET.format(name = name, linkopts = repr(linkopts)))
    repository_ctx.file("BUILD.bazel", "".join(targets))

debian_library = repository_rule(
    implementation = _debian_library_impl,
    attrs = {
        "header": attr.string(mandatory = True, doc = "a header below /usr/include that shows it is installed"),
        "modules": attr.string_dict(mandatory = True, doc = "target name -> pkg-config modules, with spaces between"),
        "package": attr.string(mandatory = True, doc = "what to install when it is missing"),
    },
    local = True,
)

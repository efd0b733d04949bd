"""A fuzzer, and the test that feeds it its seeds and what it has found.

    spion_fuzz(
        name = "png",  # png.cc has LLVMFuzzerTestOneInput; seeds/png and found/png its inputs
        deps = ["//spion/data/formats:png"],
    )

makes the program `png`, which only clang links (tools/fuzz/run.py builds and runs it), and the test
`png_test`, in which every kept input is a test case.
"""

load("//tools/build:cc.bzl", "spion_cc_binary", "spion_cc_library", "spion_cc_test")

def spion_fuzz(name, deps, fuzzer_srcs = [], fuzzer_deps = []):
    """See above.

    Args:
      name: of the fuzzer.
      deps: of <name>.cc.
      fuzzer_srcs: of the fuzzer alone: what uses libFuzzer's own functions.
      fuzzer_deps: of these.
    """
    spion_cc_library(
        name = name + "_entry",
        testonly = True,
        srcs = [name + ".cc"],
        # Nobody in the program calls it by a name that the linker has seen before.
        alwayslink = True,
        deps = deps,
    )
    spion_cc_binary(
        name = name,
        testonly = True,
        srcs = fuzzer_srcs,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = [":" + name + "_entry"] + fuzzer_deps,
    )
    spion_cc_test(
        name = name + "_test",
        srcs = ["replay_test.cc"],
        data = native.glob(["seeds/" + name + "/*", "found/" + name + "/*"]),
        local_defines = ["SPION_FUZZER=\\\"" + name + "\\\""],
        deps = [":" + name + "_entry"],
    )

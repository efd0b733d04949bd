"""build_info: the source file behind spion/platform/build_info.h, stamped with the commit."""

load("@cuda//:defs.bzl", "CUDA_VERSION")
load("@torch//:defs.bzl", "TORCH_VERSION")

_SOURCE = """
#include \\"spion/platform/build_info.h\\"

namespace spion {{

BuildInfo GetBuildInfo() {{
  return {{.commit = \\"$$commit\\",
          .dirty = $$dirty != 0,
          .torch_version = \\"{torch}\\",
          .cuda_version = \\"{cuda}\\"}};
}}

}}  // namespace spion
"""

def build_info(name, out):
    native.genrule(
        name = name,
        outs = [out],
        cmd = """
            value() { sed -n "s/^$$1 //p" bazel-out/stable-status.txt; }
            commit=$$(value STABLE_GIT_COMMIT)
            dirty=$$(value STABLE_GIT_DIRTY)
            echo "%s" > $@
        """ % _SOURCE.format(torch = TORCH_VERSION, cuda = CUDA_VERSION),
        stamp = True,
    )

"""Checks that every dependency between the product's packages goes down the floors.

Reads the graph that `bazel query --output=graph` wrote (a genquery), so it sees what is built.
"""

import re
import sys
import unittest

# From the ground up; packages on one line may not use each other. A package belongs to the longest
# name that it lies in.
FLOORS = [
    ["spion/base"],
    ["spion/profiling", "spion/data", "spion/pattern"],
    ["spion/kernels/common"],
    ["spion/kernels/cpu_simd", "spion/kernels/cuda_emulation", "spion/kernels/cuda_launch"],
    ["spion/kernels/cuda_tiles"],
    ["spion/kernels/cuda_hopper"],
    ["spion/reference", "spion/testing", "spion/kernels", "spion/kernels/attention_map",
     "spion/kernels/block_sparse", "spion/kernels/classifier", "spion/kernels/materialised_softmax",
     "spion/kernels/optimizer", "spion/kernels/token_rows"],
    ["spion/kernels/block_sparse/cpu", "spion/kernels/block_sparse/cuda/common"],
    ["spion/kernels/block_sparse/cuda/line", "spion/kernels/block_sparse/cuda/warp",
     "spion/kernels/block_sparse/cuda/hopper"],
    ["spion/kernels/block_sparse/cuda"],
    ["spion/platform"],
    ["spion/ops", "spion/collective"],
    ["spion/nn"],
    ["baselines", "spion/train"],
    ["spion/run"],
    ["benchmarks", "experiments", "python"],
    ["experiments/tables"],
]
# The oracle and the cases are made for the kernels: within their floor these and others may meet.
MEET_THEIR_FLOOR = {"spion/reference", "spion/testing"}

GRAPH = None


def floor_of(package):
    """Its number and name, the innermost that the package lies in; None, None: of no floor."""
    found = [(number, name) for number, names in enumerate(FLOORS) for name in names
             if package == name or package.startswith(name + "/")]
    return max(found, key=lambda floor: len(floor[1]), default=(None, None))


def edges(graph):
    """Pairs (user package, used package) of a dot graph of labels."""
    for line in graph.splitlines():
        match = re.match(r'\s*"(.+?)" -> "(.+?)"', line)
        if not match:
            continue
        users, used = ([label.split(":")[0].lstrip("/") for label in side.split("\\n")]
                       for side in match.groups())
        for user in users:
            for target in used:
                if user != target:
                    yield user, target


def may_use(user, used):
    """None where one of the two is of no floor."""
    (above, above_name), (below, below_name) = floor_of(user), floor_of(used)
    if above is None or below is None:
        return None
    return below < above or above_name == below_name or (
        below == above and not MEET_THEIR_FLOOR.isdisjoint({above_name, below_name}))


class LayersTest(unittest.TestCase):
    def test_every_dependency_goes_down(self):
        checked = 0
        for user, used in edges(GRAPH):
            allowed = may_use(user, used)
            if allowed is None:
                continue
            checked += 1
            self.assertTrue(allowed, f"//{user} may not use //{used}: see docs/architecture.md")
        self.assertGreater(checked, 20, "the graph is not the product's")

    def test_the_graph_has_the_kernels_inner_floors(self):
        used = set(edges(GRAPH))
        if not any(user.endswith("/cuda") for user, _ in used):
            self.skipTest("this build has no CUDA")
        for user in ("block_sparse/cuda/line", "block_sparse/cuda/warp", "attention_map/cuda", "token_rows/cuda", "materialised_softmax/cuda"):
            self.assertIn((f"spion/kernels/{user}", "spion/kernels/cuda_tiles"), used)
        self.assertIn(("spion/kernels/cuda_tiles", "spion/kernels/common"), used)

    def test_kernels_go_down_their_inner_floors(self):
        kernels = "spion/kernels/"
        self.assertTrue(may_use(kernels + "block_sparse/cuda", kernels + "cuda_tiles"))
        self.assertTrue(may_use(kernels + "cuda_tiles", kernels + "common"))
        self.assertTrue(may_use(kernels + "block_sparse/cuda/hopper", kernels + "block_sparse"))
        self.assertTrue(may_use("spion/testing", kernels + "block_sparse"))
        self.assertTrue(may_use(kernels + "token_rows/cuda", "spion/testing"))
        for user, used in [("cuda_tiles", "block_sparse"), ("cuda_launch", "block_sparse"),
                           ("cpu_simd", "block_sparse"), ("attention_map", "block_sparse"),
                           ("token_rows/cuda", "block_sparse/cuda"), ("common", "cpu_simd"),
                           ("block_sparse/cuda/line", "block_sparse/cuda/warp"),
                           ("block_sparse/cuda/hopper", "block_sparse/cuda")]:
            self.assertFalse(may_use(kernels + user, kernels + used), f"{user} uses {used}")

    def test_an_upward_edge_would_be_seen(self):
        found = list(edges('  "//spion/base:a\\n//spion/base:b" -> "//spion/nn:c"'))
        self.assertEqual(found, [("spion/base", "spion/nn")] * 2)
        self.assertLess(floor_of("experiments")[0], floor_of("experiments/tables")[0])
        self.assertLess(floor_of("spion/base")[0], floor_of("spion/nn")[0])


if __name__ == "__main__":
    with open(sys.argv.pop(1), encoding="utf-8") as graph_file:
        GRAPH = graph_file.read()
    unittest.main()

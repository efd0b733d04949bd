"""Checks that every dependency between the product's packages goes down the floors.

Reads the graph that `bazel query --output=graph` wrote (a genquery), so it sees what is built.
"""

import re
import sys
import unittest

# From the ground up; packages on one line may not use each other unless listed twice.
FLOORS = [
    ["spion/base"],
    ["spion/profiling", "spion/data", "spion/pattern"],
    ["spion/reference", "spion/testing", "spion/kernels"],
    ["spion/platform"],
    ["spion/ops"],
    ["spion/nn"],
    ["baselines", "spion/train"],
    ["spion/run"],
    ["benchmarks", "experiments"],
    ["experiments/tables"],
]
# The oracle and the cases are made for the kernels: within their floor they may meet.
SAME_FLOOR_ALLOWED = {"spion/reference", "spion/testing", "spion/kernels"}

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


class LayersTest(unittest.TestCase):
    def test_every_dependency_goes_down(self):
        checked = 0
        for user, used in edges(GRAPH):
            (above, above_name), (below, below_name) = floor_of(user), floor_of(used)
            if above is None or below is None:
                continue
            checked += 1
            allowed = below < above or above_name == below_name or (
                below == above and {above_name, below_name} <= SAME_FLOOR_ALLOWED)
            self.assertTrue(allowed, f"//{user} may not use //{used}: see docs/architecture.md")
        self.assertGreater(checked, 20, "the graph is not the product's")

    def test_an_upward_edge_would_be_seen(self):
        found = list(edges('  "//spion/base:a\\n//spion/base:b" -> "//spion/nn:c"'))
        self.assertEqual(found, [("spion/base", "spion/nn")] * 2)
        self.assertLess(floor_of("experiments")[0], floor_of("experiments/tables")[0])
        self.assertLess(floor_of("spion/base")[0], floor_of("spion/nn")[0])


if __name__ == "__main__":
    with open(sys.argv.pop(1), encoding="utf-8") as graph_file:
        GRAPH = graph_file.read()
    unittest.main()

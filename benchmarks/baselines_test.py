"""baselines on the CPU: what it lists, and that it times."""

import json
import subprocess
import sys
import unittest

PROGRAM = None


def run(*flags):
    return subprocess.run([PROGRAM, "--device=cpu", *flags], capture_output=True, text=True,
                          check=False)


class BaselinesTest(unittest.TestCase):

    def test_lists_every_single_phase_method_at_every_task(self):
        outcome = run("--benchmark_list_tests")
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        self.assertEqual(outcome.stderr, "baselines: the CPU set: --device=cpu\n")
        names = [name.split("/") for name in outcome.stdout.split()]
        self.assertEqual({name[3] for name in names}, {"image", "listops", "text", "retrieval"})
        self.assertEqual({name[4] for name in names}, {"fwd", "fwdbwd"})
        methods = {name[0] for name in names}
        self.assertLessEqual({"dense", "sdpa", "longformer", "reformer", "skyformer"}, methods)
        self.assertNotIn("cf", methods)
        self.assertEqual(len(names), len(methods) * 4 * 2)

    def test_times_in_json(self):
        outcome = run("--benchmark_filter=former/.*image", "--benchmark_format=json",
                      "--benchmark_min_time=0.001", "--benchmark_repetitions=2")
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        medians = [b for b in json.loads(outcome.stdout)["benchmarks"]
                   if b["name"].endswith("_median")]
        self.assertIn("reformer/cpu/f32/image/fwdbwd", {b["run_name"] for b in medians})
        for benchmark in medians:
            self.assertGreater(benchmark["real_time"], 0)

    def test_another_device_is_refused(self):
        outcome = subprocess.run([PROGRAM, "--device=tpu"], capture_output=True, text=True,
                                 check=False)
        self.assertEqual(outcome.returncode, 1)
        self.assertIn('no device "tpu"', outcome.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

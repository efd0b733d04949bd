"""The command line of sparse_attention: what it lists, prints and refuses."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None


def run(*flags):
    return subprocess.run([PROGRAM, *flags], capture_output=True, text=True, check=False)


class SparseAttentionTest(unittest.TestCase):

    def test_lists_the_cpu_set(self):
        outcome = run("--device=cpu", "--benchmark_list_tests")
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        self.assertEqual(
            outcome.stdout.split(),
            [f"{implementation}/cpu/f32/{case}/{name}"
             for case in ("L1024_b32_k58", "L2048_b64_k41", "L4096_b64_k123")
             for implementation in ("spion", "sdpa", "dense")
             for name in ("fwd", "bwd", "fwdbwd")])
        self.assertEqual(outcome.stderr, "sparse_attention: the CPU set: --device=cpu\n")

    def test_times_in_json(self):
        outcome = run("--device=cpu", "--benchmark_filter=spion/.*L1024", "--benchmark_format=json",
                      "--benchmark_min_time=0.001", "--benchmark_repetitions=2")
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        results = json.loads(outcome.stdout)
        medians = {b["run_name"]: b for b in results["benchmarks"] if b["name"].endswith("_median")}
        self.assertEqual(set(medians), {f"spion/cpu/f32/L1024_b32_k58/{name}"
                                        for name in ("fwd", "bwd", "fwdbwd")})
        for benchmark in medians.values():
            self.assertEqual(benchmark["kept_blocks"], 58)
            self.assertGreater(benchmark["real_time"], 0)
            self.assertEqual(benchmark["time_unit"], "ms")
        self.assertLessEqual({"commit", "torch", "cpu", "date"}, set(results["context"]))

    def test_prints_the_gpu_cases(self):
        path = os.path.join(tempfile.mkdtemp(), "cases.json")
        outcome = run("--print_cases=" + path)
        self.assertEqual((outcome.returncode, outcome.stdout), (0, ""), outcome.stderr)
        with open(path, encoding="utf-8") as file:
            cases = {case["name"]: case for case in json.load(file)["cases"]}
        image = cases["image_cf_layer0"]
        self.assertEqual([image[key] for key in ("batch", "heads", "length", "head_dim")],
                         [128, 2, 1024, 32])
        self.assertEqual(image["pattern"]["columns_of_row"][31], [8, 9, 31])
        self.assertEqual(len(cases["L65536_b64_k8row"]["pattern"]["columns_of_row"]), 1024)

    def test_bad_flags_are_errors(self):
        for flags, message in ((["--print_cases=/no/such/folder/cases"], "/no/such/folder/cases"),
                               (["--device=tpu"], 'no device "tpu"'),
                               (["--device=cpu", "--flush_l2"], "--flush_l2 is for the GPU set"),
                               (["--device=cpu", "--flush_l2=yes"], "--flush_l2 is for the GPU"),
                               (["--flush_l2=maybe"], "expected true or false"),
                               (["--devise=cpu"], "did you mean --device?"),
                               (["--device"], "--device needs a value"),
                               (["--device=cpu", "--no_such_flag"], "--no_such_flag")):
            outcome = run(*flags)
            self.assertEqual(outcome.returncode, 1, flags)
            self.assertIn(message, outcome.stderr)
            self.assertEqual(len(outcome.stderr.splitlines()), 1, outcome.stderr)

    def test_help_has_the_programs_flags_and_google_benchmarks(self):
        for flags in (["--help"], ["-h"], ["--device=cuda", "--help"]):
            outcome = run(*flags)
            self.assertEqual((outcome.returncode, outcome.stderr), (0, ""))
            self.assertIn("--print_cases=FILE", outcome.stdout)
            self.assertIn("--benchmark_filter=", outcome.stdout)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()

"""The ranges and the trace of a whole training run, as an NVTX tool and Perfetto would see them."""

import collections
import json
import os
import pathlib
import sys
import tempfile
import unittest

from spion.profiling import nvtx_record

PROGRAM = RECORDER = None
# One example a step; the transition comes at step 80 at the latest.
STEPS = 82
FIRST_TRACED, LAST_TRACED = 79, 82


class RangesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        cls.trace = cls.folder / "trace.json"
        result, cls.events = nvtx_record.run(RECORDER, [
            PROGRAM, "--task=image", "--method=cf", f"--steps={STEPS}", "--batch_size=1",
            f"--out_dir={cls.folder}/run", f"--trace={cls.trace}",
            f"--trace_steps={FIRST_TRACED}:{LAST_TRACED}"])
        assert result.returncode == 0, result.stderr
        cls.output = result.stdout
        cls.errors = result.stderr
        cls.summary = json.loads((cls.folder / "run/summary.json").read_text())
        cls.ranges = nvtx_record.nested_ranges(cls.events)  # raises if one stays open

    def count(self, name):
        return sum(range_.name == name for range_ in self.ranges)

    def test_one_phase_after_the_other(self):
        (dense, _, dense_end), (sparse, sparse_start, _) = nvtx_record.phases(self.events)
        self.assertEqual((dense, sparse), ("dense_phase", "sparse_phase"))
        self.assertLess(dense_end, sparse_start)

    def test_a_range_for_every_step_and_part(self):
        transition = self.summary["transition_step"]
        self.assertEqual(self.count("dense_step"), transition)
        self.assertEqual(self.count("sparse_step"), STEPS - transition)
        # Maps are captured by a forward pass before the step.
        captures = self.count("capture")
        for part, count in (("data", STEPS + captures), ("forward", STEPS + captures),
                            ("backward", STEPS), ("optimizer", STEPS)):
            self.assertEqual(self.count(part), count, part)
            self.assertEqual({range_.parents[0] for range_ in self.ranges if range_.name == part},
                             {"dense_step", "sparse_step"}, part)

    def test_captures_the_pattern_search_and_evaluations(self):
        metrics = [json.loads(line) for line in (self.folder / "run/metrics.jsonl").open()]
        kinds = collections.Counter(metric["kind"] for metric in metrics)
        self.assertEqual(self.count("capture"), kinds["capture"])
        self.assertEqual(self.count("evaluation"), kinds["dev"] + 1)  # and the test set
        searches = [range_ for range_ in self.ranges if range_.name == "pattern_search"]
        self.assertEqual([search.parents for search in searches], [("capture",)])

    def test_the_trace_has_the_ranges_of_its_steps(self):
        self.assertIn(f"trace of steps {FIRST_TRACED} to {LAST_TRACED}", self.output)
        self.assertNotIn("gpuGetDeviceCount", self.errors)
        events = json.loads(self.trace.read_text())["traceEvents"]
        names = collections.Counter(event["name"] for event in events if event["ph"] == "X")
        traced = LAST_TRACED - FIRST_TRACED + 1
        self.assertEqual(names["spion:dense_step"] + names["spion:sparse_step"], traced)
        self.assertEqual(names["spion:backward"], traced)
        self.assertEqual(names["aten::_fused_adamw_"], traced)
        self.assertFalse(self.trace.with_name("trace.json.partial").exists())

    def test_the_run_is_reported_as_float32(self):
        self.assertEqual(self.summary["precision"], "float32")


class SinglePhaseTest(unittest.TestCase):
    def test_is_called_neither_dense_nor_sparse(self):
        folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        result, events = nvtx_record.run(RECORDER, [
            PROGRAM, "--task=image", "--method=longformer", "--steps=2", "--batch_size=1",
            "--dev_examples=8", "--test_examples=8", f"--out_dir={folder}/run"])
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([name for name, _, _ in nvtx_record.phases(events)], ["single_phase"])
        steps = [range_.name for range_ in nvtx_record.nested_ranges(events)
                 if range_.name.endswith("step")]
        self.assertEqual(steps, ["step", "step"])


if __name__ == "__main__":
    PROGRAM, RECORDER = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()

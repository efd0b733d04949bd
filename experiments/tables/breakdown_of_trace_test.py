"""Parts of a step, from traces made by hand; real_cells_test.py reads real ones."""

import unittest

import breakdown_of_trace


def event(name, ts, dur, cat="user_annotation", tid=1, **args):
    return {"ph": "X", "cat": cat, "name": name, "ts": ts, "dur": dur, "tid": tid, "args": args}


def forward(name, ts, dur, number, tid=1):
    return event(f"spion:{name}", ts, dur, tid=tid,
                 **{"Sequence number": number, "Fwd thread id": 0})


def backward(ts, dur, number, tid=2, **args):
    return event("Backward0", ts, dur, "cpu_op", tid,
                 **{"Sequence number": number, "Fwd thread id": 1}, **args)


STEP = event("spion:step", 0, 100_000)
PROJECTIONS = forward("projections", 1000, 500, number=10)  # makes nodes 10 and 11
ATTENTION = forward("attention", 2000, 700, number=12)  # node 12
LOSS = event("aten::loss", 3000, 40, "cpu_op", **{"Sequence number": 13, "Fwd thread id": 0})


def shares(*events):
    return breakdown_of_trace.shares({"traceEvents": [STEP, PROJECTIONS, *events]})


class BreakdownTest(unittest.TestCase):
    def check(self, told, **microseconds):
        """Parts that are not named must have no time, but for what is left."""
        expected = {name.replace("_", " "): each for name, each in microseconds.items()}
        for part in breakdown_of_trace.PARTS[:-1]:
            self.assertAlmostEqual(told[part], expected.get(part, 0) / 1e3, msg=part)
        self.assertAlmostEqual(told["step"], sum(told[part] for part in breakdown_of_trace.PARTS))

    def test_a_node_counts_for_the_range_that_it_was_made_in(self):
        told = shares(ATTENTION, LOSS, backward(50_000, 1, 13), backward(50_010, 20, 12),
                      backward(50_100, 300, 11), backward(50_500, 4000, 10),
                      event("spion:optimizer", 90_000, 5), event("spion:data", 10, 6))
        self.check(told, projections=500 + 4300, fused_attention=700 + 20, optimiser=5, data=6)
        self.assertAlmostEqual(told["step"], 100)

    def test_an_attention_that_is_told_apart_is_not_fused(self):
        told = shares(ATTENTION, forward("scores", 2100, 100, 12), forward("softmax", 2300, 30, 13),
                      forward("weighted_sum", 2400, 200, 14), backward(50_000, 1, 12),
                      backward(50_100, 2, 13), backward(50_200, 4, 14))
        self.check(told, projections=500, scores=101, softmax=32, weighted_sum=204)

    def test_ranges_within_a_node_count_for_themselves(self):
        told = shares(ATTENTION, forward("scores", 2100, 700 - 100, 13),
                      backward(50_000, 1000, 12),
                      forward("scores", 50_100, 600, 0, tid=2),  # the thread made no node
                      forward("softmax", 50_800, 100, 0, tid=2), backward(60_000, 50, 13))
        self.check(told, projections=500, scores=600 + 600 + 50, softmax=100)

    def test_a_part_within_another_counts_once(self):
        told = shares(ATTENTION, forward("projections", 2100, 300, 12), backward(50_000, 9, 12))
        self.check(told, projections=500 + 300 + 9, fused_attention=700 - 300)

    def test_on_a_gpu_the_kernels_count(self):
        def kernel(number, dur):
            return event("k", 500_000 + number, dur, "kernel", tid=7, **{"External id": number})
        told = shares(ATTENTION, event("aten::mm", 1100, 10, "cpu_op", **{"External id": 1}),
                      event("aten::attend", 2100, 10, "cpu_op", **{"External id": 2}),
                      backward(50_000, 1000, 11, **{"External id": 3}),
                      kernel(1, 50), kernel(2, 30), kernel(3, 7))
        self.check(told, projections=57, fused_attention=30)
        self.assertAlmostEqual(told["step"], 0.087)

    def test_a_kernel_counts_where_it_was_launched(self):
        """Also one that no operation of LibTorch launched, which has no external number; launches
        on another thread are of the whole step alone."""
        def kernel(number, dur, **args):
            return event("k", 500_000 + number, dur, "kernel", tid=7, correlation=number, **args)
        def launch(number, ts, tid=1):
            return event("cudaLaunchKernel", ts, 1, "cuda_runtime", tid, correlation=number)
        told = shares(ATTENTION, event("aten::mm", 1100, 10, "cpu_op", **{"External id": 5}),
                      launch(1, 1105), kernel(1, 50, **{"External id": 5}),
                      launch(2, 2500), kernel(2, 30),
                      backward(50_000, 1000, 11), launch(3, 50_500, tid=2), kernel(3, 7),
                      event("cuLaunchKernelEx", 80_000, 1, "cuda_driver", 3, correlation=4),
                      kernel(4, 11))
        self.check(told, projections=57, fused_attention=30)
        self.assertAlmostEqual(told["step"], 0.098)

    def test_a_kernel_counts_once(self):
        """Where the runtime's launch and the driver's within it have one number, too."""
        told = shares(ATTENTION, event("cudaLaunchKernelExC", 2500, 9, "cuda_runtime", correlation=1),
                      event("cuLaunchKernelEx", 2502, 5, "cuda_driver", correlation=1),
                      event("k", 500_001, 30, "kernel", tid=7, correlation=1))
        self.check(told, fused_attention=30)

    def test_means_over_steps(self):
        def later(each):
            return {**each, "ts": each["ts"] + 200_000}
        once = [ATTENTION, backward(50_000, 20, 11)]
        # Numbers go on from step to step; the second has the first one's here.
        twice = [*once, *map(later, [STEP, PROJECTIONS, *once])]
        self.assertEqual(shares(*once), shares(*twice))

    def test_a_trace_without_steps_is_refused(self):
        for events in ([], [PROJECTIONS]):
            with self.assertRaisesRegex(ValueError, "no training step"):
                breakdown_of_trace.shares({"traceEvents": events})


if __name__ == "__main__":
    unittest.main()

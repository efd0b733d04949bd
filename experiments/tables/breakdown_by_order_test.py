"""Parts of a step, from a trace made by hand."""

import unittest

import breakdown_by_order


def event(name, ts, dur, cat="cpu_op", tid=1, number=None):
    return {"ph": "X", "cat": cat, "name": name, "ts": ts, "dur": dur, "tid": tid,
            "args": {} if number is None else {"External id": number}}


def one_layer_step():
    """A step of one layer: forward on thread 1, backward on thread 2; microseconds."""
    forward = ["aten::linear", "aten::bmm", "aten::_softmax", "aten::bmm", "aten::linear",
               "aten::linear", "aten::gelu", "aten::linear", "aten::linear", "aten::linear"]
    backward = ["AddmmBackward0", "AddmmBackward0", "AddmmBackward0", "GeluBackward0",
                "AddmmBackward0", "AddmmBackward0", "BmmBackward0", "SoftmaxBackward0",
                "BmmBackward0", "AddmmBackward0"]
    events = [event("spion:dense_step", 0, 100_000, "user_annotation")]
    for number, name in enumerate(forward):
        events.append(event(name, 1000 * number, 2**number, number=number))
    for number, name in enumerate(backward):
        start = 20_000 + 2000 * number
        events.append(event(name, start, 1000, tid=2, number=100 + number))
        if name == "BmmBackward0":  # does its work in products of its own
            events.append(event("aten::bmm", start + 1, 400, tid=2, number=200 + number))
    events.append(event("spion:optimizer", 90_000, 3000, "user_annotation"))
    return events


def one_layer_step_of_gpu_operators():
    """The same as it is on a GPU. Operation n of the forward pass takes 2^n us, of the backward
    pass 1000 us; in attention's, the products take 100 and the softmax 10."""
    forward = ["spion::embed_norm", "aten::linear", "aten::bmm", "spion::score_softmax", "aten::bmm",
               "aten::linear", "spion::add_norm", "aten::linear", "spion::gelu_dropout",
               "aten::linear", "spion::add_norm", "aten::linear", "aten::linear"]
    backward = ["LinearMap", "LinearMap", "AddNorm", "LinearMap", "GeluDropout", "LinearMap",
                "AddNorm", "LinearMap", "Materialised", "LinearMap", "EmbedNorm"]
    events = [event("spion:dense_step", 0, 100_000, "user_annotation")]
    for number, name in enumerate(forward):
        events.append(event(name, 5000 * number, 2**number))
    for number, name in enumerate(backward):
        start = 70_000 + 2000 * number
        events.append(event("torch::autograd::CppNode<spion::(anonymous namespace)::"
                            f"{name}Function>", start, 1000, tid=2))
        if name == "Materialised":
            for place, inner in enumerate(("aten::bmm", "aten::bmm",
                                           "spion::score_softmax_backward_",
                                           "aten::bmm", "aten::bmm")):
                events.append(event(inner, start + 150 * (place + 1),
                                    100 if inner == "aten::bmm" else 10, tid=2))
    return events


class BreakdownByOrderTest(unittest.TestCase):
    def test_parts_by_the_order_of_operations(self):
        ms = breakdown_by_order.shares({"traceEvents": one_layer_step()})
        expected = {
            "projections": 1 + 16 + 2 * 1000, "scores": 2 + 1000, "softmax": 4 + 1000,
            "weighted sum": 8 + 1000, "MLP": 32 + 64 + 128 + 3 * 1000,
            "classifier": 256 + 512 + 2 * 1000, "optimiser": 3000, "data": 0, "fused attention": 0}
        for part, microseconds in expected.items():
            self.assertAlmostEqual(ms[part], microseconds / 1e3, msg=part)
        self.assertAlmostEqual(ms["step"], 100)
        self.assertAlmostEqual(ms["other"], 100 - sum(expected.values()) / 1e3)

    def test_parts_of_gpu_operators(self):
        ms = breakdown_by_order.shares({"traceEvents": one_layer_step_of_gpu_operators()})
        expected = {
            "projections": 2 + 32 + 2 * 1000, "scores": 4 + 200, "softmax": 8 + 10,
            "weighted sum": 16 + 200, "MLP": 128 + 256 + 512 + 3 * 1000,
            "residual stream": 1 + 64 + 1024 + 3 * 1000, "classifier": 2048 + 4096 + 2 * 1000}
        for part, microseconds in expected.items():
            self.assertAlmostEqual(ms[part], microseconds / 1e3, msg=part)

    def test_operators_that_it_does_not_know_are_refused(self):
        for name in ("LinearMapFunction", "AddNormFunction"):
            events = [{**each, "name": each["name"].replace(name, "RenamedFunction")}
                      for each in one_layer_step_of_gpu_operators()]
            with self.assertRaisesRegex(ValueError, "not known here"):
                breakdown_by_order.shares({"traceEvents": events})

    def test_means_over_steps(self):
        second = [{**each, "ts": each["ts"] + 200_000} for each in one_layer_step()]
        once = breakdown_by_order.shares({"traceEvents": one_layer_step()})
        twice = breakdown_by_order.shares({"traceEvents": one_layer_step() + second})
        for part, ms in once.items():
            self.assertAlmostEqual(twice[part], ms, msg=part)

    def test_on_a_gpu_the_kernels_count(self):
        kernels = [event("k", 500_000, 50, "kernel", tid=7, number=1),  # scores, forward
                   event("k", 500_100, 30, "kernel", tid=7, number=206),  # weighted sum, backward
                   event("k", 500_200, 20, "gpu_memcpy", tid=7, number=2)]  # softmax
        ms = breakdown_by_order.shares({"traceEvents": one_layer_step() + kernels})
        self.assertAlmostEqual(ms["scores"], 0.05)
        self.assertAlmostEqual(ms["weighted sum"], 0.03)
        self.assertAlmostEqual(ms["softmax"], 0.02)
        self.assertAlmostEqual(ms["step"], 0.1)
        self.assertAlmostEqual(ms["other"], 0)

    def test_fused_attention_is_one_part(self):
        events = [event("spion:sparse_step", 0, 10_000, "user_annotation"),
                  event("spion::block_sparse_attention", 10, 1000),
                  event("spion::block_sparse_attention", 20, 900),  # the same, one level down
                  event("spion::block_sparse_attention_backward", 3000, 2000)]
        self.assertAlmostEqual(
            breakdown_by_order.shares({"traceEvents": events})["fused attention"], 3)

    def test_a_trace_without_steps_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no training step"):
            breakdown_by_order.shares({"traceEvents": []})


if __name__ == "__main__":
    unittest.main()

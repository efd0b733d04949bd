"""Where a training step's time goes, from a trace of a version that opened no range for each part.

docs/results keeps such traces; the others are for breakdown_of_trace.py.

Which product is which is told by the order of the encoder's operations (spion/nn/classifier.cc):
four linear maps a layer (queries, keys and values; output; two of the MLP), then the classifier's
two; and scores, softmax, weighted sum in attention. Backward they come the other way round. On a GPU
the operators of spion/ops stand in for LibTorch's.

On the CPU an operation's time is its own; on a GPU it is that of the kernels that it launched.
"""

from host_clock import HostClock
from trace_events import HOST, STEPS, by_time


def _node(name):
    """The backward pass of a function of spion/ops."""
    return f"torch::autograd::CppNode<spion::(anonymous namespace)::{name}>"


PARTS = ("scores", "softmax", "weighted sum", "fused attention", "projections", "MLP",
         "residual stream", "classifier", "optimiser", "data", "other")
_FUSED = ("spion::block_sparse_attention", "aten::scaled_dot_product_attention",
          "spion::block_sparse_attention_backward")
_SOFTMAX = ("aten::_softmax", "spion::score_softmax")
_LINEAR_BACKWARD = ("AddmmBackward0", _node("LinearMapFunction"))
_GELU = ("aten::gelu", "GeluBackward0", "spion::gelu_dropout", _node("GeluDropoutFunction"))
# Embedding, dropout, sums and normalisation, where they are one pass.
_RESIDUAL = ("spion::embed_norm", "spion::add_norm", _node("EmbedNormFunction"),
             _node("AddNormFunction"))
_MATERIALISED_BACKWARD = _node("MaterialisedFunction")
_CLASSIFIER_MAPS = 2
_MAPS_A_LAYER = 4


def _is_fused(name):
    return name in _FUSED or (name.startswith("ScaledDotProduct") and name.endswith("Backward0"))


def _spans(events, wanted):
    """Of a step: operations with that name, in order, those within another one left out."""
    found = []
    for event in events:
        if wanted(event["name"]) and not (found and event["ts"] < found[-1]["ts"]
                                          + found[-1]["dur"] and event["tid"] == found[-1]["tid"]):
            found.append(event)
    return found


def _products(events, product, softmax, before, after):
    """Products of attention, by whether a softmax (one of these names) comes next."""
    ordered = _spans(events, lambda name: name == product or name in softmax)
    for number, event in enumerate(ordered):
        if event["name"] != product:
            continue
        following = ordered[number + 1]["name"] if number + 1 < len(ordered) else product
        yield (before if following in softmax else after), event


def _materialised_backward(events):
    """Both products of the weighted sum come before the softmax, those of the scores after."""
    for outer in _spans(events, lambda name: name == _MATERIALISED_BACKWARD):
        inner = [event for event in events if event["tid"] == outer["tid"] and _within(event, outer)]
        softmax = _spans(inner, lambda name: name == "spion::score_softmax_backward_")
        yield from (("softmax", event) for event in softmax)
        for event in _spans(inner, lambda name: name == "aten::bmm"):
            is_before = bool(softmax) and event["ts"] < softmax[0]["ts"]
            yield ("weighted sum" if is_before else "scores"), event


def _linear_maps(forward, backward):
    if len(forward) != len(backward):
        raise ValueError(f"a step has {len(forward)} linear maps forward and {len(backward)} "
                         "backward: its trace names operators that are not known here")
    layers_maps = len(forward) - _CLASSIFIER_MAPS
    for number, event in enumerate(forward):
        place = number % _MAPS_A_LAYER
        yield ("classifier" if number >= layers_maps else
               "projections" if place < 2 else "MLP"), event
    for number, event in enumerate(backward):
        place = (number - _CLASSIFIER_MAPS) % _MAPS_A_LAYER
        yield ("classifier" if number < _CLASSIFIER_MAPS else
               "MLP" if place < 2 else "projections"), event


def _parts_of_step(events):
    """(part, event) pairs that do not overlap."""
    pairs = list(_products(events, "aten::bmm_forward", _SOFTMAX, "scores", "weighted sum"))
    pairs += _products(events, "BmmBackward0", ("SoftmaxBackward0",), "weighted sum", "scores")
    pairs += _materialised_backward(events)
    pairs += [("softmax", event) for event in _spans(
        events, lambda name: name in (*_SOFTMAX, "SoftmaxBackward0"))]
    pairs += [("fused attention", event) for event in _spans(events, _is_fused)]
    pairs += _linear_maps(_spans(events, lambda name: name == "aten::linear"),
                          _spans(events, lambda name: name in _LINEAR_BACKWARD))
    pairs += [("MLP", event) for event in _spans(events, lambda name: name in _GELU)]
    residual = _spans(events, lambda name: name in _RESIDUAL)
    if sum("Function" in event["name"] for event in residual) * 2 != len(residual):
        raise ValueError("of the residual stream a step has other numbers of operators forward and "
                         "backward: its trace names some that are not known here")
    pairs += [("residual stream", event) for event in residual]
    pairs += [("optimiser", event) for event in _spans(events,
                                                       lambda name: name == "spion:optimizer")]
    pairs += [("data", event) for event in _spans(events, lambda name: name == "spion:data")]
    return pairs


def _within(event, outer):
    return outer["ts"] <= event["ts"] and event["ts"] + event["dur"] <= outer["ts"] + outer["dur"]


def _mark_forward_products(events):
    """Products outside of a backward operation are the forward ones."""
    backward = _spans(events, lambda name: name in ("BmmBackward0", _MATERIALISED_BACKWARD))
    return [{**event, "name": "aten::bmm_forward"} if event["name"] == "aten::bmm" and not any(
        event["tid"] == outer["tid"] and _within(event, outer) for outer in backward) else event
            for event in events]


def shares(trace):
    """{part: milliseconds a step} of PARTS, under "step" the whole. ValueError without steps, and
    where backward passes of linear maps or of the residual stream are not recognised."""
    events = by_time(trace)
    steps = [event for event in events if event["name"] in STEPS
             and event.get("cat") == "user_annotation"]
    if not steps:
        raise ValueError("the trace has no training step")
    clock = HostClock(events)
    host = [event for event in events if event.get("cat") in HOST]
    total = dict.fromkeys(PARTS, 0.0)
    whole = 0.0
    for step in steps:
        own = _mark_forward_products([event for event in host if _within(event, step)])
        whole += clock.ms(step, all_threads=True)
        for part, event in _parts_of_step(own):
            total[part] += clock.ms(event)
    total["other"] = whole - sum(total.values())
    return {**{part: ms / len(steps) for part, ms in total.items()}, "step": whole / len(steps)}

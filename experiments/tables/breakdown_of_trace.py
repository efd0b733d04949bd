"""Where a training step's time goes, from a trace that --trace=FILE wrote.

    breakdown_of_trace.shares(trace)["projections"]   # milliseconds a step

The forward pass opens a range for each part (spion/profiling/range.h). The backward pass is the
work of autograd's nodes; the sequence number of a node's event tells the range that the node was
made in. What lies within another part counts for its own part alone.

On the CPU an operation's time is its own; on a GPU it is that of the kernels that it launched.
"""

import bisect

import breakdown_by_order
from host_clock import HostClock
from trace_events import HOST, STEPS, by_time

_PART_OF_RANGE = {
    "spion:scores": "scores", "spion:softmax": "softmax", "spion:weighted_sum": "weighted sum",
    "spion:attention": "fused attention", "spion:projections": "projections", "spion:mlp": "MLP",
    "spion:residual_stream": "residual stream", "spion:classifier": "classifier",
    "spion:optimizer": "optimiser", "spion:data": "data"}
PARTS = (*_PART_OF_RANGE.values(), "other")


def _end(event):
    return event["ts"] + event["dur"]


def _number(event):
    """Of an autograd node: in the forward pass of the next to be made, in the backward pass of the
    one that runs. None: neither."""
    return event.get("args", {}).get("Sequence number")


def _is_backward(event):
    return event.get("args", {}).get("Fwd thread id", 0) != 0


class _Forward:
    """The part that each autograd node of a step was made in, on the thread of the forward pass:
    each thread counts nodes for itself."""

    def __init__(self, thread):
        self.thread = thread
        self._numbers, self._parts = [], []  # by time

    def add(self, number, part):
        self._numbers.append(number)
        self._parts.append(part)

    def part(self, number):
        """By what came last before the node was made."""
        place = bisect.bisect_right(self._numbers, number)
        return self._parts[place - 1] if place else None


def _add_parts(events, forward, clock, total):
    """Adds to `total` what a thread did in a step: its events, by time, outer ones first."""
    open_events = []  # (end, part) of those around the present one
    for event in events:
        while open_events and open_events[-1][0] <= event["ts"]:
            open_events.pop()
        outer = open_events[-1][1] if open_events else None
        part, number = _PART_OF_RANGE.get(event["name"]), _number(event)
        if part is None and number is not None and _is_backward(event):
            part = forward.part(number)
        if part is not None:
            ms = clock.ms(event)
            total[part] += ms
            if outer is not None:
                total[outer] -= ms
        if number is not None and event["tid"] == forward.thread and not _is_backward(event):
            forward.add(number, part or outer)
        open_events.append((_end(event), part or outer))


def shares(trace):
    """{part: milliseconds a step} of PARTS, under "step" the whole. ValueError without steps."""
    events = by_time(trace)
    if not any(event["name"] == "spion:projections" for event in events):
        return breakdown_by_order.shares(trace)
    steps = [event for event in events if event["name"] in STEPS and event.get("cat") in HOST]
    if not steps:
        raise ValueError("the trace has no training step")
    clock, total, whole = HostClock(events), dict.fromkeys(PARTS, 0.0), 0.0
    for step in steps:
        whole += clock.ms(step, all_threads=True)
        threads, forward = {step["tid"]: []}, _Forward(step["tid"])  # which comes first
        for event in events:
            if event.get("cat") in HOST and step["ts"] <= event["ts"] and _end(event) <= _end(step):
                threads.setdefault(event["tid"], []).append(event)
        for own in threads.values():
            _add_parts(own, forward, clock, total)
    if total["scores"]:  # An attention that is told apart is not fused.
        total["fused attention"] = 0.0
    total["other"] = whole - sum(total.values())
    return {**{part: ms / len(steps) for part, ms in total.items()}, "step": whole / len(steps)}

"""The events of a trace that --trace=FILE wrote."""

HOST = ("cpu_op", "user_annotation")  # categories of what the host did
STEPS = ("spion:dense_step", "spion:sparse_step", "spion:step")  # ranges around a training step


def by_time(trace):
    """Those that last a while, outer ones first."""
    events = [event for event in trace["traceEvents"] if event.get("ph") == "X" and "dur" in event]
    return sorted(events, key=lambda event: (event["ts"], -event["dur"]))

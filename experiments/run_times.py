"""What no two runs have in common: how long things took, when, and in how much memory.

    without_times(json.loads(text)) == without_times(json.loads(other))
"""

_TIMES = {"time_ms", "step_ms", "step_ms_dense", "step_ms_sparse", "train_seconds", "throughput",
          "pattern_search_ms", "all_reduce_ms", "peak_memory_mib", "peak_reserved_mib"}


def without_times(value):
    """The JSON value of one of a run's files, without them."""
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in _TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value

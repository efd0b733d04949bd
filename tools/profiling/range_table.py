"""A table of SPION's ranges in a trace that --trace=FILE wrote (spion/profiling/trace.h)."""

import collections
import statistics

PREFIX = "spion:"
# Categories of LibTorch's profiler: as the host saw a range, and when its kernels ran on the GPU.
HOST, GPU = "user_annotation", "gpu_user_annotation"

Row = collections.namedtuple("Row", "name count total_ms median_ms share")


def rows(trace, category=HOST):
    """One row a range name, the longest total first.

    The share is of the time from the beginning of the first range to the end of the last one.
    Ranges nest, so shares do not add up to 1.
    """
    durations = collections.defaultdict(list)
    first, last = float("inf"), float("-inf")
    for event in trace["traceEvents"]:
        name = event.get("name", "")
        if (event.get("ph") != "X" or event.get("cat") != category or
                not name.startswith(PREFIX)):
            continue
        durations[name[len(PREFIX):]].append(event["dur"] / 1e3)
        first = min(first, event["ts"])
        last = max(last, event["ts"] + event["dur"])
    span_ms = (last - first) / 1e3
    found = [Row(name, len(each), sum(each), statistics.median(each),
                 sum(each) / span_ms if span_ms > 0 else 0.0)
             for name, each in durations.items()]
    return sorted(found, key=lambda row: (-row.total_ms, row.name))


def format_rows(found):
    """The rows as text, one a line, under a heading."""
    width = max([len("range")] + [len(row.name) for row in found])
    lines = [f"{'range':<{width}}  {'count':>6}  {'total ms':>10}  {'median ms':>10}  {'share':>6}"]
    for row in found:
        lines.append(f"{row.name:<{width}}  {row.count:>6}  {row.total_ms:>10.2f}  "
                     f"{row.median_ms:>10.3f}  {100 * row.share:>5.1f}%")
    return "\n".join(lines)

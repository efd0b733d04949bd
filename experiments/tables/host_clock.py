"""How long what the host did in a trace took: on a GPU the time of the kernels that it launched."""

import bisect

from trace_events import HOST

_DEVICE = ("kernel", "gpu_memcpy", "gpu_memset")
_LAUNCH = ("cuda_runtime", "cuda_driver")


def _argument(event, name):
    return event.get("args", {}).get(name)


def _launched_by(events, kernels, name):
    """(host event, milliseconds of those kernels that have the same argument of that name), and the
    kernels left. Of several events of one number, such as the runtime's launch and the driver's
    within it, the first has them."""
    totals, left = {}, []
    keys = {_argument(event, name) for event in events} - {None}
    for kernel in kernels:
        key = _argument(kernel, name)
        if key in keys:
            totals[key] = totals.get(key, 0) + kernel["dur"] / 1e3
        else:
            left.append(kernel)
    return [(event, totals.pop(_argument(event, name))) for event in events
            if _argument(event, name) in totals], left


class HostClock:
    """Milliseconds of a host event: its own, or of the kernels launched in it. A kernel's launch
    has the same correlation number. In a trace without launches, or where one has been dropped,
    the operation of the same external number stands for it; a kernel that no operation of
    LibTorch launched has no such number. Events come by time, outer ones first."""

    def __init__(self, events):
        kernels = [event for event in events if event.get("cat") in _DEVICE]
        self.has_kernels = bool(kernels)
        launches = [event for event in events if event.get("cat") in _LAUNCH]
        operations = [event for event in events if event.get("cat") in HOST]
        by_launch, kernels = _launched_by(launches, kernels, "correlation")
        by_operation, _ = _launched_by(operations, kernels, "External id")
        self._launches = {}  # thread -> (begins, milliseconds), by time
        for event, ms in sorted(by_launch + by_operation, key=lambda pair: pair[0]["ts"]):
            begins, times = self._launches.setdefault(event["tid"], ([], []))
            begins.append(event["ts"])
            times.append(ms)

    def ms(self, event, all_threads=False):
        if not self.has_kernels:
            return event["dur"] / 1e3
        total = 0.0
        for thread, (begins, times) in self._launches.items():
            if all_threads or thread == event["tid"]:
                first = bisect.bisect_left(begins, event["ts"])
                last = bisect.bisect_right(begins, event["ts"] + event["dur"])
                total += sum(times[first:last])
        return total

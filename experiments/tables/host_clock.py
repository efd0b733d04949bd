"""How long what the host did in a trace took: on a GPU the time of the kernels that it launched."""

import bisect

from trace_events import HOST

_DEVICE = ("kernel", "gpu_memcpy", "gpu_memset")


class HostClock:
    """Milliseconds of a host event: its own, or of the kernels launched in it."""

    def __init__(self, events):
        kernels = {}
        for event in events:
            if event.get("cat") in _DEVICE:
                key = event["args"].get("External id")
                kernels[key] = kernels.get(key, 0) + event["dur"] / 1e3
        self.has_kernels = bool(kernels)
        self._launches = {}  # thread -> (begins, milliseconds), by time
        if kernels:
            for event in sorted(events, key=lambda event: event["ts"]):
                launched = kernels.get(event.get("args", {}).get("External id"))
                if launched and event.get("cat") in HOST:
                    begins, times = self._launches.setdefault(event["tid"], ([], []))
                    begins.append(event["ts"])
                    times.append(launched)

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

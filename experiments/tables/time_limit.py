"""When programs have to stop, so that what they did is packed in time."""

import time

_STOP_SECONDS = 20.0  # from the signal to the saved state, of the slowest step and the largest model
_STOP_SHARE = 0.1  # of a time so short that those would be most of it
_SLACK_SECONDS = 2.0  # for what is neither, such as Python's own end
_PACK_FACTOR = 1.5  # the machine may be busier than when it was measured
_LOOK_SECONDS = 10.0  # between two looks at how much there is to pack


class TimeLimit:
    """`seconds` from `start` (by time.monotonic) until all is packed; `pack_seconds` is a function
    that says how long packing would take now."""

    tick_seconds = 0.5  # how often it is looked at

    def __init__(self, start, seconds, pack_seconds):
        self._end = start + seconds
        self._stop_seconds = min(_STOP_SECONDS, _STOP_SHARE * seconds)
        self._pack_seconds = pack_seconds
        self._looked = None
        self._for_packing = 0.0

    def _pack_at(self):
        now = time.monotonic()
        if self._looked is None or now - self._looked > _LOOK_SECONDS:
            self._looked = now
            self._for_packing = _SLACK_SECONDS + _PACK_FACTOR * self._pack_seconds()
        return self._end - self._for_packing

    def is_time_to_stop(self):
        return time.monotonic() >= self._pack_at() - self._stop_seconds

    def is_time_to_kill(self):
        """What has not stopped: its last saved state is packed."""
        return time.monotonic() >= self._pack_at()

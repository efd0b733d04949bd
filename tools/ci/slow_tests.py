"""Names the tests that took more than a quarter of their time limit, slowest first.

usage: slow_tests.py BAZELRC BUILD_EVENTS_JSON

BAZELRC has the limits (`test --test_timeout=...`), BUILD_EVENTS_JSON is what `bazel test
--build_event_json_file=...` wrote. Tests of that run alone count, as the time of a cached one is
that of another day. A test over the quarter may run into its limit where the machine is slower or
busy: split it, or give it a larger `size`. Prints nothing where there is none; exits 0 either way,
as a time is no reason to fail.
"""

import json
import re
import sys

SHARE = 1 / 4
_SIZES = ("SMALL", "MEDIUM", "LARGE", "ENORMOUS")


def limits_in(bazelrc):
    """Seconds for each size of test."""
    seconds = re.search(r"^(?:build|test) --test_timeout=([0-9,]+)$", bazelrc, re.MULTILINE).group(1)
    return dict(zip(_SIZES, map(int, seconds.split(",")), strict=True))


def slow(events, limit_of_size):
    """(label, seconds, limit in seconds) of each, slowest share first."""
    limits, seconds = {}, {}
    for event in events:
        identity = event["id"]
        if "configured" in event and "testSize" in event["configured"]:
            label = identity["targetConfigured"]["label"]
            limits[label] = limit_of_size[event["configured"]["testSize"]]
        elif "testResult" in event and not event["testResult"].get("cachedLocally", False):
            label = identity["testResult"]["label"]
            took = int(event["testResult"].get("testAttemptDurationMillis", 0)) / 1000
            seconds[label] = max(took, seconds.get(label, 0))
    found = [(label, took, limits[label]) for label, took in seconds.items()
             if label in limits and took > SHARE * limits[label]]
    return sorted(found, key=lambda row: -row[1] / row[2])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        limit_of_size = limits_in(file.read())
    with open(sys.argv[2], encoding="utf-8") as file:
        for label, took, limit in slow((json.loads(line) for line in file), limit_of_size):
            print(f"slow: {label} took {took:.0f} s of its {limit} s")


if __name__ == "__main__":
    main()

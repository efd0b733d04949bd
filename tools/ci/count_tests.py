"""Counts test cases from Bazel's own results and prints `N passed, N failed, N skipped`.

usage: count_tests.py BUILD_EVENTS_JSON [LEFT_OUT]

BUILD_EVENTS_JSON is what `bazel test --build_event_json_file=...` wrote: it names the test.xml of
every target of that run, cached ones too. LEFT_OUT targets (those that need a GPU or a browser)
count as skipped. A target that failed without a case of its own to blame (a crash, a time-out, a
build error) counts as one failure. Exits 1 if anything failed or nothing ran.
"""

import json
import sys
import urllib.parse
import xml.etree.ElementTree


def cases_in(path):
    """(passed, failed, skipped) of one test.xml."""
    passed = failed = skipped = 0
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif (case.find("skipped") is not None or case.get("status") == "notrun"
              or case.get("result") == "skipped"):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def count(events):
    passed = failed = skipped = 0
    for event in events:
        if "testSummary" in event and event["testSummary"].get("totalRunCount", 0) == 0:
            failed += 1  # never ran: it did not build
        if "testResult" not in event:
            continue
        result = event["testResult"]
        file = next((output["uri"] for output in result.get("testActionOutput", [])
                     if output["name"] == "test.xml"), None)
        counts = (0, 0, 0)
        if file:
            counts = cases_in(urllib.parse.unquote(urllib.parse.urlparse(file).path))
        if result["status"] != "PASSED" and counts[1] == 0:
            counts = (counts[0], 1, counts[2])
        passed, failed, skipped = passed + counts[0], failed + counts[1], skipped + counts[2]
    return passed, failed, skipped


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        passed, failed, skipped = count(json.loads(line) for line in file)
    skipped += int(sys.argv[2]) if len(sys.argv) == 3 else 0
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()

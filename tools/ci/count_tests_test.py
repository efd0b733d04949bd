import pathlib
import tempfile
import unittest

from tools.ci import count_tests

CASES = """<testsuites><testsuite>
  <testcase name="passed"/>
  <testcase name="failed"><failure message="m"/></testcase>
  <testcase name="error"><error message="m"/></testcase>
  <testcase name="skipped"><skipped/></testcase>
  <testcase name="googletest skipped" result="skipped"/>
  <testcase name="not run" status="notrun"/>
</testsuite></testsuites>"""


class CountTestsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="count tests ")  # a URI writes the space %20
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def result(self, xml, status="PASSED"):
        path = self.folder / f"{len(list(self.folder.iterdir()))}.xml"
        path.write_text(xml, encoding="utf-8")
        return {"testResult": {"status": status,
                               "testActionOutput": [{"name": "test.log", "uri": "file:///no"},
                                                    {"name": "test.xml", "uri": path.as_uri()}]}}

    def test_cases_of_every_kind(self):
        self.assertEqual(count_tests.count([self.result(CASES, "FAILED")]), (1, 2, 3))

    def test_sums_over_targets(self):
        one = "<testsuite><testcase/></testsuite>"
        self.assertEqual(count_tests.count([self.result(one), self.result(one)]), (2, 0, 0))

    def test_a_crash_counts_as_one_failure(self):
        passed = self.result("<testsuite><testcase/></testsuite>", "TIMEOUT")
        self.assertEqual(count_tests.count([passed]), (1, 1, 0))
        self.assertEqual(count_tests.count([{"testResult": {"status": "FAILED"}}]), (0, 1, 0))

    def test_what_did_not_build_is_a_failure(self):
        self.assertEqual(count_tests.count([{"testSummary": {}}]), (0, 1, 0))
        self.assertEqual(count_tests.count([{"testSummary": {"totalRunCount": 1}}]), (0, 0, 0))


if __name__ == "__main__":
    unittest.main()

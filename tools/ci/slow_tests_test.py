import unittest

from tools.ci import slow_tests


def configured(label, size):
    return {"id": {"targetConfigured": {"label": label}}, "configured": {"testSize": size}}


def result(label, seconds, **more):
    return {"id": {"testResult": {"label": label}},
            "testResult": {"testAttemptDurationMillis": str(1000 * seconds), **more}}


LIMITS = {"SMALL": 60, "MEDIUM": 300, "LARGE": 900}


class SlowTestsTest(unittest.TestCase):
    def test_a_quarter_of_the_limit_of_its_size(self):
        events = [configured("//a:small", "SMALL"), configured("//a:medium", "MEDIUM"),
                  configured("//a:large", "LARGE"), configured("//a:quick", "SMALL"),
                  {"id": {"targetConfigured": {"label": "//a:library"}}, "configured": {}},
                  result("//a:small", 16), result("//a:medium", 74), result("//a:large", 600),
                  result("//a:quick", 15)]
        self.assertEqual(slow_tests.slow(events, LIMITS), [("//a:large", 600, 900), ("//a:small", 16, 60)])

    def test_the_slowest_part_of_a_test_counts(self):
        events = [configured("//a:sharded", "SMALL"), result("//a:sharded", 1),
                  result("//a:sharded", 40), result("//a:sharded", 2)]
        self.assertEqual(slow_tests.slow(events, LIMITS), [("//a:sharded", 40, 60)])

    def test_cached_results_tell_nothing(self):
        events = [configured("//a:cached", "SMALL"), result("//a:cached", 50, cachedLocally=True)]
        self.assertEqual(slow_tests.slow(events, LIMITS), [])


class LimitsTest(unittest.TestCase):
    def test_as_bazel_reads_them(self):
        self.assertEqual(
            slow_tests.limits_in("build --x=1,2\n# 5 s\nbuild --test_timeout=1,22,3,4\ntest --y\n"),
            {"SMALL": 1, "MEDIUM": 22, "LARGE": 3, "ENORMOUS": 4})


if __name__ == "__main__":
    unittest.main()

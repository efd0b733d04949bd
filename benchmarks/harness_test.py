"""The benchmark harness as a user sees it: flags in, console and files out."""

import collections
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None


def run(*flags, **environment):
    return subprocess.run([PROGRAM, *flags], capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})


class HarnessTest(unittest.TestCase):

    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.path = os.path.join(self.directory, "out")

    def read_json(self):
        with open(self.path, encoding="utf-8") as file:
            return json.load(file)

    def test_a_file_has_all_repetitions_under_plain_names(self):
        outcome = run("--benchmark_out=" + self.path)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        self.assertEqual(os.listdir(self.directory), ["out"], "a temporary file is left")
        results = self.read_json()
        self.assertIn("commit", results["context"])
        single = [b for b in results["benchmarks"] if b["run_type"] == "iteration"]
        self.assertEqual(collections.Counter(b["name"] for b in single),
                         {"x/manual": 9, "x/wall": 9, "x/broken": 1})
        self.assertEqual({b["real_time"] for b in single if b["name"] == "x/manual"}, {250.0})
        broken = next(b for b in single if b["name"] == "x/broken")
        self.assertEqual(broken["error_message"], "cannot do this")

    def test_nothing_is_said_of_how_the_library_was_built(self):
        self.assertNotIn("DEBUG", run("--benchmark_filter=x/wall").stderr)

    def test_the_console_has_aggregates_under_plain_names(self):
        lines = [line.split()[0] for line in run().stdout.splitlines() if line.startswith("x/")]
        self.assertEqual(
            lines, [f"x/{name}_{aggregate}" for name in ("manual", "wall")
                    for aggregate in ("mean", "median", "stddev", "cv")] + ["x/broken"])

    def test_json_on_the_console_is_valid(self):
        results = json.loads(run("--benchmark_format=json").stdout)
        self.assertEqual(results["benchmarks"][0]["name"], "x/manual_mean")
        self.assertEqual(results["benchmarks"][0]["run_name"], "x/manual")

    def test_csv_has_plain_names(self):
        run("--benchmark_out_format=csv", "--benchmark_out=" + self.path, "--benchmark_filter=l$")
        with open(self.path, encoding="utf-8") as file:
            names = {row[0] for row in csv.reader(file) if row and row[0].startswith("x/")}
        self.assertLessEqual({"x/manual", "x/manual_median", "x/wall"}, names)
        self.assertFalse([name for name in names if "manual_time" in name])

    def test_a_flag_of_the_users_overrides_the_default(self):
        run("--benchmark_repetitions=3", "--benchmark_out=" + self.path)
        self.assertEqual(self.read_json()["benchmarks"][0]["repetitions"], 3)

    def test_the_filter_sees_plain_names(self):
        for text, names in (("manual$", ["manual"]), ("^x/(wall|broken)$", ["wall", "broken"]),
                            ("-x/w", ["manual", "broken"]), ("all", ["manual", "wall", "broken"])):
            for switch in ("", "=true", "=yes", "=1"):
                outcome = run("--benchmark_list_tests" + switch, "--benchmark_filter=" + text)
                self.assertEqual(outcome.stdout.split(), ["x/" + name for name in names], text)
                self.assertEqual(outcome.stderr, "listing\n")

    def test_what_is_filtered_out_does_not_run(self):
        outcome = run("--benchmark_filter=manual$", "--benchmark_out=" + self.path)
        self.assertEqual(outcome.returncode, 0)
        self.assertEqual({b["run_name"] for b in self.read_json()["benchmarks"]}, {"x/manual"})

    def test_relative_paths_count_from_the_users_folder(self):
        run("--benchmark_out=out", BUILD_WORKING_DIRECTORY=self.directory)
        self.assertTrue(self.read_json()["benchmarks"])

    def test_a_name_that_is_not_utf8_leaves_valid_json(self):
        program = os.fsencode(self.directory) + b"/caf\xe9"
        os.symlink(PROGRAM, program)
        outcome = subprocess.run([program, "--benchmark_out=" + self.path, "--benchmark_format=json"],
                                 capture_output=True, check=False)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        for results in (self.read_json(), json.loads(outcome.stdout)):
            self.assertEqual(results["context"]["executable"], self.directory + "/caf%E9")

    def test_a_failed_check_ends_the_program(self):
        outcome = run("--benchmark_out=" + self.path, CHECK_FAILS="1")
        self.assertEqual(outcome.returncode, 1)
        self.assertEqual(outcome.stdout, "")
        self.assertEqual(os.listdir(self.directory), [])

    def test_what_is_thrown_is_an_error(self):
        outcome = run(THROWS="1")
        self.assertEqual((outcome.returncode, outcome.stderr), (1, "error: cannot begin\n"))

    def test_bad_flags_are_errors(self):
        for flag, message in (("--benchmark_filter=nothing", "on this device there are "),
                              ("--benchmark_filter=(", "is no regular expression"),
                              ("--benchmark_out_format=xml", "json, console, csv"),
                              ("--benchmark_list_tests=maybe", "expected true or false"),
                              ("--benchmark_out=/no/such/folder/out",
                               "error: --benchmark_out: cannot create /no/such/folder/out"),
                              (f"--benchmark_out={os.path.dirname(self.path)}", "it is a folder"),
                              ("--benchmark_out=/dev/null",
                               "--benchmark_out: cannot write /dev/null: it is a device"),
                              ("--no_such_flag", "--no_such_flag"),
                              ("no_flag", 'unknown argument "no_flag"'),
                              ("--benchmark_repetition=2", "did you mean --benchmark_repetitions?"),
                              ("--benchmark_repetitions=-1", "a whole number from 1 to 10000"),
                              ("--benchmark_repetitions=", "a whole number from 1 to 10000"),
                              ("--benchmark_min_time=soon", "a number of seconds"),
                              ("--benchmark_context=here", "<key>=<value>"),
                              ("--benchmark_format=xml", "console, json, csv")):
            outcome = run(flag)
            self.assertEqual(outcome.returncode, 1, flag)
            self.assertIn(message, outcome.stderr)
            self.assertEqual(outcome.stdout, "", flag)
            lines = [line for line in outcome.stderr.splitlines() if line != "checking"]
            self.assertEqual(len(lines), 1, outcome.stderr)

    def test_a_value_may_stand_alone(self):
        outcome = run("--benchmark_list_tests", "--benchmark_filter", "manual$")
        self.assertEqual((outcome.returncode, outcome.stdout), (0, "x/manual\n"), outcome.stderr)
        run("--benchmark_repetitions", "3", "--benchmark_out", self.path)
        self.assertEqual(self.read_json()["benchmarks"][0]["repetitions"], 3)

    def test_help(self):
        outcome = run("--help")
        self.assertEqual((outcome.returncode, outcome.stderr), (0, ""))
        self.assertIn("harness_test_program [FLAG ...]", outcome.stdout)
        self.assertIn("--benchmark_filter=", outcome.stdout)

    def test_every_flag_of_the_help_is_taken(self):
        flags = set(re.findall(r"--(benchmark_\w+)", run("--help").stdout))
        self.assertGreater(len(flags), 10)
        for flag in flags - {"benchmark_dry_run"}:  # of later versions
            self.assertNotIn("unknown argument", run(f"--{flag}=").stderr, flag)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()

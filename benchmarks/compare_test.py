import contextlib
import io
import json
import os
import tempfile
import unittest

import compare


def runs(name, milliseconds):
    return [{"name": name, "run_name": name, "run_type": "iteration", "repetition_index": i,
             "iterations": 1, "real_time": time, "cpu_time": time, "time_unit": "ms"}
            for i, time in enumerate(milliseconds)]


def aggregate(name):
    return [{"name": name + "_median", "run_name": name, "run_type": "aggregate",
             "aggregate_name": "median", "real_time": 1.0, "time_unit": "ms"}]


def failed(name):
    return [{"name": name, "run_name": name, "run_type": "iteration", "error_occurred": True,
             "error_message": "no memory"}]


NINE = [1.00, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.07, 1.08]


class CompareTest(unittest.TestCase):

    def setUp(self):
        self.directory = tempfile.mkdtemp()

    def write(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def results(self, name, benchmarks, **context):
        return self.write(name, {"context": context, "benchmarks": benchmarks})

    def run_main(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = compare.main(list(arguments))
        return code, out.getvalue(), err.getvalue()

    def rows(self, before, after):
        code, out, err = self.run_main(self.results("b", before), self.results("a", after))
        self.assertEqual(code, 0, err)
        return {line.split()[0]: line for line in out.splitlines()[1:]}

    def test_says_faster_slower_and_no_difference(self):
        rows = self.rows(
            runs("x", NINE) + runs("y", NINE) + runs("z", NINE) + aggregate("x"),
            runs("x", [t / 2 for t in NINE]) + runs("y", [t * 2 for t in NINE]) +
            runs("z", [t + 0.005 for t in NINE]))
        self.assertRegex(rows["x"], r"1\.04 ms +520 us +0\.500 +0\.48\d to 0\.51\d +0\.0000  faster$")
        self.assertRegex(rows["y"], r"1\.04 ms +2\.08 ms +2\.000 +1\.94\d to 2\.05\d +0\.0000  slower$")
        self.assertRegex(rows["z"], r"no difference$")

    def test_noise_that_hides_a_difference_leaves_it_undecided(self):
        noisy = [0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5]
        rows = self.rows(runs("x", noisy) + runs("y", NINE),
                         runs("x", [t + 0.01 for t in noisy]) + runs("y", NINE))
        self.assertRegex(rows["x"], r"undecided$")
        self.assertRegex(rows["y"], r"no difference$")
        before, after = self.results("b", runs("x", noisy)), self.results("a", runs("x", noisy))
        self.assertIn("no difference", self.run_main("--tolerance=0.9", before, after)[1])
        # The interval reaches further to one side: from 0.76 to 1.34, from 0.68 to 1.21.
        for factor, tolerance in ((1.01, "0.3"), (0.91, "0.25")):
            after = self.results("a", runs("x", [factor * t for t in noisy]))
            self.assertIn("undecided", self.run_main(f"--tolerance={tolerance}", before, after)[1])

    def test_p_is_exact(self):
        # Two of 70 orderings are as extreme.
        rows = self.rows(runs("x", [1, 2, 3, 4]), runs("x", [5, 6, 7, 8]))
        self.assertRegex(rows["x"], r" 0\.0286  slower$")

    def test_three_repetitions_can_tell_nothing(self):
        rows = self.rows(runs("x", [1, 2, 3]), runs("x", [7, 8, 9]))
        self.assertRegex(rows["x"], r"too few repetitions \(3 and 3\)$")

    def test_benchmarks_of_one_file_and_errors(self):
        rows = self.rows(
            runs("x", NINE) + runs("old", NINE) + runs("broke", NINE),
            runs("x", NINE) + runs("added", NINE) + failed("broke"))
        self.assertRegex(rows["old"], r"only in BEFORE$")
        self.assertRegex(rows["added"], r"only in AFTER$")
        self.assertRegex(rows["broke"], r"error in AFTER$")

    def test_exit_codes(self):
        before = self.results("b", runs("x", NINE))
        slower = self.results("s", runs("x", [2 * t for t in NINE]))
        self.assertEqual(self.run_main(before, slower)[0], 0)
        self.assertEqual(self.run_main("--fail_on_regression", before, slower)[0], 1)
        self.assertEqual(self.run_main("--fail_on_regression", slower, before)[0], 0)

    def check_gate(self, before, after, expected):
        before, after = self.results("b", before), self.results("a", after)
        code, out, err = self.run_main("--fail_on_regression", before, after)
        self.assertEqual((code, err), (1, f"error: --fail_on_regression: {expected}\n"))
        self.assertEqual(self.run_main(before, after), (0, out, ""))

    def test_the_gate_fails_for_what_cannot_be_compared_any_more(self):
        both = runs("x", NINE) + runs("y", NINE)
        self.check_gate(both, runs("x", NINE), "only in BEFORE: y")
        self.check_gate(both, runs("x", NINE) + failed("y"), "error in AFTER: y")
        self.check_gate(runs("x", NINE), runs("x", NINE) + failed("y"), "error in AFTER: y")
        doubled = [2 * t for t in NINE]
        self.check_gate(both, runs("x", doubled) + runs("y", doubled), "slower: x, y")
        self.check_gate(both, runs("x", NINE) + runs("y", NINE[:1]), "too few repetitions: y")

    def test_the_gate_does_not_fail_for_what_is_added_or_mended(self):
        before = self.results("b", runs("x", NINE) + failed("mended"))
        after = self.results("a", runs("x", NINE) + runs("mended", NINE) + runs("added", NINE))
        code, _, err = self.run_main("--fail_on_regression", before, after)
        self.assertEqual((code, err), (0, ""))

    def test_a_time_is_a_finite_number_above_0(self):
        good = self.results("good", runs("x", NINE))
        for time, told in ((float("nan"), "NaN"), (float("inf"), "Infinity"), (0, "0"),
                           (-1.5, "-1.5"), ("fast", '"fast"'), (True, "true"), (None, "null"),
                           (10 ** 400, str(10 ** 400))):
            bad = self.results("bad", runs("x", [*NINE, time]))
            for files in ((good, bad), (bad, good)):
                self.assertEqual(self.run_main(*files), (
                    2, "", f"error: {bad}: x: real_time is {told}; expected a finite number "
                    "above 0\n"))

    def test_a_time_has_a_unit_that_is_known(self):
        [run] = runs("x", [1.0])
        bad = self.results("bad", [{**run, "time_unit": "h"}])
        self.assertEqual(self.run_main(bad, bad), (
            2, "", f'error: {bad}: x: time_unit is "h"; expected one of ns, us, ms, s\n'))

    def test_times_in_several_units_compare(self):
        before = self.results("b", runs("x", NINE))
        for unit, factor in (("ns", 1e6), ("us", 1e3), ("s", 1e-3)):
            after = self.results("a", [{**run, "time_unit": unit}
                                       for run in runs("x", [factor * t for t in NINE])])
            self.assertRegex(self.run_main(before, after)[1], r" 1\.000 .* no difference\n")

    def test_another_machine_is_said(self):
        before = self.results("b", runs("x", NINE), gpu="NVIDIA H100")
        after = self.results("a", runs("x", NINE), gpu="NVIDIA H200")
        code, _, err = self.run_main(before, after)
        self.assertEqual(code, 0)
        self.assertIn("gpu is NVIDIA H100", err)

    def test_bad_input_is_an_error(self):
        good = self.results("good", runs("x", NINE))
        for bad, message in (
            (os.path.join(self.directory, "none"), "cannot read"),
            (self.write("text", "hello"), "is not JSON"),
            (self.write("list", []), 'no list "benchmarks"'),
            (self.results("aggregates", aggregate("x")), "has aggregates only"),
            (self.results("other", runs("y", NINE)), "no benchmark in common"),
            (self.results("odd", [{"name": "x"}]), "run_type"),
        ):
            code, out, err = self.run_main(good, bad)
            self.assertEqual((code, out), (2, ""), message)
            self.assertIn(message, err)
            self.assertIn(bad, err)

    def test_paths_count_from_the_users_folder(self):
        self.results("b", runs("x", NINE))
        os.environ["BUILD_WORKING_DIRECTORY"] = self.directory
        self.addCleanup(os.environ.pop, "BUILD_WORKING_DIRECTORY")
        self.assertEqual(self.run_main("b", "b")[0], 0)

    def test_bad_flags_end_with_2(self):
        for arguments in (["one.json"], ["--alpha=2", "b", "a"], ["--tolerance=-1", "b", "a"]):
            with self.assertRaises(SystemExit) as caught, contextlib.redirect_stderr(io.StringIO()):
                compare.main(arguments)
            self.assertEqual(caught.exception.code, 2)


if __name__ == "__main__":
    unittest.main()

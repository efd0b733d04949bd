"""The rule of the bands and the comparison with them, by hand."""

import math
import unittest

from bands import FLOOR, bands_of, departures, differences
from losses import DEV, TRAIN, Point

AT_10, AT_20, AT_30 = Point(10, TRAIN), Point(20, TRAIN), Point(30, TRAIN)
# Sample standard deviations: sqrt(10 / 4) = 1.5811, a tenth and twice that.
WIDE = [1.0, 2.0, 3.0, 4.0, 5.0]
NARROW = [value / 10 for value in WIDE]
WIDER = [2 * value for value in WIDE]


class RuleTest(unittest.TestCase):
    def check(self, band, mean, half_width):
        self.assertAlmostEqual(band.mean, mean)
        self.assertAlmostEqual(band.low, mean - half_width)
        self.assertAlmostEqual(band.high, mean + half_width)

    def test_four_deviations_about_the_mean(self):
        self.check(bands_of({AT_10: WIDE})[AT_10], 3, 4 * math.sqrt(2.5))

    def test_a_deviation_small_by_chance_gives_way_to_the_median(self):
        bands = bands_of({AT_10: WIDE, AT_20: NARROW, AT_30: WIDER})
        self.check(bands[AT_20], 0.3, 4 * math.sqrt(2.5))
        self.check(bands[AT_30], 6, 8 * math.sqrt(2.5))

    def test_train_and_dev_have_medians_of_their_own(self):
        bands = bands_of({AT_10: WIDE, Point(10, DEV): NARROW})
        self.check(bands[Point(10, DEV)], 0.3, 0.4 * math.sqrt(2.5))

    def test_no_band_is_narrower_than_the_floor(self):
        self.check(bands_of({AT_10: [2.0] * 5})[AT_10], 2, FLOOR)

    def test_four_seeds_are_too_few(self):
        with self.assertRaisesRegex(ValueError, "train loss at step 10: losses of 4 seeds"):
            bands_of({AT_10: WIDE[:4]})

    def test_a_loss_that_is_not_finite_makes_no_band(self):
        with self.assertRaisesRegex(ValueError, "finite"):
            bands_of({AT_10: [*WIDE, math.nan]})


class DeparturesTest(unittest.TestCase):
    def setUp(self):
        # 3 +- 6.32 at step 10, 0.3 +- 6.32 at step 20.
        self.bands = bands_of({AT_10: WIDE, AT_20: NARROW, AT_30: WIDER})

    def test_a_run_inside_has_none(self):
        self.assertEqual(departures(self.bands, {AT_10: 9.2, AT_20: -6.0, AT_30: 6.0}), [])

    def check(self, at_10, expected):
        lines = departures(self.bands, {AT_10: at_10, AT_20: 0.0, AT_30: 6.0})
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("train loss at step 10", lines[0])
        self.assertIn(expected, lines[0])
        self.assertIn("-3.325 to 9.325", lines[0])

    def test_too_high(self):
        self.check(9.4, "9.400 is too high")

    def test_too_low(self):
        self.check(-3.4, "-3.400 is too low")

    def test_not_a_number(self):
        self.check(math.nan, "not a number")

    def test_missing(self):
        lines = departures(self.bands, {AT_10: 3.0, AT_30: 6.0})
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("train loss at step 20: missing", lines[0])


class DifferencesTest(unittest.TestCase):
    def test_names_each_setting_with_both_values(self):
        self.assertEqual(
            differences({"preset": "quick", "model": {"heads": 2, "width": 64}},
                        {"preset": "paper", "model": {"heads": 4, "width": 64}}),
            ["model.heads: the bands were recorded with 2, this run has 4",
             "preset: the bands were recorded with quick, this run has paper"])

    def test_a_setting_on_one_side_alone_differs(self):
        self.assertEqual(len(differences({"a": 1}, {})), 1)
        self.assertEqual(len(differences({}, {"b": {"c": 1}})), 1)

    def test_equal_settings_have_none(self):
        self.assertEqual(differences({"a": {"b": 1}}, {"a": {"b": 1}}), [])


if __name__ == "__main__":
    unittest.main()

"""reference.json as it is kept, and files that are to be refused."""

import json
import pathlib
import unittest

import reference
from bands import MIN_SEEDS
from cases import CASES, PRESET, TESTED_SEED
from losses import TRAIN, Point, points_of

KEPT = pathlib.Path(__file__).with_name("reference.json")
POINT = Point(10, TRAIN)


def example():
    """The text of a file with one case and one point."""
    runs = [{POINT: loss} for loss in (1.00004, 2.0, 3.0, 4.0, 5.0)]
    return reference.to_text({"image_cf": reference.make_case({"seeds": [1, 2, 3, 4, 5]},
                                                              {"preset": "quick"}, runs)})


class KeptTest(unittest.TestCase):
    def test_has_the_points_of_every_case(self):
        cases = reference.load(KEPT)
        self.assertEqual(set(cases), set(CASES))
        for name, case in CASES.items():
            with self.subTest(case=name):
                self.assertEqual(list(cases[name].bands), points_of(case))

    def test_was_made_with_the_preset_and_other_seeds_than_the_test(self):
        for name, case in reference.load(KEPT).items():
            with self.subTest(case=name):
                self.assertEqual(case.settings["preset"], PRESET)
                self.assertEqual(case.settings["hyper_parameters"]["steps"], CASES[name].steps)
                self.assertNotIn(TESTED_SEED, case.made["seeds"])
                self.assertGreaterEqual(len(set(case.made["seeds"])), MIN_SEEDS)
                for band in case.bands.values():
                    self.assertEqual(len(band.losses), len(case.made["seeds"]))


class TextTest(unittest.TestCase):
    def test_comes_back_with_rounded_losses(self):
        case = reference.from_text(example())["image_cf"]
        self.assertEqual(case.bands[POINT].losses, (1.0, 2.0, 3.0, 4.0, 5.0))
        self.assertEqual(case.bands[POINT].mean, 3)
        self.assertEqual(case.settings, {"preset": "quick"})
        self.assertEqual(case.made, {"seeds": [1, 2, 3, 4, 5]})

    def test_says_what_a_reader_looks_for(self):
        point = json.loads(example())["cases"]["image_cf"]["points"][0]
        self.assertEqual(point, {"step": 10, "loss": "train", "mean": 3.0, "deviation": 1.5811,
                                 "min": 1.0, "max": 5.0, "low": -3.3246, "high": 9.3246,
                                 "losses": [1.0, 2.0, 3.0, 4.0, 5.0]})

    def test_a_band_widened_by_hand_is_refused(self):
        with self.assertRaisesRegex(reference.BadReference, "train loss at step 10"):
            reference.from_text(example().replace("9.3246", "10.3246"))

    def test_another_rule_is_refused(self):
        with self.assertRaisesRegex(reference.BadReference, "rule"):
            reference.from_text(example().replace("mean +- max(4 s", "mean +- max(9 s"))


if __name__ == "__main__":
    unittest.main()

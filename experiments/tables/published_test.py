"""The published numbers, and what could not be had."""

import unittest

import methods
from published import ACCURACY, HOURS, MEMORY, SETTINGS_SOURCE, Published


# Of Long Range Arena: others may be added, of which nobody has published numbers.
_TASKS = ("listops", "text", "retrieval", "image", "pathfinder")


class PublishedTest(unittest.TestCase):
    def setUp(self):
        self.published = Published()

    def test_numbers_as_printed(self):
        value = self.published.value
        self.assertEqual(value(methods.LRA, "BigBird", "pathfinder", ACCURACY), "74.87")
        self.assertEqual(value(methods.SKYFORMER, "Reformer", "image", ACCURACY), "48.87")
        self.assertEqual(value(methods.SKYFORMER, "Self-Attention", "image", MEMORY), "11.47")
        self.assertEqual(value(SETTINGS_SOURCE, "SPION", "retrieval", "density"), "0.021")

    def test_sources_say_where(self):
        self.assertEqual(self.published.where(methods.SKYFORMER, HOURS),
                         "Chen et al. 2021 (Skyformer), Table 2")

    def test_every_name_of_a_method_elsewhere_is_in_the_file_for_every_task(self):
        self.assertLessEqual(set(methods.PUBLISHED), set(methods.NAMES))
        for method in methods.METHODS:
            for source in method.published:
                for task in _TASKS:
                    self.assertIsNotNone(
                        self.published.of_method(source, method, task, ACCURACY),
                        f"{source}: {method.name} on {task}")

    def test_nothing_is_made_up(self):
        for name in (*methods.SPION, "sdpa", "every_block"):
            for source in (methods.LRA, methods.SKYFORMER):
                self.assertIsNone(self.published.of_method(source, methods.BY_NAME[name], "image",
                                                           ACCURACY))
        self.assertIsNone(self.published.of_method(methods.LRA, methods.BY_NAME["skyformer"],
                                                   "image", ACCURACY))


if __name__ == "__main__":
    unittest.main()

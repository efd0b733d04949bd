import unittest

from json_shape import beyond, both, shape


class JsonShapeTest(unittest.TestCase):
    def check(self, told, real, *expected):
        self.assertEqual(beyond(shape(told), shape(real)), list(expected))

    def test_less_is_within(self):
        real = {"a": 1, "b": {"c": [{"d": 0.5, "e": "x"}]}, "f": None, "g": True}
        for told in (real, {}, {"a": 7}, {"b": {}}, {"b": {"c": []}}, {"b": {"c": [{"d": 2}]}}):
            self.check(told, real)

    def test_more_and_other_types_are_not(self):
        real = {"a": 1, "b": {"c": [{"d": 0.5}], "e": []}}
        self.check({"x": 1}, real, ".x: integer, not there")
        self.check({"a": 1.5}, real, ".a: number, not integer")
        self.check({"a": None}, real, ".a: null, not integer")
        self.check({"a": True}, real, ".a: boolean, not integer")
        self.check({"a": {}, "b": 1}, real, ".a: an object, not integer", ".b: integer, not an object")
        self.check({"b": {"c": [{"d": 1}, {"d": "x", "y": {}}]}}, real,
                   ".b.c[].d: integer or text, not number", ".b.c[].y: an object, not there")
        self.check({"b": {"e": [1]}}, real, ".b.e[]: not empty")

    def test_elements_of_a_list_are_taken_together(self):
        self.check([{"a": 1, "b": None}], [{"a": 1}, {"b": 2}, {"b": None}])
        self.check([[1]], [[], [2]])
        with self.assertRaisesRegex(ValueError, "a list, another one integer"):
            both(shape([]), shape(1))


if __name__ == "__main__":
    unittest.main()

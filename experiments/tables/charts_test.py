"""Charts are SVG that can stand on one page together, in the page's colours."""

import re
import unittest
import xml.etree.ElementTree

import charts

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return [element.text for element in xml.etree.ElementTree.fromstring(svg).iter(SVG + "text")]


def ids(svg):
    return set(re.findall(r'\bid="([^"]+)"', svg))


class ChartsTest(unittest.TestCase):
    def setUp(self):
        self.bars = charts.bars(["SPION-CF", "Reformer"], {"dense": [5.0, 4.0],
                                                           "sparse": [2.0, None]}, "ms")
        self.curves = charts.curves({"SPION-CF": [(1024, 1.0), (2048, 2.0)], "dense":
                                     [(1024, 4.0), (2048, None)]}, "L", "ms", logarithmic=True)
        self.stacked = charts.stacked(["SPION-CF"], {"MLP": [3.0], "other": [1.0]}, "ms")
        self.panels = charts.panels(
            {f"layer {layer}": {"seed 1": [(100, 2.0), (200, 1.0 + layer)], "seed 2": [(100, None)]}
             for layer in range(3)}, "step", "distance", limit=15,
            logarithmic=True)

    def test_names_are_there_as_text(self):
        for wanted in ("SPION-CF", "Reformer", "dense", "sparse", "ms"):
            self.assertIn(wanted, texts(self.bars))
        for wanted in ("SPION-CF", "dense", "L", "ms"):
            self.assertIn(wanted, texts(self.curves))
        for wanted in ("SPION-CF", "MLP", "other"):
            self.assertIn(wanted, texts(self.stacked))
        for wanted in ("layer 0", "layer 2", "seed 1", "seed 2", "step", "distance"):
            self.assertEqual(texts(self.panels).count(wanted), 1)

    def test_colours_are_the_pages(self):
        for svg in (self.bars, self.curves, self.stacked, self.panels):
            self.assertIn("currentColor", svg)
            self.assertIn("var(--s0)", svg)
            self.assertIn("var(--s1)", svg)
            # Black is the default of what matplotlib leaves without a colour.
            self.assertEqual(set(re.findall(r"#[0-9a-f]{6}\b", svg)) - {"#000000"}, set())

    def test_pictures_share_no_names_and_every_reference_is_met(self):
        self.assertEqual(ids(self.bars) & ids(self.curves), set())
        for svg in (self.bars, self.curves, self.stacked, self.panels):
            wanted = re.findall(r'(?:url\(#|xlink:href="#)([^)"]+)', svg)
            self.assertTrue(wanted)
            self.assertLessEqual(set(wanted), ids(svg))

    def test_the_same_numbers_give_the_same_text(self):
        again = charts.stacked(["SPION-CF"], {"MLP": [3.0], "other": [1.0]}, "ms")
        self.assertEqual(again, self.stacked)

    def test_a_longer_bar_for_a_larger_number(self):
        def widths(svg):
            paths = re.findall(r'<path d="M ([\d.]+) [\d.]+ \nL ([\d.]+) [\d.]+ \n', svg)
            return [abs(float(b) - float(a)) for a, b in paths]
        svg = charts.bars(["a", "b"], {"only": [1.0, 3.0]}, "ms")
        drawn = [width for width in widths(svg) if width > 0]
        self.assertTrue(any(abs(one * 3 - other) < 0.01 for one in drawn for other in drawn))


if __name__ == "__main__":
    unittest.main()

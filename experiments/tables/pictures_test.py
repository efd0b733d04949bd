"""Pictures show what they are given."""

import base64
import re
import struct
import unittest
import xml.etree.ElementTree
import zlib

import pictures


def pixels(svg):
    """Rows of the grey PNG inside."""
    png = base64.b64decode(re.search(r"base64,([^\"]+)", svg).group(1))
    width, height = struct.unpack(">II", png[16:24])
    start = png.index(b"IDAT") + 4
    length = struct.unpack(">I", png[start - 8:start - 4])[0]
    raw = zlib.decompress(png[start:start + length])
    return [list(raw[row * (width + 1) + 1:(row + 1) * (width + 1)]) for row in range(height)]


class PicturesTest(unittest.TestCase):
    def test_a_square_for_every_kept_block_at_its_place(self):
        svg = pictures.pattern([[0], [0, 1], [2]])
        xml.etree.ElementTree.fromstring(svg)
        squares = re.findall(r"M(\d+) (\d+)h1v1h-1z", svg)
        self.assertEqual(squares, [("0", "0"), ("0", "1"), ("1", "1"), ("2", "2")])
        self.assertIn('viewBox="0 0 3 3"', svg)

    def test_more_attention_is_darker(self):
        svg = pictures.attention_map([[0.5, 0.2], [0.1, 0.5]])
        xml.etree.ElementTree.fromstring(svg)
        self.assertEqual(pixels(svg), [[0, 191], [255, 0]])

    def test_a_map_without_differences_is_white(self):
        self.assertEqual(pixels(pictures.attention_map([[0.2, 0.2]] * 2)), [[255, 255]] * 2)


if __name__ == "__main__":
    unittest.main()

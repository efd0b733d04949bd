"""Patterns and attention maps as SVG."""

import base64
import struct
import zlib

_SIDE = 224  # of a picture, in CSS pixels


def _svg(side, label, content):
    """Content that is `side` units wide and high."""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SIDE}" height="{_SIDE}" '
            f'viewBox="0 0 {side} {side}" role="img" aria-label="{label}">{content}</svg>')


def pattern(columns_of_row):
    """Kept blocks of an n x n pattern, black on white; rows from above, columns from the left."""
    n = len(columns_of_row)
    squares = "".join(f"M{column} {row}h1v1h-1z" for row, columns in enumerate(columns_of_row)
                      for column in columns)
    return _svg(n, "block pattern",
                f'<rect width="{n}" height="{n}" fill="white"/><path d="{squares}"/>')


def _png(rows):
    """Grey pixels, 0 to 255, as a PNG file."""
    def chunk(kind, content):
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    pixels = b"".join(b"\0" + bytes(row) for row in rows)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels, 9))
            + chunk(b"IEND", b""))


def attention_map(rows):
    """Means of blocks: the highest black, the lowest white."""
    n = len(rows)
    lowest, highest = min(map(min, rows)), max(map(max, rows))
    scale = 255 / (highest - lowest) if highest > lowest else 0
    grey = [[255 - round(scale * (value - lowest)) for value in row] for row in rows]
    data = base64.b64encode(_png(grey)).decode()
    return _svg(n, "attention map",
                f'<image width="{n}" height="{n}" style="image-rendering:pixelated" '
                f'href="data:image/png;base64,{data}"/>')

"""Reads 8-bit grey PNG pictures by the format's definition, with nothing but zlib."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunks(content):
    assert content[:8] == SIGNATURE
    position = 8
    while position < len(content):
        length, kind = struct.unpack_from(">I4s", content, position)
        data = content[position + 8:position + 8 + length]
        crc, = struct.unpack_from(">I", content, position + 8 + length)
        assert crc == zlib.crc32(kind + data), kind
        yield kind, data
        position += 12 + length


def paeth(left, up, corner):
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))


def unfilter(kind, line, above):
    """The pixels of a filtered line, of which `above` is the line above."""
    pixels = bytearray()
    for x, value in enumerate(line):
        left = pixels[x - 1] if x else 0
        corner = above[x - 1] if x else 0
        predicted = (0, left, above[x], (left + above[x]) // 2, paeth(left, above[x], corner))[kind]
        pixels.append((value + predicted) % 256)
    return bytes(pixels)


def read_grey_png(path):
    """The picture's lines, each the bytes of its pixels."""
    parts = list(chunks(path.read_bytes()))
    assert parts[0][0] == b"IHDR" and parts[-1] == (b"IEND", b"")
    width, height, *rest = struct.unpack(">IIBBBBB", parts[0][1])
    assert rest == [8, 0, 0, 0, 0], f"not 8 bits, grey, plain: {rest}"
    data = zlib.decompress(b"".join(data for kind, data in parts if kind == b"IDAT"))
    assert len(data) == height * (1 + width)
    lines, above = [], bytes(width)
    for start in range(0, len(data), 1 + width):
        above = unfilter(data[start], data[start + 1:start + 1 + width], above)
        lines.append(above)
    return lines

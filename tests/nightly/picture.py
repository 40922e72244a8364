# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Takes pictures of pages, and reads a PNG as browsers write it: 8 bits, RGB, not interlaced."""

import collections
import os
import struct
import subprocess
import zlib

from common import check

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXEL = 3


def _chunks(data):
    check(data.startswith(SIGNATURE), "no PNG")
    at = len(SIGNATURE)
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8:at + 8 + size]
        at += size + 12


def _paeth(left, up, corner):
    distances = [abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)]
    return (left, up, corner)[distances.index(min(distances))]


def _predicted(kind, left, up, corner):
    return (0, left, up, (left + up) // 2)[kind] if kind < 4 else _paeth(left, up, corner)


def _line(kind, raw, above):
    """Undoes the filter of one line (PNG 1.2, section 6)."""
    if kind == 0:
        return bytearray(raw)
    if kind == 2:
        return bytearray((byte + up) & 0xFF for byte, up in zip(raw, above))
    line = bytearray(PIXEL) + raw
    above = bytearray(PIXEL) + above
    for at in range(PIXEL, len(line)):
        guess = _predicted(kind, line[at - PIXEL], above[at], above[at - PIXEL])
        line[at] = (line[at] + guess) & 0xFF
    return line[PIXEL:]


class Picture:
    """rows: the lines of pixels, each a list of (red, green, blue)."""

    def __init__(self, path):
        with open(path, "rb") as file:
            chunks = list(_chunks(file.read()))
        header = struct.unpack(">IIBBBBB", chunks[0][1])
        self.width, self.height = header[:2]
        check(header[2:] == (8, 2, 0, 0, 0), f"{path}: another kind of PNG: {header}")
        data = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
        self.rows, line, size = [], bytes(self.width * PIXEL), 1 + self.width * PIXEL
        for at in range(0, len(data), size):
            line = _line(data[at], data[at + 1:at + size], line)
            self.rows.append(list(zip(line[0::PIXEL], line[1::PIXEL], line[2::PIXEL])))

    def colours(self):
        """Number of pixels of each colour, most frequent first."""
        return collections.Counter(pixel for row in self.rows for pixel in row).most_common()

    def columns(self, first, last):
        """The colours in a range of columns."""
        return {pixel for row in self.rows for pixel in row[first:last]}


def shoot(url, path, width, height, options):
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               "--user-data-dir=profile", f"--window-size={width},{height}",
               f"--screenshot={path}", *options, url]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60)
    check(done.returncode == 0 and os.path.exists(path), f"chromium: {done.stderr}")

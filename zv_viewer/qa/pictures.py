"""Levels as small pictures: what lies behind each pixel, seen along the last axis. No window."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import FloatArray, IntArray

WIDE, HIGH = 320, 320
"""Pixels of a picture at most."""
_LEAST = 24
_DOT = 4
"""Pixels on each side of the middle of a dot at most."""
_MARKS = 1 << 20
_LONGEST = 2 * (WIDE + HIGH)
_BRIGHT = 0.98
"""Share of the pixels drawn on that are not of the brightest colour."""
_RAMP = np.array([(16, 18, 32), (44, 84, 140), (120, 190, 200), (255, 250, 210)], np.float64)


class Picture:
    """How many vertices, or how much of lines, lies behind each pixel, so far.

    Args:
        low: Least corner of what is shown, world units; two axes or more, the first two are drawn.
        high: Greatest corner.
        dot: Edge of the dots that vertices are drawn as, world units.
    """

    def __init__(self, low: Sequence[float], high: Sequence[float], dot: float = 0.0) -> None:
        self._low = np.asarray(low[:2], np.float64)
        span = np.maximum(np.asarray(high[:2], np.float64) - self._low, 0.0)
        largest = float(max(span[0] / WIDE, span[1] / HIGH)) or 1.0
        self._scale = 1 / largest
        sides = np.clip(np.ceil(span * self._scale), _LEAST, (WIDE, HIGH)).astype(np.int64)
        self.wide, self.high = int(sides[0]), int(sides[1])
        self._dot = int(min(dot * self._scale / 2, _DOT))
        self._amounts = np.zeros(self.wide * self.high)

    def add_points(self, positions: FloatArray) -> None:
        """Draw (N, D) vertices."""
        self._mark(self._places(positions))

    def add_links(self, positions: FloatArray, links: IntArray) -> None:
        """Draw edges, or the sides of faces.

        Args:
            positions: (N, D) float, world units.
            links: (M, W) int64 rows.
        """
        width = links.shape[1]
        places = self._places(positions)
        for side in range(width if width > 2 else 1):
            first, second = places[links[:, side]], places[links[:, (side + 1) % width]]
            self._draw(first, second)

    def png(self) -> bytes:
        """The picture, as bytes of a PNG file."""
        amounts = np.log1p(self._spread())
        drawn = amounts[amounts > 0]
        top = float(np.quantile(drawn, _BRIGHT)) if len(drawn) else 1.0
        # what is drawn at all is told from what is not
        share = np.where(amounts > 0, 0.3 + 0.7 * np.minimum(amounts / top, 1), 0.0)
        at = share * (len(_RAMP) - 1)
        below = np.minimum(at.astype(np.int64), len(_RAMP) - 2)
        part = (at - below)[:, None]
        colours = _RAMP[below] * (1 - part) + _RAMP[below + 1] * part
        shape = self.high, self.wide, 3
        return png_of(np.rint(colours).astype(np.uint8).reshape(shape))

    def _spread(self) -> FloatArray:
        """(H W,) amounts, each on all the pixels of its dot."""
        if not self._dot:
            return self._amounts
        size = 2 * self._dot + 1
        padded = np.pad(self._amounts.reshape(self.high, self.wide), self._dot)
        found = np.zeros((self.high, self.wide))
        for down in range(size):
            for along in range(size):
                found += padded[down : down + self.high, along : along + self.wide]
        return found.ravel()

    def _places(self, positions: FloatArray) -> FloatArray:
        return np.asarray((positions[:, :2].astype(np.float64) - self._low) * self._scale)

    def _draw(self, first: FloatArray, second: FloatArray) -> None:
        """Draw lines between places in pixels."""
        longest = np.abs(second - first).max(axis=1)
        # closer than pixels: rounding may not skip one
        sizes = np.clip(np.ceil(1.5 * longest), 1, _LONGEST).astype(np.int64) + 1
        ends = np.cumsum(sizes)
        begin = 0
        while begin < len(sizes):
            done = int(ends[begin - 1]) if begin else 0
            stop = max(begin + 1, int(np.searchsorted(ends, done + _MARKS, side="right")))
            own = np.repeat(np.arange(begin, stop), sizes[begin:stop])
            turn = np.arange(len(own)) - np.repeat(
                ends[begin:stop] - sizes[begin:stop] - done, sizes[begin:stop]
            )
            share = (turn / (sizes[own] - 1))[:, None]
            self._mark(first[own] * (1 - share) + second[own] * share)
            begin = stop

    def _mark(self, places: FloatArray) -> None:
        x = np.clip(places[:, 0].astype(np.int64), 0, self.wide - 1)
        y = np.clip(places[:, 1].astype(np.int64), 0, self.high - 1)
        size = self.wide * self.high
        self._amounts += np.bincount(y * self.wide + x, minlength=size)


def png_of(pixels: npt.NDArray[np.uint8]) -> bytes:
    """(H, W, 3) uint8 colours as bytes of a PNG file."""
    high, wide, _ = pixels.shape
    lines = np.zeros((high, 1 + 3 * wide), np.uint8)  # each begins with 0: stored as it is
    lines[:, 1:] = pixels.reshape(high, 3 * wide)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines.tobytes())),
        (b"IEND", b""),
    )
    found = b"\x89PNG\r\n\x1a\n"
    for name, data in parts:
        found += struct.pack(">I", len(data)) + name + data
        found += struct.pack(">I", zlib.crc32(name + data))
    return found


def as_address(picture: bytes) -> str:
    """A PNG file as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")

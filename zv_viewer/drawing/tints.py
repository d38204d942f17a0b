"""Colours that tell what is drawn: each cell's level, error on the canvas, or bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.colours import category_table, colormap_table

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]

Quantity: TypeAlias = Literal["level", "error", "bytes"]

OCTAVES = 3.0
"""Errors are told apart up to so many doublings below and above the one asked for."""

EXACT = (150, 150, 150)
"""Colour of an error of zero: level 0."""

_LEVELS = 12
_MAPS = {"error": "turbo", "bytes": "viridis"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a legend: a colour, each part 0 to 255, and what it stands for."""

    colour: tuple[int, int, int]
    text: str


def level_colours(levels: Int) -> UInt8:
    """(N, 3) colours of (N,) positions of levels."""
    table = _as_bytes(category_table(_LEVELS))
    return table[levels % len(table)]


def error_colours(error_px: Float, quality_px: float) -> UInt8:
    """(N, 3) colours of (N,) errors in pixels: the middle of the scale is the error asked for."""
    with np.errstate(divide="ignore"):
        octaves = np.log2(error_px / quality_px)
    colours = _along("error", (octaves / OCTAVES + 1) / 2)
    colours[error_px <= 0] = EXACT
    return colours


def byte_colours(nbytes: Int, limits: tuple[int, int]) -> UInt8:
    """(N, 3) colours of (N,) bytes, between (least, most) as their logarithms are."""
    low, high = (np.log2(max(end, 1)) for end in limits)
    at = np.log2(np.maximum(nbytes, 1))
    return _along("bytes", (at - low) / max(high - low, 1e-9))


def error_legend(quality_px: float) -> tuple[Entry, ...]:
    """What the colours of errors stand for."""
    at = [quality_px * 2.0**octave for octave in (-OCTAVES, -1, 0, 1, OCTAVES)]
    texts = [f"{px:.3g} px" for px in at]
    texts[0] += " and less"
    texts[2] += ", as asked for"
    texts[-1] += " and more"
    scale = _entries(error_colours(np.array(at), quality_px), texts)
    return (Entry(EXACT, "exact: level 0"), *scale)


def byte_legend(limits: tuple[int, int]) -> tuple[Entry, ...]:
    """What the colours of bytes stand for."""
    low, high = (float(max(end, 1)) for end in limits)
    at = np.rint(np.geomspace(low, high, 4) if high > low else np.array([low])).astype(np.int64)
    return _entries(byte_colours(at, limits), [bytes_text(n) for n in at.tolist()])


def level_legend(texts: dict[int, str]) -> tuple[Entry, ...]:
    """What the colours of levels stand for: position of a level -> words about it."""
    positions = sorted(texts)
    colours = level_colours(np.array(positions, np.int64))
    return _entries(colours, [texts[position] for position in positions])


def bytes_text(nbytes: float) -> str:
    """Bytes in words."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if nbytes >= size:
            return f"{nbytes / size:.3g} {unit}"
    return f"{nbytes:.0f} bytes"


def _entries(colours: UInt8, texts: list[str]) -> tuple[Entry, ...]:
    return tuple(
        Entry((int(red), int(green), int(blue)), text)
        for (red, green, blue), text in zip(colours.tolist(), texts, strict=True)
    )


def _along(quantity: str, part: Float) -> UInt8:
    table = _as_bytes(colormap_table(_MAPS[quantity]))
    at = np.rint(np.clip(np.nan_to_num(part), 0, 1) * (len(table) - 1)).astype(np.int64)
    return table[at]


def _as_bytes(table: npt.NDArray[np.float32]) -> UInt8:
    return np.rint(table[:, :3] * 255).astype(np.uint8)

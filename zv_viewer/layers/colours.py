"""How rows become colours: a mode, a table and limits; all a card needs to recolour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.colours import ColourMode
from zv_viewer.errors import InputError

WIDTH = 4096
"""Entries in one line of the table's texture."""
LONGEST = WIDTH * 256
MODES: tuple[ColourMode, ...] = get_args(ColourMode)
"""``plain``: one colour. ``scalar``: a value between limits, along a table. ``category``: a code
into a table, taken modulo its length. ``rgb``: ``r * 65536 + g * 256 + b``, each 0 to 255."""
MISSING = (0.5, 0.5, 0.5)
"""Colour of a row whose value is missing (NaN, or a negative category)."""


@dataclass(frozen=True, eq=False, slots=True)
class Colouring:
    """A rule from values to colours.

    Args:
        mode: One of :data:`MODES`.
        lut: (N, 3) float32 in 0 to 1; row 0 is the colour of ``plain``.
        limits: Values at both ends of the table; used by ``scalar``. May be equal or descending.
    """

    mode: ColourMode
    lut: npt.NDArray[np.float32]
    limits: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise InputError(f"colours are one of {', '.join(MODES)}, not {self.mode!r}")
        longest = WIDTH if self.mode == "scalar" else LONGEST
        if self.lut.ndim != 2 or self.lut.shape[1] != 3 or not 1 <= len(self.lut) <= longest:
            raise InputError(
                f"a colour table has (1 to {longest}, 3) numbers, not {self.lut.shape}"
            )
        if not np.isfinite(self.limits).all():
            raise InputError(f"colour limits are finite numbers, not {self.limits}")

    @property
    def span(self) -> float:
        """``high - low`` as the shader divides by it; never zero."""
        low, high = self.limits
        least = max(abs(low), abs(high), 1.0) * float(np.finfo(np.float32).eps)
        span = high - low
        return span if abs(span) >= least else least

    def texels(self) -> npt.NDArray[np.uint8]:
        """(H, W, 4) uint8, the table as a texture, line after line."""
        n = len(self.lut)
        width = min(n, WIDTH)
        texture = np.full((-(-n // width) * width, 4), 255, np.uint8)
        texture[:n, :3] = np.rint(np.clip(self.lut, 0, 1) * 255)
        return texture.reshape(-1, width, 4)

    def colours(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(N, 3) colours of (N,) values, as the shader computes them (to within a table step)."""
        out = np.tile(np.asarray(MISSING, np.float32), (len(values), 1))
        if self.mode == "plain":
            out[:] = self.lut[0]
            return out
        known = ~np.isnan(values) if self.mode == "scalar" else values >= 0
        value = values[known].astype(np.float64)
        if self.mode == "scalar":
            at = np.clip((value - self.limits[0]) / self.span, 0, 1) * (len(self.lut) - 1)
            below = np.minimum(at.astype(np.int64), max(len(self.lut) - 2, 0))
            above = np.minimum(below + 1, len(self.lut) - 1)
            part = (at - below)[:, None]
            out[known] = self.lut[below] * (1 - part) + self.lut[above] * part
        elif self.mode == "category":
            out[known] = self.lut[value.astype(np.int64) % len(self.lut)]
        else:
            code = value.astype(np.int64)
            out[known] = np.stack([code >> 16 & 255, code >> 8 & 255, code & 255], axis=1) / 255
        return out


PLAIN = Colouring("plain", np.ones((1, 3), np.float32))
"""White, the colour of a layer nobody has coloured."""


def colouring(
    mode: ColourMode,
    lut: npt.ArrayLike | None = None,
    limits: tuple[float, float] | None = None,
) -> Colouring:
    """A :class:`Colouring` from what callers have at hand.

    Args:
        mode: One of :data:`MODES`.
        lut: (N, 3) or (N, 4) numbers in 0 to 1 (a fourth column is ignored), or one colour; None:
            white.
        limits: Ends of the table; None: 0 and 1.
    """
    table = np.ones((1, 3), np.float32) if lut is None else np.asarray(lut, np.float32)
    table = np.atleast_2d(table)[:, :3]
    low, high = (0.0, 1.0) if limits is None else limits
    return Colouring(mode, np.ascontiguousarray(table), (float(low), float(high)))

"""What a pyramid tried in a box comes to for the whole store.

A level has fewer vertices than the finest for two reasons: neighbours along an object become one,
wherever they are, and dense chunks fill their bins. So a chunk of n vertices has about
``room * (1 - exp(-share * n / room))`` in a coarse level; both numbers are fitted to the chunks of
the box, and summed up over all chunks, whose vertices are known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WholeLevel:
    """A level as it would be: its number, vertices and bytes, about."""

    level: int
    vertices: float
    nbytes: float


def whole_count(counts: Float, fine: Float, coarse: Float) -> float:
    """Vertices of a coarse level of the whole store, about.

    Args:
        counts: (M,) vertices of every chunk of the finest level.
        fine: (K,) those of the chunks tried.
        coarse: (K,) vertices of the coarse level where each of these is.
    """
    if not fine.sum() or not coarse.sum():
        return 0.0
    start = np.log([max(coarse.max(), 2.0), coarse.sum() / fine.sum()])

    def off(ends: Float) -> Float:
        return np.asarray((_expected(ends, fine) - coarse) / np.sqrt(coarse + 1))

    found = least_squares(off, start, bounds=([-1.0, -20.0], [30.0, 1e-9]))
    # the box itself comes out as it is
    right = float(coarse.sum() / max(_expected(found.x, fine).sum(), 1e-9))
    outside = _expected(found.x, counts).sum() - _expected(found.x, fine).sum()
    return float(coarse.sum() + outside * min(max(right, 0.5), 2.0))


def _expected(ends: Float, counts: Float) -> Float:
    room, share = np.exp(ends)
    return np.asarray(room * -np.expm1(-share * counts / room))

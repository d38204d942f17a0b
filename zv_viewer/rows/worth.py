"""Which cells can hold objects that are drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]

MOST_PAIRS = 30_000_000
"""Objects times cells that are compared; beyond that every cell is worth reading."""

AT_ONCE = 1 << 20
"""Pairs compared in one go."""


def cells_of_objects(
    lo: Float, hi: Float, boxes: npt.NDArray[np.float32] | None, shown: Bool
) -> Bool | None:
    """Cells that meet the box of an object that is drawn.

    Args:
        lo: (C, D) lower corners of the cells.
        hi: (C, D) upper corners.
        boxes: (O, 2, D) around the objects, NaN where it is not known; None: nothing is known.
        shown: (O,) objects that are drawn.

    Returns:
        (C,), or None where all are worth reading for all that is known.
    """
    if boxes is None or shown.all() or int(shown.sum()) * len(lo) > MOST_PAIRS:
        return None
    own = boxes.reshape(len(boxes), 2, -1)[shown].astype(np.float64)
    if not np.isfinite(own).all():
        return None
    slack = np.abs(own).max(initial=0.0) * 1e-6
    found = np.zeros(len(lo), np.bool_)
    step = max(AT_ONCE // max(len(lo), 1), 1)
    for first in range(0, len(own), step):
        low, high = own[first : first + step, 0] - slack, own[first : first + step, 1] + slack
        meets = (hi[:, None] >= low[None]) & (lo[:, None] <= high[None])
        found |= meets.all(axis=2).any(axis=1)
    return found

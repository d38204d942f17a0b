"""Whether a level as a whole lies beside level 0. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.spatial import cKDTree

from zarr_vectors.typing import FloatArray

_BETTER = 0.7
"""A shift is believed where undoing it leaves at most this part of the median distance."""
_LEAST = 0.02
"""Part of a bin's diagonal that a shift is at least."""


def shift_of(
    expected: FloatArray,
    actual: FloatArray,
    candidates: Iterable[FloatArray],
    bin_shape: Sequence[float],
) -> FloatArray | None:
    """The shift of a level, or None.

    Args:
        expected: (n, D) where vertices should be.
        actual: (m, D) where vertices are, around them.
        candidates: (D,) shifts to try.
        bin_shape: D floats.
    """
    if not len(expected) or not len(actual):
        return None
    least = _LEAST * float(np.linalg.norm(bin_shape))
    tree = cKDTree(actual, balanced_tree=False, compact_nodes=False)

    def residual(shift: FloatArray) -> float:
        return float(np.median(tree.query(expected + shift)[0]))

    best: FloatArray | None = None
    unmoved = residual(np.zeros(expected.shape[1]))
    lowest = _BETTER * unmoved
    for candidate in candidates:
        shift = np.asarray(candidate, np.float64)
        if np.isfinite(shift).all() and float(np.linalg.norm(shift)) >= least:
            left = residual(shift)
            if left < lowest:
                best, lowest = shift, left
    return best


def nearest_shift(expected: FloatArray, actual: FloatArray) -> FloatArray:
    """(D,) median displacement from where vertices should be to the nearest that are there."""
    tree = cKDTree(actual, balanced_tree=False, compact_nodes=False)
    _, rows = tree.query(expected)
    found: FloatArray = np.median(actual[rows] - expected, axis=0)
    return found

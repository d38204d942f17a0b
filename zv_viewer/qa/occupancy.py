"""Bins that level 0 occupies against those a level does. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import FloatArray, IntArray
from zv_viewer.qa.bins import BinTable, bins_of, packed

_NEAR = 1e-5
"""Part of a bin's edge that rounding may carry a vertex across a wall."""


@dataclass(frozen=True, eq=False, slots=True)
class Compared:
    """Two tables of bins side by side.

    Attributes:
        lost: (n,) int64 rows of the table expected that the other lacks.
        stray: (m,) int64 rows of the other that were not expected.
        expected: (k,) int64 rows of bins in both.
        actual: (k,) int64 the same bins' rows of the other.
    """

    lost: IntArray
    stray: IntArray
    expected: IntArray
    actual: IntArray


def compare(expected: BinTable, actual: BinTable) -> Compared:
    """Bins in one, the other, and both."""
    first, second = packed(expected.keys, actual.keys)
    common, own, other = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    del common
    lost, stray = np.ones(len(first), np.bool_), np.ones(len(second), np.bool_)
    lost[own] = stray[other] = False
    return Compared(np.flatnonzero(lost), np.flatnonzero(stray), own, other)


def whole_bins(
    bins: IntArray, bin_shape: Sequence[float], low: FloatArray, high: FloatArray
) -> npt.NDArray[np.bool_]:
    """(K,) bool, whether bins lie inside a box."""
    shape = np.asarray(bin_shape)
    slack = shape * 1e-9
    inside = (bins * shape >= low - slack) & ((bins + 1) * shape <= high + slack)
    return np.asarray(inside.all(axis=1))


def across_walls(
    lost: BinTable, positions: FloatArray, objects: IntArray | None, bin_shape: Sequence[float]
) -> npt.NDArray[np.bool_]:
    """(n,) bool: lost bins whose vertex lies on their wall, where rounding may have put it.

    Args:
        lost: Bins without a vertex.
        positions: (N, D) vertices of the level around them.
        objects: (N,) int64, or None.
        bin_shape: D floats.
    """
    shape = np.asarray(bin_shape)
    place = positions.astype(np.float64) / shape
    near = np.abs(place - np.round(place)) < _NEAR
    rows = np.flatnonzero(near.any(axis=1))
    if not len(rows) or not len(lost):
        return np.zeros(len(lost), np.bool_)
    own = np.full(len(rows), -1, np.int64) if objects is None else objects[rows]
    keys = []
    for nudge in itertools.product((-_NEAR, _NEAR), repeat=positions.shape[1]):
        bins = bins_of(positions[rows] + np.asarray(nudge) * shape, bin_shape)
        keys.append(np.concatenate([own[:, None], bins], axis=1))
    wanted, there = packed(lost.keys, np.concatenate(keys))
    return np.isin(wanted, there)


def crowding(lost: BinTable, expected: BinTable) -> FloatArray:
    """(n,) float64: of the bins next to each lost one that level 0 occupies, the share lost too.

    NaN where nothing lies next to it. Near 1 inside a hole; near the share of all bins that are
    lost where single bins went.
    """
    ndim = lost.bins.shape[1]
    steps = np.array(list(itertools.product((-1, 0, 1), repeat=ndim)), np.int64)
    steps = steps[(steps != 0).any(axis=1)]
    around = (lost.keys[:, None, :] + np.insert(steps, 0, 0, axis=1)[None]).reshape(-1, ndim + 1)
    near, all_of, gone = packed(around, expected.keys, lost.keys)
    there = np.isin(near, all_of).reshape(len(lost), -1).sum(axis=1)
    missing = np.isin(near, gone).reshape(len(lost), -1).sum(axis=1)
    with np.errstate(invalid="ignore"):
        found: FloatArray = missing / np.where(there > 0, there, np.nan)
    return found

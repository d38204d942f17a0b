"""Vertices that are there twice. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import FloatArray, IntArray

_MIX = np.uint64(0x9E3779B97F4A7C15)


def repeated(positions: FloatArray, objects: IntArray | None = None) -> npt.NDArray[np.bool_]:
    """(N,) bool, whether a vertex has the place, and the object, of one before it.

    Args:
        positions: (N, D) float.
        objects: (N,) int64, or None.
    """
    found = np.zeros(len(positions), np.bool_)
    if len(positions) < 2:
        return found
    wide = np.ascontiguousarray(positions, np.float64) + 0.0  # -0 is 0
    columns = [wide[:, axis].copy().view(np.uint64) for axis in range(wide.shape[1])]
    if objects is not None:
        columns.append(objects.astype(np.int64).view(np.uint64))
    code = np.zeros(len(wide), np.uint64)
    for column in columns:
        code = (code ^ (column >> np.uint64(29)) ^ column) * _MIX
        code ^= code >> np.uint64(32)
    order = np.argsort(code, kind="stable")
    ordered = code[order]
    alike = np.flatnonzero(ordered[1:] == ordered[:-1])
    if not len(alike):
        return found
    same = np.ones(len(alike), np.bool_)
    for column in columns:
        same &= column[order[alike]] == column[order[alike + 1]]
    found[order[alike[same] + 1]] = True
    return found

"""Values of faces carried to the faces that stand for them at a coarser level. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zarr_vectors.multiresolution.strategies.meshes import triangles_of
from zarr_vectors.multiresolution.strategies.points import Aggregation, reduce_values
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.order import dense_ranks

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class CarriedValues:
    """Values of the faces of the target level.

    Attributes:
        values: (K,) or (K, C); rows that are not known are zero.
        own: (K,) faces that source faces became.
        known: (K,) those, and the others that have faces with values around their corners.
        behind: (K,) float64 faces of the first level behind each; 1 where there is none.
    """

    values: AnyArray
    own: Bool
    known: Bool
    behind: FloatArray


def carry_values(
    values: AnyArray,
    source: IntArray,
    target: IntArray,
    parents: IntArray,
    how: Aggregation,
    weights: FloatArray | None = None,
) -> CarriedValues:
    """Values of target faces: of the source faces each is made of, else of those around it.

    Args:
        values: (F,) or (F, C) of the source faces.
        source: (F, W) int64 source rows of their corners.
        target: (K, V) int64 target rows of the corners of the target faces; V is W or 3.
        parents: (N,) int64 target row of every source row, -1 for none.
        how: How several values become one.
        weights: (F,) float64 faces of the first level behind each source face; None: one each.
    """
    faces = np.arange(len(source))
    if target.shape[1] == 3 < source.shape[1]:
        source, faces = triangles_of(source)
    ends = parents[source]
    made, behind, own = _of_same(values, ends, target, faces, how, weights)
    around, known = _of_corners(values, ends, target[~own], faces, how, weights)
    made[~own] = around
    whole = own.copy()
    whole[~own] = known
    return CarriedValues(made, own, whole, behind)


def _of_same(
    values: AnyArray,
    ends: IntArray,
    target: IntArray,
    faces: IntArray,
    how: Aggregation,
    weights: FloatArray | None,
) -> tuple[AnyArray, FloatArray, Bool]:
    """Values by faces between the same vertices."""
    count = len(target)
    made, behind = np.zeros((count, *values.shape[1:]), values.dtype), np.ones(count)
    if ends.shape[1] != target.shape[1] or not len(ends) or not count:
        return made, behind, np.zeros(count, np.bool_)
    both = np.sort(np.concatenate([target, ends]), axis=1)
    order = np.lexsort(both.T[::-1])
    lines = both[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (lines[1:] != lines[:-1]).any(axis=1)
    run = np.empty(len(order), np.int64)
    run[order] = np.cumsum(new) - 1
    place = np.full(len(order), -1, np.int64)
    place[run[:count]] = np.arange(count)  # of equal target faces the last is asked
    at = place[run[count:]]
    live = np.flatnonzero(at >= 0)
    present, ranks = dense_ranks(at[live], count)
    inner = None if weights is None else weights[faces[live]]
    reduced = reduce_values(values[faces[live]], ranks, len(present), how, inner)
    found = np.full(count, -1, np.int64)
    found[present] = np.arange(len(present))
    found = found[place[run[:count]]]
    own = found >= 0
    made[own] = reduced[found[own]]
    behind[own] = np.bincount(ranks, inner, minlength=len(present))[found[own]]
    return made, behind, own


def _of_corners(
    values: AnyArray,
    ends: IntArray,
    target: IntArray,
    faces: IntArray,
    how: Aggregation,
    weights: FloatArray | None,
) -> tuple[AnyArray, Bool]:
    """Values by faces around the corners: first of each corner, then of all corners of a face."""
    count = len(target)
    made, known = np.zeros((count, *values.shape[1:]), values.dtype), np.zeros(count, np.bool_)
    if not count or not ends.size:
        return made, known
    rows = int(max(ends.max(), target.max())) + 1
    wanted = np.zeros(rows + 1, np.bool_)  # the last is that of no row at all
    wanted[target] = True
    wanted[-1] = False
    face, column = np.nonzero(wanted[ends])
    present, ranks = dense_ranks(ends[face, column], rows)
    inner = None if weights is None else weights[faces[face]]
    of_rows = reduce_values(values[faces[face]], ranks, len(present), how, inner)
    place = np.full(rows, -1, np.int64)
    place[present] = np.arange(len(present))
    owner, corner = np.nonzero(place[target] >= 0)
    told, ranks = dense_ranks(owner, count)
    made[told] = reduce_values(of_rows[place[target[owner, corner]]], ranks, len(told), how)
    known[told] = True
    return made, known

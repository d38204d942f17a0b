"""Reducing many vertices to one each: positions, attributes, and how far that moved them. Pure.

``parents`` says where source rows go: (N,) int64 target rows in ``0 .. count - 1``, none empty.
``weights`` says how many level-0 vertices a source row stands for; None: one each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.order import dense_ranks, stable_order

Aggregation = Literal["mean", "mode", "min", "max", "first"]
"""How the attribute values of one bin become one value."""

AGGREGATIONS: tuple[str, ...] = get_args(Aggregation)

_BLOCK = 1 << 16


def check_aggregation(how: str, name: str, *, categorical: bool) -> Aggregation:
    """The aggregation by its name.

    Raises:
        CoarseningError: Unknown, or one that makes no sense for categories.
    """
    if how not in AGGREGATIONS:
        raise CoarseningError(
            f"attribute {name!r}: unknown aggregation {how!r}; there are {', '.join(AGGREGATIONS)}"
        )
    if categorical and how == "mean":
        raise CoarseningError(f"attribute {name!r} is categorical: categories have no mean")
    return how  # type: ignore[return-value]  # checked against the literal's words


def total_weights(parents: IntArray, count: int, weights: FloatArray | None) -> FloatArray:
    """(count,) float64 number of level-0 vertices behind every target row."""
    return np.bincount(parents, weights, minlength=count).astype(np.float64)


def mean_positions(
    positions: FloatArray,
    parents: IntArray,
    totals: FloatArray,
    weights: FloatArray | None,
    offset: Sequence[float] | None = None,
) -> FloatArray:
    """(count, D) mean position of every target row, in the dtype of ``positions``.

    Sums are taken from ``offset`` (the first position by default), so that coordinates far from 0
    keep their digits.
    """
    means = np.empty((len(totals), positions.shape[1]), positions.dtype)
    for axis in range(positions.shape[1]):
        column = positions[:, axis].astype(np.float64)
        first = float(column[0]) if len(column) else 0.0
        start = first if offset is None else offset[axis]
        column -= start
        if weights is not None:
            column *= weights
        means[:, axis] = np.bincount(parents, column, minlength=len(totals)) / totals + start
    return means


def reduce_values(
    values: AnyArray,
    parents: IntArray,
    count: int,
    how: Aggregation,
    weights: FloatArray | None = None,
) -> AnyArray:
    """Values of the target rows, in the dtype and columns of ``values``.

    Args:
        values: (N,) or (N, C) number or bool.
        parents: (N,) int64 target rows.
        count: Number of target rows.
        how: ``mean`` (integers rounded, NaN passed over), ``mode`` (the smallest of equals; rows of
            several columns count as one value), ``min``, ``max`` (NaN passed over), ``first`` (the
            lowest row).
        weights: (N,) float64 or None.
    """
    if not count:
        return values[:0]
    return _REDUCERS[how](values, parents, count, weights)


def displacements(
    reference: FloatArray, positions: FloatArray, rows: npt.NDArray[np.integer]
) -> npt.NDArray[np.float32]:
    """Distance of every reference vertex to the vertex that stands for it.

    Args:
        reference: (N, D) float, world units.
        positions: (M, D) float, world units.
        rows: (N,) integers, the row of ``positions`` that stands for each reference vertex.

    Returns:
        (N,) float32, world units.
    """
    found = np.empty(len(reference), np.float32)
    for start in range(0, len(reference), _BLOCK):
        part = slice(start, start + _BLOCK)
        moved = reference[part].astype(np.float64)
        moved -= positions.take(rows[part], axis=0)
        found[part] = np.sqrt(np.einsum("ij,ij->i", moved, moved))
    return found


def _mean(values: AnyArray, parents: IntArray, count: int, weights: FloatArray | None) -> AnyArray:
    if values.dtype.kind == "b":
        return _mode(values, parents, count, weights)
    out = np.empty((count, *values.shape[1:]), values.dtype)
    flat, target = values.reshape(len(values), -1), out.reshape(count, -1)
    totals = np.bincount(parents, weights, minlength=count)
    for column in range(flat.shape[1]):
        target[:, column] = _mean_column(flat[:, column], parents, count, weights, totals)
    return out


def _mean_column(
    column: npt.NDArray[Any],
    parents: IntArray,
    count: int,
    weights: FloatArray | None,
    totals: npt.NDArray[Any],
) -> AnyArray:
    numbers = column.astype(np.float64)
    scale = 1.0 if weights is None else weights
    known = ~np.isnan(numbers) if column.dtype.kind == "f" else None
    if known is not None and not known.all():
        shares = np.where(known, scale, 0.0)
        totals = np.bincount(parents, shares, minlength=count)
        numbers[~known] = 0.0
        with np.errstate(invalid="ignore"):
            return np.asarray(np.bincount(parents, numbers * shares, minlength=count) / totals)
    if weights is not None:
        numbers *= weights
    means = np.bincount(parents, numbers, minlength=count) / totals
    if column.dtype.kind == "f":
        return np.asarray(means)
    limits = np.iinfo(column.dtype.name)
    rounded = np.rint(means)
    # float64 cannot hold the ends of 64-bit types: clip after the cast's safe range
    top = np.nextafter(float(limits.max) + 1.0, 0.0)
    return np.asarray(np.clip(rounded, float(limits.min), top).astype(column.dtype))


def _mode(values: AnyArray, parents: IntArray, count: int, weights: FloatArray | None) -> AnyArray:
    known, codes = _codes(values)
    kinds = len(known)
    pairs = parents * kinds + codes
    if count * kinds <= max(4 * len(pairs), 1 << 20):
        tally = np.bincount(pairs, weights, minlength=count * kinds).reshape(count, kinds)
        return np.asarray(known[tally.argmax(axis=1)])
    order = stable_order(pairs, count * kinds)
    ordered = pairs[order]
    firsts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    amounts = np.add.reduceat(
        np.ones(len(order)) if weights is None else weights[order].astype(np.float64), firsts
    )
    owner = ordered[firsts] // kinds
    starts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    best = np.flatnonzero(amounts == np.maximum.reduceat(amounts, starts)[owner])
    chosen = best[np.concatenate([[True], owner[best][1:] != owner[best][:-1]])]
    return np.asarray(known[ordered[firsts[chosen]] % kinds])


def _codes(values: AnyArray) -> tuple[AnyArray, IntArray]:
    """Distinct values (or rows of several columns) and the number of every row's among them."""
    if values.ndim == 1 and values.dtype.kind in "bu" and values.dtype.itemsize <= 2:
        found, ranks = dense_ranks(values.astype(np.int64), int(np.iinfo(np.uint16).max) + 1)
        return found.astype(values.dtype), ranks
    known, inverse = np.unique(values, return_inverse=True, axis=0 if values.ndim > 1 else None)
    return known, inverse.reshape(-1).astype(np.int64)


def _min(values: AnyArray, parents: IntArray, count: int, weights: FloatArray | None) -> AnyArray:
    order, starts = _runs(parents, count)
    return np.asarray(np.fmin.reduceat(values[order], starts, axis=0), values.dtype)


def _max(values: AnyArray, parents: IntArray, count: int, weights: FloatArray | None) -> AnyArray:
    order, starts = _runs(parents, count)
    return np.asarray(np.fmax.reduceat(values[order], starts, axis=0), values.dtype)


def _first(values: AnyArray, parents: IntArray, count: int, weights: FloatArray | None) -> AnyArray:
    order, starts = _runs(parents, count)
    return values[order[starts]]


def _runs(parents: IntArray, count: int) -> tuple[IntArray, IntArray]:
    order = stable_order(parents, count)
    starts = np.zeros(count, np.int64)
    np.cumsum(np.bincount(parents, minlength=count)[:-1], out=starts[1:])
    return order, starts


_REDUCERS: dict[str, Callable[[AnyArray, IntArray, int, FloatArray | None], AnyArray]] = {
    "mean": _mean,
    "mode": _mode,
    "min": _min,
    "max": _max,
    "first": _first,
}

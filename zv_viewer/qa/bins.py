"""What the bins of a grid hold, as a table: rows -> counts, sums, and ranges of values. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import AnyArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Values:
    """Ranges of an attribute in every bin.

    Attributes:
        low: (K, C) float64, smallest value, infinite where there is none.
        high: (K, C) float64, largest.
        seen: (K,) uint64, of categories: bit ``code % 64`` of every code that is there.
    """

    low: FloatArray
    high: FloatArray
    seen: npt.NDArray[np.uint64]

    def take(self, rows: IntArray) -> Values:
        """Those of some bins."""
        return Values(self.low[rows], self.high[rows], self.seen[rows])


@dataclass(frozen=True, eq=False, slots=True)
class BinTable:
    """Bins of a level's grid, each for one object, ascending.

    Attributes:
        objects: (K,) int64 object, -1 for rows of none and where objects share vertices.
        bins: (K, D) int64 bin coordinates.
        counts: (K,) int64 rows in it.
        sums: (K, D) float64 sum of their positions relative to the bin's lower corner.
        values: Attribute -> ranges.
    """

    objects: IntArray
    bins: IntArray
    counts: IntArray
    sums: FloatArray
    values: dict[str, Values] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.objects)

    @property
    def keys(self) -> IntArray:
        """(K, 1 + D) int64, object and bin."""
        return np.concatenate([self.objects[:, None], self.bins], axis=1)

    def take(self, rows: IntArray) -> BinTable:
        """Some of the bins."""
        values = {name: column.take(rows) for name, column in self.values.items()}
        return BinTable(
            self.objects[rows], self.bins[rows], self.counts[rows], self.sums[rows], values
        )


def bins_of(positions: FloatArray, bin_shape: Sequence[float]) -> IntArray:
    """(N, D) int64 bin of every position, as the writers of pyramids count them."""
    found: IntArray = np.floor(positions.astype(np.float64) / np.asarray(bin_shape)).astype(
        np.int64
    )
    return found


def nests(fine: Sequence[float], coarse: Sequence[float]) -> bool:
    """Whether the walls of coarse bins are walls of fine ones."""
    ratio = np.asarray(coarse, np.float64) / np.asarray(fine, np.float64)
    return bool((np.abs(ratio - np.round(ratio)) < 1e-9).all() and (np.round(ratio) >= 1).all())


def packed(*keys: IntArray) -> list[IntArray]:
    """Rows of integers as one int64 each, comparable between the arrays given.

    Args:
        keys: (n, C) int64 each, of the same C.
    """
    whole = [key for key in keys if len(key)]
    if not whole:
        return [np.zeros(len(key), np.int64) for key in keys]
    low = np.min([key.min(axis=0) for key in whole], axis=0)
    high = np.max([key.max(axis=0) for key in whole], axis=0)
    if float(np.prod(high.astype(np.float64) - low + 1)) < 2**62:
        span = high - low + 1
        steps = np.ones(len(span), np.int64)
        steps[:-1] = np.cumprod(span[::-1])[::-1][1:]
        return [((key - low) * steps).sum(axis=1) for key in keys]
    joined = np.concatenate(keys)
    _, ranks = np.unique(joined, axis=0, return_inverse=True)
    return np.split(ranks.reshape(-1), np.cumsum([len(key) for key in keys])[:-1])


def grouped(codes: IntArray) -> tuple[IntArray, IntArray]:
    """(N,) int64 order that brings equal codes together, and (K,) int64 first of every group."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    new = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return order, np.flatnonzero(new)


def table_of(
    positions: FloatArray,
    objects: IntArray | None,
    bin_shape: Sequence[float],
    attributes: Mapping[str, AnyArray],
) -> BinTable:
    """The bins of rows.

    Args:
        positions: (N, D) float, world units.
        objects: (N,) int64, or None where vertices of all objects are merged.
        bin_shape: D floats.
        attributes: name -> (N,) or (N, C) numbers or codes.
    """
    bins = bins_of(positions, bin_shape)
    own = np.full(len(bins), -1, np.int64) if objects is None else objects
    inside = positions - bins * np.asarray(bin_shape)
    columns = {name: _ranges(values) for name, values in attributes.items()}
    return _reduced(own, bins, np.ones(len(bins), np.int64), inside, columns)


def coarser(table: BinTable, fine: Sequence[float], coarse: Sequence[float]) -> BinTable:
    """The same rows in larger bins that nest."""
    ratio = np.round(np.asarray(coarse) / np.asarray(fine)).astype(np.int64)
    bins = table.bins // ratio
    shift = (table.bins - bins * ratio) * np.asarray(fine) * table.counts[:, None]
    return _reduced(table.objects, bins, table.counts, table.sums + shift, table.values)


def joined(tables: Sequence[BinTable]) -> BinTable:
    """Tables of parts of the rows as one."""
    names = tables[0].values
    values = {
        name: Values(
            *(
                np.concatenate([getattr(t.values[name], part) for t in tables])
                for part in ("low", "high", "seen")
            )
        )
        for name in names
    }
    return _reduced(
        np.concatenate([t.objects for t in tables]),
        np.concatenate([t.bins for t in tables]),
        np.concatenate([t.counts for t in tables]),
        np.concatenate([t.sums for t in tables]),
        values,
    )


def ranges_of(values: AnyArray, starts: IntArray) -> Values:
    """Ranges of groups of values.

    Args:
        values: (N,) or (N, C), group after group.
        starts: (K,) int64 first row of every group.
    """
    every = _ranges(values)
    if not len(starts):
        return every
    return Values(
        np.minimum.reduceat(every.low, starts, axis=0),
        np.maximum.reduceat(every.high, starts, axis=0),
        np.bitwise_or.reduceat(every.seen, starts),
    )


def _ranges(values: AnyArray) -> Values:
    rows = values if values.ndim > 1 else values[:, None]
    number = rows.astype(np.float64)
    missing = np.isnan(number)
    low = np.where(missing, np.inf, number)
    high = np.where(missing, -np.inf, number)
    if values.dtype.kind in "iub":
        code = rows[:, 0].astype(np.int64) % 64
        seen = np.uint64(1) << code.astype(np.uint64)
    else:
        seen = np.zeros(len(rows), np.uint64)
    return Values(low, high, seen)


def _reduced(
    objects: IntArray, bins: IntArray, counts: IntArray, sums: FloatArray, values: dict[str, Values]
) -> BinTable:
    if not len(bins):
        return BinTable(objects, bins, counts, sums, values)
    keys = bins if not len(objects) or (objects == objects[0]).all() else None
    if keys is None:
        keys = np.concatenate([objects[:, None], bins], axis=1)
    order, first = grouped(packed(keys)[0])
    heads = order[first]
    return BinTable(
        objects[heads],
        bins[heads],
        np.add.reduceat(counts[order], first),
        np.add.reduceat(sums[order], first, axis=0),
        {
            name: Values(
                np.minimum.reduceat(column.low[order], first, axis=0),
                np.maximum.reduceat(column.high[order], first, axis=0),
                np.bitwise_or.reduceat(column.seen[order], first),
            )
            for name, column in values.items()
        },
    )

"""Attributes of edges and faces of a level against those of level 0 between the same bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.multiresolution.linked_links import as_triangles
from zarr_vectors.multiresolution.merging import runs_of
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zv_viewer.qa.attributes import Tally, drift_of, unexplained
from zv_viewer.qa.bins import Values, bins_of, grouped, packed, ranges_of
from zv_viewer.qa.evidence import WrongValues
from zv_viewer.qa.reading import LevelReading
from zv_viewer.qa.report import AttributeDrift

_MOST = 400_000
"""Links of a level whose values are compared; of more, those between some of the bins."""
_RUN = 300_000
"""Vertices of chunks whose links are read together."""


@dataclass(frozen=True, eq=False, slots=True)
class Compared:
    """What became of the link attributes of a level.

    Attributes:
        wrong: Values that cannot be.
        drift: Of every attribute that both levels have.
        missing: Those of level 0 that the level lacks.
    """

    wrong: tuple[WrongValues, ...] = ()
    drift: tuple[AttributeDrift, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class _Read:
    """Links of a level: the middle of the ends by bins, and values.

    Attributes:
        ends: (M, W, D) float64 positions.
        values: name -> (M,) or (M, C).
    """

    ends: FloatArray
    values: dict[str, AnyArray] = field(default_factory=dict)


def link_names(layout: Layout, level: int) -> tuple[str, ...]:
    """Names of the attributes of a level's links, sorted."""
    family = layout.link_families(str(level)).get(0)
    return () if family is None else family.attributes


def compare_links(layout: Layout, finest: LevelReading, level: LevelReading) -> Compared:
    """Compare the link attributes of a level with those of level 0.

    A link stands for links of level 0 between the bins of its ends, and each way to make one value
    of theirs stays between the least and the greatest. Links of all objects count.

    Args:
        layout: Of the store.
        finest: Level 0.
        level: The level.

    Raises:
        ZVError: Links that cannot be read.
    """
    names = link_names(layout, finest.number)
    here = set(link_names(layout, level.number))
    both = [name for name in names if name in here]
    missing = tuple(name for name in names if name not in here)
    if not both:
        return Compared(missing=missing)
    shape = level.bin_shape
    total = max(int(finest.counts.sum()), 1)
    keep = max(1, -(-total // _MOST))
    below = _ranges(layout, finest, both, shape, keep)
    above = _ranges(layout, level, both, shape, keep)
    first, second = packed(below.keys, above.keys)
    _, mine, theirs = np.intersect1d(first, second, return_indices=True)
    wrong, drift = [], []
    for name in both:
        odd = unexplained(
            below.values[name].take(mine), above.values[name].take(theirs), categories=False
        )
        ndim = len(shape)
        bins = above.keys[theirs[odd]][:, :ndim]
        centres = (bins + 0.5) * np.asarray(shape)
        chunks: IntArray = np.floor(centres / np.asarray(level.chunk_shape)).astype(np.int64)
        what = "edges" if above.keys.shape[1] == 2 * ndim else "faces"
        wrong.append(WrongValues(name, chunks, bins, len(mine), what))
        outside = len(bins) / len(mine) if len(mine) else None
        samples = below.samples[name], above.samples[name]
        sums = below.sums[name], above.sums[name]
        drift.append(drift_of(name, "link", *sums, samples, outside, categories=False))
    return Compared(tuple(wrong), tuple(drift), missing)


@dataclass(frozen=True, eq=False, slots=True)
class _Ranges:
    """Values of links between the same bins.

    Attributes:
        keys: (K, W D) int64 bins of the ends, ascending.
        values: Attribute -> ranges.
        sums: Attribute -> all of its values.
        samples: Attribute -> some of its values.
    """

    keys: IntArray
    values: dict[str, Values]
    sums: dict[str, Tally]
    samples: dict[str, AnyArray]


def _ranges(
    layout: Layout, reading: LevelReading, names: list[str], shape: Sequence[float], keep: int
) -> _Ranges:
    keys: list[IntArray] = []
    values: dict[str, list[AnyArray]] = {name: [] for name in names}
    sums = {name: Tally(None) for name in names}
    for first, stop in runs_of(reading.counts, _RUN):
        part = _read(layout, reading, names, np.arange(first, stop))
        for name in names:
            sums[name].add(part.values[name])
        own = _keys_of(part.ends, shape)
        kept = np.flatnonzero(_scattered(own) % np.uint64(keep) == 0)
        keys.append(own[kept])
        for name in names:
            values[name].append(part.values[name][kept])
    every = np.concatenate(keys)
    order, starts = grouped(packed(every)[0])
    whole = {name: np.concatenate(parts) for name, parts in values.items()}
    return _Ranges(
        every[order[starts]],
        {name: ranges_of(column[order], starts) for name, column in whole.items()},
        sums,
        whole,
    )


def _read(layout: Layout, reading: LevelReading, names: list[str], rows: IntArray) -> _Read:
    """Links that start in chunks of the table."""
    own = [reading.chunk(int(row)) for row in rows]
    found = layout.get_links(str(reading.number), within=own, starting=True, attributes=names)
    ndim = len(reading.bin_shape)
    if found is None or not len(found.rows):
        return _Read(np.zeros((0, 2, ndim)), {name: np.zeros(0) for name in names})
    count, width = found.rows.shape
    table = reading.level.chunk_table
    ranks = chunk_ranks(found.chunks.reshape(count * width, -1), table.coords)
    there = np.unique(ranks[ranks >= 0])
    chunks = reading.level.read_chunks([reading.chunk(int(row)) for row in there], ())
    positions = [part.positions for part in chunks.values()]
    starts = np.cumsum([0, *map(len, positions)])
    flat = found.rows.reshape(-1)
    place = np.searchsorted(there, np.maximum(ranks, 0))
    at = starts[np.minimum(place, max(len(there) - 1, 0))] + flat
    known = ((ranks >= 0) & (flat >= 0)).reshape(count, width).all(axis=1)
    ends = at.reshape(count, width)[known]
    values = {name: np.asarray(column)[known] for name, column in found.attributes.items()}
    if width > 3:
        ends, values = as_triangles((ends, values))
    return _Read(np.concatenate(positions).astype(np.float64)[ends], values)


def _keys_of(ends: FloatArray, shape: Sequence[float]) -> IntArray:
    """(M, W D) int64 bins of the ends, in a fixed order."""
    count, width, ndim = ends.shape
    bins = bins_of(ends.reshape(-1, ndim), shape).reshape(count, width, ndim)
    codes = packed(bins.reshape(-1, ndim))[0].reshape(count, width)
    turn = np.argsort(codes, axis=1, kind="stable")
    return np.take_along_axis(bins, turn[:, :, None], axis=1).reshape(count, width * ndim)


def _scattered(keys: IntArray) -> np.typing.NDArray[np.uint64]:
    """(M,) a word for each row, which depends on nothing else."""
    words = np.zeros(len(keys), np.uint64)
    for column in keys.T:
        words ^= column.astype(np.uint64)
        words *= np.uint64(0xBF58476D1CE4E5B9)
        words ^= words >> np.uint64(29)
    return words

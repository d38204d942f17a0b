"""Links between a vertex and the one that stands for it on a coarser level."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.core.layouts.base import ChunkGrid, KeepsLinks, LinkRecords, NumberedLinks
from zarr_vectors.core.metadata import ChunkTable, RootMetadata
from zarr_vectors.core.metadata.conventions import CROSS_LEVEL_STORAGE
from zarr_vectors.exceptions import ZVWarning
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.commit import grid_of
from zarr_vectors.writing.order import stable_order
from zarr_vectors.writing.route import starts_of

CAPABILITY = "multiscale_links"
"""Root capability of stores that hold such links."""

MOST_UP = 32
"""Levels up that links to levels which are no more are looked for."""


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """Where the vertices of a level are.

    Attributes:
        level: The level's number.
        table: Its chunks with exact counts, ascending.
        grid: The box of chunks its arrays may hold.
        scale: Per axis, its chunk shape as a multiple of the root's.
    """

    level: int
    table: ChunkTable
    grid: ChunkGrid
    scale: tuple[int, ...]


def check_cross_level(depth: int, storage: str) -> None:
    """Check what a caller asks for.

    Raises:
        ValueError: A depth below -1 or an unknown storage.
    """
    if depth < -1:
        raise ValueError(f"cross_level_depth must be -1 or more, not {depth}")
    if storage not in CROSS_LEVEL_STORAGE:
        names = ", ".join(CROSS_LEVEL_STORAGE)
        raise ValueError(f"cross_level_storage must be one of {names}, not {storage!r}")


def place_of(
    root: RootMetadata, level: int, chunk_shape: Sequence[float], table: ChunkTable
) -> Place:
    """Where the vertices of a level are.

    Args:
        root: The store's metadata.
        level: The level's number.
        chunk_shape: Its chunk shape, world units.
        table: Its chunks with exact counts.
    """
    pairs = zip(chunk_shape, root.chunk_shape, strict=True)
    scale = tuple(max(1, round(a / b)) for a, b in pairs)
    return Place(level, table, grid_of(root.bounds, chunk_shape, table.coords), scale)


def write_cross_level(
    layout: KeepsLinks,
    fine: Place,
    coarse: Place,
    fine_rows: npt.NDArray[np.integer],
    coarse_rows: npt.NDArray[np.integer],
    storage: str,
) -> int:
    """Store links between two levels.

    Args:
        layout: Where to.
        fine: The level below.
        coarse: The level above.
        fine_rows: (M,) stored rows of the level below.
        coarse_rows: (M,) stored row above that stands for each, -1 for none.
        storage: ``none``, ``implicit`` (kept with the level below) or ``explicit`` (with both).

    Returns:
        Number of links.
    """
    if storage == "none":
        return 0
    there = coarse_rows >= 0
    if not there.all():
        fine_rows, coarse_rows = fine_rows[there], coarse_rows[there]
    coords = np.unique(np.concatenate([fine.table.coords, coarse.table.coords]), axis=0)
    numbers = np.empty((2, len(fine_rows)), np.int64)
    rows = np.empty((len(fine_rows), 2), np.int64)
    for end, (place, stored) in enumerate(((fine, fine_rows), (coarse, coarse_rows))):
        counts = place.table.counts
        starts = starts_of(counts)
        chunk = np.repeat(np.arange(len(counts)), counts)
        every = len(stored) == len(chunk) and np.array_equal(stored, np.arange(len(chunk)))
        chunk = chunk if every else chunk.take(stored)
        chunk_ranks(place.table.coords, coords).take(chunk, out=numbers[end], mode="clip")
        np.subtract(stored, starts.take(chunk), out=rows[:, end])
    _put(layout, fine, coarse, NumberedLinks(coords, numbers.T, rows))
    if storage == "explicit":
        _put(layout, coarse, fine, NumberedLinks(coords, numbers[::-1].T, rows[:, ::-1]))
    return len(fine_rows)


def _put(layout: KeepsLinks, here: Place, other: Place, records: NumberedLinks) -> None:
    ratio = list(zip(here.scale, other.scale, strict=True))
    up = other.level - here.level
    layout.put_links(str(here.level), records, here.grid, delta=up, chunk_ratio=ratio)


def forget_lost_levels(handle: StoreHandle) -> None:
    """Empty the links of every level with levels that are no more.

    Args:
        handle: The store, inside a transaction.
    """
    layout, levels = handle.layout, handle.levels
    for number, document in levels.items():
        lost = [delta for delta in range(1, MOST_UP + 1) if number + delta not in levels]
        for delta, family in layout.link_families(str(number), lost).items():
            if family.count == 0:
                continue
            shape = document.meta.chunk_shape or handle.meta.chunk_shape
            rank = handle.meta.ndim + document.meta.chunked_by_attribute
            none = np.zeros((0, 2, rank), np.int64)
            grid = grid_of(handle.meta.bounds, shape, none[:, 0])
            layout.put_links(str(number), LinkRecords(none, none[:, :, 0]), grid, delta=delta)


class CrossLevel:
    """Links from every level to those above it, made as levels are.

    Holds, for each level that a coming one is to be linked with, which row of the level last made
    stands for each of its vertices.

    Args:
        depth: How many levels up links go; -1 for all.
        storage: As in :func:`write_cross_level`.
        most: Vertices a level may have to be linked with those above; None for any number. Links
            cost more memory and, in format 0.7.0, more bytes than the vertices themselves.
    """

    def __init__(self, depth: int, storage: str, most: int | None = None) -> None:
        check_cross_level(depth, storage)
        self.depth = depth
        self.storage = storage
        self._most = most
        self._open: list[_Below] = []

    @property
    def wanted(self) -> bool:
        """Whether there is anything to write."""
        return self.storage != "none" and self.depth != 0

    def takes(self, place: Place) -> bool:
        """Whether links begin at a level; it is told, once, where they would be too many.

        Args:
            place: The level everything is built from.
        """
        count = int(place.table.counts.sum())
        if self.wanted and self._most is not None and count > self._most:
            warnings.warn(
                f"level {place.level} has {count:,} vertices, more than the {self._most:,} that "
                "are linked with their representatives: no links between levels are written",
                ZVWarning,
                stacklevel=4,
            )
            self.storage = "none"
        return self.wanted

    def start(self, place: Place, stored: IntArray | None = None) -> None:
        """Begin with the level everything is built from.

        Args:
            place: The level.
            stored: (N,) stored row of every row, or None where rows are numbered as stored.
        """
        if self.wanted:
            self._open = [_below(place, stored)]

    def climb(
        self,
        layout: KeepsLinks,
        place: Place,
        parents: npt.NDArray[np.integer],
        stored: IntArray | None = None,
    ) -> None:
        """Link a new level with those below it.

        Args:
            layout: Where links go.
            place: The new level.
            parents: (N,) row of the new level for every row of the level before, -1 for none.
            stored: (M,) stored row of every row of the new level, or None as in :meth:`start`.
        """
        if not self.wanted:
            return
        climbed = []
        for below in self._open:
            above = composed(below.rows, parents)
            found = above if stored is None else composed(above, stored)
            own = np.arange(len(found)) if below.stored is None else below.stored
            found = found if below.order is None else found[below.order]
            write_cross_level(layout, below.place, place, own, found, self.storage)
            climbed.append(replace(below, rows=above))
        climbed.append(_below(place, stored))
        # a level further down than the depth is done with
        self._open = climbed if self.depth < 0 else climbed[-self.depth :]


def composed(
    rows: npt.NDArray[np.integer] | None, parents: npt.NDArray[np.integer]
) -> npt.NDArray[np.integer]:
    """(N,) ``parents[rows]``, and -1 where ``rows`` is below zero; ``parents`` where it is None."""
    if rows is None:
        return parents
    if not len(parents) or (len(rows) and rows.min() >= 0):
        return parents[rows] if len(parents) else rows
    return np.where(rows >= 0, parents[rows], -1)


@dataclass(frozen=True, eq=False, slots=True)
class _Below:
    """A level that those to come are linked with."""

    place: Place
    stored: IntArray | None
    """Stored rows of the vertices, ascending; None where those are all that are stored, once."""
    order: IntArray | None
    """The rows in that order; None where rows are numbered as stored."""
    rows: npt.NDArray[np.integer] | None = None
    """Row of the level last made for every row of this one; None: it is the level last made."""


def _below(place: Place, stored: IntArray | None) -> _Below:
    if stored is None:
        return _Below(place, None, None)
    count = int(place.table.counts.sum())
    order = np.full(count, -1, np.int64)
    order[stored] = np.arange(len(stored))
    there = np.flatnonzero(order >= 0)
    if len(there) < len(stored):  # vertices of several objects: a link for each
        order = stable_order(stored, max(count, 1))
        return _Below(place, stored[order], order)
    return _Below(place, None, order) if len(there) == count else _Below(place, there, order[there])

"""A level of linked geometry set aside in batches of whole objects, in memory or on disk."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.multiresolution.linked_rows import LinkedRows
from zarr_vectors.multiresolution.scratch import Scratch, rest
from zarr_vectors.multiresolution.steps import Members
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.order import distinct, stable_order
from zarr_vectors.writing.route import starts_of

BATCH_ROWS = 1 << 20
"""Vertices of a batch, unless one object, or objects that are linked, have more."""


@dataclass(frozen=True, eq=False, slots=True)
class Shelf:
    """Batch after batch of a level; rows are numbered inside their batch.

    Attributes:
        starts: (B + 1,) int64, first row of every batch, and the end.
        positions: (N, D) float in the stored dtype, world units.
        values: name -> (N,) or (N, C), attributes of rows as stored.
        weights: (N,) float64 level-0 vertices behind every row, or None for one each.
        pairs: (B + 1,) int64, first pair of object and row of every batch, and the end.
        objects: (P,) int64 object of every pair, ascending; None where there are no objects.
        rows: (P,) int64 row of every pair.
        joints: (B + 1,) int64, first link of every batch, and the end.
        links: (M, W) int64 rows.
        link_values: name -> (M,) or (M, C).
        link_weights: (M,) float64 level-0 links behind every link, or None for one each.
    """

    starts: IntArray
    positions: FloatArray
    values: Mapping[str, AnyArray]
    weights: FloatArray | None
    pairs: IntArray
    objects: IntArray | None
    rows: IntArray
    joints: IntArray
    links: IntArray
    link_values: Mapping[str, AnyArray] = field(default_factory=dict)
    link_weights: FloatArray | None = None

    @property
    def count(self) -> int:
        """Rows in all."""
        return int(self.starts[-1])

    @property
    def batches(self) -> int:
        """B."""
        return len(self.starts) - 1

    def ids(self) -> IntArray:
        """(O,) int64 objects that have rows, ascending."""
        none = np.zeros(0, np.int64)
        if self.objects is None:
            return none
        found = [distinct(self.objects[a:b]) for a, b in _spans(self.pairs)]
        return np.concatenate([none, *found])

    def batch(self, number: int) -> LinkedRows:
        """Rows, objects and links of a batch."""
        rows = slice(*self.starts[number : number + 2].tolist())
        pairs = slice(*self.pairs[number : number + 2].tolist())
        links = slice(*self.joints[number : number + 2].tolist())
        members = None
        if self.objects is not None:
            members = Members(np.asarray(self.objects[pairs]), np.asarray(self.rows[pairs]))
        return LinkedRows(
            np.asarray(self.positions[rows]),
            members,
            None if self.weights is None else np.asarray(self.weights[rows]),
            np.asarray(self.links[links]),
            {name: np.asarray(column[links]) for name, column in self.link_values.items()},
            None if self.link_weights is None else np.asarray(self.link_weights[links]),
        )

    def values_of(self, number: int) -> dict[str, AnyArray]:
        """Attributes of the rows of a batch."""
        rows = slice(*self.starts[number : number + 2].tolist())
        return {name: np.asarray(column[rows]) for name, column in self.values.items()}

    def rest(self) -> None:
        """Let what is on disk leave memory."""
        for array in (
            self.positions,
            self.weights,
            self.objects,
            self.rows,
            self.links,
            self.link_weights,
            *self.values.values(),
            *self.link_values.values(),
        ):
            if array is not None:
                rest(array)


class Sorting:
    """Rows that come in any order, put where they belong, batch by batch.

    Args:
        scratch: Makes the arrays.
        starts: (B + 1,) int64, first row of every batch, and the end.
        like: An array of every column: its dtype and row shape.
    """

    def __init__(
        self, scratch: Scratch, starts: IntArray, like: Mapping[str, npt.NDArray[Any]]
    ) -> None:
        count = int(starts[-1])
        self._starts = starts
        self.columns = {
            name: scratch.array((count, *column.shape[1:]), column.dtype)
            for name, column in like.items()
        }
        on_disk = any(isinstance(column, np.memmap) for column in self.columns.values())
        self._several = on_disk and len(starts) > 2
        self._places = scratch.array((count if self._several else 0,), np.int64)
        self._filled = np.zeros(len(starts) - 1, np.int64)

    def add(self, places: IntArray, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Put rows at places among all rows.

        Args:
            places: (n,) int64, each once in all.
            columns: name -> (n,) or (n, C).
        """
        if not self._several:
            for name, values in columns.items():
                self.columns[name][places] = values
            return
        batch = np.searchsorted(self._starts, places, side="right") - 1
        order = stable_order(batch, len(self._filled))
        ends = starts_of(np.bincount(batch, minlength=len(self._filled)))
        for number in np.flatnonzero(np.diff(ends)).tolist():
            rows = order[ends[number] : ends[number + 1]]
            first = int(self._starts[number] + self._filled[number])
            there = slice(first, first + len(rows))
            self._places[there] = places[rows] - self._starts[number]
            for name, values in columns.items():
                self.columns[name][there] = values[rows]
            self._filled[number] += len(rows)
        self._rest()

    def settle(self) -> None:
        """Put the rows of every batch in order; nothing may be added afterwards."""
        if not self._several:
            return
        for start, stop in _spans(self._starts):
            places = np.asarray(self._places[start:stop])
            for column in self.columns.values():
                sorted_rows = np.empty((stop - start, *column.shape[1:]), column.dtype)
                sorted_rows[places] = column[start:stop]
                column[start:stop] = sorted_rows
            self._rest()

    def _rest(self) -> None:
        for column in (self._places, *self.columns.values()):
            rest(column)


def batch_bounds(sizes: IntArray, ends: IntArray, most: int) -> IntArray:
    """Objects in batches of about ``most`` rows; objects that are linked stay together.

    Args:
        sizes: (O,) int64 rows of every object.
        ends: (K, 2) int64 first and last object of links between objects.
        most: Rows of a batch; more only where objects that stay together have more.

    Returns:
        (B + 1,) int64, first object of every batch, and the end.
    """
    count = len(sizes)
    # a link from object i to j forbids that a batch begins behind i and up to j
    open_ = np.bincount(ends[:, 0] + 1, minlength=count + 1)[: count + 1]
    closed = np.bincount(ends[:, 1] + 1, minlength=count + 1)[: count + 1]
    free = np.cumsum(open_ - closed) == 0
    rows = starts_of(sizes)
    cuts = np.flatnonzero(free).tolist()
    bounds, held = [0], 0
    for cut, stop in itertools.pairwise(cuts):
        size = int(rows[stop] - rows[cut])
        if held and held + size > most:
            bounds.append(cut)
            held = 0
        held += size
    return np.array([*bounds, count], np.int64)


def _spans(starts: Sequence[int] | IntArray) -> list[tuple[int, int]]:
    found = [int(start) for start in starts]
    return list(itertools.pairwise(found))

"""Links as they lie in their cells: where ends are is told once per cell, not once per link."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.layouts.base import LinkRecords
from zarr_vectors.typing import AnyArray, IntArray


class PlacedLinks(LinkRecords):
    """Links of cells; ``chunks`` are put together where somebody asks for them.

    Args:
        places: (K, W, R) integers, chunk of every end of the links of a cell, as stored.
        counts: (K,) integers, links of every cell, which lie one after the other.
        order: (T, W) integers, stored place of every end of the last T links; the ends of those
            before lie in order.
        rows: (M, W) int64, row of every end among all rows of its chunk; nobody else's.
        attributes: name -> (M,) or (M, C).
    """

    __slots__ = ("_chunks", "counts", "order", "places")

    places: IntArray
    counts: IntArray
    order: IntArray
    _chunks: IntArray | None

    def __init__(
        self,
        places: IntArray,
        counts: IntArray,
        order: IntArray,
        rows: IntArray,
        attributes: Mapping[str, AnyArray] | None = None,
    ) -> None:
        values = {"places": places, "counts": counts, "order": order, "rows": rows, "_chunks": None}
        for name, value in (values | {"attributes": attributes or {}}).items():
            object.__setattr__(self, name, value)

    @property
    def chunks(self) -> IntArray:
        """(M, W, R) int64, chunk of every end."""
        found: IntArray | None = self._chunks
        if found is None:
            found = self.spread(self.places).astype(np.int64, copy=False)
            object.__setattr__(self, "_chunks", found)
        return found

    def spread(self, of_places: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """(M, W, ...) of every end, from (K, W, ...) of every place."""
        return np.concatenate(
            [self.of_cells(cells, links, of_places[cells]) for cells, links in self.parts()]
        )

    def parts(self, most: int | None = None) -> list[tuple[slice, slice]]:
        """Runs of cells with about so many links together, and their links; ordered ones apart."""
        ends = np.cumsum(self.counts, dtype=_number_of(len(self.rows) + len(self.counts)))
        plain = int(np.searchsorted(ends, len(self.rows) - len(self.order), side="right"))
        edges = {0, plain, len(ends)}
        if most is not None:
            # cells count as well: most have one link in some stores
            batch = ends + np.arange(len(ends), dtype=ends.dtype)
            batch //= most
            edges.update((np.flatnonzero(batch[1:] != batch[:-1]) + 1).tolist())
        cells = sorted(edges)
        links = [int(ends[edge - 1]) if edge else 0 for edge in cells]
        runs = zip(itertools.pairwise(cells), itertools.pairwise(links), strict=True)
        return [(slice(*own), slice(*theirs)) for own, theirs in runs] or [(slice(0), slice(0))]

    def of_cells(self, cells: slice, links: slice, of_places: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """(m, W, ...) of every end of the links of some cells, from (k, W, ...) of their places.

        Args:
            cells: Some cells.
            links: Their links, as :meth:`parts` says.
            of_places: Of the places of these cells.
        """
        plain = len(self.rows) - len(self.order)
        if links.stop <= plain:
            return np.repeat(of_places, self.counts[cells], axis=0)
        at = np.repeat(np.arange(len(of_places)), self.counts[cells])
        return of_places[at[:, None], self.order[links.start - plain : links.stop - plain]]

    def kept(self, keep: npt.NDArray[np.bool_]) -> PlacedLinks:
        """Some of the links."""
        at = np.repeat(np.arange(len(self.counts)), self.counts)
        values = {name: column[keep] for name, column in self.attributes.items()}
        return PlacedLinks(
            self.places,
            np.bincount(at[keep], minlength=len(self.counts)),
            self.order[keep[len(keep) - len(self.order) :]],
            self.rows[keep],
            values,
        )


def _number_of(count: int) -> npt.DTypeLike:
    return np.int32 if count <= np.iinfo(np.int32).max else np.int64


def narrow(numbers: IntArray) -> npt.NDArray[Any]:
    """The same numbers in as few bytes each as they fit."""
    if not len(numbers):
        return numbers.astype(np.int8)
    low, high = int(numbers.min()), int(numbers.max())
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return numbers.astype(kind)
    return numbers


def room_for(count: int, width: int) -> IntArray:
    """(count, width) int64 to be filled; none where a record tells of more than memory holds."""
    try:
        return np.empty((count, width), np.int64)
    except (MemoryError, ValueError):  # what is there then shows that the record is wrong
        return np.empty((0, width), np.int64)

"""Rows of pieces put where they are to be, some chunks after others, so that none is held twice.

Numbers are kept as narrow as they can be: beside pieces of ten rows, wide ones weigh.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.encoding.fragment_tables import FragmentTables
from zarr_vectors.reading import assemble
from zarr_vectors.reading.stack import starts_of
from zarr_vectors.typing import ChunkCoords, IntArray

_NARROW = 2**31


def narrow(numbers: IntArray) -> IntArray:
    """The same numbers in four bytes each, where they fit."""
    if len(numbers) and not -_NARROW <= numbers.min() <= numbers.max() < _NARROW:
        return numbers
    fits: npt.NDArray[Any] = numbers.astype(np.int32, copy=False)
    return fits


class Scatter:
    """Where rows of pieces lie and where they go, found out for some chunks after others.

    Args:
        ranks: (P,) which of the chunks every piece lies in.
        fragments: (P,) which fragment of that chunk it is.
        keys: The M chunks.
        array: Name of the fragments array, for messages.
        url: The store, for messages.
    """

    def __init__(
        self,
        ranks: IntArray,
        fragments: IntArray,
        keys: Sequence[ChunkCoords],
        array: str,
        url: str,
    ) -> None:
        self._keys, self._array, self._url = keys, array, url
        # a sort of numbers of two bytes is several times as fast
        order = np.argsort(ranks.astype(np.min_scalar_type(len(keys))), kind="stable")
        self._order = narrow(order)
        self._edges = starts_of(np.bincount(ranks, minlength=len(keys)))
        self._first: npt.NDArray[np.integer] = np.zeros(len(ranks), np.uint16)
        self._fragments: IntArray | None = fragments
        self._sizes = np.zeros(len(ranks) + 1, np.int64)

    def locate(self, chunks: slice, tables: FragmentTables, counts: IntArray) -> bool:
        """Look up the pieces in some chunks; False where rows of fragments are told one by one.

        Args:
            chunks: Which of the chunks.
            tables: Their fragment tables.
            counts: (m,) rows of each of them.

        Raises:
            ArrayError: A fragment is not there, or lies beyond its chunk.
        """
        if tables.explicit.any() or (len(tables.starts) and tables.starts.max() >= _NARROW):
            return False
        edges = self._edges[chunks.start : chunks.stop + 1]
        pieces = self._order[edges[0] : edges[-1]]
        owner = np.repeat(np.arange(len(counts)), np.diff(edges))
        assert self._fragments is not None  # noqa: S101  looked up before the rows are counted
        fragments = self._fragments[pieces]
        keys = self._keys[chunks]
        assemble.check_pieces(owner, fragments, tables, counts, keys, self._array, self._url)
        numbers = starts_of(np.maximum(tables.sizes, 0))[owner] + fragments
        first = tables.starts[numbers]
        if len(first) and first.max() > np.iinfo(self._first.dtype).max:
            self._first = self._first.astype(np.int32)
        self._first[edges[0] : edges[-1]] = first
        self._sizes[pieces + 1] = tables.counts[numbers]
        return True

    def segments(self, stored: int) -> IntArray:
        """(P + 1,) int64, first row of every piece in the result, and the end.

        Args:
            stored: Rows of all chunks.

        Raises:
            ArrayError: Pieces share more rows than any objects would.
        """
        self._fragments = None
        segments = np.cumsum(self._sizes, out=self._sizes)
        most = assemble.most_rows(stored)
        if segments[-1] > most:
            piece = int(np.searchsorted(segments[1:], most, side="right"))
            place = np.searchsorted(self._edges, np.flatnonzero(self._order == piece)[0], "right")
            what = f"objects claim {segments[-1]} rows in all"
            raise assemble.damaged(self._array, self._keys[int(place) - 1], self._url, what)
        return segments

    def rows(self, chunks: slice, counts: IntArray) -> tuple[IntArray, IntArray]:
        """(n,) rows of the pieces in some chunks, and (n,) rows of the result they go to.

        Args:
            chunks: Which of the chunks.
            counts: (m,) rows of each of them; rows are counted over them.
        """
        edges = self._edges[chunks.start : chunks.stop + 1]
        pieces = self._order[edges[0] : edges[-1]]
        begins = self._sizes[pieces]
        sizes = self._sizes[pieces + 1] - begins
        ends = np.cumsum(sizes)
        shifts = ends - sizes
        rows = np.repeat(starts_of(counts)[:-1], np.diff(edges)) - shifts
        rows += self._first[edges[0] : edges[-1]]
        begins -= shifts + rows
        taken = np.repeat(rows, sizes)
        taken += np.arange(len(taken))
        into = np.repeat(begins, sizes)
        into += taken
        return taken, into


@dataclass(frozen=True, eq=False, slots=True)
class Places:
    """Rows about to be read.

    Attributes:
        scatter: Where they lie and where they go.
        segments: (P + 1,) int64, first row of every piece in the result, and the end.
        parts: Chunks to read at once: which they are, their coordinates and (m,) their rows.
        specs: Attributes to read.
    """

    scatter: Scatter
    segments: IntArray
    parts: list[tuple[slice, list[ChunkCoords], IntArray]]
    specs: tuple[AttributeSpec, ...]

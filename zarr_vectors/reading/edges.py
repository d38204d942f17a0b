"""Stored links to edges and faces between the rows a read returns. Pure; a row is never guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.layouts.base import LinkRecords
from zarr_vectors.core.layouts.placed import PlacedLinks
from zarr_vectors.encoding.fragment_tables import FragmentTables
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading.assemble import damaged
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import IntArray

OUTSIDE = -1
"""Row of an end that lies in no chunk read."""
_BLOCK = 2**14
"""Links looked at together."""
_TREE_ROWS = 2**15
"""Rows of trees looked at together."""
NO_PARENT = -2
"""Row of an end that names no row at all: the first end is a root."""


@dataclass(frozen=True, eq=False, slots=True)
class Selection:
    """Which stored rows a read returned. Rows are counted over the chunks that were read.

    Attributes:
        coords: (M, R) int64 chunks read, ascending in tuple order.
        starts: (M + 1,) int64, first stored row of every chunk, and the end.
        rows: (n,) int64 stored row of every row returned, or None for all in stored order.
        tables: Fragment tables of the chunks read, where they were read.
    """

    coords: IntArray
    starts: IntArray
    rows: IntArray | None = None
    tables: FragmentTables | None = None

    @property
    def stored(self) -> int:
        """Stored rows of the chunks read."""
        return int(self.starts[-1])

    def places(self) -> IntArray | None:
        """(stored,) int64 returned row of every stored row, -1 where left out; None where equal."""
        if self.rows is None:
            return None
        places = np.full(self.stored, OUTSIDE, np.int64)
        # a row returned more than once counts where it comes first
        places[self.rows[::-1]] = np.arange(len(self.rows))[::-1]
        return places


def stored_ends(
    records: LinkRecords, selection: Selection, array: str, url: str, *, roots: bool = False
) -> IntArray:
    """(M, W) int64 stored row of every end: :data:`OUTSIDE` beyond the chunks read.

    Args:
        records: Links as stored.
        selection: The chunks read.
        array: Name of the links, for messages.
        url: The store, for messages.
        roots: Whether a row below zero stands for no row: :data:`NO_PARENT`.

    Raises:
        ArrayError: A link names a row its chunk does not have.
    """
    if isinstance(records, PlacedLinks):
        return taken_ends(replaced(records), selection, array, url, roots=roots)
    count, width = records.rows.shape
    if not count or not len(selection.coords):
        return np.full((count, width), OUTSIDE, np.int64)
    places = records.chunks
    _check_width(places, selection, array, url)
    starts, sizes = _of_places(places, selection)
    return _numbered(records.rows, starts, sizes, lambda: places, array, url, roots=roots)


def taken_ends(
    records: LinkRecords, selection: Selection, array: str, url: str, *, roots: bool = False
) -> IntArray:
    """As :func:`stored_ends`; rows of links may be overwritten, so that none are held twice."""
    if not isinstance(records, PlacedLinks):
        return stored_ends(records, selection, array, url, roots=roots)
    rows = records.rows
    if not len(rows) or not len(selection.coords):
        rows[...] = OUTSIDE
        return rows
    _check_width(records.places, selection, array, url)
    for cells, own in records.parts(_BLOCK):
        places = records.places[cells]
        starts, sizes = (records.of_cells(cells, own, n) for n in _of_places(places, selection))
        rows[own] = _numbered(
            rows[own],
            starts,
            sizes,
            partial(records.of_cells, cells, own, places),
            array,
            url,
            roots=roots,
        )
    return rows


def replaced(records: PlacedLinks) -> PlacedLinks:
    """The same links with rows of their own."""
    values = records.attributes
    return PlacedLinks(records.places, records.counts, records.order, records.rows.copy(), values)


def _check_width(places: IntArray, selection: Selection, array: str, url: str) -> None:
    if places.shape[2] != selection.coords.shape[1]:
        raise ArrayError(
            f"{array} of {url} is damaged: chunks of links have {places.shape[2]} "
            f"components, expected {selection.coords.shape[1]}",
            array=array,
        )


def _of_places(places: IntArray, selection: Selection) -> tuple[IntArray, IntArray]:
    """(k, W) first stored row, and number of rows, of chunks; -1 of those beyond the ones read."""
    count, width, rank = places.shape
    ranks = chunk_ranks(places.reshape(count * width, rank), selection.coords)
    ranks = ranks.reshape(count, width)
    starts = np.append(selection.starts[:-1], 0)[ranks]
    return starts, np.append(np.diff(selection.starts), -1)[ranks]


def _numbered(
    rows: IntArray,
    starts: IntArray,
    sizes: IntArray,
    chunks: Callable[[], IntArray],
    array: str,
    url: str,
    *,
    roots: bool,
) -> IntArray:
    known, below = sizes >= 0, rows < 0
    wrong = known & (rows >= sizes)
    if not roots:
        wrong |= known & below
    if wrong.any():
        at = int(wrong.argmax())
        chunk = tuple(chunks().reshape(wrong.size, -1)[at].tolist())
        what = f"a link names row {rows.flat[at]} of {sizes.flat[at]}"
        raise damaged(array, chunk, url, what)
    ends = np.where(known, starts + rows, OUTSIDE)
    if roots:
        ends[below] = NO_PARENT
    return ends


def renumbered(
    ends: IntArray, places: IntArray | None
) -> tuple[IntArray, npt.NDArray[np.bool_] | None]:
    """Links between returned rows, and which links those are, None for all.

    Args:
        ends: (M, W) int64 stored rows, below zero outside.
        places: Returned row of every stored row, or None where they are equal.
    """
    if places is not None:
        ends = np.where(ends < 0, OUTSIDE, places[np.maximum(ends, 0)] if len(places) else OUTSIDE)
    if not ends.size or ends.min() >= 0:
        return ends, None
    inside = np.asarray((ends >= 0).all(axis=1))
    return ends[inside], inside


def told_parents(ends: IntArray, first: npt.NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """The parent of every stored row of a skeleton.

    The row before is the parent, unless a row is the first of its fragment or a link says
    otherwise.

    Args:
        ends: (K, 2) int64 stored rows (child, parent) of links; :data:`OUTSIDE` and
            :data:`NO_PARENT` where not among them.
        first: (N,) bool, the rows that are the first of a fragment.

    Returns:
        (N,) int64 parents, below zero for none, and (N,) int64 the link that told each, -1 where
        none did.
    """
    parents = np.arange(len(first), dtype=np.int64) - 1
    parents[first] = NO_PARENT
    told = np.full(len(first), -1, np.int64)
    links = np.flatnonzero(ends[:, 0] >= 0)
    parents[ends[links, 0]] = ends[links, 1]
    told[ends[links, 0]] = links
    return parents, told


def tree_edges(children: IntArray, parents: IntArray, heads: IntArray, stored: int) -> IntArray:
    """(M, 2) int64 rows (child, parent) of a skeleton, children ascending.

    The parents are those of :func:`told_parents`, found without a number for every row.

    Args:
        children: (K,) stored rows of children that links tell of, ascending.
        parents: (K,) stored rows of their parents, below zero for none.
        heads: (F,) the rows that are the first of a fragment, ascending.
        stored: Rows there are.
    """
    edges = np.empty((stored, 2), np.int64)  # pages are taken from the system as they are filled
    at = 0
    for start in range(0, stored, _TREE_ROWS):
        own, told = (_between(rows, start, start + _TREE_ROWS) for rows in (heads, children))
        joined = np.ones(min(_TREE_ROWS, stored - start), np.bool_)
        joined[heads[own] - start] = False
        joined[:1] &= start > 0
        below, above = children[told], parents[told]
        joined[below - start] = above >= 0
        rows = np.flatnonzero(joined)
        rows += start
        part = edges[at : at + len(rows)]
        part[:, 0] = rows
        np.subtract(rows, 1, out=part[:, 1])
        known = joined[below - start]
        part[np.searchsorted(rows, below[known]), 1] = above[known]
        at += len(rows)
    return edges[:at]


def _between(ascending: IntArray, start: int, stop: int) -> slice:
    return slice(*np.searchsorted(ascending, [start, stop]).tolist())


def circles(parents: IntArray) -> list[list[int]]:
    """The circles that parents run in, each as its rows; none in a forest.

    Args:
        parents: (N,) int64, below zero for none.
    """
    count = len(parents)
    up = np.append(np.where(parents < 0, count, parents), count)
    for _ in range(count.bit_length() + 1):
        if (up == count).all():
            return []
        up = up[up]
    waiting = set(up[up < count].tolist())
    found = []
    while waiting:
        circle, row = [], min(waiting)
        while row in waiting:
            waiting.discard(row)
            circle.append(row)
            row = int(parents[row])
        found.append(circle)
    return found

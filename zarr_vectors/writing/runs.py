"""Paths cut into fragments: each maximal run of a path in one chunk, or bin, is one. Pure.

Paths lie one after the other as rows; ``starts`` (K + 1,) int64 is the first row of every path, and
the end. Nothing here loops over paths or rows, and nothing is kept for every row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.layouts.base import NumberedLinks
from zarr_vectors.spatial.chunking import bins_per_chunk, cell_of, cells_along
from zarr_vectors.typing import FloatArray, IntArray
from zarr_vectors.writing.order import dense_ranks, row_dtype, stable_order
from zarr_vectors.writing.route import Manifests, Route, chunks_of, row_keys, starts_of

_BLOCK = 1 << 16


@dataclass(frozen=True, eq=False, slots=True)
class RunRoute:
    """Where rows go that stay together in runs, told run by run.

    Attributes:
        runs: (F,) first input row of every run, ascending.
        places: (F,) the fragment every run becomes.
        order: (F,) the run of every fragment.
        chunks: (M, R) int64 occupied chunks, ascending in tuple order.
        chunk_rows: (M + 1,) int64, first stored row of every chunk, and the end.
        fragment_rows: (F + 1,) int64, first stored row of every fragment, and the end.
        chunk_fragments: (M + 1,) int64, first fragment of every chunk, and the end.
    """

    runs: npt.NDArray[np.integer]
    places: npt.NDArray[np.integer]
    order: npt.NDArray[np.integer]
    chunks: IntArray
    chunk_rows: IntArray
    fragment_rows: IntArray
    chunk_fragments: IntArray

    @property
    def counts(self) -> IntArray:
        """(M,) vertices per chunk."""
        return np.diff(self.chunk_rows)

    def rows(self, first: int, last: int) -> npt.NDArray[np.integer]:
        """(last - first,) input row of stored rows."""
        begins = self.fragment_rows
        start = int(np.searchsorted(begins, first, side="right")) - 1
        stop = int(np.searchsorted(begins, last, side="left"))
        edges = np.clip(begins[start : stop + 1], first, last)
        shift = self.runs[self.order[start:stop]] - begins[start:stop]
        return _shifted(shift, edges, int(begins[-1]))

    def stored(self, first: int, last: int) -> npt.NDArray[np.integer]:
        """(last - first,) stored row of input rows."""
        start = int(np.searchsorted(self.runs, first, side="right")) - 1
        stop = int(np.searchsorted(self.runs, last, side="left"))
        heads = self.runs[start:stop]
        edges = np.append(np.clip(heads, first, last), last)
        shift = self.fragment_rows[self.places[start:stop]] - heads
        return _shifted(shift, edges, int(self.fragment_rows[-1]))


@dataclass(frozen=True, eq=False, slots=True)
class PathRuns:
    """Where the rows of paths go, and what that makes of paths.

    Attributes:
        route: Rows into chunks; the fragments of a chunk in path order.
        ids: (K,) int64 object of every path, ascending.
        starts: (K + 1,) int64, first run of every path, and the end.
        ranks: (F,) the chunk of every run, among those of the route.
    """

    route: RunRoute
    ids: IntArray
    starts: IntArray
    ranks: npt.NDArray[np.integer]

    @property
    def chunks(self) -> IntArray:
        """(F, R) int64 chunk of every run: of every block of a manifest."""
        found: IntArray = self.route.chunks[self.ranks]
        return found

    @property
    def fragments(self) -> IntArray:
        """(F,) int64 fragment of every run, among those of its chunk."""
        found: IntArray = self.route.places - self.route.chunk_fragments[self.ranks]
        return found

    def manifests(self) -> Manifests:
        """Fragments of every path in path order; a path without rows has none."""
        return Manifests(self.ids, self.starts, self.chunks, self.fragments)

    def by_row(self) -> Route:
        """The route told row by row."""
        route = self.route
        return Route(
            order=route.rows(0, int(route.fragment_rows[-1])),
            chunks=route.chunks,
            chunk_rows=route.chunk_rows,
            fragment_rows=route.fragment_rows,
            chunk_fragments=route.chunk_fragments,
            fragment_objects=np.repeat(self.ids, np.diff(self.starts))[route.order],
        )

    def links(self) -> NumberedLinks:
        """Last row of every fragment to the first of the next, where the chunk changes."""
        route, ranks = self.route, self.ranks
        joined = ranks[1:] != ranks[:-1]
        heads = self.starts[(self.starts > 0) & (self.starts < len(ranks))]
        joined[heads - 1] = False
        leave = np.flatnonzero(joined).astype(ranks.dtype)
        ends = (route.places[leave] + 1, route.places[leave + 1])
        chunk = np.empty((len(leave), 2), np.int64)
        rows = np.empty((len(leave), 2), np.int64)
        for end, fragments in enumerate(ends):
            chunk[:, end] = ranks[leave + end]
            rows[:, end] = route.fragment_rows[fragments] - (1 - end)
            rows[:, end] -= route.chunk_rows[chunk[:, end]]
        return NumberedLinks(route.chunks, chunk, rows)


def route_paths(
    positions: npt.NDArray[np.floating],
    starts: IntArray,
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float] | None = None,
    *,
    ids: IntArray | None = None,
    lead: IntArray | None = None,
) -> PathRuns:
    """Cut paths where they leave a chunk, or a bin.

    Args:
        positions: (N, D) float as stored, world units.
        starts: (K + 1,) int64, rows of each path.
        chunk_shape: D floats, world units.
        bin_shape: D floats that divide the chunk shape: cut where the bin changes; None cuts
            where the chunk changes.
        ids: (K,) int64 object of every path, ascending; 0 to K - 1 by default.
        lead: (N,) int64 attribute bin of every row, the leading chunk component, or None.

    Raises:
        ChunkingError: Bins do not divide chunks, or chunks are too many to be numbered.
    """
    return route_blocks(blocks_of(positions), starts, chunk_shape, bin_shape, ids=ids, lead=lead)


def blocks_of(positions: npt.NDArray[np.floating]) -> Iterator[tuple[int, FloatArray]]:
    """The first row of every block of rows, and the rows; one block without any where none are."""
    for start in range(0, max(len(positions), 1), _BLOCK):
        yield start, positions[start : start + _BLOCK]


def route_blocks(
    blocks: Iterable[tuple[int, FloatArray]],
    starts: IntArray,
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float] | None = None,
    *,
    ids: IntArray | None = None,
    lead: IntArray | None = None,
) -> PathRuns:
    """As :func:`route_paths`, of positions that come block by block.

    Args:
        blocks: The first row of every block, and its (n, D) positions.
        starts: (K + 1,) int64, rows of each path.
        chunk_shape: As there.
        bin_shape: As there.
        ids: As there.
        lead: As there.
    """
    count, number = int(starts[-1]), row_dtype(int(starts[-1]))
    runs, corners = _cut(blocks, starts, chunk_shape, bin_shape, lead)
    own = None if lead is None else lead[runs]
    keys, limit, _ = row_keys(corners, chunk_shape, chunk_shape, (1,) * len(chunk_shape), own)
    found, ranks = dense_ranks(keys, limit, number)
    del keys
    order = stable_order(ranks, max(len(found), 1)).astype(number)
    chunk_fragments = starts_of(np.bincount(ranks, minlength=len(found)))
    chunks = chunks_of(corners, chunk_shape, own, order[chunk_fragments[:-1]])
    del corners
    fragment_rows = starts_of(np.diff(runs, append=count)[order])
    places = np.empty(len(order), number)
    places[order] = np.arange(len(order), dtype=number)
    return PathRuns(
        RunRoute(
            runs=runs,
            places=places,
            order=order,
            chunks=chunks,
            chunk_rows=fragment_rows[chunk_fragments],
            fragment_rows=fragment_rows,
            chunk_fragments=chunk_fragments,
        ),
        ids=np.arange(len(starts) - 1, dtype=np.int64) if ids is None else ids,
        starts=np.searchsorted(runs, starts),
        ranks=ranks,
    )


def _cut(
    blocks: Iterable[tuple[int, FloatArray]],
    starts: IntArray,
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float] | None,
    lead: IntArray | None,
) -> tuple[npt.NDArray[np.integer], FloatArray]:
    """(F,) first row of every run, ascending, and the (F, D) positions of those rows."""
    bins = chunk_shape if bin_shape is None else bin_shape
    per_chunk = bins_per_chunk(chunk_shape, bins)
    number = row_dtype(int(starts[-1]))
    heads = starts[:-1][np.diff(starts) > 0]
    runs, corners = [np.zeros(0, number)], []
    before: list[np.integer] = []
    for first, rows in blocks:
        if not len(rows):
            corners.append(rows)
            continue
        cells = _cells(rows, chunk_shape, bins, per_chunk)
        if lead is not None:
            cells.append(lead[first : first + len(rows)])
        new = np.zeros(len(rows), np.bool_)
        for cell in cells:
            new[1:] |= cell[1:] != cell[:-1]
        new[0] = not before or any(a != c[0] for a, c in zip(before, cells, strict=True))
        before = [cell[-1] for cell in cells]
        low, high = np.searchsorted(heads, [first, first + len(rows)])
        new[heads[low:high] - first] = True
        found = np.flatnonzero(new)
        runs.append((found + first).astype(number))
        corners.append(rows.take(found, axis=0))
    return np.concatenate(runs), np.concatenate(corners)


def _cells(
    rows: FloatArray,
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float],
    per_chunk: Sequence[int],
) -> list[IntArray]:
    """The chunk of every row axis by axis, and the bin inside it where there are several."""
    cells = []
    for axis, parts in enumerate(per_chunk):
        column, edge = rows[:, axis], chunk_shape[axis]
        for corner in (column.min(), column.max()):
            cell_of(float(corner), edge)
        chunk = cells_along(column, edge)
        cells.append(chunk)
        if parts > 1:
            local = cells_along(column, bin_shape[axis])
            local -= chunk * parts
            np.clip(local, 0, parts - 1, out=local)
            cells.append(local)
    return cells


def _shifted(
    shift: npt.NDArray[np.integer], edges: npt.NDArray[np.integer], count: int
) -> npt.NDArray[np.integer]:
    """Numbers from the first edge to the last, each moved by the shift of its run.

    Args:
        shift: (n,) of every run.
        edges: (n + 1,) first number of every run, and the end.
        count: Upper end of what comes out.
    """
    number = row_dtype(count)
    rows = np.repeat(shift.astype(number), np.diff(edges))
    first, last = (int(edges[0]), int(edges[-1])) if len(rows) else (0, 0)
    for start in range(first, last, _BLOCK):
        part = rows[start - first : start - first + _BLOCK]
        part += np.arange(start, start + len(part), dtype=number)
    return rows

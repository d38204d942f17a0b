"""Batches of objects put together: every chunk has the rows of each batch, one after the other.

Pure. Batches ascend by object, so that a chunk's fragments do too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zarr_vectors.core.metadata import ChunkTable
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.order import stable_order
from zarr_vectors.writing.route import Manifests, Route, starts_of


@dataclass(frozen=True, eq=False, slots=True)
class Merged:
    """The chunks of a level, and what each batch puts into them.

    Attributes:
        routes: Of every batch, as if it were the level; rows in stored order.
        coords: (M, R) int64 chunks, ascending.
        counts: (M,) int64 rows of every chunk.
        ranks: Of every batch, (m,) int64 number of each of its chunks.
        rows_before: Of every batch, (m,) int64 rows that batches before it put there.
        fragments_before: The same for fragments.
    """

    routes: Sequence[Route]
    coords: IntArray
    counts: IntArray
    ranks: Sequence[IntArray]
    rows_before: Sequence[IntArray]
    fragments_before: Sequence[IntArray]

    @property
    def table(self) -> ChunkTable:
        """The chunks and their counts."""
        return ChunkTable(self.coords, self.counts, exact=True)

    def groups(self, most: int) -> list[tuple[int, int]]:
        """Runs of chunks of about ``most`` rows, as (first, behind the last); at least one."""
        return runs_of(self.counts, most)

    def route_of(self, first: int, stop: int) -> tuple[Route, list[tuple[int, int]]]:
        """Where the rows of a run of chunks go.

        Args:
            first: Number of the first chunk.
            stop: Number behind the last.

        Returns:
            The route, whose input are the rows that each batch has there, batch after batch; and
            those, (first row, behind the last) of every batch.
        """
        chunk, sizes, spans = [_NONE], [_NONE], []
        for route, ranks in zip(self.routes, self.ranks, strict=True):
            low, high = np.searchsorted(ranks, (first, stop)).tolist()
            spans.append((int(route.chunk_rows[low]), int(route.chunk_rows[high])))
            begins = route.chunk_fragments[low : high + 1]
            sizes.append(np.diff(route.fragment_rows[begins[0] : begins[-1] + 1]))
            chunk.append(np.repeat(ranks[low:high] - first, np.diff(begins)))
        owner, lengths = np.concatenate(chunk), np.concatenate(sizes)
        count = stop - first
        order = stable_order(owner, max(count, 1))
        fragment_rows = starts_of(lengths[order])
        shift = (np.cumsum(lengths) - lengths)[order] - fragment_rows[:-1]
        chunk_fragments = starts_of(np.bincount(owner, minlength=count))
        rows = np.arange(int(fragment_rows[-1])) + np.repeat(shift, lengths[order])
        made = Route(
            order=rows,
            chunks=self.coords[first:stop],
            chunk_rows=fragment_rows[chunk_fragments],
            fragment_rows=fragment_rows,
            chunk_fragments=chunk_fragments,
        )
        return made, spans

    def stored(self, batch: int) -> IntArray:
        """(n,) int64 stored row in the level of every row of a batch."""
        route = self.routes[batch]
        starts = starts_of(self.counts)[self.ranks[batch]] + self.rows_before[batch]
        rows = np.arange(int(route.chunk_rows[-1]), dtype=np.int64)
        return rows + np.repeat(starts - route.chunk_rows[:-1], route.counts)

    def manifests(self, parts: Sequence[Manifests]) -> Manifests:
        """The manifests of all batches, fragments numbered over the level."""
        if len(parts) == 1:
            return parts[0]
        fragments = []
        for part, route, before in zip(parts, self.routes, self.fragments_before, strict=True):
            ranks = chunk_ranks(part.chunks, route.chunks)
            fragments.append(part.fragments + before[ranks] if len(before) else part.fragments)
        starts = starts_of(np.concatenate([np.diff(part.starts) for part in parts]))
        return Manifests(
            np.concatenate([part.ids for part in parts]),
            starts,
            np.concatenate([part.chunks for part in parts]),
            np.concatenate(fragments),
        )


_NONE = np.zeros(0, np.int64)


def merge(routes: Sequence[Route]) -> Merged:
    """Put the routes of batches together; at least one."""
    rank = routes[0].chunks.shape[1]
    coords = routes[0].chunks
    if len(routes) > 1:
        every = np.concatenate([route.chunks for route in routes])
        coords = np.unique(every, axis=0).reshape(-1, rank)
    rows = np.zeros(len(coords), np.int64)
    fragments = np.zeros(len(coords), np.int64)
    numbers, rows_before, fragments_before = [], [], []
    for route in routes:
        ranks = chunk_ranks(route.chunks, coords)
        numbers.append(ranks)
        rows_before.append(rows[ranks])
        fragments_before.append(fragments[ranks])
        rows[ranks] += route.counts
        fragments[ranks] += np.diff(route.chunk_fragments)
    return Merged(routes, coords, rows, numbers, rows_before, fragments_before)


def runs_of(sizes: IntArray, most: int) -> list[tuple[int, int]]:
    """Runs of parts of about ``most`` together, as (first, behind the last); at least one.

    Args:
        sizes: (n,) int64 of every part.
        most: Of a run; more only where one part has more.
    """
    bounds, held = [0], 0
    for number, size in enumerate(sizes.tolist()):
        if held and held + size > most:
            bounds.append(number)
            held = 0
        held += size
    return list(zip(bounds, [*bounds[1:], len(sizes)], strict=True))

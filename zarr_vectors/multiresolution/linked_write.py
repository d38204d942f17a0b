"""A coarse level of linked geometry: batches as they are made, then chunk after chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.layouts.base import ChunkGrid, Layout, NumberedLinks
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.exceptions import ChunkingError
from zarr_vectors.multiresolution.linked_reduce import BatchResult
from zarr_vectors.multiresolution.merging import Merged, merge, runs_of
from zarr_vectors.multiresolution.scratch import Growing, Scratch, rest
from zarr_vectors.multiresolution.shelf import Shelf
from zarr_vectors.multiresolution.steps import Target
from zarr_vectors.spatial.chunking import bins_per_chunk, cells_along
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.commit import create_rows, fill_rows
from zarr_vectors.writing.order import dense_ranks
from zarr_vectors.writing.route import Manifests, Route, row_keys, starts_of


class Stacking:
    """Takes the batches of a level one after the other.

    Args:
        scratch: Where rows are kept.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._columns: dict[tuple[str, str], Growing] = {}
        self._sizes: list[tuple[int, int, int, int]] = []
        self._routes: list[Route] = []
        self._manifests: list[Manifests] = []
        self._lengths: list[FloatArray] = []
        self._joined = 0
        self.count = 0
        self.shared = False

    def add(self, result: BatchResult) -> None:
        """Keep a batch."""
        rows, routed = result.rows, result.routed
        members = rows.members
        self._put("positions", rows.positions)
        self._put("weights", rows.weights)
        for name, values in result.values.items():
            self._put("values", values, name)
        if members is not None:
            self._put("objects", members.objects)
            self._put("rows", members.rows)
        self._put("links", rows.links)
        self._put("link weights", rows.link_weights)
        for name, values in rows.link_values.items():
            self._put("link values", values, name)
        self._put("chunks", routed.chunks.astype(np.int32))
        self._put("ends", routed.links.rows)
        for name, values in routed.links.attributes.items():
            self._put("told", values, name)
        pairs = 0 if members is None else len(members.rows)
        self._sizes.append((len(rows.positions), pairs, len(rows.links), len(routed.chunks)))
        self.count += len(rows.positions)
        self._routes.append(routed.route)
        if routed.manifests is not None:
            self._manifests.append(routed.manifests)
        self._lengths.append(result.lengths)
        self._joined += result.joined
        self.shared |= routed.shared

    def finish(self) -> tuple[Shelf, Stacked]:
        """The level, and what is needed to store it."""
        starts, pairs, joints, told = (
            starts_of(np.array(n, np.int64)) for n in zip(*self._sizes, strict=True)
        )
        whole = {key: column.whole() for key, column in self._columns.items()}

        def named(kind: str) -> dict[str, AnyArray]:
            return {name: column for (own, name), column in whole.items() if own == kind}

        shelf = Shelf(
            starts,
            whole["positions", ""],
            named("values"),
            whole.get(("weights", "")),
            pairs,
            whole.get(("objects", "")),
            whole.get(("rows", ""), np.zeros(0, np.int64)),
            joints,
            whole["links", ""],
            named("link values"),
            whole.get(("link weights", "")),
        )
        merged = merge(self._routes)
        manifests = merged.manifests(self._manifests) if self._manifests else None
        lengths = np.concatenate(self._lengths)
        length = float(lengths.sum()) / self._joined if self._joined else None
        ends = whole["chunks", ""], whole["ends", ""]
        return shelf, Stacked(merged, manifests, told, *ends, named("told"), length)

    def _put(self, kind: str, values: AnyArray | None, name: str = "") -> None:
        if values is None:
            return
        key = kind, name
        if key not in self._columns:
            self._columns[key] = self._scratch.growing(values.dtype, values.shape[1:])
        self._columns[key].add(values)


class Stacked:
    """Where the rows, objects and links of a level go.

    Args:
        merged: Its chunks.
        manifests: Fragments of objects that have some, or None where there are no objects.
        starts: (B + 1,) int64, first stored link of every batch, and the end.
        chunks: (K, W) chunk of the batch's route of every end of stored links; those of the least
            chunk first.
        ends: (K, W) int64 rows in those chunks, as if the batch were the level.
        values: Attributes of these links.
        length: Mean length of links, world units; None without links.
    """

    def __init__(
        self,
        merged: Merged,
        manifests: Manifests | None,
        starts: IntArray,
        chunks: IntArray,
        ends: IntArray,
        values: Mapping[str, AnyArray],
        length: float | None,
    ) -> None:
        self.merged = merged
        self.manifests = manifests
        self.length = length
        self._starts = starts
        self._chunks = chunks
        self._ends = ends
        self._values = values

    def write_rows(
        self,
        layout: Layout,
        target: Target,
        shelf: Shelf,
        specs: Sequence[AttributeSpec],
        grid: ChunkGrid,
        check: Callable[[], None],
        most: int,
    ) -> int:
        """Store vertices, fragments and attributes, chunk after chunk.

        Args:
            layout: Where to.
            target: The level.
            shelf: Its rows.
            specs: Its attributes.
            grid: Box of chunks its arrays may hold.
            check: Called between batches; may raise to stop.
            most: Rows held at once, but for a chunk that has more.

        Returns:
            Bins of the level that hold a vertex.
        """
        path = str(target.level)
        create_rows(layout, path, shelf.positions.dtype, specs, grid)
        occupied = _Occupied(target)
        for first, stop in self.merged.groups(most):
            route, spans = self.merged.route_of(first, stop)
            positions: FloatArray = _gathered(shelf.positions, shelf.starts, spans)
            values = [_gathered(shelf.values[s.name], shelf.starts, spans) for s in specs]
            fill_rows(layout, path, route, positions, specs, values, check)
            occupied.add(positions)
        return occupied.count()

    def links(self, most: int) -> Iterator[NumberedLinks]:
        """Links to store, in parts; each has all links of its least chunks, those ascending."""
        merged = self.merged
        count = len(merged.coords)
        least = [
            ranks[np.asarray(self._chunks[a:b]).min(axis=1)] if b > a else _NONE
            for ranks, a, b in zip(merged.ranks, self._starts[:-1], self._starts[1:], strict=True)
        ]
        sizes = sum((np.bincount(own, minlength=count) for own in least), np.zeros(count, int))
        for first, stop in runs_of(sizes, most):
            spans = [np.searchsorted(own, (first, stop)).tolist() for own in least]
            owner = np.concatenate([own[a:b] for own, (a, b) in zip(least, spans, strict=True)])
            order = np.argsort(owner, kind="stable")
            ranks, rows = [], []
            for number, (a, b) in enumerate(spans):
                part = slice(int(self._starts[number]) + a, int(self._starts[number]) + b)
                own, ends = np.asarray(self._chunks[part]), self._ends[part]
                before = merged.rows_before[number]
                ranks.append(merged.ranks[number][own])
                # below zero: no row of any chunk
                rows.append(np.where(ends >= 0, ends + before[own], ends) if b > a else ends)
            values = {
                name: _gathered(column, self._starts, spans)[order]
                for name, column in self._values.items()
            }
            chunk = np.concatenate(ranks)[order]
            yield NumberedLinks(merged.coords, chunk, np.concatenate(rows)[order], values)
            for column in (self._chunks, self._ends, *self._values.values()):
                rest(column)


_NONE = np.zeros(0, np.int64)


def _gathered(
    column: npt.NDArray[Any], starts: IntArray, spans: Sequence[Sequence[int]]
) -> npt.NDArray[Any]:
    """Rows of every batch, one batch after the other.

    Args:
        column: (N,) or (N, C).
        starts: (B + 1,) int64, first row of every batch, and the end.
        spans: First row inside every batch, and the one behind the last.
    """
    first = starts.tolist()
    parts = [column[s + a : s + b] for s, (a, b) in zip(first[:-1], spans, strict=True)]
    if len(parts) == 1:
        return np.asarray(parts[0])
    found = np.concatenate(parts)
    rest(column)
    return found


class _Occupied:
    """Counts the bins of a level that hold a vertex, run of chunks after run of chunks."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._count = 0
        self._cells: list[IntArray] = []
        try:
            self._per_chunk: tuple[int, ...] | None = bins_per_chunk(
                target.chunk_shape, target.bin_shape
            )
        except ChunkingError:  # bins reach over chunks
            self._per_chunk = None

    def add(self, positions: FloatArray) -> None:
        """Rows of whole chunks."""
        target = self._target
        if self._per_chunk is None:
            edges = enumerate(target.bin_shape)
            cells = np.stack([cells_along(positions[:, a], edge) for a, edge in edges], axis=1)
            self._cells.append(np.unique(cells, axis=0))
            return
        keys, limit, bins = row_keys(
            positions, target.chunk_shape, target.bin_shape, self._per_chunk, None
        )
        found, ranks = dense_ranks(keys, limit)
        size = prod(self._per_chunk)
        self._count += len(dense_ranks(ranks * size + bins, max(len(found) * size, 1))[0])

    def count(self) -> int:
        """Bins found."""
        if self._cells:
            return len(np.unique(np.concatenate(self._cells), axis=0))
        return self._count


def stored_specs(specs: Mapping[str, AttributeSpec]) -> list[AttributeSpec]:
    """Attributes of a coarse level: limits are those of level 0."""
    return [replace(spec, limits=None, guessed=False) for spec in specs.values()]

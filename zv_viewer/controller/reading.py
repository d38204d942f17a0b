"""Reads one cell in a worker, from chunks to the arrays a layer takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ArrayError
from zv_viewer.drawing.colours import missing_values, pack_values
from zv_viewer.drawing.directions import direction_values
from zv_viewer.drawing.links import cells_of_chunks, joined_links, with_links
from zv_viewer.drawing.points import Packed, cell_arrays
from zv_viewer.loading.queue import Job, JobKey
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.scene import AttributeInfo, SceneInfo
from zv_viewer.planning import CellObjects
from zv_viewer.sources.base import ChunkSource, RawCell, Scope

Int = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
T = TypeVar("T")

LOOKS_FROM_AFAR = 3
"""How often a chunk is read by itself before it is called damaged, where a network may have cut it.

On a disk it is read once."""


@dataclass(frozen=True, eq=False, slots=True)
class Loaded:
    """A cell that was read, or values of one.

    Args:
        arrays: The cell, unless only values were asked for.
        values: (N,) in the order of the cell's rows, when only values were.
        problems: A sentence for each chunk, or its values, that could not be read.
        unread: Places among the cell's chunks that could not be read.
        not_finite: Rows left out.
        fetched_bytes: What it cost. requests: Likewise.
        objects: Which objects pass through the cell, where it is linked.
    """

    arrays: CellArrays | None
    values: Float32 | None
    problems: tuple[str, ...]
    unread: tuple[int, ...]
    not_finite: int
    fetched_bytes: int
    requests: int
    objects: CellObjects | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Held:
    """A cell in memory, whose rows lie in the store as ``stored[order]``, without some chunks."""

    arrays: CellArrays
    unread: tuple[int, ...]


class CellReader:
    """Called in workers; holds nothing that changes but the cells it is told, and what runs.

    Args:
        source: The store.
        scene: Its description.
        tree: The cells.
    """

    def __init__(self, source: ChunkSource, scene: SceneInfo, tree: CellTree) -> None:
        self._source = source
        self._scene = scene
        self._tree = tree
        self._chunk_cells = cells_of_chunks(tree) if scene.by_object else ()
        self._held: dict[JobKey, Held] = {}
        self._scopes: dict[JobKey, Scope] = {}

    def expect(self, job: Job, held: Held) -> None:
        """Say for which rows values are wanted, before the job is handed over."""
        self._held[job.key] = held

    def forget(self, job: Job) -> None:
        """The job is done."""
        self._held.pop(job.key, None)

    def give_up(self, job: Job) -> None:
        """End the requests of a job that is under way; it ends with ``Cancelled``."""
        scope = self._scopes.get(job.key)
        if scope is not None:
            scope.cancel()

    def __call__(self, job: Job) -> Loaded:
        """Carry out a job; raises what the source raises when nothing could be read."""
        scope = self._source.scope()
        self._scopes[job.key] = scope
        with scope:
            try:
                return self._load(job)
            finally:
                self._scopes.pop(job.key, None)

    def _load(self, job: Job) -> Loaded:
        position = int(self._tree.level[job.cell])
        level = self._scene.levels[position]
        coords = level.chunks[self._tree.chunks(job.cell)]
        if job.values_only:
            return self._values(job, level.index, coords)
        info = None if job.attribute is None else self._scene.attribute(job.attribute)
        names = () if info is None or info.computed else (info.name,)
        raw, problems, unread = self._rows(level.index, coords, names)
        packed = self._packed(job.cell, raw, info)
        return Loaded(
            arrays=packed.arrays,
            values=None,
            problems=problems,
            unread=unread,
            not_finite=packed.not_finite,
            fetched_bytes=raw.fetched_bytes,
            requests=raw.requests,
            objects=_objects_of(packed.arrays),
        )

    def _packed(self, cell: int, raw: RawCell, info: AttributeInfo | None) -> Packed:
        """What was read, as a layer takes it."""
        values, rows = None, len(raw.positions)
        if info is not None and not info.computed:
            found = raw.values.get(info.name)
            if found is not None and len(found) != rows:
                raise ArrayError(
                    f"{self._scene.url}: cell {cell} has {len(found)} values of {info.name!r} for "
                    f"{rows} vertices"
                )
            values = missing_values(rows) if found is None else pack_values(info, found)
        packed = cell_arrays(
            self._tree,
            self._scene,
            cell,
            raw.positions,
            values=values,
            attribute=None if info is None else info.name,
            fetched_bytes=raw.fetched_bytes,
            requests=raw.requests,
        )
        arrays = packed.arrays
        if raw.links is not None:
            level = int(self._tree.level[cell])
            chunk_cells = self._chunk_cells[level]
            arrays = with_links(arrays, level, raw.links, self._scene.objects, chunk_cells)
        if info is not None and info.computed:
            arrays = replace(arrays, values=direction_values(info, self._scene, self._tree, arrays))
        return replace(packed, arrays=arrays)

    def _values(self, job: Job, level: int, coords: Int) -> Loaded:
        if job.attribute is None:
            raise ValueError("values of no attribute cannot be loaded")
        info = self._scene.attribute(job.attribute)
        held = self._held[job.key]
        if info.computed:
            values = direction_values(info, self._scene, self._tree, held.arrays)
            return Loaded(None, values, (), (), 0, 0, 0)
        kept = np.delete(coords, list(held.unread), axis=0)
        found, fetched, requests = self._looked(
            lambda: self._source.read_values(level, kept, info.name)
        )
        rows = pack_values(info, found)
        order = held.arrays.order
        if len(order) and int(order.max()) >= len(rows):
            raise ArrayError(
                f"{self._scene.url}: level {level} holds {len(rows)} values of {info.name!r} "
                f"for more vertices in chunks {coords.tolist()}"
            )
        return Loaded(None, rows[order], (), (), 0, fetched, requests)

    def _rows(
        self, level: int, coords: Int, names: Sequence[str]
    ) -> tuple[RawCell, tuple[str, ...], tuple[int, ...]]:
        """All chunks; where some are damaged, the others, and geometry without its values."""
        try:
            return self._source.read(level, coords, names), (), ()
        except ArrayError as error:
            if len(coords) == 1 and not names and not self._source.network().remote:
                raise
            first = error
        parts: list[RawCell] = []
        problems: list[str] = []
        unread: list[int] = []
        for place in range(len(coords)):
            chunk = coords[place : place + 1]
            part, problem = self._best_of(level, chunk, names)
            problems += [problem] if problem else []
            if part is None:
                unread.append(place)
            else:
                parts.append(part)
        if not parts:
            raise first
        return _joined(parts, names), tuple(problems), tuple(unread)

    def _best_of(
        self, level: int, chunk: Int, names: Sequence[str]
    ) -> tuple[RawCell | None, str | None]:
        """One chunk with its values, else without, else nothing; and what was wrong."""
        try:
            return self._looked(lambda: self._source.read(level, chunk, names)), None
        except ArrayError as error:
            problem = str(error)
        if not names:
            return None, problem
        try:
            return self._looked(lambda: self._source.read(level, chunk, ())), problem
        except ArrayError as error:
            return None, str(error)

    def _looked(self, read: Callable[[], T]) -> T:
        """What a read gives, the last time it is tried."""
        looks = LOOKS_FROM_AFAR if self._source.network().remote else 1
        for _ in range(looks - 1):
            with suppress(ArrayError):
                return read()
        return read()


def _objects_of(arrays: CellArrays) -> CellObjects | None:
    if arrays.links is None:
        return None
    return CellObjects.of(arrays.cell, arrays.links, arrays.part_start)


def _joined(parts: list[RawCell], names: Sequence[str]) -> RawCell:
    """Chunk after chunk; rows without values get NaN (or -1, or 0)."""
    values: dict[str, npt.NDArray[np.generic]] = {}
    for name in names:
        known = next((part.values[name] for part in parts if name in part.values), None)
        if known is not None:
            values[name] = np.concatenate(
                [
                    part.values[name] if name in part.values else _blank(known, len(part.positions))
                    for part in parts
                ]
            )
    links = [part.links for part in parts if part.links is not None]
    return RawCell(
        np.concatenate([part.positions for part in parts]),
        values,
        sum(part.fetched_bytes for part in parts),
        sum(part.requests for part in parts),
        joined_links(links) if links else None,
    )


def _blank(like: npt.NDArray[np.generic], rows: int) -> npt.NDArray[np.generic]:
    return np.full((rows, *like.shape[1:]), np.nan, np.float64)

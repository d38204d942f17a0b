"""Reads one cell in a worker, from chunks to the arrays a layer takes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ArrayError
from zv_viewer.controller.chunk_reading import ChunkReading, Int
from zv_viewer.controller.row_values import ValuesOfRows
from zv_viewer.drawing.colours import missing_values, pack_values, told_by_float32
from zv_viewer.drawing.directions import direction_values
from zv_viewer.drawing.links import cells_of_chunks, object_ranks, with_links
from zv_viewer.drawing.points import Packed, cell_arrays
from zv_viewer.loading.queue import Job, JobKey
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.extras import PLAIN_ROWS, Extras
from zv_viewer.model.links import RawLinks
from zv_viewer.model.scene import AttributeInfo, SceneInfo
from zv_viewer.planning import CellObjects
from zv_viewer.rows import RowFilter, drawn_rows
from zv_viewer.sources.base import ChunkSource, RawCell, Scope

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Loaded:
    """A cell that was read, or values of one.

    Args:
        arrays: The cell, unless only values were asked for.
        more: The cell that was there, with what it lacked, when only that was asked for.
        problems: A sentence for each chunk, or its values, that could not be read.
        unread: Places among the cell's chunks that could not be read.
        not_finite: Rows left out.
        fetched_bytes: What it cost. requests: Likewise.
        objects: Which objects pass through the cell, where it is linked.
    """

    arrays: CellArrays | None
    more: CellArrays | None
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
        self._source, self._chunks = source, ChunkReading(source)
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
        if job.left_out:
            return self.nothing(job)
        info = None if job.attribute is None else self._scene.attribute(job.attribute)
        names = _names(info, job.extras)
        raw, problems, unread = self._chunks.rows(level.index, coords, names)
        packed = self._packed(job.cell, raw, info, job.extras)
        arrays, fetched, requests = packed.arrays, raw.fetched_bytes, raw.requests
        if job.extras.of_objects:
            chunks = np.delete(coords, list(unread), axis=0)
            reading = self._reading(level.index, chunks, arrays)
            arrays = replace(arrays, objects=self._row_objects(reading))
            problems = (*problems, *reading.problems)
            fetched, requests = fetched + reading.fetched, requests + reading.requests
        return Loaded(
            arrays=arrays,
            more=None,
            problems=problems,
            unread=unread,
            not_finite=packed.not_finite,
            fetched_bytes=fetched,
            requests=requests,
            objects=_objects_of(arrays),
        )

    def nothing(self, job: Job) -> Loaded:
        """A cell none of whose rows is drawn, without reading it."""
        none = np.zeros((0, self._scene.ndim))
        linked = _no_links(self._scene.link_width) if self._scene.by_object else None
        arrays = self._packed(job.cell, RawCell(none, {}, 0, 0, linked), None, PLAIN_ROWS).arrays
        return Loaded(arrays, None, (), (), 0, 0, 0, _objects_of(arrays))

    def _packed(
        self, cell: int, raw: RawCell, info: AttributeInfo | None, extras: Extras
    ) -> Packed:
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
        arrays = replace(packed.arrays, extras=extras)
        of_rows = {name: found[arrays.order] for name, found in raw.values.items()}
        kept_by, sized_by = _filter_of(extras), extras.sized_by
        if kept_by is not None:
            kept = kept_by.keeps(drawn_rows(self._scene, arrays.positions, of_rows))
            arrays = replace(arrays, kept=kept)
        if sized_by is not None:
            arrays = replace(arrays, sizes=self._sizes(sized_by, of_rows.get(sized_by), arrays))
        if raw.links is not None:
            level = int(self._tree.level[cell])
            chunk_cells = self._chunk_cells[level]
            arrays = with_links(arrays, level, raw.links, self._scene.objects, chunk_cells)
        if info is not None and info.computed:
            arrays = replace(arrays, values=direction_values(info, self._scene, self._tree, arrays))
        return replace(packed, arrays=arrays)

    def _values(self, job: Job, level: int, coords: Int) -> Loaded:
        held = self._held[job.key]
        arrays, before, now = held.arrays, held.arrays.extras, job.extras
        chunks = np.delete(coords, list(held.unread), axis=0)
        reading = self._reading(level, chunks, arrays)
        if job.attribute is not None:
            info = self._scene.attribute(job.attribute)
            if not len(arrays):
                values = np.zeros(0, np.float32)
            elif info.computed:
                values = direction_values(info, self._scene, self._tree, arrays)
            else:
                values = pack_values(info, reading.of(info.name))
            arrays = replace(arrays, values=values, attribute=info.name)
        if now.kept_by != before.kept_by:
            kept_by = _filter_of(now)
            kept = None if kept_by is None else self._kept(arrays, kept_by, job, reading)
            arrays = replace(arrays, kept=kept)
        if now.sized_by != before.sized_by:
            sizes = None
            if now.sized_by is not None:
                found = reading.of_sound(now.sized_by) if len(arrays) else None
                sizes = self._sizes(now.sized_by, found, arrays)
            arrays = replace(arrays, sizes=sizes)
        if now.of_objects and not before.of_objects:
            arrays = replace(arrays, objects=self._row_objects(reading))
        arrays = replace(arrays, extras=now)
        return Loaded(None, arrays, reading.problems, (), 0, reading.fetched, reading.requests)

    def _reading(self, level: int, chunks: Int, arrays: CellArrays) -> ValuesOfRows:
        return ValuesOfRows(self._source, level, chunks, arrays.order)

    def _sizes(
        self, name: str, found: npt.NDArray[np.generic] | None, arrays: CellArrays
    ) -> Float32:
        """(N,) values of the attribute that says how large rows are, missing where not found."""
        if found is None:
            return missing_values(len(arrays))
        return pack_values(self._scene.attribute(name), found)

    def _row_objects(self, reading: ValuesOfRows) -> npt.NDArray[np.uint32]:
        """(N,) ranks of the objects of rows that nothing joins."""
        return object_ranks(self._scene.objects, reading.objects())

    def _kept(
        self, arrays: CellArrays, kept_by: RowFilter, job: Job, reading: ValuesOfRows
    ) -> npt.NDArray[np.bool_]:
        """Which rows of a cell in memory a filter keeps; those without values match nothing."""
        values: dict[str, npt.NDArray[np.generic]] = {}
        if job.left_out or not len(arrays):
            return np.zeros(len(arrays), np.bool_)
        for name in kept_by.attributes:
            info = self._scene.attribute(name)
            if arrays.attribute == name and arrays.values is not None and told_by_float32(info):
                values[name] = arrays.values
            else:
                found = reading.of_sound(name)
                values |= {} if found is None else {name: found}
        return kept_by.keeps(drawn_rows(self._scene, arrays.positions, values))


def _filter_of(extras: Extras) -> RowFilter | None:
    return extras.kept_by if isinstance(extras.kept_by, RowFilter) else None


def _names(info: AttributeInfo | None, extras: Extras) -> tuple[str, ...]:
    """The attributes to read with the rows of a cell, each once."""
    own = () if info is None or info.computed else (info.name,)
    kept_by = _filter_of(extras)
    rules = () if kept_by is None else kept_by.attributes
    sizes = () if extras.sized_by is None else (extras.sized_by,)
    return tuple(dict.fromkeys((*own, *rules, *sizes)))


def _no_links(width: int) -> RawLinks:
    none, ends = np.zeros(0, np.int64), np.zeros((0, width), np.int64)
    return RawLinks(none, ends, ends, ends, none, none, 0)


def _objects_of(arrays: CellArrays) -> CellObjects | None:
    if arrays.links is None:
        return None
    return CellObjects.of(arrays.cell, arrays.links, arrays.part_start)

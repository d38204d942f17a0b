"""A store written again in another format version: nothing is lost, and nothing is computed anew.

Cells are copied as they are. What the formats say in different words is said in the words of the
other: object attributes by row or by id, links by offset or in one list, and the edges of a
skeleton that need not be stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from zarr_vectors.constants import (
    FACE_ATTRIBUTES,
    FRAGMENT_ATTRIBUTES,
    LINKS,
    VERTEX_ATTRIBUTES,
)
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import StoreHandle, creating, finish, open_handle
from zarr_vectors.core.layouts.base import ChunkGrid, LinkRecords, ObjectRows
from zarr_vectors.core.root_meta import RootDocument, check_version
from zarr_vectors.exceptions import StoreError
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import LevelArrays, describe_level
from zarr_vectors.reading.linked import link_attribute_names, read_edges
from zarr_vectors.reading.plan import plan_read
from zarr_vectors.typing import ChunkCoords
from zarr_vectors.writing.commit import grid_of
from zarr_vectors.writing.copying import (
    copy_beside_levels,
    copy_cells,
    copy_object_tables,
    family_names,
    kept_attributes,
)
from zarr_vectors.writing.edges import tree_records
from zarr_vectors.writing.route import Route, starts_of

Progress = Callable[[int, int, str], None]
"""Called with (arrays done, arrays in all, what is copied)."""

_FAMILIES = (VERTEX_ATTRIBUTES, FACE_ATTRIBUTES, FRAGMENT_ATTRIBUTES)
_TREES = "implicit_sequential_with_branches"


def convert(
    store_path: StoreLike,
    output: StoreLike,
    *,
    format_version: str,
    backend: str | None = None,
    output_backend: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Write a store again as format 0.7.0 or 0.9.2.

    Every level, attribute, object, group, link, header and parametric object is carried, and so is
    what this library records beyond the format. Chunks are stored one by one in the copy.

    Args:
        store_path: The store to read.
        output: Where to; nothing may be there yet.
        format_version: ``0.7.0`` or ``0.9.2``; the store's own makes a plain copy.
        backend: Of the store: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        output_backend: Likewise, of the copy.
        progress: Called with (arrays done, arrays in all, text).
        cancelled: Asked between batches; True stops, and nothing is left of the copy.

    Returns:
        ``format_version``, ``levels`` (their numbers), ``arrays_copied``.

    Raises:
        StoreError: No such store, the place is not empty, or the work was cancelled.
        ArrayError: A damaged array; an object id too large for a format whose rows are ids.
    """
    check_version(format_version, "format_version")
    source = open_handle(store_path, backend=backend)
    meta = replace(source.meta, zv_version=format_version)
    with creating(output, meta, backend=output_backend) as target:
        work = _Copy(source, target, progress, cancelled)
        work.plan()
        for number in source.levels:
            work.level(number)
        work.beside_levels()
        root = RootDocument({**target.root.attributes, **kept_attributes(source.root)}, meta)
        finish(replace(target, root=root, levels=source.levels), *source.levels)
    return {
        "format_version": format_version,
        "levels": list(source.levels),
        "arrays_copied": work.done,
    }


class _Copy:
    """Arrays on their way from one store to another."""

    def __init__(
        self,
        source: StoreHandle,
        target: StoreHandle,
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._source = source
        self._target = target
        self._progress = progress
        self._cancelled = cancelled
        self.done = 0
        self._total = 0
        self._arrays: dict[int, LevelArrays] = {}

    def plan(self) -> None:
        """See what there is."""
        for number, document in self._source.levels.items():
            arrays = describe_level(self._source.layout, self._source.meta, document)
            self._arrays[number] = arrays
            self._total += len(list(self._cell_arrays(arrays))) + 2

    def level(self, number: int) -> None:
        """Everything of one level but its document, which comes last."""
        arrays = self._arrays[number]
        for path in self._cell_arrays(arrays):
            self._cells(arrays, path)
        for delta in self._deltas(number):
            self._links(arrays, delta)
        self._objects(arrays)

    def beside_levels(self) -> None:
        """Headers and parametric objects."""
        copy_beside_levels(self._source.layout, self._target.layout)

    def _cell_arrays(self, arrays: LevelArrays) -> Iterator[str]:
        yield arrays.vertices_path
        yield arrays.fragments_path
        for family in _FAMILIES:
            for name in family_names(self._source.layout, f"{arrays.path}/{family}"):
                yield f"{arrays.path}/{family}/{name}"

    def _cells(self, arrays: LevelArrays, path: str) -> None:
        self._report(path)
        grid = self._grid(arrays, self._source.layout.list_cells(path))
        copy_cells(self._source.layout, self._target.layout, path, grid, self._check)

    def _links(self, arrays: LevelArrays, delta: int) -> None:
        number = arrays.meta.level
        self._report(f"{number}/{LINKS}/{delta}")
        names = self._source.layout.link_families(str(number), [delta])[delta].attributes
        if delta == 0 and self._source.meta.links_convention == _TREES:
            records = self._skeleton(arrays)
        else:
            found = self._source.layout.get_links(str(number), delta=delta, attributes=names)
            if found is None:
                return
            records = found
        ratio = None
        if delta:
            ratio = self._ratio(number, number + delta)
        grid = self._grid(arrays, arrays.table.keys())
        self._target.layout.put_links(str(number), records, grid, delta=delta, chunk_ratio=ratio)

    def _skeleton(self, arrays: LevelArrays) -> LinkRecords:
        """The links the target's readers have to be told."""
        reader = LevelReader(self._source.layout, arrays)
        plan = plan_read(arrays.table.coords, arrays.chunk_shape)
        names = link_attribute_names(self._source, arrays.meta.level)
        found = read_edges(self._source, reader, plan, (), names)
        route = _as_stored(reader)
        inner = np.ones(len(route.order), np.bool_)
        inner[found.links[:, 0]] = False  # roots, of which the first of a fragment need no mark
        inner[route.fragment_rows[:-1][route.fragment_rows[:-1] < len(inner)]] = False
        marks = self._target.layout.parents_cross_fragments or bool(inner.any())
        return tree_records(route, found.links, found.attributes, mark_roots=marks)

    def _objects(self, arrays: LevelArrays) -> None:
        layout, target, path = self._source.layout, self._target.layout, arrays.path
        self._report(f"{path}/objects")
        rows = layout.get_objects(path)
        if rows is not None:
            target.put_objects(path, ObjectRows(rows.ids, list(rows.manifests), rows.sid_ndim))
        copy_object_tables(layout, target, path)

    def _deltas(self, number: int) -> list[int]:
        others = [level - number for level in self._source.levels]
        return sorted(self._source.layout.link_families(str(number), others))

    def _ratio(self, number: int, other: int) -> list[tuple[int, int]] | None:
        base = self._source.meta.chunk_shape
        shapes = [self._arrays[n].chunk_shape for n in (number, other)]
        if shapes[0] == shapes[1]:
            return None
        return [
            (round(a / edge), round(b / edge)) for a, b, edge in zip(*shapes, base, strict=True)
        ]

    def _grid(self, arrays: LevelArrays, chunks: Sequence[ChunkCoords]) -> ChunkGrid:
        known = np.array(list(chunks), np.int64).reshape(-1, arrays.rank)
        bins = None if arrays.lead_values is None else len(arrays.lead_values)
        return grid_of(self._source.meta.bounds, arrays.chunk_shape, known, bins)

    def _report(self, text: str) -> None:
        self._check()
        if self._progress is not None:
            self._progress(self.done, self._total, text)
        self.done += 1

    def _check(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise StoreError("converting was cancelled")


def _as_stored(reader: LevelReader) -> Route:
    """The route that leaves every row where it is."""
    arrays = reader.arrays
    keys = arrays.table.keys()
    indexes = reader.fragment_indexes(keys)
    counts = arrays.table.counts
    if not arrays.table.exact:
        rows = reader.read_chunks(keys)
        counts = np.array([len(part.positions) for part in rows.values()], np.int64)
    chunk_rows = starts_of(counts)
    sizes = [indexes[key].counts for key in keys]
    fragment_rows = starts_of(np.concatenate([np.zeros(0, np.int64), *sizes]))
    chunk_fragments = starts_of(np.array([len(size) for size in sizes], np.int64))
    order = np.arange(int(chunk_rows[-1]), dtype=np.int64)
    return Route(order, arrays.table.coords, chunk_rows, fragment_rows, chunk_fragments)

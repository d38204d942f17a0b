"""Some objects of a store as a store of their own, in little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from zarr_vectors.constants import (
    FACE_ATTRIBUTES,
    LINK_ATTRIBUTES,
    LINKS,
    VERTEX_ATTRIBUTES,
    VERTICES,
)
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import StoreHandle, creating, finish, open_handle
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.metadata import AttributeSpec, ChunkTable, LevelMetadata, RootMetadata
from zarr_vectors.core.root_meta import LevelDocument
from zarr_vectors.exceptions import ArrayError, Cancelled, ConventionError
from zarr_vectors.multiresolution.builder import exact_table
from zarr_vectors.multiresolution.carried import (
    Carried,
    ObjectColumn,
    arrays_of_objects,
    read_carried,
    write_carried,
)
from zarr_vectors.multiresolution.linked_load import Loader, Source
from zarr_vectors.multiresolution.linked_routes import with_slots
from zarr_vectors.multiresolution.linked_rows import KINDS, PATHS
from zarr_vectors.multiresolution.linked_write import Stacked, Stacking
from zarr_vectors.multiresolution.scratch import Scratch
from zarr_vectors.multiresolution.shelf import BATCH_ROWS, Shelf
from zarr_vectors.multiresolution.steps import Target
from zarr_vectors.multiresolution.unreduced import routed_as_it_is
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import LevelArrays, describe_level
from zarr_vectors.reading.linked import link_attribute_names
from zarr_vectors.reading.objects import decoded_objects
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.types.graphs import CONVENTIONS
from zarr_vectors.typing import AnyArray, IntArray
from zarr_vectors.writing.commit import ObjectTables, column_limits, grid_of, write_objects
from zarr_vectors.writing.linked import LINKS_ATTRIBUTES
from zarr_vectors.writing.order import distinct

SOURCE_ID = "source_id"
"""Attribute of the objects of an extract: the id each had."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Extracted:
    """What an extract holds, and the names of attributes of faces that it does not."""

    objects: int
    vertices: int
    left_out: tuple[str, ...]


def extract_objects(
    store_path: StoreLike,
    object_ids: Iterable[int],
    output: StoreLike,
    *,
    backend: str | None = None,
    batch_rows: int = BATCH_ROWS,
    progress: Progress = lambda done, total, text: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Extracted:
    """Write some objects of the finest level to a new store of the same kind, format and chunks.

    Objects come whole, with what joins them, and are numbered from 0 in the order of their ids,
    which become the attribute ``source_id``. Attributes of vertices, links, objects and groups come
    along; groups keep their numbers, and those of their members that are there. Of attributes that
    only faces inside a chunk have, the names are told.

    Memory is bounded by a batch, by the largest object together with those it is linked to, and by
    the ids; the rest is set aside on disk. Where objects share vertices, or another library wrote
    the links, all that is read is held at once.

    Args:
        store_path: Lines, polylines, graphs, skeletons or meshes.
        object_ids: Which; those that the store does not have are passed over.
        output: Where to; nothing may be there yet.
        backend: Of the store: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        batch_rows: Vertices held at once, about.
        progress: Called with (steps done, steps in all, text).
        cancelled: Asked between batches.

    Raises:
        StoreError: No such store, or the place is not empty.
        ConventionError: The store holds points, or several kinds of geometry.
        ArrayError: It is damaged, or none of the objects has vertices.
        Cancelled: ``cancelled`` said so.
    """

    def check() -> None:
        if cancelled():
            raise Cancelled("the objects are not copied")

    handle = open_handle(store_path, backend=backend)
    kinds = handle.meta.geometry_types
    if len(kinds) != 1 or kinds[0] not in KINDS:
        held = ", ".join(kinds) or "nothing"
        raise ConventionError(f"{handle.backend.url} holds {held}: only linked objects are copied")
    document = handle.level(min(handle.levels))
    arrays = describe_level(handle.layout, handle.meta, document)
    wanted = np.unique(np.fromiter(object_ids, np.int64))
    found = decoded_objects(handle.layout, arrays, wanted.tolist())
    if found is None or not len(found[1].chunks):
        raise ArrayError(f"none of the objects asked for is in {handle.backend.url}")
    ids, table = found
    reader = LevelReader(handle.layout, arrays)
    own = kinds[0] in PATHS or set(LINKS_ATTRIBUTES) <= set(document.attributes)
    links = () if kinds[0] in PATHS else link_attribute_names(handle, document.meta.level)
    source = Source(
        handle,
        reader,
        _touched(exact_table(reader), table.chunks) if own else exact_table(reader),
        kinds[0],
        (np.arange(len(ids)), table),
        tuple(arrays.attributes),
        links,
    )
    target = _target(handle, arrays)
    with closing(Scratch()) as scratch:
        progress(0, 3, f"reading {len(ids):,} objects")
        shelf, _ = Loader(source, scratch, check, batch_rows, alone=False).load(stored=False)
        stacking = Stacking(scratch)
        cut = target.bin_shape if kinds[0] != "line" and handle.layout.splits_paths_by_bin else None
        marks = handle.layout.parents_cross_fragments
        for number in range(shelf.batches):
            check()
            progress(1, 3, f"{stacking.count:,} of {shelf.count:,} vertices sorted")
            stacking.add(routed_as_it_is(shelf, number, kinds[0], target, cut, mark_roots=marks))
            shelf.rest()
        ready, stacked = stacking.finish()
        progress(2, 3, f"writing {ready.count:,} vertices")
        told = _told(handle.layout, arrays, ids)
        with creating(output, _meta(handle, target, kinds[0])) as made:
            _write(
                made,
                arrays,
                target,
                ready,
                stacked,
                told,
                links,
                check,
                batch_rows,
                shared=stacking.shared,
            )
    names = [n for n in document.meta.arrays_present if n.startswith(f"{FACE_ATTRIBUTES}/")]
    left_out = tuple(name.split("/", 1)[1] for name in names)
    return Extracted(len(ids), ready.count, left_out)


def _touched(table: ChunkTable, chunks: IntArray) -> ChunkTable:
    """The chunks that objects run through; one that is not there is found out when it is read."""
    ranks = chunk_ranks(chunks, table.coords)
    rows = distinct(np.sort(ranks[ranks >= 0]))
    return ChunkTable(table.coords[rows], table.counts[rows], exact=True)


def _target(handle: StoreHandle, arrays: LevelArrays) -> Target:
    bins = arrays.meta.bin_shape or handle.meta.bin_shape
    return Target(0, tuple(bins), (1.0,) * arrays.ndim, tuple(arrays.chunk_shape))


def _meta(handle: StoreHandle, target: Target, kind: str) -> RootMetadata:
    meta = handle.meta
    made = RootMetadata(
        axes=meta.axes,
        chunk_shape=target.chunk_shape,
        bounds=meta.bounds,
        geometry_types=(kind,),
        zv_version=meta.zv_version,
        base_bin_shape=target.fragment_bins,
        crs=meta.crs,
    )
    if kind not in PATHS:
        made = replace(made, links_convention=CONVENTIONS.get(kind, "explicit"))
    made.validate()
    return made


def _told(layout: Layout, arrays: LevelArrays, ids: IntArray) -> Carried:
    """What is known of the objects, by their new numbers."""
    every = layout.get_object_ids(arrays.path)
    carried = read_carried(layout, arrays.path, ids if every is None else every)
    attributes = {name: _of(column, ids) for name, column in carried.attributes.items()}
    numbers = np.arange(len(ids))
    attributes[SOURCE_ID] = ObjectColumn(ids, numbers)
    groups = carried.groups
    if groups is not None:
        groups = [np.searchsorted(ids, members[np.isin(members, ids)]) for members in groups]
    return Carried(numbers, attributes, groups, carried.group_attributes)


def _of(column: ObjectColumn, ids: IntArray) -> ObjectColumn:
    keep = np.isin(column.ids, ids)
    return replace(column, values=column.values[keep], ids=np.searchsorted(ids, column.ids[keep]))


def _write(
    made: StoreHandle,
    arrays: LevelArrays,
    target: Target,
    shelf: Shelf,
    stacked: Stacked,
    told: Carried,
    link_names: tuple[str, ...],
    check: Callable[[], None],
    most: int,
    *,
    shared: bool,
) -> None:
    layout, kind = made.layout, made.meta.geometry_types[0]
    specs = [_spec(spec, shelf.values[name]) for name, spec in arrays.attributes.items()]
    grid = grid_of(made.meta.bounds, target.chunk_shape, stacked.merged.coords)
    stacked.write_rows(layout, target, shelf, specs, grid, check, most)
    layout.put_links("0", stacked.links(most), grid)
    assert stacked.manifests is not None  # noqa: S101  objects were asked for
    write_objects(layout, "0", ObjectTables(with_slots(stacked.manifests, told.slots)))
    write_carried(layout, "0", told, told.slots)
    names = [VERTICES]
    if specs:
        names += [VERTEX_ATTRIBUTES, *(f"{VERTEX_ATTRIBUTES}/{spec.name}" for spec in specs)]
    names += arrays_of_objects(told)
    if kind not in PATHS:
        names.append(LINKS)
        named = [f"{LINK_ATTRIBUTES}/{name}" for name in link_names]
        names += [LINK_ATTRIBUTES, *named] if named else []
    level = LevelMetadata(
        level=0,
        vertex_count=shelf.count,
        arrays_present=tuple(names),
        fragments_tile=True,
        shared_fragments=shared,
    )
    extra = {} if kind in PATHS else dict(LINKS_ATTRIBUTES)
    finish(made.with_level(LevelDocument(level, extra, stacked.merged.table)), 0)


def _spec(spec: AttributeSpec, values: AnyArray) -> AttributeSpec:
    """The attribute with limits of what is there."""
    limits = None if spec.categories is not None else column_limits(values)
    return replace(spec, limits=limits, guessed=False)

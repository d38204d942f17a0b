"""Rechunking a store: what is asked for, level after level, into a new store or in its place."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.constants import (
    CHUNK_ATTRIBUTE_KEY,
    OBJECT_ATTRIBUTES,
    VERTEX_ATTRIBUTES,
)
from zarr_vectors.core.backends import StorageBackend, StoreLike
from zarr_vectors.core.handle import StoreHandle, creating, finish, open_handle
from zarr_vectors.core.metadata import LevelMetadata
from zarr_vectors.core.root_meta import LevelDocument, RootDocument
from zarr_vectors.rechunk.moving import (
    LeadOf,
    Moved,
    Rows,
    load,
    move,
    moved_links,
    put_moved,
    table_of,
)
from zarr_vectors.rechunk.partition import UNGROUPED, Partition, partition_of
from zarr_vectors.spatial.chunking import bins_per_chunk, check_chunk_shape
from zarr_vectors.typing import AnyArray, IntArray
from zarr_vectors.writing.commit import Column, ObjectTables, grid_of, write_objects, write_rows
from zarr_vectors.writing.copying import copy_beside_levels, copy_object_tables, kept_attributes

WAYS = "group, object_id, attribute:<name> or spatial"


@dataclass(frozen=True, slots=True)
class RechunkSpec:
    """How to cut a store.

    Attributes:
        by: ``group``, ``object_id``, ``attribute:<name>`` (of objects, else of vertices) or
            ``spatial``.
        bins: Ascending edges that values fall between; a bin per value by default.
        spatial_chunk_shape: D edges of the new level-0 chunks, world units; as they are by default.
        prefix_dim_name: Name of the leading component; that of what it is cut by, by default.
        categorical: Values are kinds: each has a bin, and edges make no sense.
    """

    by: str
    bins: Sequence[float] | None = None
    spatial_chunk_shape: Sequence[float] | None = None
    prefix_dim_name: str | None = None
    categorical: bool = False


def rechunk(
    store_path: StoreLike,
    spec: RechunkSpec,
    output: StoreLike | None = None,
    *,
    backend: str | None = None,
) -> dict[str, Any]:
    """Cut a store into other chunks; every level, attribute, object, group and link is carried.

    Cut by anything but space, chunks get a leading component: the bin of the objects (or vertices)
    in them. Objects in several groups count for the first of them.

    Args:
        store_path: The store.
        spec: How to cut it.
        output: Where to; None replaces the store, all of it or nothing.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.

    Returns:
        ``objects_rechunked``, ``bins_created``, ``total_vertices``, ``rechunk_dims``,
        ``output_path``.

    Raises:
        ValueError: An unknown way to cut, no such attribute, or a value in no bin.
        ChunkingError: A chunk shape that bins do not divide.
        StoreError: No such store, or the place is not empty.
    """
    if output is not None:
        done = _rechunked(open_handle(store_path, backend=backend), spec, output)
        return {**done, "output_path": str(output)}
    opened = open_handle(store_path, "r+", backend=backend)
    with (
        tempfile.TemporaryDirectory(prefix="zarr-vectors-") as folder,
        opened.transaction("cut into other chunks") as handle,
    ):
        done = _rechunked(handle, spec, Path(folder) / "store")
        _replace(handle.backend, handle, Path(folder) / "store")
    return {**done, "output_path": str(store_path)}


def rechunk_by_attribute(
    store_path: StoreLike,
    attribute_name: str,
    *,
    output: StoreLike | None = None,
    spatial_chunk_shape: Sequence[float] | None = None,
    backend: str | None = None,
) -> dict[str, Any]:
    """Cut a store by the kinds of an attribute; as :func:`rechunk` with ``categorical``."""
    spec = RechunkSpec(
        f"attribute:{attribute_name}",
        spatial_chunk_shape=spatial_chunk_shape,
        prefix_dim_name=attribute_name,
        categorical=True,
    )
    return rechunk(store_path, spec, output, backend=backend)


@dataclass(frozen=True, eq=False, slots=True)
class _Cut:
    """How rows get their leading component."""

    partition: Partition
    lead_of: LeadOf
    categories: tuple[str, ...] | None = None
    dropped: str | None = None
    """Vertex attribute that the chunk tells, and that is not stored any more."""


def _rechunked(source: StoreHandle, spec: RechunkSpec, output: StoreLike) -> dict[str, Any]:
    if any(level.meta.chunked_by_attribute for level in source.levels.values()):
        raise ValueError(f"{source.backend.url} is chunked by an attribute already")
    meta = source.meta
    chunk = meta.chunk_shape
    if spec.spatial_chunk_shape is not None:
        chunk = check_chunk_shape(spec.spatial_chunk_shape, meta.ndim)
    bins_per_chunk(chunk, meta.bin_shape if meta.base_bin_shape is not None else chunk)
    rows = {number: load(source, number) for number in source.levels}
    cut = _cut(source, spec, rows)
    base = meta.base_bin_shape
    with creating(output, replace(meta, chunk_shape=chunk, base_bin_shape=base)) as target:
        moved: dict[int, Moved] = {}
        levels: dict[int, LevelDocument] = {}
        for number, document in source.levels.items():
            shape = _scaled(document.meta, meta.chunk_shape, chunk)
            found = move(
                source,
                target.layout,
                rows[number],
                shape,
                _bins(document.meta, meta.bin_shape, shape),
                None if cut is None else cut.lead_of,
            )
            moved[number] = found
            _write(source, target, rows[number], found, shape, cut)
            levels[number] = _document(
                source, document, rows[number], shape, chunk, found, cut, spec.prefix_dim_name
            )
        _link_levels(source, target, rows, moved, levels)
        copy_beside_levels(source.layout, target.layout)
        root = RootDocument({**target.root.attributes, **kept_attributes(source.root)}, target.meta)
        finish(replace(target, root=root, levels=levels), *levels)
    names = [axis.name for axis in meta.axes]
    finest = rows[min(rows)]
    return {
        "objects_rechunked": 0 if finest.ids is None else len(finest.ids),
        "bins_created": 1 if cut is None else len(cut.partition.values),
        "total_vertices": len(finest.positions),
        "rechunk_dims": names if cut is None else [_prefix(spec, cut), *names],
    }


def _cut(source: StoreHandle, spec: RechunkSpec, rows: dict[int, Rows]) -> _Cut | None:
    if spec.by == "spatial":
        return None
    if spec.categorical and spec.bins is not None:
        raise ValueError("categorical values have a bin each: give no edges")
    finest = rows[min(rows)]
    kind, _, name = spec.by.partition(":")
    if kind == "attribute" and name:
        if finest.ids is not None:
            found = source.layout.get_dense(f"{finest.arrays.path}/{OBJECT_ATTRIBUTES}/{name}")
            if found is not None:
                values, present = found
                ids = finest.ids[present[present < len(finest.ids)]]
                return _by_object(spec, name, ids, values[present[: len(ids)]], finest.ids)
        if name in finest.values:
            return _by_vertex(spec, name, rows)
        raise ValueError(f"{source.backend.url} has no attribute {name!r} to cut by")
    if spec.by not in ("group", "object_id"):
        raise ValueError(f"cannot cut by {spec.by!r}: there are {WAYS}")
    if finest.ids is None:
        raise ValueError(f"{source.backend.url} has no objects to cut by {spec.by}")
    if spec.by == "object_id":
        return _by_object(spec, "object_id", finest.ids, finest.ids, finest.ids)
    groups = source.layout.get_groups(finest.arrays.path)
    if groups is None:
        raise ValueError(f"{source.backend.url} has no groups to cut by")
    group_of: dict[int, int] = {}
    for number, members in enumerate(groups):
        for oid in members.tolist():
            group_of.setdefault(oid, number)
    known = np.array(sorted(group_of), np.int64)
    numbers = np.array([group_of[oid] for oid in known.tolist()], np.int64)
    return _by_object(spec, "group", known, numbers, finest.ids)


def _by_object(
    spec: RechunkSpec, name: str, ids: IntArray, values: AnyArray, every: IntArray
) -> _Cut:
    """Bins of objects; those without a value are apart."""
    missing = len(np.setdiff1d(every, ids)) > 0
    partition = partition_of(name, values, spec.bins, ungrouped=missing and spec.bins is None)
    if missing and spec.bins is not None:
        raise ValueError(f"some objects have no {name}: they are in none of the bins")
    bins = partition.bins_of(values)
    order = np.argsort(ids)
    ids, bins = ids[order], bins[order]

    def lead_of(rows: Rows) -> IntArray:
        place = np.minimum(np.searchsorted(ids, rows.objects), max(len(ids) - 1, 0))
        known = (rows.objects >= 0) & (len(ids) > 0)
        if len(ids):
            known &= ids[place] == rows.objects
        if known.all():
            return bins[place]
        if UNGROUPED not in partition.values:
            raise ValueError(f"some vertices are in no object: they have no {name}")
        apart = partition.values.index(UNGROUPED)
        return np.where(known, bins[place] if len(ids) else apart, apart)

    return _Cut(partition, lead_of)


def _by_vertex(spec: RechunkSpec, name: str, rows: dict[int, Rows]) -> _Cut:
    """Bins of vertices, level by level; a mean at a coarse level must fall into one as well."""
    missing = [number for number, level in rows.items() if name not in level.values]
    if missing:
        raise ValueError(f"level {missing[0]} has no attribute {name!r} to cut by")
    every = np.concatenate([level.values[name] for level in rows.values()])
    categories = rows[min(rows)].arrays.attributes[name].categories
    if spec.bins is not None:
        # the value itself stays, for a bin does not tell it
        partition = replace(partition_of(name, every, spec.bins), name=f"{name}_bin")
        return _Cut(partition, lambda level: partition.bins_of(level.values[name][level.taken]))
    if categories is not None and int(every.min(initial=0)) < 0:
        raise ValueError(f"attribute {name!r} has missing values: chunks need a value each")
    found = partition_of(name, every, None)
    return _Cut(
        found,
        lambda level: found.bins_of(level.values[name][level.taken]),
        categories=categories,
        dropped=name,
    )


def _write(
    source: StoreHandle,
    target: StoreHandle,
    rows: Rows,
    moved: Moved,
    shape: Sequence[float],
    cut: _Cut | None,
) -> None:
    path, layout = rows.arrays.path, target.layout
    bins = None if cut is None else len(cut.partition.values)
    grid = grid_of(source.meta.bounds, shape, moved.route.chunks, bins)
    columns = [
        Column(spec, rows.values[name][moved.taken])
        for name, spec in rows.arrays.attributes.items()
        if cut is None or name != cut.dropped
    ]
    write_rows(layout, path, moved.route, rows.positions[moved.taken], columns, grid)
    if moved.manifests is not None:
        write_objects(layout, path, ObjectTables(moved.manifests))
    copy_object_tables(source.layout, layout, path)
    put_moved(layout, path, moved, grid)


def _document(
    source: StoreHandle,
    document: LevelDocument,
    rows: Rows,
    shape: tuple[float, ...],
    root_chunk: tuple[float, ...],
    moved: Moved,
    cut: _Cut | None,
    prefix: str | None,
) -> LevelDocument:
    meta = replace(
        document.meta,
        vertex_count=len(moved.taken),
        chunk_shape=None if shape == root_chunk else shape,
        fragments_tile=True,
    )
    extra = dict(document.attributes)
    if cut is not None:
        values = cut.partition.values
        if cut.categories is not None:
            values = tuple(cut.categories[code] for code in values)
        elif cut.dropped is not None:
            dtype = rows.arrays.attribute(cut.dropped).dtype
            extra[CHUNK_ATTRIBUTE_KEY] = {"dtype": dtype.name}
        name = cut.partition.name
        meta = replace(
            meta,
            chunk_dims=(prefix or name, *(axis.name for axis in source.meta.axes)),
            chunk_attribute_name=name,
            chunk_attribute_values=values,
            arrays_present=tuple(
                array
                for array in meta.arrays_present
                if array != f"{VERTEX_ATTRIBUTES}/{cut.dropped}"
            ),
        )
    return LevelDocument(meta, extra, table_of(moved), document.error)


def _link_levels(
    source: StoreHandle,
    target: StoreHandle,
    rows: dict[int, Rows],
    moved: dict[int, Moved],
    levels: dict[int, LevelDocument],
) -> None:
    for number in rows:
        deltas = [other - number for other in rows if other != number]
        families = source.layout.link_families(str(number), deltas)
        for delta, family in families.items():
            other = number + delta
            records = moved_links(
                source.layout,
                (rows[number], rows[other]),
                (moved[number], moved[other]),
                delta,
                family.attributes,
            )
            if records is None:
                continue
            shapes = [
                levels[n].meta.chunk_shape or target.meta.chunk_shape for n in (number, other)
            ]
            ratio = None
            if shapes[0] != shapes[1]:
                ratio = [
                    (round(a / edge), round(b / edge))
                    for a, b, edge in zip(*shapes, target.meta.chunk_shape, strict=True)
                ]
            chunks = moved[number].route.chunks
            bins = None
            if chunks.shape[1] > target.meta.ndim:
                bins = len(levels[number].meta.chunk_attribute_values or ())
                ratio = None if ratio is None else [(1, 1), *ratio]
            grid = grid_of(target.meta.bounds, shapes[0], chunks, bins)
            target.layout.put_links(str(number), records, grid, delta=delta, chunk_ratio=ratio)


def _replace(place: StorageBackend, handle: StoreHandle, folder: Path) -> None:
    """Put the files of a store in the place of those there."""
    for name in handle.layout.children(""):
        handle.layout.delete(name)
    batch: dict[str, bytes] = {}
    for key, data in _files(folder):
        batch[key] = data
        if sum(map(len, batch.values())) > 64 * 2**20:
            place.put_many(batch)
            batch = {}
    place.put_many(batch)
    shutil.rmtree(folder)


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Keys and values, the root's document last."""
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    root = folder / "zarr.json"
    for path in [p for p in found if p != root] + [root]:
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def _scaled(
    meta: LevelMetadata, before: tuple[float, ...], after: tuple[float, ...]
) -> tuple[float, ...]:
    """A level's chunk shape, as many times the new root's as it was the old one's."""
    own = meta.chunk_shape or before
    return tuple(round(a / b) * c for a, b, c in zip(own, before, after, strict=True))


def _bins(
    meta: LevelMetadata, base: tuple[float, ...], chunk: tuple[float, ...]
) -> tuple[float, ...]:
    """Bins of a level that divide its chunks, or the chunk where they do not."""
    bins = meta.bin_shape or base
    whole = all(
        abs(c / b - round(c / b)) < 1e-9 and round(c / b) >= 1
        for c, b in zip(chunk, bins, strict=True)
    )
    return bins if whole else chunk


def _prefix(spec: RechunkSpec, cut: _Cut) -> str:
    return spec.prefix_dim_name or cut.partition.name

"""New vertices at the end of the chunks they fall into: what to write, then writing it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import OBJECT_ATTRIBUTES, OBJECT_INDEX
from zarr_vectors.core.handle import StoreHandle, finish
from zarr_vectors.core.journal import saving
from zarr_vectors.core.layouts.base import Cells, ObjectRows
from zarr_vectors.core.layouts.columns import Column, column_of
from zarr_vectors.core.layouts.meta import absent_value
from zarr_vectors.core.levels import outdate
from zarr_vectors.core.metadata import ChunkTable
from zarr_vectors.core.root_meta import RootDocument
from zarr_vectors.encoding.manifests import encode_manifests
from zarr_vectors.exceptions import ArrayError, ZVWarning
from zarr_vectors.lazy.changes import reader_of
from zarr_vectors.lazy.longer import longer_cells, longer_tables
from zarr_vectors.reading import assemble
from zarr_vectors.reading.columns import LevelColumns
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.spatial.chunking import compute_bounds
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray
from zarr_vectors.writing.columns import numbers
from zarr_vectors.writing.commit import column_limits, grid_of
from zarr_vectors.writing.route import Manifests, Route, manifests_of, route_objects


@dataclass(frozen=True, eq=False, slots=True)
class Staged:
    """Vertices to be appended.

    Attributes:
        route: Where each row goes among the new rows.
        positions: (N, D) float as stored.
        ids: (N,) int64 ids of new objects.
        values: name -> (N,) or (N, C), one entry per stored attribute of the level.
    """

    route: Route
    positions: FloatArray
    ids: IntArray
    values: dict[str, AnyArray]


def stage(
    arrays: LevelArrays,
    positions: FloatArray,
    ids: IntArray,
    attributes: Mapping[str, npt.ArrayLike] | None,
) -> Staged:
    """New vertices routed, with a value for every attribute of the level.

    Raises:
        ArrayError: An attribute that is not the level's or of wrong shape; or one left out whose
            categories know no missing value.
    """
    given = dict(attributes or {})
    values: dict[str, AnyArray] = {}
    absent: list[str] = []
    for name, spec in arrays.attributes.items():
        shape = (len(positions), *spec.row_shape)
        if name in given:
            found = np.asarray(given.pop(name))
            if spec.categories is not None:
                found = _codes(name, found, spec.categories)
            stored = numbers(found, f"attribute {name!r}").astype(spec.dtype)
            if stored.shape != shape:
                raise ArrayError(f"attribute {name!r} has the shape {stored.shape}, not {shape}")
            values[name] = stored
        elif spec.missing_code is not None:
            values[name] = np.full(shape, spec.missing_code, spec.dtype)
        elif spec.categories is None:
            values[name] = np.full(shape, absent_value(spec.dtype), spec.dtype)
            if spec.dtype.kind != "f":
                absent.append(f"{name!r} {absent_value(spec.dtype)}")
        else:
            raise ArrayError(
                f"level {arrays.path} has the categorical attribute {name!r}, none of whose "
                "values is missing: give those of the new vertices in attributes="
            )
    if given:
        raise ArrayError(f"level {arrays.path} has no attributes {sorted(given)}")
    if absent:
        warnings.warn(
            f"no values are given for attributes of level {arrays.path} in {arrays.url}; the new "
            f"vertices get what stands for none: {', '.join(absent)}",
            ZVWarning,
            stacklevel=3,
        )
    return Staged(route_objects(positions, arrays.chunk_shape, ids), positions, ids, values)


def append(
    writing: StoreHandle, level: int, staged: Sequence[Staged], *, paths: bool = False
) -> StoreHandle:
    """Write staged vertices: cells, object index, then counts and bounds.

    Args:
        writing: The store, inside a transaction.
        level: The level.
        staged: What to append, in order.
        paths: Whether objects are paths, whose manifests follow their rows.

    Returns:
        The store as it is now.
    """
    layout, reader = writing.layout, reader_of(writing, level)
    arrays, new = reader.arrays, merged(staged, reader.arrays.chunk_shape)
    route = new.route
    keys: list[ChunkCoords] = [tuple(row) for row in route.chunks.tolist()]
    columns = {arrays.attribute_path(name): values for name, values in new.values.items()}
    rows = {arrays.vertices_path: new.positions, **columns}
    known = set(arrays.table.keys())
    there = [key for key in keys if key in known]
    with saving(writing.backend):
        old = layout.get_cells(dict.fromkeys((*rows, arrays.fragments_path), there))
    counts = _checked_counts(reader, there, old)
    fragments = column_of(old[arrays.fragments_path], keys)
    tables = LevelColumns(layout, arrays, None).tables(fragments)
    meta = _grown(writing, new.positions)
    table = _merged(arrays.table, route, counts)
    grid = grid_of(meta.meta.bounds, arrays.chunk_shape, table.coords)
    for path in (*rows, arrays.fragments_path):
        layout.set_grid(path, grid)
    for path, values in rows.items():
        layout.put_cells(path, longer_cells(old[path], route, keys, values))
    held = np.array([counts.get(key, 0) for key in keys], np.int64)
    longer = longer_tables(tables, route, held)
    layout.put_cells(arrays.fragments_path, dict(zip(keys, longer, strict=True)))
    _widen_statistics(writing, arrays, new.values)
    firsts = dict(zip(keys, np.maximum(tables.sizes, 0).tolist(), strict=True))
    manifests = path_blocks(new) if paths else manifests_of(route)
    _add_objects(writing, arrays.path, manifests, firsts, arrays.rank)
    document = writing.level(level)
    present = tuple(dict.fromkeys((*document.meta.arrays_present, OBJECT_INDEX)))
    count = int(table.counts.sum())
    if not table.exact:
        count = document.meta.vertex_count + len(new.positions)
    own = replace(document.meta, vertex_count=count, arrays_present=present)
    changed = replace(writing, root=meta).with_level(replace(document, meta=own, table=table))
    reason = f"vertices were appended to level {level} after this level was built"
    changed, outdated = outdate(changed, level, reason)
    finish(changed, level, *outdated)
    return changed


def merged(staged: Sequence[Staged], chunk_shape: Sequence[float]) -> Staged:
    """Vertices staged one after the other as if they had been staged together."""
    if len(staged) == 1:
        return staged[0]
    positions = np.concatenate([part.positions for part in staged])
    ids = np.concatenate([part.ids for part in staged])
    values = {
        name: np.concatenate([part.values[name] for part in staged]) for name in staged[0].values
    }
    return Staged(route_objects(positions, chunk_shape, ids), positions, ids, values)


def check_ends(new: Staged) -> None:
    """See that new objects of a store of lines are lines.

    Raises:
        ArrayError: One has more or fewer vertices than two.
    """
    ids, counts = np.unique(new.ids, return_counts=True)
    wrong = np.flatnonzero(counts != 2)
    if len(wrong):
        raise ArrayError(
            f"object {ids[wrong[0]]} has {counts[wrong[0]]} vertices, a line has two: "
            "give both ends the same id in object_ids="
        )


def path_blocks(new: Staged) -> Manifests:
    """Manifests of objects that are paths: chunks in the order in which each path meets them.

    Raises:
        ArrayError: A path comes back to a chunk, which one fragment a chunk cannot say.
    """
    route = new.route
    objects = route.fragment_objects
    assert objects is not None  # noqa: S101  routed by object
    along = np.empty(len(new.ids), np.int64)
    along[np.argsort(new.ids, kind="stable")] = np.arange(len(new.ids))
    rows = along[route.order]
    first, last = rows[route.fragment_rows[:-1]], rows[route.fragment_rows[1:] - 1]
    broken = np.flatnonzero(last - first + 1 != np.diff(route.fragment_rows))
    if len(broken):
        raise ArrayError(
            f"the path of object {int(objects[broken[0]])} comes back to a chunk it has left: "
            "append it as several objects"
        )
    chunk = np.repeat(np.arange(len(route.chunks)), np.diff(route.chunk_fragments))
    number = np.arange(len(objects)) - route.chunk_fragments[chunk]
    order = np.argsort(first)  # rows are counted object after object
    ids, starts = np.unique(objects[order], return_index=True)
    ends = np.append(starts, len(objects)).astype(np.int64)
    return Manifests(ids, ends, route.chunks[chunk[order]], number[order])


def _checked_counts(
    reader: LevelReader, keys: list[ChunkCoords], cells: Mapping[str, Cells]
) -> dict[ChunkCoords, int]:
    """Rows each chunk holds, the same in every array."""
    arrays = reader.arrays
    width = arrays.vertices.dtype.itemsize * arrays.ndim
    path, url = arrays.vertices_path, arrays.url
    for key in keys:
        if key not in cells[path]:
            raise assemble.damaged(path, key, url, "it is recorded and not there")
    counts = assemble.row_counts(_sizes(cells[path], keys), width, path, url)
    for name, spec in arrays.attributes.items():
        where = arrays.attribute_path(name)
        found = assemble.row_counts(_sizes(cells[where], keys), spec.row_bytes, where, url)
        assemble.same_counts(counts, found, keys, where, url)
    return dict(zip(keys, counts.tolist(), strict=True))


def _sizes(cells: Cells, keys: list[ChunkCoords]) -> Column:
    """Blobs of chunks by their sizes alone."""
    sizes = np.fromiter((len(cells.get(key, b"")) for key in keys), np.int64, len(keys))
    return Column(keys, np.zeros(0, np.uint8), sizes)


def _widen_statistics(
    writing: StoreHandle, arrays: LevelArrays, values: Mapping[str, AnyArray]
) -> None:
    """Let the recorded limits of attributes hold for the new vertices too."""
    for name, spec in arrays.attributes.items():
        new = column_limits(values[name])
        if spec.limits is None or new is None:
            continue
        low, high = min(spec.limits[0], new[0]), max(spec.limits[1], new[1])
        if (low, high) != spec.limits:
            found = {"statistics": {"min": low, "max": high}}
            writing.layout.set_array_meta(arrays.attribute_path(name), found)


def next_id(handle: StoreHandle, path: str, staged: Sequence[Staged]) -> int:
    """The smallest id above every object there is or is staged."""
    rows = handle.layout.get_objects(path)
    stored = int(rows.ids[-1]) + 1 if rows is not None and len(rows.ids) else 0
    return max([stored, *(int(part.ids.max()) + 1 for part in staged)])


def _codes(name: str, found: AnyArray, categories: tuple[str, ...]) -> AnyArray:
    code = {category: i for i, category in enumerate(categories)}
    unknown = [value for value in found.tolist() if value not in code]
    if unknown:
        raise ArrayError(f"attribute {name!r} has no category {unknown[0]!r}")
    return np.array([code[value] for value in found.tolist()], np.int64)


def _grown(handle: StoreHandle, positions: FloatArray) -> RootDocument:
    low, high = compute_bounds(positions)
    bounds = handle.meta.bounds
    grown = (
        tuple(np.minimum(bounds[0], low).tolist()),
        tuple(np.maximum(bounds[1], high).tolist()),
    )
    return replace(handle.root, meta=replace(handle.meta, bounds=grown))


def _merged(table: ChunkTable, route: Route, counts: Mapping[ChunkCoords, int]) -> ChunkTable:
    """The chunks with the new rows counted in; exact where the counts were."""
    total = dict(zip(table.keys(), table.counts.tolist(), strict=True))
    for row, added in zip(route.chunks.tolist(), route.counts.tolist(), strict=True):
        key = tuple(row)
        total[key] = counts.get(key, 0) + added
    keys = sorted(total)
    coords = np.array(keys, np.int64).reshape(len(keys), table.coords.shape[1])
    return ChunkTable(coords, np.array([total[key] for key in keys], np.int64), table.exact)


def _add_objects(
    handle: StoreHandle,
    path: str,
    manifests: Manifests,
    firsts: Mapping[ChunkCoords, int],
    rank: int,
) -> None:
    """Manifests of the new objects after those there are; object attributes get absent rows."""
    layout = handle.layout
    chunks = zip(*manifests.chunks.T.tolist(), strict=True)
    offset = np.fromiter(map(firsts.__getitem__, chunks), np.int64, len(manifests.chunks))
    blobs = encode_manifests(manifests.chunks, manifests.fragments + offset, manifests.starts)
    old = layout.get_objects(path)
    if old is None:
        layout.put_objects(path, ObjectRows(manifests.ids, blobs, rank))
        return
    ids = np.concatenate([old.ids, manifests.ids])
    layout.put_objects(path, ObjectRows(ids, [*old.manifests, *blobs], rank))
    new = layout.get_objects(path)
    slots = ids if new is None else new.ids
    family = f"{path}/{OBJECT_ATTRIBUTES}"
    for name in layout.array_names(family):
        found = layout.get_dense(f"{family}/{name}")
        if found is None:
            continue
        values, present = found
        spread = np.zeros((len(slots), *values.shape[1:]), values.dtype)
        spread[: len(values)] = values
        meta = layout.array_metas([f"{family}/{name}"])[f"{family}/{name}"]
        layout.put_dense(
            f"{family}/{name}", spread, meta | {"shape": list(spread.shape)}, present=present
        )

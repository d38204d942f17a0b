"""New vertices at the end of the chunks they fall into: what to write, then writing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.handle import StoreHandle, finish
from zarr_vectors.core.layouts.base import Cells, ObjectRows
from zarr_vectors.core.metadata import ChunkTable
from zarr_vectors.core.root_meta import RootDocument
from zarr_vectors.encoding.fragments import FragmentIndex, encode_fragments, encode_ranges
from zarr_vectors.encoding.manifests import encode_manifests
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.spatial.chunking import compute_bounds
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray
from zarr_vectors.writing.columns import numbers
from zarr_vectors.writing.commit import grid_of
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
        ArrayError: An attribute that is not the level's, of wrong shape, or left out and not float.
    """
    given = dict(attributes or {})
    values: dict[str, AnyArray] = {}
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
        elif spec.categories is None and spec.dtype.kind == "f":
            values[name] = np.full(shape, np.nan, spec.dtype)
        else:
            raise ArrayError(
                f"level {arrays.path} has the attribute {name!r} ({spec.dtype.name}): "
                "give its values for the new vertices in attributes="
            )
    if given:
        raise ArrayError(f"level {arrays.path} has no attributes {sorted(given)}")
    return Staged(route_objects(positions, arrays.chunk_shape, ids), positions, ids, values)


def append(handle: StoreHandle, reader: LevelReader, staged: Staged) -> StoreHandle:
    """Write staged vertices: cells, object index, then counts and bounds.

    Returns:
        The store as it is now.
    """
    layout, arrays, route = handle.layout, reader.arrays, staged.route
    keys: list[ChunkCoords] = [tuple(row) for row in route.chunks.tolist()]
    paths = {arrays.attribute_path(name): values for name, values in staged.values.items()}
    rows = {arrays.vertices_path: staged.positions, **paths}
    known = set(arrays.table.keys())
    there = [key for key in keys if key in known]
    old = layout.get_cells(dict.fromkeys((*rows, arrays.fragments_path), there))
    counts = {key: len(part.positions) for key, part in reader.read_chunks(there).items()}
    indexes = reader.fragment_indexes(there)
    meta = _grown(handle, staged.positions)
    table = _merged(arrays.table, route, counts)
    grid = grid_of(meta.meta.bounds, arrays.chunk_shape, table.coords)
    for path in (*rows, arrays.fragments_path):
        layout.set_grid(path, grid)
    for path, values in rows.items():
        layout.put_cells(path, _longer(old[path], route, keys, values))
    layout.put_cells(
        arrays.fragments_path,
        {
            key: _more_fragments(indexes.get(key), route, i, counts.get(key, 0))
            for i, key in enumerate(keys)
        },
    )
    firsts = {key: len(index) for key, index in indexes.items()}
    _add_objects(handle, arrays.path, manifests_of(route), firsts, arrays.rank)
    document = handle.level(arrays.meta.level)
    present = tuple(dict.fromkeys((*document.meta.arrays_present, "object_index")))
    level = replace(document.meta, vertex_count=int(table.counts.sum()), arrays_present=present)
    changed = replace(handle, root=meta).with_level(replace(document, meta=level, table=table))
    finish(changed, arrays.meta.level)
    return changed


def next_id(handle: StoreHandle, path: str, staged: list[Staged]) -> int:
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


def _longer(
    old: Cells, route: Route, keys: list[ChunkCoords], values: AnyArray
) -> dict[ChunkCoords, bytes]:
    ordered = values[route.order]
    starts = route.chunk_rows.tolist()
    return {
        key: old.get(key, b"") + ordered[starts[i] : starts[i + 1]].tobytes()
        for i, key in enumerate(keys)
    }


def _more_fragments(index: FragmentIndex | None, route: Route, chunk: int, count: int) -> bytes:
    first, last = int(route.chunk_fragments[chunk]), int(route.chunk_fragments[chunk + 1])
    edges = route.fragment_rows[first : last + 1] - route.chunk_rows[chunk] + count
    starts, sizes = edges[:-1], np.diff(edges)
    if index is None or index.all_ranges:
        before = (starts[:0], sizes[:0]) if index is None else (index.starts, index.counts)
        return encode_ranges(np.append(before[0], starts), np.append(before[1], sizes))
    kept = [index.range(f) if index.is_range(f) else index.indices(f) for f in range(len(index))]
    return encode_fragments([*kept, *zip(starts.tolist(), sizes.tolist(), strict=True)])


def _add_objects(
    handle: StoreHandle,
    path: str,
    manifests: Manifests,
    firsts: Mapping[ChunkCoords, int],
    rank: int,
) -> None:
    """Manifests of the new objects after those there are; object attributes get absent rows."""
    layout = handle.layout
    offset = np.array([firsts.get(tuple(row), 0) for row in manifests.chunks.tolist()], np.int64)
    blobs = encode_manifests(manifests.chunks, manifests.fragments + offset, manifests.starts)
    old = layout.get_objects(path)
    if old is None:
        layout.put_objects(path, ObjectRows(manifests.ids, blobs, rank))
        return
    ids = np.concatenate([old.ids, manifests.ids])
    layout.put_objects(path, ObjectRows(ids, [*old.manifests, *blobs], rank))
    new = layout.get_objects(path)
    slots = ids if new is None else new.ids
    family = f"{path}/object_attributes"
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

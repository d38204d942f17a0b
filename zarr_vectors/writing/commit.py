"""Routed rows to arrays: one sorted gather per array, cells as views of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import (
    GROUP_ATTRIBUTES,
    OBJECT_ATTRIBUTES,
    VERTEX_ATTRIBUTES,
    VERTEX_FRAGMENTS,
    VERTICES,
)
from zarr_vectors.core.layouts.base import ChunkGrid, Layout, ObjectRows
from zarr_vectors.core.metadata import AttributeSpec, ChunkTable, VertexSpec
from zarr_vectors.core.metadata.root import Bounds
from zarr_vectors.encoding.fragments import encode_ranges
from zarr_vectors.encoding.manifests import encode_manifests
from zarr_vectors.spatial.chunking import chunk_box
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray
from zarr_vectors.writing.given import LineRows
from zarr_vectors.writing.route import Manifests, Route
from zarr_vectors.writing.runs import PathRuns, RunRoute

BATCH_BYTES = 64 * 2**20
"""Bytes of sorted rows held at once while cells are put, at most; else a part of all."""
_LEAST_BATCH = 3 * 2**20
_BATCHES = 16

FRAGMENTS_META = {"zv_array": "vertex_fragments", "encoding": "fragment_index_v1"}


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """One vertex attribute ready to be stored: (N,) or (N, C) rows in input order."""

    spec: AttributeSpec
    values: AnyArray


@dataclass(frozen=True, eq=False, slots=True)
class LineColumn:
    """One vertex attribute of paths ready to be stored, given path by path."""

    spec: AttributeSpec
    values: LineRows


@dataclass(frozen=True, eq=False, slots=True)
class ObjectTables:
    """The objects of a level ready to be stored.

    Attributes:
        manifests: Blocks of the objects that have vertices.
        attributes: name -> (len(manifests.ids),) or (.., C) rows, ascending by object id.
        told: name -> further metadata of an attribute, such as the categories of its codes.
        groups: Object ids of every group, or None.
        group_attributes: name -> (G,) or (G, C).
    """

    manifests: Manifests | PathRuns
    attributes: dict[str, AnyArray] = field(default_factory=dict)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: Sequence[IntArray] | None = None
    group_attributes: dict[str, AnyArray] = field(default_factory=dict)


def grid_of(
    bounds: Bounds, chunk_shape: Sequence[float], chunks: IntArray, bins: int | None = None
) -> ChunkGrid:
    """The box of chunks an array may hold: that of the bounds and of every chunk there is.

    Args:
        bounds: (min corner, max corner), world units.
        chunk_shape: D floats, world units.
        chunks: (M, R) int64 occupied chunks.
        bins: Number of attribute bins where chunks lead with one.
    """
    ndim = len(chunk_shape)
    low, size = chunk_box(bounds, chunk_shape)
    high = [a + n - 1 for a, n in zip(low, size, strict=True)]
    if len(chunks):
        spatial = chunks[:, chunks.shape[1] - ndim :]
        low = tuple(np.minimum(low, spatial.min(axis=0)).tolist())
        high = np.maximum(high, spatial.max(axis=0)).tolist()
    shape = [b - a + 1 for a, b in zip(low, high, strict=True)]
    if bins is not None:
        low, shape = (0, *low), [bins, *shape]
    return ChunkGrid(low, tuple(shape))


def write_rows(
    layout: Layout,
    level: str,
    route: Route | RunRoute,
    positions: FloatArray | LineRows,
    columns: Sequence[Column | LineColumn],
    grid: ChunkGrid,
    on_batch: Callable[[], None] = lambda: None,
    *,
    vertex_blobs: Mapping[ChunkCoords, bytes] | None = None,
    encoding: str = "raw",
) -> ChunkTable:
    """Create and fill a level's vertices, fragments and vertex attributes.

    Args:
        layout: Where to.
        level: The level's path.
        route: Where every row goes.
        positions: (N, D) float in the dtype to store, input order.
        columns: Attributes, input order.
        grid: Box of chunks the arrays may hold.
        on_batch: Called between batches; may raise to stop.
        vertex_blobs: Vertices of every chunk as they are stored, where they are not raw.
        encoding: How those are encoded.

    Returns:
        The level's chunks and their counts.
    """
    specs = [column.spec for column in columns]
    create_rows(layout, level, positions.dtype, specs, grid, encoding)
    values = [column.values for column in columns]
    return fill_rows(layout, level, route, positions, specs, values, on_batch, vertex_blobs)


def create_rows(
    layout: Layout,
    level: str,
    dtype: np.dtype[Any],
    specs: Sequence[AttributeSpec],
    grid: ChunkGrid,
    encoding: str = "raw",
) -> None:
    """Create a level's empty vertices, fragments and vertex attributes.

    Args:
        layout: Where to.
        level: The level's path.
        dtype: Stored dtype of positions.
        specs: The attributes.
        grid: Box of chunks the arrays may hold.
        encoding: How vertices are encoded.
    """
    spec = VertexSpec(dtype.newbyteorder("<"), encoding)
    layout.create_cells(f"{level}/{VERTICES}", spec.to_meta(), grid)
    layout.create_cells(f"{level}/{VERTEX_FRAGMENTS}", FRAGMENTS_META, grid)
    for found in specs:
        layout.create_cells(f"{level}/{VERTEX_ATTRIBUTES}/{found.name}", found.to_meta(), grid)


def fill_rows(
    layout: Layout,
    level: str,
    route: Route | RunRoute,
    positions: FloatArray | LineRows,
    specs: Sequence[AttributeSpec],
    values: Sequence[AnyArray | LineRows],
    on_batch: Callable[[], None] = lambda: None,
    vertex_blobs: Mapping[ChunkCoords, bytes] | None = None,
) -> ChunkTable:
    """Put whole chunks into arrays that :func:`create_rows` made; arguments as there.

    Args:
        layout: Where to.
        level: The level's path.
        route: Where every row goes, each chunk whole.
        positions: (N, D) float in the dtype to store, input order.
        specs: The attributes.
        values: (N,) or (N, C) of each attribute, input order.
        on_batch: Called between batches; may raise to stop.
        vertex_blobs: Vertices of every chunk as they are stored, where they are not raw.

    Returns:
        The chunks put and their counts.
    """
    keys: list[ChunkCoords] = [tuple(row) for row in route.chunks.tolist()]
    if vertex_blobs is None:
        _put_rows(layout, f"{level}/{VERTICES}", route, keys, positions, on_batch)
    else:
        layout.put_cells(f"{level}/{VERTICES}", vertex_blobs)
    for rows in _runs(np.diff(route.chunk_fragments) * 16 + 64):
        on_batch()
        tables = {keys[i]: _fragment_table(route, i) for i in range(rows.start, rows.stop)}
        layout.put_cells(f"{level}/{VERTEX_FRAGMENTS}", tables)
    for spec, rows_of in zip(specs, values, strict=True):
        path = f"{level}/{VERTEX_ATTRIBUTES}/{spec.name}"
        _put_rows(layout, path, route, keys, rows_of, on_batch)
    return ChunkTable(route.chunks, route.counts, exact=True)


def write_column(
    layout: Layout,
    level: str,
    route: Route,
    column: Column,
    grid: ChunkGrid,
    on_batch: Callable[[], None] = lambda: None,
) -> None:
    """Create and fill one vertex attribute."""
    keys: list[ChunkCoords] = [tuple(row) for row in route.chunks.tolist()]
    path = f"{level}/{VERTEX_ATTRIBUTES}/{column.spec.name}"
    layout.create_cells(path, column.spec.to_meta(), grid)
    _put_rows(layout, path, route, keys, column.values, on_batch)


def write_objects(layout: Layout, level: str, tables: ObjectTables) -> int:
    """Store the object index, object attributes, groups and group attributes of a level.

    Returns:
        Rows of the stored index: objects, and in formats whose rows are ids also the gaps.
    """
    manifests = tables.manifests
    blobs = encode_manifests(manifests.chunks, manifests.fragments, manifests.starts)
    rank = manifests.chunks.shape[1]
    row_ids = layout.put_objects(level, ObjectRows(manifests.ids, blobs, rank))
    for name, values in tables.attributes.items():
        told = tables.told.get(name)
        put_object_attribute(layout, level, name, values, manifests.ids, row_ids, told)
    if tables.groups is not None:
        layout.put_groups(level, tables.groups)
    for name, values in tables.group_attributes.items():
        path = f"{level}/{GROUP_ATTRIBUTES}/{name}"
        layout.put_dense(path, values, dense_meta("groupings_attribute", name, values))
    return len(row_ids)


def put_object_attribute(
    layout: Layout,
    level: str,
    name: str,
    values: AnyArray,
    ids: IntArray,
    row_ids: IntArray,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Store an object attribute, its rows spread over the rows of the stored index.

    Args:
        layout: Where to.
        level: The level's path.
        name: The attribute.
        values: (n,) or (n, C), row k for object ``ids[k]``.
        ids: (n,) int64 ascending, all among ``row_ids``.
        row_ids: (O,) int64 ascending, the object of every stored row.
        extra: Further metadata, such as the categories of codes.
    """
    path = f"{level}/{OBJECT_ATTRIBUTES}/{name}"
    meta = dense_meta("object_attribute", name, values) | dict(extra or {})
    if len(ids) == len(row_ids):
        layout.put_dense(path, values, meta)
        return
    rows = np.searchsorted(row_ids, ids)
    spread = np.zeros((len(row_ids), *values.shape[1:]), values.dtype)
    spread[rows] = values
    layout.put_dense(path, spread, meta | {"shape": list(spread.shape)}, present=rows)


def dense_meta(kind: str, name: str, values: AnyArray) -> dict[str, Any]:
    """Metadata of a dense array."""
    return {
        "zv_array": kind,
        "name": name,
        "dtype": values.dtype.name,
        "shape": list(values.shape),
    }


def told_in(meta: Mapping[str, Any]) -> dict[str, Any]:
    """What an array's metadata says of its values beside their dtype and shape."""
    names = "encoding categories ordered _FillValue unit description channel_names".split()
    return {name: meta[name] for name in names if name in meta}


def column_limits(values: AnyArray) -> tuple[float, float] | None:
    """Smallest and largest finite value, or None where there is none."""
    if not values.size:
        return None
    low, high = float(np.min(values)), float(np.max(values))
    if np.isfinite(low) and np.isfinite(high):
        return low, high
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else None


def _put_rows(
    layout: Layout,
    path: str,
    route: Route | RunRoute,
    keys: Sequence[ChunkCoords],
    values: npt.NDArray[Any] | LineRows,
    on_batch: Callable[[], None],
) -> None:
    rows_of = _stored_rows(values, route)
    row_shape = values.row_shape if isinstance(values, LineRows) else values.shape[1:]
    row_bytes = values.dtype.itemsize * int(np.prod(row_shape, dtype=np.int64))
    for chunks in _runs(route.counts * row_bytes):
        on_batch()
        first, last = int(route.chunk_rows[chunks.start]), int(route.chunk_rows[chunks.stop])
        rows = np.ascontiguousarray(rows_of(first, last))
        rows = rows.astype(rows.dtype.newbyteorder("<"), copy=False)
        data = rows.reshape(-1).view(np.uint8).data
        ends = ((route.chunk_rows[chunks.start : chunks.stop + 1] - first) * row_bytes).tolist()
        layout.put_cells(path, _cells(keys[chunks], ends, data))


def _stored_rows(
    values: npt.NDArray[Any] | LineRows, route: Route | RunRoute
) -> Callable[[int, int], npt.NDArray[Any]]:
    """Rows as they are stored, from a first to a last."""
    if not isinstance(values, LineRows):
        return lambda first, last: values.take(route.rows(first, last), axis=0)
    assert isinstance(route, RunRoute)  # noqa: S101  lines are paths
    whole = values.routed(route)
    return lambda first, last: whole[first:last]


def _cells(
    keys: Sequence[ChunkCoords], ends: Sequence[int], data: memoryview
) -> Mapping[ChunkCoords, memoryview]:
    return {key: data[ends[i] : ends[i + 1]] for i, key in enumerate(keys)}


def _fragment_table(route: Route | RunRoute, chunk: int) -> bytes:
    first, last = int(route.chunk_fragments[chunk]), int(route.chunk_fragments[chunk + 1])
    rows = route.fragment_rows[first : last + 1]
    return encode_ranges(rows[:-1] - route.chunk_rows[chunk], np.diff(rows))


def _runs(sizes: IntArray) -> Iterator[slice]:
    """Runs of chunks of about as many bytes together, :data:`BATCH_BYTES` at most."""
    most = min(max(int(sizes.sum()) // _BATCHES, _LEAST_BATCH), BATCH_BYTES)
    batch = np.cumsum(sizes) // most
    edges = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), len(sizes)]
    for start, stop in itertools.pairwise(edges):
        if stop > start:
            yield slice(start, stop)

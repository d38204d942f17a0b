"""Point clouds: writing, and reading by box, object, group, chunk or attribute value."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import DEFAULT_VERSION
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import creating, finish, open_handle
from zarr_vectors.core.metadata import LevelMetadata, RootMetadata, default_axes
from zarr_vectors.core.root_meta import LevelDocument, check_version
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import LEAD_KEY, describe_level
from zarr_vectors.reading.objects import lead_of_value, pieces_of_objects
from zarr_vectors.reading.plan import check_box, plan_read
from zarr_vectors.reading.results import PointsResult
from zarr_vectors.spatial.chunking import bins_per_chunk, check_chunk_shape
from zarr_vectors.typing import BoundingBox, ChunkCoords
from zarr_vectors.writing.columns import (
    apply_bounds,
    checked_bounds,
    checked_ids,
    checked_positions,
    vertex_columns,
)
from zarr_vectors.writing.commit import Column, grid_of, write_objects, write_rows
from zarr_vectors.writing.objects import (
    arrays_present,
    chosen_chunk_shape,
    lead_bins,
    object_tables,
)
from zarr_vectors.writing.route import manifests_of, route_bins, route_objects


def write_points(
    store_path: StoreLike,
    positions: npt.ArrayLike,
    *,
    chunk_shape: Sequence[float] | None = None,
    bin_shape: Sequence[float] | None = None,
    bounds: tuple[Sequence[float], Sequence[float]] | None = None,
    vertex_attributes: Mapping[str, npt.ArrayLike] | None = None,
    object_ids: npt.ArrayLike | None = None,
    object_attributes: Mapping[str, npt.ArrayLike] | None = None,
    groups: Mapping[int, Iterable[int]] | None = None,
    group_attributes: Mapping[str, npt.ArrayLike] | None = None,
    dtype: npt.DTypeLike = "float32",
    backend: str | None = None,
    chunk_by_attribute: str | None = None,
    out_of_bounds: str = "raise",
    format_version: str = DEFAULT_VERSION,
    axis_names: Sequence[str] | None = None,
    axis_units: Sequence[str | None] | None = None,
    attribute_units: Mapping[str, str] | None = None,
    crs: Mapping[str, Any] | None = None,
    attributes: Mapping[str, npt.ArrayLike] | None = None,
) -> dict[str, Any]:
    """Write a point cloud as a new store with one level.

    Args:
        store_path: Where: a path, URL, Zarr Store or obstore store; nothing may be there yet.
        positions: (N, D) numbers, D from 2 to 4, world units.
        chunk_shape: D edges of a chunk, world units; the extent of the bounds by default.
        bin_shape: D edges of a bin, which must divide the chunk; the chunk by default. Points of a
            chunk are stored bin after bin, and pyramids grow from bins.
        bounds: (min corner, max corner), both ends inclusive; the extent of the data by default.
        vertex_attributes: name -> (N,) or (N, C) numbers, or (N,) strings (stored as categories).
        object_ids: (N,) integers >= 0, the object of every point.
        object_attributes: name -> (O,) or (O, C) numbers or (O,) strings: a row per object in
            ascending id, or one per id from 0 to the largest.
        groups: group id -> object ids; group ids count from 0.
        group_attributes: name -> (G,) or (G, C).
        dtype: Stored dtype of positions, ``float32`` or ``float64``.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        chunk_by_attribute: Name of a vertex attribute: chunks then hold one value of it each. It is
            not stored as an array. Points become objects of their own where no ids are given.
        out_of_bounds: ``raise``, ``ignore`` (leave those points out) or ``expand`` the bounds.
        format_version: ``0.7.0`` or ``0.9.2``.
        axis_names: D names; x, y, z, w by default.
        axis_units: D units such as ``micrometer``, or None where unknown.
        attribute_units: name -> unit of a vertex attribute.
        crs: Coordinate reference system, kept as it is.
        attributes: Deprecated name of ``vertex_attributes``.

    Returns:
        ``vertex_count``, ``chunk_count``, ``object_count``, ``group_count``, ``bins_per_chunk``.

    Raises:
        ArrayError: Arrays that do not fit together or cannot be stored.
        ChunkingError: Shapes that cannot cut these positions.
        MetadataError: Wrong bounds or axes, or points out of bounds.
        StoreError: The place is not empty or cannot be written to.
    """
    if attributes is not None:
        warnings.warn("attributes= is now vertex_attributes=", DeprecationWarning, stacklevel=2)
        vertex_attributes = {**attributes, **(vertex_attributes or {})}
    check_version(format_version, "format_version")
    points = checked_positions(positions, dtype)
    columns = vertex_columns(vertex_attributes, len(points), attribute_units)
    ids = None if object_ids is None else checked_ids(object_ids, len(points))
    box, kept = apply_bounds(checked_bounds(bounds, points), points, out_of_bounds)
    if kept is not None:
        points, ids = points[kept], None if ids is None else ids[kept]
        columns = {name: Column(c.spec, c.values[kept]) for name, c in columns.items()}
    ndim = points.shape[1]
    chunk = chosen_chunk_shape(chunk_shape, box, ndim)
    bins = chunk if bin_shape is None else check_chunk_shape(bin_shape, ndim)
    per_chunk = bins_per_chunk(chunk, bins)
    lead, lead_values, lead_column = lead_bins(columns, chunk_by_attribute)
    if ids is None and (object_attributes or groups or group_attributes or lead is not None):
        ids = np.arange(len(points), dtype=np.int64)
    if ids is None:
        route = route_bins(points, chunk, bins, lead)
        objects = None
    else:
        route = route_objects(points, chunk, ids, lead)
        objects = object_tables(manifests_of(route), object_attributes, groups, group_attributes)
    meta = RootMetadata(
        axes=default_axes(ndim, axis_names, axis_units),
        chunk_shape=chunk,
        bounds=box,
        geometry_types=("point_cloud",),
        zv_version=format_version,
        base_bin_shape=bins,
        crs=crs,
    )
    meta.validate()
    level = LevelMetadata(
        level=0,
        vertex_count=len(points),
        arrays_present=arrays_present(columns, objects),
        chunk_dims=None
        if chunk_by_attribute is None
        else (chunk_by_attribute, *(axis.name for axis in meta.axes)),
        chunk_attribute_name=chunk_by_attribute,
        chunk_attribute_values=lead_values,
        fragments_tile=True,
    )
    extra = {} if lead_column is None else {LEAD_KEY: {"dtype": lead_column.spec.dtype.name}}
    grid = grid_of(box, chunk, route.chunks, None if lead_values is None else len(lead_values))
    with creating(store_path, meta, backend=backend) as handle:
        table = write_rows(handle.layout, "0", route, points, list(columns.values()), grid)
        slots = 0 if objects is None else write_objects(handle.layout, "0", objects)
        finish(handle.with_level(LevelDocument(level, extra, table)), 0)
    return {
        "vertex_count": len(points),
        "chunk_count": len(route.chunks),
        "object_count": slots,
        "group_count": 0 if objects is None or objects.groups is None else len(objects.groups),
        "bins_per_chunk": per_chunk,
    }


def read_points(
    store_path: StoreLike,
    *,
    level: int = 0,
    bbox: BoundingBox | None = None,
    object_ids: Iterable[int] | None = None,
    group_ids: Iterable[int] | None = None,
    chunks: Iterable[ChunkCoords] | None = None,
    attribute_names: Iterable[str] | None = None,
    attribute_filter: Mapping[str, Any] | None = None,
    backend: str | None = None,
    decode_categories: bool = True,
) -> PointsResult:
    """Read points of a level; filters intersect.

    Args:
        store_path: The store: a path, URL, Zarr Store or obstore store.
        level: Resolution level, 0 the finest.
        bbox: (min corner, max corner), world units, both ends inclusive.
        object_ids: Only these objects, in this order; unknown ids are passed over.
        group_ids: Only objects of these groups; together with ``object_ids``, objects in both.
        chunks: Only these chunk coordinates; an empty list reads nothing.
        attribute_names: Attributes to read; none by default.
        attribute_filter: ``{name: value}`` of the attribute the level is chunked by.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        decode_categories: Categories as strings; False for their codes.

    Returns:
        ``positions``, ``vertex_attributes``, ``vertex_count``, ``level``, and ``object_ids`` where
        filtered by object or group. Points come chunk after chunk, or object after object.

    Raises:
        StoreError: No such store, level, group or attribute.
        ArrayError: A damaged chunk, or a filter that does not fit the level.
        MetadataError: Damaged metadata.
    """
    handle = open_handle(store_path, backend=backend)
    names = list(attribute_names or ())
    filtered = object_ids is not None or group_ids is not None
    document = handle.level(level)
    handle.layout.look_ahead(str(level), objects=filtered, fragments=filtered)
    arrays = describe_level(handle.layout, handle.meta, document, names)
    box = None if bbox is None else check_box(bbox, handle.meta.ndim)
    lead = None if attribute_filter is None else lead_of_value(arrays, attribute_filter)
    pieces = None
    if object_ids is not None or group_ids is not None:
        pieces = pieces_of_objects(handle.layout, arrays, object_ids, group_ids)
    plan = plan_read(
        arrays.table.coords, arrays.chunk_shape, box=box, chunks=chunks, lead=lead, pieces=pieces
    )
    reader = LevelReader(handle.layout, arrays)
    return reader.read(plan, names, text=decode_categories)

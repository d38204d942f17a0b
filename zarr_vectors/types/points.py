"""Point clouds: writing, and reading by box, object, group, chunk or attribute value."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import (
    DEFAULT_VERSION,
    GROUP_ATTRIBUTES,
    GROUPS,
    OBJECT_ATTRIBUTES,
    OBJECT_INDEX,
    VERTEX_ATTRIBUTES,
    VERTICES,
)
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import finish, new_handle, open_handle
from zarr_vectors.core.metadata import LevelMetadata, RootMetadata, default_axes
from zarr_vectors.core.root_meta import LevelDocument, check_version
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import LEAD_KEY, describe_level
from zarr_vectors.reading.objects import lead_of_value, pieces_of_objects
from zarr_vectors.reading.plan import check_box, plan_read
from zarr_vectors.reading.results import PointsResult
from zarr_vectors.spatial.chunking import bins_per_chunk, check_chunk_shape
from zarr_vectors.typing import AnyArray, BoundingBox, ChunkCoords, IntArray
from zarr_vectors.writing.columns import (
    apply_bounds,
    checked_bounds,
    checked_ids,
    checked_positions,
    numbers,
    plain,
    vertex_columns,
)
from zarr_vectors.writing.commit import Column, ObjectTables, grid_of, write_objects, write_rows
from zarr_vectors.writing.route import Route, manifests_of, route_bins, route_objects

MAX_GROUPS = 1_000_000
"""Group ids count from 0 and every one up to the largest is stored."""


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
        object_attributes: name -> (O,) or (O, C): one row per object in ascending id, or one row
            per id from 0 to the largest.
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
    chunk = _chunk_shape(chunk_shape, box, ndim)
    bins = chunk if bin_shape is None else check_chunk_shape(bin_shape, ndim)
    per_chunk = bins_per_chunk(chunk, bins)
    lead, lead_values, lead_column = _lead(columns, chunk_by_attribute)
    if ids is None and (object_attributes or groups or lead is not None):
        ids = np.arange(len(points), dtype=np.int64)
    if group_attributes and groups is None:
        raise ArrayError("group_attributes are given without groups")
    if ids is None:
        route = route_bins(points, chunk, bins, lead)
        objects = None
    else:
        route = route_objects(points, chunk, ids, lead)
        objects = _objects(route, object_attributes, groups, group_attributes)
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
    handle = new_handle(store_path, meta, backend=backend)
    grid = grid_of(box, chunk, route.chunks, None if lead_values is None else len(lead_values))
    table = write_rows(handle.layout, "0", route, points, list(columns.values()), grid)
    slots = 0 if objects is None else write_objects(handle.layout, "0", objects)
    level = LevelMetadata(
        level=0,
        vertex_count=len(points),
        arrays_present=_arrays_present(columns, objects),
        chunk_dims=None
        if chunk_by_attribute is None
        else (chunk_by_attribute, *(axis.name for axis in meta.axes)),
        chunk_attribute_name=chunk_by_attribute,
        chunk_attribute_values=lead_values,
        fragments_tile=True,
    )
    extra = {} if lead_column is None else {LEAD_KEY: {"dtype": lead_column.spec.dtype.name}}
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
    arrays = describe_level(handle.layout, handle.meta, handle.level(level))
    box = None if bbox is None else check_box(bbox, handle.meta.ndim)
    lead = None if attribute_filter is None else lead_of_value(arrays, attribute_filter)
    pieces = None
    if object_ids is not None or group_ids is not None:
        pieces = pieces_of_objects(handle.layout, arrays, object_ids, group_ids)
    plan = plan_read(
        arrays.table.coords, arrays.chunk_shape, box=box, chunks=chunks, lead=lead, pieces=pieces
    )
    reader = LevelReader(handle.layout, arrays)
    return reader.read(plan, list(attribute_names or ()), text=decode_categories)


def _chunk_shape(
    given: Sequence[float] | None, box: tuple[Sequence[float], Sequence[float]], ndim: int
) -> tuple[float, ...]:
    if given is not None:
        return check_chunk_shape(given, ndim)
    return tuple((b - a) or 1.0 for a, b in zip(*box, strict=True))


def _lead(
    columns: dict[str, Column], name: str | None
) -> tuple[IntArray | None, tuple[Any, ...] | None, Column | None]:
    """Attribute bins of an attribute-chunked store; takes the attribute out of ``columns``."""
    if name is None:
        return None, None, None
    if name not in columns:
        raise ArrayError(f"chunk_by_attribute is {name!r}, which is not among vertex_attributes")
    column = columns.pop(name)
    if column.spec.row_shape:
        raise ArrayError(f"attribute {name!r} has several columns: chunks need one value each")
    if column.spec.missing_code is not None:
        raise ArrayError(f"attribute {name!r} has missing values: chunks need a value each")
    values, bins = np.unique(column.values, return_inverse=True)
    if column.spec.categories is not None:
        known: tuple[Any, ...] = tuple(column.spec.categories[int(code)] for code in values)
        return bins.astype(np.int64), known, None
    if column.values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ArrayError(f"attribute {name!r} has values that are not finite: chunks need one each")
    return bins.astype(np.int64), tuple(plain(value) for value in values), column


def _objects(
    route: Route,
    attributes: Mapping[str, npt.ArrayLike] | None,
    groups: Mapping[int, Iterable[int]] | None,
    group_attributes: Mapping[str, npt.ArrayLike] | None,
) -> ObjectTables:
    manifests = manifests_of(route)
    ids = manifests.ids
    slots = int(ids[-1]) + 1 if len(ids) else 0
    lists = _groups(groups)
    return ObjectTables(
        manifests=manifests,
        attributes={
            name: _object_rows(name, values, ids, slots)
            for name, values in (attributes or {}).items()
        },
        groups=lists,
        group_attributes={
            name: _group_rows(name, values, len(lists or ()))
            for name, values in (group_attributes or {}).items()
        },
    )


def _object_rows(name: str, given: npt.ArrayLike, ids: IntArray, slots: int) -> AnyArray:
    """One row per object in ascending id."""
    values = numbers(given, f"object attribute {name!r}")
    if len(values) == len(ids):
        return values
    if len(values) == slots:
        return values[ids]
    raise ArrayError(
        f"object attribute {name!r} has {len(values)} rows; there are {len(ids)} objects, "
        f"the largest id is {slots - 1}"
    )


def _group_rows(name: str, given: npt.ArrayLike, count: int) -> AnyArray:
    values = numbers(given, f"group attribute {name!r}")
    if len(values) != count:
        raise ArrayError(f"group attribute {name!r} has {len(values)} rows for {count} groups")
    return values


def _groups(groups: Mapping[int, Iterable[int]] | None) -> list[IntArray] | None:
    if groups is None:
        return None
    known = sorted(groups)
    if known and (known[0] < 0 or known[-1] >= MAX_GROUPS):
        raise ArrayError(f"group ids must count from 0, not {known[0]} to {known[-1]}")
    lists = [np.zeros(0, np.int64) for _ in range(known[-1] + 1 if known else 0)]
    for number, members in groups.items():
        lists[number] = np.asarray(list(members), np.int64)
    return lists


def _arrays_present(columns: Mapping[str, Column], objects: ObjectTables | None) -> tuple[str, ...]:
    names = [VERTICES]
    if columns:
        names += [VERTEX_ATTRIBUTES, *(f"{VERTEX_ATTRIBUTES}/{name}" for name in columns)]
    if objects is not None:
        names.append(OBJECT_INDEX)
        names += [OBJECT_ATTRIBUTES] if objects.attributes else []
        names += [GROUPS] if objects.groups is not None else []
        names += [GROUP_ATTRIBUTES] if objects.group_attributes else []
    return tuple(names)

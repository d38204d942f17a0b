"""Lines of two ends each: written as an array of ends, read as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import DEFAULT_VERSION, OBJECT_INDEX
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.reading.linked import describe_linked
from zarr_vectors.reading.paths import (
    PathRows,
    check_paths,
    cropped,
    objects_of,
    placed,
    read_paths,
)
from zarr_vectors.reading.plan import check_box
from zarr_vectors.reading.results import Answer
from zarr_vectors.spatial.chunking import positions_in_box
from zarr_vectors.typing import AnyArray, BoundingBox, FloatArray, IntArray
from zarr_vectors.writing.columns import checked_positions, vertex_columns
from zarr_vectors.writing.commit import Column, LineColumn
from zarr_vectors.writing.given import corners_of
from zarr_vectors.writing.joined import path_lead
from zarr_vectors.writing.paths import Paths, PathStore, renamed, write_paths
from zarr_vectors.writing.runs import blocks_of


@dataclass(frozen=True, eq=False, slots=True)
class LinesResult(Answer):
    """Lines of a level.

    Attributes:
        endpoints: (M, 2, D) float as stored, world units.
        line_count: M.
        object_ids: (M,) int64 object of every line.
        vertex_attributes: name -> (M, 2) or (M, 2, C), a value per end; strings for categories.
        level: The level read.
    """

    endpoints: FloatArray
    line_count: int
    object_ids: IntArray
    vertex_attributes: dict[str, AnyArray]
    level: int = 0


def write_lines(
    store_path: StoreLike,
    endpoints: npt.ArrayLike,
    *,
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float] | None = None,
    bounds: tuple[Sequence[float], Sequence[float]] | None = None,
    vertex_attributes: Mapping[str, npt.ArrayLike] | None = None,
    object_attributes: Mapping[str, npt.ArrayLike] | None = None,
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
    line_attributes: Mapping[str, npt.ArrayLike] | None = None,
) -> dict[str, Any]:
    """Write lines as a new store with one level; line ``k`` is object ``k``.

    Args:
        store_path: Where: a path, URL, Zarr Store or obstore store; nothing may be there yet.
        endpoints: (N, 2, D) numbers, D from 2 to 4, world units.
        chunk_shape: D edges of a chunk, world units.
        bin_shape: D edges of a bin, which must divide the chunk; the chunk by default.
        bounds: (min corner, max corner), both ends inclusive; the extent of the data by default.
        vertex_attributes: name -> (N, 2) or (N, 2, C), a value per end; numbers, or (N, 2) strings.
        object_attributes: name -> (N,) or (N, C) numbers or (N,) strings, a row per line.
        dtype: Stored dtype of positions, ``float32`` or ``float64``.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        chunk_by_attribute: Name of an object attribute, or of a vertex attribute that is equal at
            both ends of every line: chunks then hold one value of it each.
        out_of_bounds: ``raise``, or ``expand`` the bounds.
        format_version: ``0.7.0`` or ``0.9.2``.
        axis_names: D names; x, y, z, w by default.
        axis_units: D units such as ``micrometer``, or None where unknown.
        attribute_units: name -> unit of a vertex attribute.
        crs: Coordinate reference system, kept as it is.
        attributes: Deprecated name of ``vertex_attributes``.
        line_attributes: Deprecated name of ``object_attributes``.

    Returns:
        ``line_count``, ``chunk_count``, ``cross_chunk_count``.

    Raises:
        ArrayError: Arrays that do not fit together or cannot be stored.
        ChunkingError: Shapes that cannot cut these positions.
        MetadataError: Wrong bounds or axes, or ends out of bounds.
        StoreError: The place is not empty or cannot be written to.
    """
    given = renamed("attributes", attributes, "vertex_attributes", vertex_attributes)
    of_lines = renamed("line_attributes", line_attributes, "object_attributes", object_attributes)
    ends = np.asarray(endpoints)
    if ends.ndim != 3 or ends.shape[1] != 2:
        raise ArrayError(f"endpoints must be (N, 2, D), not {ends.shape}")
    count = len(ends)
    points = checked_positions(ends.reshape(2 * count, ends.shape[2]), dtype)
    flat = {name: _per_end(name, values, count) for name, values in (given or {}).items()}
    columns: dict[str, Column | LineColumn] = {**vertex_columns(flat, 2 * count, attribute_units)}
    starts = np.arange(count + 1, dtype=np.int64) * 2
    lead = path_lead(columns, of_lines, chunk_by_attribute, starts)
    bins = lead[0]
    if bins is not None and (bins[::2] != bins[1::2]).any():
        line = int(np.flatnonzero(bins[::2] != bins[1::2])[0])
        raise ArrayError(
            f"attribute {chunk_by_attribute!r} differs between the ends of line {line}: chunks "
            "need one value per line"
        )
    found = write_paths(
        store_path,
        Paths(points, corners_of(blocks_of(points)), starts, columns, lead, of_lines),
        PathStore(
            geometry_type="line",
            format_version=format_version,
            chunk_shape=chunk_shape,
            bin_shape=bin_shape,
            bounds=bounds,
            out_of_bounds=out_of_bounds,
            chunk_by_attribute=chunk_by_attribute,
            cut_by_bin=False,
            backend=backend,
            axis_names=axis_names,
            axis_units=axis_units,
            crs=crs,
        ),
    )
    return {
        "line_count": count,
        "chunk_count": found.chunks,
        "cross_chunk_count": found.links,
    }


def read_lines(
    store_path: StoreLike,
    *,
    level: int = 0,
    object_ids: Iterable[int] | None = None,
    bbox: BoundingBox | None = None,
    attribute_filter: Mapping[str, Any] | None = None,
    backend: str | None = None,
    attribute_names: Iterable[str] | None = None,
    decode_categories: bool = True,
) -> LinesResult:
    """Read lines of a level; filters intersect.

    Args:
        store_path: The store: a path, URL, Zarr Store or obstore store.
        level: Resolution level, 0 the finest.
        object_ids: Only these lines, in this order; unknown ids are passed over.
        bbox: (min corner, max corner), world units, both ends inclusive: only lines with an end
            inside.
        attribute_filter: ``{name: value}`` of the attribute the level is chunked by.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        attribute_names: Vertex attributes to read; none by default.
        decode_categories: Categories as strings; False for their codes.

    Returns:
        ``endpoints``, ``line_count``, ``object_ids``, ``vertex_attributes``, ``level``.

    Raises:
        StoreError: No such store, level or attribute.
        ArrayError: A damaged chunk or manifest, or a filter that does not fit the level.
        ConventionError: The store does not hold lines.
        MetadataError: Damaged metadata.
    """
    handle = open_handle(store_path, backend=backend)
    check_paths(handle.meta, handle.backend.url)
    names = list(attribute_names or ())
    arrays = describe_linked(handle, level, names)
    table = objects_of(handle.layout, arrays, object_ids)
    used = np.diff(table.starts) > 0  # ids between those appended may stand for no line
    table = cropped(
        table if used.all() else table.take(np.flatnonzero(used)),
        arrays,
        attribute_filter=attribute_filter,
        box=bbox,
    )
    reader = LevelReader(handle.layout, arrays)
    paths = placed(reader, table, names)
    del table  # much larger
    found = read_paths(reader, paths, text=decode_categories)
    rows = _both_ends(found, arrays)
    if bbox is not None:
        inside = positions_in_box(found.positions, check_box(bbox, arrays.ndim))[rows].any(axis=1)
        rows, ids = rows[inside], found.ids[inside]
    else:
        ids = found.ids
    return LinesResult(
        endpoints=found.positions[rows],
        line_count=len(rows),
        object_ids=ids,
        vertex_attributes={name: values[rows] for name, values in found.attributes.items()},
        level=level,
    )


def _both_ends(found: PathRows, arrays: LevelArrays) -> IntArray:
    """(M, 2) int64 rows of the ends; at coarse levels both may be one vertex."""
    counts = np.diff(found.offsets)
    least = 2 if arrays.meta.parent_level is None else 1
    wrong = np.flatnonzero((counts < least) | (counts > 2))
    if len(wrong):
        line = int(wrong[0])
        path = f"{arrays.path}/{OBJECT_INDEX}"
        raise ArrayError(
            f"{path} in {arrays.url} is damaged: line {found.ids[line]} has {counts[line]} ends",
            array=path,
        )
    return np.stack([found.offsets[:-1], found.offsets[1:] - 1], axis=1)


def _per_end(name: str, given: npt.ArrayLike, count: int) -> AnyArray:
    values = np.asarray(given)
    if values.ndim not in (2, 3) or values.shape[:2] != (count, 2):
        raise ArrayError(
            f"attribute {name!r} has the shape {values.shape}; {count} lines take ({count}, 2) or "
            f"({count}, 2, C), a value per end"
        )
    return values.reshape(2 * count, *values.shape[2:])

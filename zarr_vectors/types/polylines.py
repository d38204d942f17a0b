"""Polylines and streamlines: written as whole lines, read whole or cut to chunks."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from zarr_vectors.constants import DEFAULT_VERSION
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.metadata.conventions import one_of
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.linked import describe_linked
from zarr_vectors.reading.paths import (
    PathRows,
    check_paths,
    cropped,
    objects_of,
    placed,
    read_paths,
)
from zarr_vectors.reading.results import Answer
from zarr_vectors.typing import AnyArray, BoundingBox, ChunkCoords, FloatArray, IntArray
from zarr_vectors.writing.joined import line_columns, line_rows, path_lead
from zarr_vectors.writing.paths import Paths, PathStore, renamed, write_paths

GEOMETRY_TYPES = ("polyline", "streamline")


@dataclass(frozen=True, eq=False, slots=True)
class PolylinesResult(Answer):
    """Polylines as rows that lie one after the other, and as lists made when asked for.

    Attributes:
        positions: (N, D) float as stored, world units.
        offsets: (P + 1,) int64: polyline ``k`` is ``positions[offsets[k] : offsets[k + 1]]``.
        object_ids: (P,) int64 object of every polyline.
        vertex_attributes: name -> (N,) or (N, C), rows as in ``positions``; strings for categories.
        polyline_count: P.
        vertex_count: N.
        segments: (S + 1,) int64, first row of every stored fragment, and the end.
        segment_offsets: (P + 1,) int64, first segment of every polyline, and the end.
        level: The level read.
    """

    positions: FloatArray
    offsets: IntArray
    object_ids: IntArray
    vertex_attributes: dict[str, AnyArray]
    polyline_count: int
    vertex_count: int
    segments: IntArray
    segment_offsets: IntArray
    level: int = 0
    _made: list[list[list[FloatArray]]] = field(default_factory=list, repr=False)

    @property
    def polylines(self) -> list[list[FloatArray]]:
        """Every polyline as a list of (n, D) segments, views of ``positions``."""
        if not self._made:
            cuts = self.segments.tolist()
            rows = self.positions
            parts = [rows[a:b] for a, b in itertools.pairwise(cuts)]
            ends = self.segment_offsets.tolist()
            made = [parts[a:b] for a, b in itertools.pairwise(ends)]
            self._made.append(made)
        return self._made[0]

    @property
    def lines(self) -> list[FloatArray]:
        """Every polyline as one (n, D) array, a view of ``positions``."""
        return self._split(self.positions)

    def per_polyline(self, name: str) -> list[AnyArray]:
        """Values of a vertex attribute, an array per polyline.

        Raises:
            KeyError: The attribute was not asked for.
        """
        return self._split(self.vertex_attributes[name])

    def _split(self, rows: npt.NDArray[Any]) -> list[Any]:
        cuts = self.offsets.tolist()
        return [rows[a:b] for a, b in itertools.pairwise(cuts)]

    def _names(self) -> list[str]:
        names = super(PolylinesResult, self)._names()
        return ["polylines", *(name for name in names if name != "_made")]


def write_polylines(
    store_path: StoreLike,
    polylines: Sequence[npt.ArrayLike],
    *,
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float] | None = None,
    bounds: tuple[Sequence[float], Sequence[float]] | None = None,
    vertex_attributes: Mapping[str, Sequence[npt.ArrayLike]] | None = None,
    object_attributes: Mapping[str, npt.ArrayLike] | None = None,
    groups: Mapping[int, Iterable[int]] | None = None,
    group_attributes: Mapping[str, npt.ArrayLike] | None = None,
    dtype: npt.DTypeLike = "float32",
    geometry_type: str = "streamline",
    backend: str | None = None,
    chunk_by_attribute: str | None = None,
    out_of_bounds: str = "raise",
    format_version: str = DEFAULT_VERSION,
    axis_names: Sequence[str] | None = None,
    axis_units: Sequence[str | None] | None = None,
    attribute_units: Mapping[str, str] | None = None,
    crs: Mapping[str, Any] | None = None,
    attributes: Mapping[str, Sequence[npt.ArrayLike]] | None = None,
) -> dict[str, Any]:
    """Write polylines as a new store with one level; polyline ``k`` is object ``k``.

    Args:
        store_path: Where: a path, URL, Zarr Store or obstore store; nothing may be there yet.
        polylines: (N_k, D) numbers each, D from 2 to 4, world units; some may have no vertices.
        chunk_shape: D edges of a chunk, world units.
        bin_shape: D edges of a bin, which must divide the chunk; the chunk by default. Pyramids
            grow from bins.
        bounds: (min corner, max corner), both ends inclusive; the extent of the data by default.
        vertex_attributes: name -> a list with a (N_k,) or (N_k, C) array of numbers per polyline,
            or (N_k,) strings (stored as categories).
        object_attributes: name -> (K,) or (K, C) numbers or (K,) strings, a row per polyline.
        groups: group id -> numbers of polylines; group ids count from 0.
        group_attributes: name -> (G,) or (G, C).
        dtype: Stored dtype of positions, ``float32`` or ``float64``.
        geometry_type: ``streamline`` or ``polyline``.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        chunk_by_attribute: Name of a vertex attribute or an object attribute: chunks then hold one
            value of it each. A vertex attribute is then not stored as an array.
        out_of_bounds: ``raise``, or ``expand`` the bounds.
        format_version: ``0.7.0`` or ``0.9.2``.
        axis_names: D names; x, y, z, w by default.
        axis_units: D units such as ``micrometer``, or None where unknown.
        attribute_units: name -> unit of a vertex attribute.
        crs: Coordinate reference system, kept as it is.
        attributes: Deprecated name of ``vertex_attributes``.

    Returns:
        ``polyline_count``, ``vertex_count``, ``chunk_count``, ``cross_chunk_link_count``,
        ``group_count``.

    Raises:
        ArrayError: Arrays that do not fit together or cannot be stored, or no polylines.
        ChunkingError: Shapes that cannot cut these positions.
        MetadataError: Wrong bounds, axes or geometry type, or vertices out of bounds.
        StoreError: The place is not empty or cannot be written to.
    """
    one_of(geometry_type, GEOMETRY_TYPES, "geometry_type")
    given = renamed("attributes", attributes, "vertex_attributes", vertex_attributes)
    rows, corners = line_rows(polylines, dtype)
    starts = rows.starts
    columns = line_columns(given, starts, attribute_units)
    lead = path_lead(columns, object_attributes, chunk_by_attribute, starts)
    found = write_paths(
        store_path,
        Paths(rows, corners, starts, columns, lead, object_attributes, groups, group_attributes),
        PathStore(
            geometry_type=geometry_type,
            format_version=format_version,
            chunk_shape=chunk_shape,
            bin_shape=bin_shape,
            bounds=bounds,
            out_of_bounds=out_of_bounds,
            chunk_by_attribute=chunk_by_attribute,
            backend=backend,
            axis_names=axis_names,
            axis_units=axis_units,
            crs=crs,
        ),
    )
    return {
        "polyline_count": len(starts) - 1,
        "vertex_count": len(rows),
        "chunk_count": found.chunks,
        "cross_chunk_link_count": found.links,
        "group_count": len(groups or ()),
    }


def read_polylines(
    store_path: StoreLike,
    *,
    level: int = 0,
    object_ids: Iterable[int] | None = None,
    group_ids: Iterable[int] | None = None,
    bbox: BoundingBox | None = None,
    chunks: Iterable[ChunkCoords] | None = None,
    attribute_filter: Mapping[str, Any] | None = None,
    backend: str | None = None,
    attribute_names: Iterable[str] | None = None,
    decode_categories: bool = True,
) -> PolylinesResult:
    """Read polylines of a level; filters intersect.

    Args:
        store_path: The store: a path, URL, Zarr Store or obstore store.
        level: Resolution level, 0 the finest.
        object_ids: Only these objects, in this order; unknown ids are passed over.
        group_ids: Only objects of these groups; together with ``object_ids``, objects in both.
        bbox: (min corner, max corner), world units: only polylines with a piece in a chunk that
            the box touches, whole.
        chunks: Only what lies in these chunks, an empty list nothing; every run of a polyline that
            is left is a polyline of its own, with the same object id.
        attribute_filter: ``{name: value}`` of the attribute the level is chunked by: only vertices
            with that value; those of one object stay one polyline, its segments.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        attribute_names: Vertex attributes to read; none by default.
        decode_categories: Categories as strings; False for their codes.

    Returns:
        ``polylines`` (a list of segments each), ``polyline_count``, ``vertex_count``, and the same
        as rows: ``positions``, ``offsets``, ``vertex_attributes``, ``object_ids``. Polylines come
        ascending by object, or in the order of ``object_ids``. Where a polyline leaves a chunk (in
        some stores, a bin) a segment ends. At a finest level polylines without vertices are there.

    Raises:
        StoreError: No such store, level, group or attribute.
        ArrayError: A damaged chunk or manifest, or a filter that does not fit the level.
        ConventionError: The store does not hold paths.
        MetadataError: Damaged metadata.
    """
    handle = open_handle(store_path, backend=backend)
    check_paths(handle.meta, handle.backend.url)
    names = list(attribute_names or ())
    arrays = describe_linked(handle, level, names)
    table = objects_of(handle.layout, arrays, object_ids, group_ids)
    table = cropped(table, arrays, chunks=chunks, attribute_filter=attribute_filter, box=bbox)
    reader = LevelReader(handle.layout, arrays)
    paths = placed(reader, table, names)
    del table  # much larger
    return polylines_of(read_paths(reader, paths, text=decode_categories), level)


def polylines_of(found: PathRows, level: int) -> PolylinesResult:
    """What was read of paths as a result."""
    return PolylinesResult(
        positions=found.positions,
        offsets=found.offsets,
        object_ids=found.ids,
        vertex_attributes=found.attributes,
        polyline_count=len(found.ids),
        vertex_count=len(found.positions),
        segments=found.segments,
        segment_offsets=found.segment_offsets,
        level=level,
    )

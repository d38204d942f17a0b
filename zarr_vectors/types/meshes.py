"""Meshes: vertices and faces of three or more corners, raw or as Draco bitstreams."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import DEFAULT_VERSION
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import open_handle
from zarr_vectors.encoding import draco
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.linked import describe_linked, plan_of, read_faces
from zarr_vectors.reading.results import MeshResult
from zarr_vectors.typing import AnyArray, BoundingBox, ChunkCoords, IntArray
from zarr_vectors.writing.columns import checked_ids
from zarr_vectors.writing.edges import (
    checked_links,
    crossing_links,
    link_columns,
    link_parts,
    stored_rows,
)
from zarr_vectors.writing.linked import Frame, frame_of, write_linked
from zarr_vectors.writing.objects import object_tables
from zarr_vectors.writing.route import Route, manifests_of, route_objects

ENCODINGS = ("raw", "draco")


def write_mesh(
    store_path: StoreLike,
    vertices: npt.ArrayLike,
    faces: npt.ArrayLike,
    *,
    chunk_shape: Sequence[float] | None = None,
    bin_shape: Sequence[float] | None = None,
    bounds: tuple[Sequence[float], Sequence[float]] | None = None,
    encoding: str = "raw",
    vertex_attributes: Mapping[str, npt.ArrayLike] | None = None,
    face_attributes: Mapping[str, npt.ArrayLike] | None = None,
    object_attributes: Mapping[str, npt.ArrayLike] | None = None,
    object_ids: npt.ArrayLike | None = None,
    groups: Mapping[int, Iterable[int]] | None = None,
    group_attributes: Mapping[str, npt.ArrayLike] | None = None,
    dtype: npt.DTypeLike = "float32",
    draco_quantization_bits: int = 11,
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
    """Write a mesh as a new store with one level; faces keep their winding and first corner.

    Args:
        store_path: Where: a path, URL, Zarr Store or obstore store; nothing may be there yet.
        vertices: (N, D) numbers, D from 2 to 4, world units.
        faces: (F, L) integers, L of 3 or more, rows of ``vertices``.
        chunk_shape: D edges of a chunk, world units; the extent of the bounds by default.
        bin_shape: D edges of a bin, which must divide the chunk; pyramids grow from bins.
        bounds: (min corner, max corner), both ends inclusive; the extent of the data by default.
        encoding: ``raw``, or ``draco`` (extra ``draco``): 3-D float32 vertices are quantised and
            triangles inside a chunk stored with them.
        vertex_attributes: name -> (N,) or (N, C) numbers, or (N,) strings (stored as categories).
        face_attributes: name -> (F,) or (F, C) numbers; not with ``draco``.
        object_attributes: name -> (O,) or (O, C) numbers or (O,) strings: a row per object in
            ascending id, or one per id from 0 to the largest.
        object_ids: (N,) integers >= 0, the object of every vertex; all in object 0 by default.
        groups: group id -> object ids; group ids count from 0.
        group_attributes: name -> (G,) or (G, C).
        dtype: Stored dtype of positions, ``float32`` or ``float64``.
        draco_quantization_bits: Bits of a coordinate over the extent of a chunk's vertices.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        chunk_by_attribute: Name of a vertex attribute: chunks then hold one value of it each.
        out_of_bounds: ``raise`` or ``expand`` the bounds.
        format_version: ``0.7.0`` or ``0.9.2``.
        axis_names: D names; x, y, z, w by default.
        axis_units: D units such as ``micrometer``, or None where unknown.
        attribute_units: name -> unit of a vertex attribute.
        crs: Coordinate reference system, kept as it is.
        attributes: Deprecated name of ``vertex_attributes``.

    Returns:
        ``vertex_count``, ``face_count``, ``chunk_count``, ``intra_face_count`` (all corners in one
        chunk), ``cross_face_count``, ``object_count``, ``encoding``.

    Raises:
        ArrayError: Arrays that do not fit together, or cannot be stored this way.
        DracoError: DracoPy is missing, or does not keep what it is given.
        ChunkingError: Shapes that cannot cut these positions.
        MetadataError: Wrong bounds or axes, or vertices out of bounds.
        StoreError: The place is not empty or cannot be written to.
    """
    if attributes is not None:
        warnings.warn("attributes= is now vertex_attributes=", DeprecationWarning, stacklevel=2)
        vertex_attributes = {**attributes, **(vertex_attributes or {})}
    frame = frame_of(
        vertices,
        geometry="mesh",
        links_convention="explicit",
        chunk_shape=chunk_shape,
        bin_shape=bin_shape,
        bounds=bounds,
        vertex_attributes=vertex_attributes,
        attribute_units=attribute_units,
        dtype=dtype,
        chunk_by_attribute=chunk_by_attribute,
        out_of_bounds=out_of_bounds,
        format_version=format_version,
        axis_names=axis_names,
        axis_units=axis_units,
        crs=crs,
    )
    count = len(frame.positions)
    links = checked_links(faces, count, "faces", least=3)
    columns = link_columns(face_attributes, len(links), "face")
    _check_encoding(encoding, frame, links, columns)
    ids = np.zeros(count, np.int64) if object_ids is None else checked_ids(object_ids, count)
    route = route_objects(frame.positions, frame.meta.chunk_shape, ids, frame.lead)
    rows = stored_rows(route)
    crossing = crossing_links(route, rows, links)
    blobs, count_of_links, apart = None, len(links), int(np.count_nonzero(crossing))
    if encoding == "draco":
        blobs = _bitstreams(frame, route, rows[links[~crossing]], draco_quantization_bits)
        links, crossing = links[crossing], crossing[crossing]
    objects = object_tables(manifests_of(route), object_attributes, groups, group_attributes)
    slots = write_linked(
        store_path,
        frame,
        route,
        lambda layout: link_parts(route, rows, links, crossing, columns),
        objects,
        link_attributes=columns,
        backend=backend,
        vertex_blobs=blobs,
        encoding=encoding,
    )
    return {
        "vertex_count": count,
        "face_count": count_of_links,
        "chunk_count": len(route.chunks),
        "intra_face_count": count_of_links - apart,
        "cross_face_count": apart,
        "object_count": slots,
        "encoding": encoding,
    }


def read_mesh(
    store_path: StoreLike,
    *,
    level: int = 0,
    bbox: BoundingBox | None = None,
    object_ids: Iterable[int] | None = None,
    group_ids: Iterable[int] | None = None,
    chunks: Iterable[ChunkCoords] | None = None,
    attribute_names: Iterable[str] | None = None,
    face_attribute_names: Iterable[str] | None = None,
    attribute_filter: Mapping[str, Any] | None = None,
    backend: str | None = None,
    decode_categories: bool = True,
) -> MeshResult:
    """Read vertices of a level and the faces between them; filters intersect.

    Faces with a corner that is not returned are left out.

    Args:
        store_path: The store: a path, URL, Zarr Store or obstore store.
        level: Resolution level, 0 the finest.
        bbox: (min corner, max corner), world units, both ends inclusive.
        object_ids: Only these objects, in this order; unknown ids are passed over.
        group_ids: Only objects of these groups; together with ``object_ids``, objects in both.
        chunks: Only these chunk coordinates; an empty list reads nothing.
        attribute_names: Vertex attributes to read; none by default.
        face_attribute_names: Face attributes to read; none by default.
        attribute_filter: ``{name: value}`` of the attribute the level is chunked by.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        decode_categories: Categories as strings; False for their codes.

    Returns:
        ``vertices``, ``faces`` (rows of ``vertices``), ``vertex_count``, ``face_count``,
        ``vertex_attributes``, ``face_attributes``, ``level``, and ``object_ids`` where filtered by
        object or group. Vertices come chunk after chunk, or object after object.

    Warns:
        ZVWarning: Something another release wrote cannot be told from the bytes.

    Raises:
        StoreError: No such store, level, group or attribute.
        ConventionError: The store holds no faces.
        ArrayError: A damaged chunk, or a filter that does not fit the level.
        DracoError: DracoPy is missing, or a chunk does not decode.
        MetadataError: Damaged metadata.
    """
    handle = open_handle(store_path, backend=backend)
    names, link_names = list(attribute_names or ()), list(face_attribute_names or ())
    filtered = object_ids is not None or group_ids is not None
    arrays = describe_linked(handle, level, names, link_names, objects=filtered)
    plan = plan_of(
        handle,
        arrays,
        bbox=bbox,
        object_ids=object_ids,
        group_ids=group_ids,
        chunks=chunks,
        attribute_filter=attribute_filter,
    )
    found = read_faces(
        handle,
        LevelReader(handle.layout, arrays),
        plan,
        names,
        link_names,
        text=decode_categories,
    )
    return MeshResult(
        vertices=found.points.positions,
        faces=found.links,
        vertex_count=found.points.vertex_count,
        face_count=len(found.links),
        vertex_attributes=found.points.vertex_attributes,
        face_attributes=found.attributes,
        object_ids=found.points.object_ids,
        level=level,
    )


def _check_encoding(
    encoding: str, frame: Frame, faces: IntArray, columns: Mapping[str, AnyArray]
) -> None:
    if encoding not in ENCODINGS:
        raise ArrayError(f"encoding is {encoding!r}; it must be raw or draco")
    if encoding == "raw":
        return
    draco.codec()
    positions = frame.positions
    if positions.shape[1] != 3 or positions.dtype != np.float32 or faces.shape[1] != 3:
        raise ArrayError(
            f"Draco stores triangles between 3-D float32 vertices, not faces of {faces.shape[1]} "
            f"corners between {positions.shape[1]}-D {positions.dtype.name} ones"
        )
    if columns:
        raise ArrayError("faces inside a Draco bitstream have no attributes: take encoding='raw'")


def _bitstreams(frame: Frame, route: Route, faces: IntArray, bits: int) -> dict[ChunkCoords, bytes]:
    """Every chunk's vertices and the faces inside it; faces by stored row."""
    owner = np.searchsorted(route.chunk_rows, faces[:, 0], side="right") - 1
    order = np.argsort(owner, kind="stable")
    edges = np.searchsorted(owner[order], np.arange(len(route.chunks) + 1))
    blobs = {}
    for i, key in enumerate(map(tuple, route.chunks.tolist())):
        first, last = int(route.chunk_rows[i]), int(route.chunk_rows[i + 1])
        inside = faces[order[edges[i] : edges[i + 1]]] - first
        blobs[key] = draco.encode(frame.positions[route.order[first:last]], inside, bits)
    return blobs

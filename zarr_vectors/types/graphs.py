"""Graphs and skeletons: vertices and edges, written with their attributes and read back in part."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import DEFAULT_VERSION
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import open_handle
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.linked import describe_linked, plan_of, read_edges
from zarr_vectors.reading.results import GraphResult
from zarr_vectors.typing import AnyArray, BoundingBox, ChunkCoords, IntArray
from zarr_vectors.writing.columns import checked_ids
from zarr_vectors.writing.commit import Column
from zarr_vectors.writing.edges import (
    checked_links,
    crossing_links,
    link_columns,
    link_parts,
    stored_rows,
    tree_records,
)
from zarr_vectors.writing.forest import depth_first, parents_of
from zarr_vectors.writing.linked import Frame, LinksFor, frame_of, write_linked
from zarr_vectors.writing.objects import object_tables
from zarr_vectors.writing.order import row_dtype
from zarr_vectors.writing.route import Route, manifests_of, route_objects

CONVENTIONS = {"graph": "explicit", "skeleton": "implicit_sequential_with_branches"}
"""How the edges of each kind are stored."""


def write_graph(
    store_path: StoreLike,
    positions: npt.ArrayLike,
    edges: npt.ArrayLike,
    *,
    chunk_shape: Sequence[float] | None = None,
    bin_shape: Sequence[float] | None = None,
    bounds: tuple[Sequence[float], Sequence[float]] | None = None,
    kind: str = "graph",
    vertex_attributes: Mapping[str, npt.ArrayLike] | None = None,
    link_attributes: Mapping[str, npt.ArrayLike] | None = None,
    object_attributes: Mapping[str, npt.ArrayLike] | None = None,
    object_ids: npt.ArrayLike | None = None,
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
    is_tree: bool | None = None,
    node_attributes: Mapping[str, npt.ArrayLike] | None = None,
    edge_attributes: Mapping[str, npt.ArrayLike] | None = None,
) -> dict[str, Any]:
    """Write a graph or a skeleton as a new store with one level.

    A graph keeps every edge as given. A skeleton is one tree or many: its vertices are put into
    depth-first order, so that most edges need not be stored; their first order is not kept, all
    attributes follow.

    Args:
        store_path: Where: a path, URL, Zarr Store or obstore store; nothing may be there yet.
        positions: (N, D) numbers, D from 2 to 4, world units.
        edges: (M, 2) integers, rows of ``positions``; of a skeleton (child, parent).
        chunk_shape: D edges of a chunk, world units; the extent of the bounds by default.
        bin_shape: D edges of a bin, which must divide the chunk; pyramids grow from bins.
        bounds: (min corner, max corner), both ends inclusive; the extent of the data by default.
        kind: ``graph`` or ``skeleton``.
        vertex_attributes: name -> (N,) or (N, C) numbers, or (N,) strings (stored as categories).
        link_attributes: name -> (M,) or (M, C) numbers. A skeleton that has some stores all edges.
        object_attributes: name -> (O,) or (O, C) numbers or (O,) strings: a row per object in
            ascending id, or one per id from 0 to the largest.
        object_ids: (N,) integers >= 0, the object of every vertex; all in object 0 by default.
        groups: group id -> object ids; group ids count from 0.
        group_attributes: name -> (G,) or (G, C).
        dtype: Stored dtype of positions, ``float32`` or ``float64``.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        chunk_by_attribute: Name of a vertex attribute: chunks then hold one value of it each.
        out_of_bounds: ``raise`` or ``expand`` the bounds.
        format_version: ``0.7.0`` or ``0.9.2``.
        axis_names: D names; x, y, z, w by default.
        axis_units: D units such as ``micrometer``, or None where unknown.
        attribute_units: name -> unit of a vertex attribute.
        crs: Coordinate reference system, kept as it is.
        is_tree: Deprecated: True for ``kind="skeleton"``.
        node_attributes: Deprecated name of ``vertex_attributes``.
        edge_attributes: Deprecated name of ``link_attributes``.

    Returns:
        ``node_count``, ``edge_count``, ``chunk_count``, ``intra_edge_count`` (both ends in one
        chunk), ``cross_edge_count``, ``object_count``, ``kind``.

    Raises:
        ValueError: ``kind`` is neither.
        ArrayError: Arrays that do not fit together or cannot be stored; edges of a skeleton that
            form a circle or give a vertex several parents.
        ChunkingError: Shapes that cannot cut these positions.
        MetadataError: Wrong bounds or axes, or vertices out of bounds.
        StoreError: The place is not empty or cannot be written to.
    """
    vertex_attributes = _renamed("node_attributes", node_attributes, vertex_attributes)
    link_attributes = _renamed("edge_attributes", edge_attributes, link_attributes)
    if is_tree is not None:
        warnings.warn("is_tree= is now kind=", DeprecationWarning, stacklevel=2)
        kind = "skeleton" if is_tree else kind
    if kind not in CONVENTIONS:
        raise ValueError(f"kind is {kind!r}; it must be graph or skeleton")
    frame = frame_of(
        positions,
        geometry=kind,
        links_convention=CONVENTIONS[kind],
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
    links = checked_links(edges, count, "edges", least=2, most=2)
    columns = link_columns(link_attributes, len(links), "edge")
    ids = np.zeros(count, np.int64) if object_ids is None else checked_ids(object_ids, count)
    chunk = frame.meta.chunk_shape
    if kind == "graph":
        route = route_objects(frame.positions, chunk, ids, frame.lead)
        rows = stored_rows(route)
        crossing = crossing_links(route, rows, links)
        links_for = _as_given(route, rows, links, crossing, columns)
    else:
        order, trees = depth_first(parents_of(links, count, row_dtype(count)))
        trees = trees[order]
        frame, ids = _reordered(frame, order), ids[order]
        route = route_objects(frame.positions, chunk, ids, frame.lead, trees)
        del ids, trees
        rows = np.empty(count, row_dtype(count))
        rows[order] = stored_rows(route)
        del order
        crossing = crossing_links(route, rows, links)
        links_for = _as_tree(route, rows[links], columns)
    objects = object_tables(manifests_of(route), object_attributes, groups, group_attributes)
    slots = write_linked(
        store_path, frame, route, links_for, objects, link_attributes=columns, backend=backend
    )
    apart = int(np.count_nonzero(crossing))
    return {
        "node_count": count,
        "edge_count": len(links),
        "chunk_count": len(route.chunks),
        "intra_edge_count": len(links) - apart,
        "cross_edge_count": apart,
        "object_count": slots,
        "kind": kind,
    }


def read_graph(
    store_path: StoreLike,
    *,
    level: int = 0,
    object_ids: Iterable[int] | None = None,
    group_ids: Iterable[int] | None = None,
    bbox: BoundingBox | None = None,
    chunks: Iterable[ChunkCoords] | None = None,
    attribute_names: Iterable[str] | None = None,
    link_attribute_names: Iterable[str] | None = None,
    attribute_filter: Mapping[str, Any] | None = None,
    backend: str | None = None,
    decode_categories: bool = True,
) -> GraphResult:
    """Read vertices of a level and the edges between them; filters intersect.

    Edges with an end that is not returned are left out. Stores of lines and polylines are read
    too: their edges join consecutive vertices, earlier first.

    Args:
        store_path: The store: a path, URL, Zarr Store or obstore store.
        level: Resolution level, 0 the finest.
        object_ids: Only these objects, in this order; unknown ids are passed over.
        group_ids: Only objects of these groups; together with ``object_ids``, objects in both.
        bbox: (min corner, max corner), world units, both ends inclusive.
        chunks: Only these chunk coordinates; an empty list reads nothing.
        attribute_names: Vertex attributes to read; none by default.
        link_attribute_names: Edge attributes to read; none by default.
        attribute_filter: ``{name: value}`` of the attribute the level is chunked by.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        decode_categories: Categories as strings; False for their codes.

    Returns:
        ``positions``, ``edges`` (rows of ``positions``; of a skeleton (child, parent)),
        ``node_count``, ``edge_count``, ``vertex_attributes``, ``link_attributes``, ``level``, and
        ``object_ids`` where filtered by object or group. Vertices come chunk after chunk, or
        object after object.

    Warns:
        ZVWarning: Something another release wrote cannot be told from the bytes.

    Raises:
        StoreError: No such store, level, group or attribute.
        ConventionError: The store holds no edges.
        ArrayError: A damaged chunk, or a filter that does not fit the level.
        MetadataError: Damaged metadata.
    """
    handle = open_handle(store_path, backend=backend)
    names, link_names = list(attribute_names or ()), list(link_attribute_names or ())
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
    found = read_edges(
        handle,
        LevelReader(handle.layout, arrays),
        plan,
        names,
        link_names,
        text=decode_categories,
    )
    return GraphResult(
        positions=found.points.positions,
        edges=found.links,
        node_count=found.points.vertex_count,
        edge_count=len(found.links),
        vertex_attributes=found.points.vertex_attributes,
        link_attributes=found.attributes,
        object_ids=found.points.object_ids,
        level=level,
    )


def _renamed(
    old: str, given: Mapping[str, npt.ArrayLike] | None, now: Mapping[str, npt.ArrayLike] | None
) -> Mapping[str, npt.ArrayLike] | None:
    if given is None:
        return now
    names = {"node_attributes": "vertex_attributes", "edge_attributes": "link_attributes"}
    warnings.warn(f"{old}= is now {names[old]}=", DeprecationWarning, stacklevel=3)
    return {**given, **(now or {})}


def _reordered(frame: Frame, order: IntArray) -> Frame:
    return replace(
        frame,
        positions=frame.positions[order],
        columns={name: Column(c.spec, c.values[order]) for name, c in frame.columns.items()},
        lead=None if frame.lead is None else frame.lead[order],
    )


def _as_given(
    route: Route,
    rows: IntArray,
    links: IntArray,
    crossing: npt.NDArray[np.bool_],
    columns: Mapping[str, AnyArray],
) -> LinksFor:
    return lambda layout: link_parts(route, rows, links, crossing, columns)


def _as_tree(route: Route, edges: IntArray, columns: Mapping[str, AnyArray]) -> LinksFor:
    return lambda layout: tree_records(
        route, edges, columns, mark_roots=layout.parents_cross_fragments
    )

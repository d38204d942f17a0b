"""Vertices with links between them as a new store of one level: what graphs and meshes share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy.typing as npt

from zarr_vectors.constants import CHUNK_ATTRIBUTE_KEY, LINK_ATTRIBUTES, LINKS, LINKS_KEY
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import creating, finish
from zarr_vectors.core.layouts.base import KeepsLinks, NewLinks
from zarr_vectors.core.metadata import LevelMetadata, RootMetadata, default_axes
from zarr_vectors.core.root_meta import LevelDocument, check_version
from zarr_vectors.exceptions import MetadataError
from zarr_vectors.spatial.chunking import bins_per_chunk, check_chunk_shape
from zarr_vectors.typing import ChunkCoords, FloatArray, IntArray
from zarr_vectors.writing.columns import (
    apply_bounds,
    checked_bounds,
    checked_positions,
    vertex_columns,
)
from zarr_vectors.writing.commit import Column, ObjectTables, grid_of, write_objects, write_rows
from zarr_vectors.writing.objects import arrays_present, chosen_chunk_shape, lead_bins
from zarr_vectors.writing.route import Route

LINKS_ATTRIBUTES: Mapping[str, Any] = {LINKS_KEY: {"version": 1, "rows": "stored"}}
"""Level attributes of ours: links name rows as they are stored, and a skeleton's row before is its
parent only inside a fragment."""

LinksFor: TypeAlias = Callable[[KeepsLinks], NewLinks | Iterable[NewLinks]]
"""Links, or parts of them, as the layout they are stored in needs them."""


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """Vertices ready to be routed, and where they may lie.

    Attributes:
        positions: (N, D) float in the dtype to store.
        columns: Vertex attributes by name.
        meta: The root's metadata.
        lead: (N,) int64 attribute bin of every vertex, or None.
        lead_name: The attribute chunks lead with, or None.
        lead_values: Value of every attribute bin, or None.
        lead_column: The attribute where its values are numbers, or None.
    """

    positions: FloatArray
    columns: dict[str, Column]
    meta: RootMetadata
    lead: IntArray | None = None
    lead_name: str | None = None
    lead_values: tuple[Any, ...] | None = None
    lead_column: Column | None = None


def frame_of(
    positions: npt.ArrayLike,
    *,
    geometry: str,
    links_convention: str,
    chunk_shape: Sequence[float] | None,
    bin_shape: Sequence[float] | None,
    bounds: tuple[Sequence[float], Sequence[float]] | None,
    vertex_attributes: Mapping[str, npt.ArrayLike] | None,
    attribute_units: Mapping[str, str] | None,
    dtype: npt.DTypeLike,
    chunk_by_attribute: str | None,
    out_of_bounds: str,
    format_version: str,
    axis_names: Sequence[str] | None,
    axis_units: Sequence[str | None] | None,
    crs: Mapping[str, Any] | None,
) -> Frame:
    """Check what a writer of linked geometry is given; arguments as of the writers.

    Raises:
        ArrayError: Arrays that do not fit together or cannot be stored.
        ChunkingError: Shapes that cannot cut these positions.
        MetadataError: Wrong bounds or axes, or vertices out of bounds.
        StoreError: An unknown format version, or a name that cannot be stored.
    """
    check_version(format_version, "format_version")
    points = checked_positions(positions, dtype)
    columns = vertex_columns(vertex_attributes, len(points), attribute_units)
    if out_of_bounds == "ignore":
        raise MetadataError("out_of_bounds='ignore' is for points: links would lose their ends")
    box, _ = apply_bounds(checked_bounds(bounds, points), points, out_of_bounds)
    ndim = points.shape[1]
    chunk = chosen_chunk_shape(chunk_shape, box, ndim)
    bins = chunk if bin_shape is None else check_chunk_shape(bin_shape, ndim)
    bins_per_chunk(chunk, bins)
    lead, lead_values, lead_column = lead_bins(columns, chunk_by_attribute)
    meta = RootMetadata(
        axes=default_axes(ndim, axis_names, axis_units),
        chunk_shape=chunk,
        bounds=box,
        geometry_types=(geometry,),
        zv_version=format_version,
        base_bin_shape=bins,
        links_convention=links_convention,
        crs=crs,
    )
    meta.validate()
    return Frame(points, columns, meta, lead, chunk_by_attribute, lead_values, lead_column)


def write_linked(
    place: StoreLike,
    frame: Frame,
    route: Route,
    links_for: LinksFor,
    objects: ObjectTables,
    *,
    link_attributes: Iterable[str] = (),
    backend: str | None = None,
    vertex_blobs: Mapping[ChunkCoords, bytes] | None = None,
    encoding: str = "raw",
) -> int:
    """Write a new store of one level.

    Args:
        place: Where.
        frame: The vertices.
        route: Where every one goes.
        links_for: Links between them, as the layout they are stored in needs them.
        objects: Their objects.
        link_attributes: Names of the links' attributes.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        vertex_blobs: Vertices of every chunk as they are stored, where not raw.
        encoding: How they are encoded.

    Returns:
        Object slots of the stored index.
    """
    meta, links = frame.meta, [LINKS]
    named = [f"{LINK_ATTRIBUTES}/{name}" for name in link_attributes]
    links += [LINK_ATTRIBUTES, *named] if named else []
    level = LevelMetadata(
        level=0,
        vertex_count=len(frame.positions),
        arrays_present=(*arrays_present(frame.columns, objects), *links),
        chunk_dims=None
        if frame.lead_name is None
        else (frame.lead_name, *(axis.name for axis in meta.axes)),
        chunk_attribute_name=frame.lead_name,
        chunk_attribute_values=frame.lead_values,
        fragments_tile=True,
    )
    extra = dict(LINKS_ATTRIBUTES)
    if frame.lead_column is not None:
        extra[CHUNK_ATTRIBUTE_KEY] = {"dtype": frame.lead_column.spec.dtype.name}
    bins = None if frame.lead_values is None else len(frame.lead_values)
    grid = grid_of(meta.bounds, meta.chunk_shape, route.chunks, bins)
    with creating(place, meta, backend=backend) as handle:
        table = write_rows(
            handle.layout,
            "0",
            route,
            frame.positions,
            list(frame.columns.values()),
            grid,
            vertex_blobs=vertex_blobs,
            encoding=encoding,
        )
        handle.layout.put_links("0", links_for(handle.layout), grid)
        slots = write_objects(handle.layout, "0", objects)
        finish(handle.with_level(LevelDocument(level, extra, table)), 0)
    return slots

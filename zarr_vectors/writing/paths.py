"""A new store of lines or polylines: one object per path."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy.typing as npt

from zarr_vectors.constants import CHUNK_ATTRIBUTE_KEY
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import StoreHandle, creating, finish
from zarr_vectors.core.metadata import LevelMetadata, RootMetadata, default_axes
from zarr_vectors.core.metadata.root import Bounds
from zarr_vectors.core.root_meta import LevelDocument, check_version
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.spatial.chunking import bins_per_chunk, check_chunk_shape, positions_in_box
from zarr_vectors.typing import FloatArray, IntArray
from zarr_vectors.writing.columns import apply_bounds, checked_bounds
from zarr_vectors.writing.commit import Column, LineColumn, grid_of, write_objects, write_rows
from zarr_vectors.writing.given import LineRows
from zarr_vectors.writing.joined import Lead
from zarr_vectors.writing.objects import arrays_present, chosen_chunk_shape, object_tables
from zarr_vectors.writing.runs import blocks_of, route_blocks

_Given = TypeVar("_Given")


@dataclass(frozen=True, eq=False, slots=True)
class Paths:
    """Paths ready to be stored, path ``k`` the object ``k``.

    Attributes:
        positions: (N, D) float in the dtype to store, path after path.
        corners: (2, D) least and greatest of them, or (0, D) where there are none.
        starts: (K + 1,) int64, first row of every path, and the end.
        columns: Vertex attributes by name.
        lead: Attribute bins of rows, and their values; None without.
        object_attributes: name -> (K,) or (K, C).
        groups: group id -> objects.
        group_attributes: name -> (G,) or (G, C).
    """

    positions: FloatArray | LineRows
    corners: FloatArray
    starts: IntArray
    columns: Mapping[str, Column | LineColumn]
    lead: Lead = (None, None, None)
    object_attributes: Mapping[str, npt.ArrayLike] | None = None
    groups: Mapping[int, Iterable[int]] | None = None
    group_attributes: Mapping[str, npt.ArrayLike] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class PathStore:
    """What a store of paths is to be like; arguments of the public writers.

    Attributes:
        geometry_type: ``line``, ``polyline`` or ``streamline``.
        format_version: ``0.7.0`` or ``0.9.2``.
        chunk_shape: D edges of a chunk, world units.
        bin_shape: D edges of a bin, or None for the chunk's.
        bounds: (min corner, max corner), or None for the data's.
        out_of_bounds: ``raise`` or ``expand``.
        chunk_by_attribute: The attribute that leads chunks, or None.
        cut_by_bin: Paths are cut where they leave a bin, where the format asks for it.
        backend: Name of the backend, or None.
        axis_names: D names, or None.
        axis_units: D units, or None.
        crs: Coordinate reference system, or None.
    """

    geometry_type: str
    format_version: str
    chunk_shape: Sequence[float]
    bin_shape: Sequence[float] | None = None
    bounds: tuple[Sequence[float], Sequence[float]] | None = None
    out_of_bounds: str = "raise"
    chunk_by_attribute: str | None = None
    cut_by_bin: bool = True
    backend: str | None = None
    axis_names: Sequence[str] | None = None
    axis_units: Sequence[str | None] | None = None
    crs: Mapping[str, Any] | None = field(default=None)


@dataclass(frozen=True, slots=True)
class PathCounts:
    """How much was written: occupied chunks, and links between them."""

    chunks: int
    links: int


def write_paths(place: StoreLike, paths: Paths, store: PathStore) -> PathCounts:
    """Write a new store with one level.

    Args:
        place: Where: a path, URL, Zarr Store or obstore store; nothing may be there yet.
        paths: What.
        store: How.

    Raises:
        ArrayError: Arrays that do not fit together or cannot be stored.
        ChunkingError: Shapes that cannot cut these positions.
        MetadataError: Wrong bounds or axes, or vertices out of bounds.
        StoreError: The place is not empty or cannot be written to.
    """
    check_version(store.format_version, "format_version")
    if store.out_of_bounds == "ignore":
        raise ArrayError(
            "out_of_bounds='ignore' would leave vertices out and join those beside them: "
            "take 'raise' or 'expand'"
        )
    ndim = paths.corners.shape[1]
    box = _box(paths, store)
    chunk = chosen_chunk_shape(store.chunk_shape, box, ndim)
    bins = chunk if store.bin_shape is None else check_chunk_shape(store.bin_shape, ndim)
    bins_per_chunk(chunk, bins)
    meta = RootMetadata(
        axes=default_axes(ndim, store.axis_names, store.axis_units),
        chunk_shape=chunk,
        bounds=box,
        geometry_types=(store.geometry_type,),
        zv_version=store.format_version,
        base_bin_shape=bins,
        crs=store.crs,
    )
    meta.validate()
    with creating(place, meta, backend=store.backend) as handle:
        return _fill(handle, paths, store)


def renamed(old: str, given: _Given | None, new: str, value: _Given | None) -> _Given | None:
    """The value of an argument that may come under its deprecated name."""
    if given is None:
        return value
    warnings.warn(f"{old}= is now {new}=", DeprecationWarning, stacklevel=3)
    return given if value is None else value


def _box(paths: Paths, store: PathStore) -> Bounds:
    bounds, points = checked_bounds(store.bounds, paths.corners), paths.corners
    if len(points) and not positions_in_box(points, bounds).all():
        points = _whole(paths.positions)  # those out of bounds are counted
    return apply_bounds(bounds, points, store.out_of_bounds)[0]


def _whole(positions: FloatArray | LineRows) -> FloatArray:
    return positions.whole() if isinstance(positions, LineRows) else positions


def _fill(handle: StoreHandle, paths: Paths, store: PathStore) -> PathCounts:
    layout, meta, positions = handle.layout, handle.meta, paths.positions
    lead, lead_values, lead_column = paths.lead
    cut_by_bin = store.cut_by_bin and layout.splits_paths_by_bin
    runs = route_blocks(
        positions.blocks() if isinstance(positions, LineRows) else blocks_of(positions),
        paths.starts,
        meta.chunk_shape,
        meta.base_bin_shape if cut_by_bin else None,
        lead=lead,
    )
    objects = object_tables(runs, paths.object_attributes, paths.groups, paths.group_attributes)
    level = LevelMetadata(
        level=0,
        vertex_count=len(positions),
        arrays_present=arrays_present(paths.columns, objects),
        chunk_dims=None
        if store.chunk_by_attribute is None
        else (store.chunk_by_attribute, *(axis.name for axis in meta.axes)),
        chunk_attribute_name=store.chunk_by_attribute,
        chunk_attribute_values=lead_values,
        fragments_tile=True,
    )
    extra = (
        {} if lead_column is None else {CHUNK_ATTRIBUTE_KEY: {"dtype": lead_column.spec.dtype.name}}
    )
    attribute_bins = None if lead_values is None else len(lead_values)
    grid = grid_of(meta.bounds, meta.chunk_shape, runs.route.chunks, attribute_bins)
    table = write_rows(layout, "0", runs.route, positions, list(paths.columns.values()), grid)
    links = runs.links()
    layout.put_links("0", links, grid)
    chunks, crossing = len(links.coords), len(links.rows)
    del links
    write_objects(layout, "0", objects)
    finish(handle.with_level(LevelDocument(level, extra, table)), 0)
    return PathCounts(chunks, crossing)

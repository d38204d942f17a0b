"""Creating and opening stores; levels, bounds and transactions by their public names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from zarr_vectors.constants import (
    DEFAULT_VERSION,
    PARAMETRIC,
    VERTEX_FRAGMENTS,
    VERTICES,
)
from zarr_vectors.core.backends import StoreLike, open_backend, resolve_backend_name
from zarr_vectors.core.bounds import grid_for, set_bounds
from zarr_vectors.core.group import FsGroup, Group, group_at
from zarr_vectors.core.handle import creating, finish, handle_at, open_root
from zarr_vectors.core.info import store_info
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.core.levels import (
    add_resolution_level,
    create_resolution_level,
    get_resolution_level,
    list_available_ratios,
    list_resolution_levels,
    read_level_metadata,
    read_root_metadata,
    remove_resolution_level,
)
from zarr_vectors.core.metadata import (
    ChunkTable,
    LevelMetadata,
    NgffAxis,
    ParametricTypeDef,
    RootMetadata,
    VertexSpec,
    default_axes,
    deserialise_parametric_types,
    serialise_parametric_types,
)
from zarr_vectors.core.root_meta import LevelDocument, check_version
from zarr_vectors.core.transactions import commit, discard_changes, rebind, session_for
from zarr_vectors.exceptions import MetadataError, StoreError

__all__ = [
    "FsGroup",
    "Group",
    "add_resolution_level",
    "commit",
    "create_resolution_level",
    "create_store",
    "discard_changes",
    "get_parametric_group",
    "get_resolution_level",
    "list_available_ratios",
    "list_resolution_levels",
    "open_store",
    "read_level_metadata",
    "read_parametric_types",
    "read_root_metadata",
    "rebind",
    "remove_resolution_level",
    "resolve_backend_name",
    "session_for",
    "set_bounds",
    "store_info",
    "write_parametric_types",
]

DEFAULT_EXTENT = 128.0
"""Bounds of a store that says nothing of them run from 0 to this on every axis."""

_FRAGMENTS = {"zv_array": VERTEX_FRAGMENTS, "encoding": "fragment_index_v1"}


def create_store(
    path: StoreLike,
    *,
    bounds: tuple[Sequence[float], Sequence[float]] | None = None,
    chunk_shape: Sequence[float] | None = None,
    axes: Iterable[NgffAxis] | None = None,
    geometry_types: Iterable[str] | None = None,
    crs: Mapping[str, Any] | None = None,
    ndim: int | None = None,
    vertex_dtype: str = "float32",
    vertex_encoding: str = "raw",
    links_convention: str | None = None,
    object_index_convention: str | None = None,
    cross_chunk_strategy: str | None = None,
    cross_level_depth: int = 1,
    cross_level_storage: str = "explicit",
    reduction_factor: int = 8,
    base_bin_shape: Sequence[float] | None = None,
    format_capabilities: Iterable[str] | None = None,
    backend: str | None = None,
    format_version: str = DEFAULT_VERSION,
    **backend_kwargs: Any,  # noqa: ANN401  each backend has options of its own
) -> Group:
    """Make an empty store with a level 0 and empty vertices and fragments.

    Args:
        path: Where: a path, URL, Zarr Store or obstore store; nothing may be there yet.
        bounds: (min corner, max corner), world units; 0 to 128 by default.
        chunk_shape: Edges of a chunk; the extent of the bounds by default.
        axes: The axes; space axes x, y, z, w by default.
        geometry_types: Kinds of geometry to come.
        crs: Coordinate reference system, kept as it is.
        ndim: Number of axes; told by the other arguments, else 3.
        vertex_dtype: ``float32`` or ``float64``.
        vertex_encoding: ``raw`` or ``draco``.
        links_convention: ``implicit_sequential`` by default.
        object_index_convention: ``standard`` by default.
        cross_chunk_strategy: ``explicit_links`` by default.
        cross_level_depth: -1 or more.
        cross_level_storage: ``none``, ``implicit`` or ``explicit``.
        reduction_factor: 2 or more.
        base_bin_shape: Edges of a bin; the chunk by default.
        format_capabilities: Tokens to record.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        format_version: ``0.7.0`` or ``0.9.2``.
        backend_kwargs: Passed to the backend.

    Returns:
        The root group.

    Raises:
        StoreError: The place is not empty or cannot be written to.
        MetadataError: Arguments that contradict each other.
    """
    check_version(format_version, "format_version")
    named = None if axes is None else tuple(axes)
    count = _ndim(ndim, bounds, chunk_shape, named, base_bin_shape)
    low, high = bounds or ([0.0] * count, [DEFAULT_EXTENT] * count)
    corners = tuple(float(x) for x in low), tuple(float(x) for x in high)
    extent = tuple((b - a) or 1.0 for a, b in zip(*corners, strict=True))
    meta = RootMetadata(
        axes=named or default_axes(count),
        chunk_shape=extent if chunk_shape is None else tuple(float(x) for x in chunk_shape),
        bounds=corners,
        geometry_types=tuple(geometry_types or ()),
        zv_version=format_version,
        base_bin_shape=None if base_bin_shape is None else tuple(float(x) for x in base_bin_shape),
        format_capabilities=tuple(format_capabilities or ()),
        links_convention=links_convention or "implicit_sequential",
        object_index_convention=object_index_convention or "standard",
        cross_chunk_strategy=cross_chunk_strategy or "explicit_links",
        cross_level_depth=cross_level_depth,
        cross_level_storage=cross_level_storage,
        reduction_factor=reduction_factor,
        crs=crs,
    )
    meta.validate()
    spec = VertexSpec.from_meta({"dtype": vertex_dtype, "encoding": vertex_encoding})
    place = open_backend(path, mode="a", backend=backend, **backend_kwargs)
    with creating(place, meta) as handle:
        grid = grid_for(meta.bounds, meta.chunk_shape)
        handle.layout.create_cells(f"0/{VERTICES}", spec.to_meta(), grid)
        handle.layout.create_cells(f"0/{VERTEX_FRAGMENTS}", _FRAGMENTS, grid)
        none = np.zeros((0, count), np.int64)
        table = ChunkTable(none, none[:, 0], exact=True)
        finish(handle.with_level(LevelDocument(LevelMetadata(0), table=table)), 0)
    return group_at(layout_for(format_version, place))


def open_store(
    path: StoreLike,
    mode: str = "r",
    *,
    backend: str | None = None,
    **backend_kwargs: Any,  # noqa: ANN401  each backend has options of its own
) -> Group:
    """Open the root group of a store.

    Args:
        path: Path, URL, Zarr Store or obstore store.
        mode: ``r`` to read, ``r+`` or ``a`` to write as well.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        backend_kwargs: Passed to the backend.

    Raises:
        StoreError: Missing, not a Zarr Vectors store, of an unknown version, or an unknown mode.
        MetadataError: The root's metadata is damaged; that of levels is not read yet.
    """
    if mode not in ("r", "r+", "a"):
        raise StoreError(f"mode {mode!r} is unknown: expected r, r+ or a")
    # "a" means "may be written to" here, as "r+" does: opening makes nothing
    mode = "r" if mode == "r" else "r+"
    return group_at(open_root(path, mode, backend=backend, **backend_kwargs))


def get_parametric_group(root: Group) -> Group:
    """The group of parametric objects, made where it is missing and the store can be written to."""
    return root.require_group(PARAMETRIC)


def read_parametric_types(root: Group) -> list[ParametricTypeDef]:
    """Kinds of parametric objects, ascending by number; none where there is no such group."""
    attributes = root.layout.get_attrs([PARAMETRIC]).get(PARAMETRIC, {})
    return deserialise_parametric_types(attributes.get("parametric_types", {}))


def write_parametric_types(root: Group, types: Iterable[ParametricTypeDef]) -> None:
    """Record kinds of parametric objects, replacing those there."""
    kinds = serialise_parametric_types(types)
    with handle_at(root.layout).transaction("record parametric types") as writing:
        group = get_parametric_group(group_at(writing.layout))
        group.attrs.update({"parametric_types": kinds})


def _ndim(
    given: int | None,
    bounds: tuple[Sequence[float], Sequence[float]] | None,
    chunk_shape: Sequence[float] | None,
    axes: Sequence[NgffAxis] | None,
    bins: Sequence[float] | None,
) -> int:
    """The number of axes all arguments agree on."""
    said = {
        "ndim": given,
        "bounds": None if bounds is None else len(bounds[0]),
        "chunk_shape": None if chunk_shape is None else len(chunk_shape),
        "axes": None if axes is None else len(axes),
        "base_bin_shape": None if bins is None else len(bins),
    }
    known = {name: count for name, count in said.items() if count is not None}
    if len(set(known.values())) > 1:
        words = ", ".join(f"{name} {count}" for name, count in known.items())
        raise MetadataError(f"arguments disagree on the number of axes: {words}")
    return next(iter(known.values()), 3)

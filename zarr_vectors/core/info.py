"""What a store is, as plain values that JSON can hold."""

from __future__ import annotations

from typing import Any

from zarr_vectors.constants import HEADERS, OBJECT_INDEX, PARAMETRIC, STALE_KEY
from zarr_vectors.core.group import Group
from zarr_vectors.core.handle import StoreHandle, handle_at
from zarr_vectors.core.headers import header_names
from zarr_vectors.core.metadata import deserialise_parametric_types
from zarr_vectors.core.root_meta import LevelDocument
from zarr_vectors.exceptions import StoreError
from zarr_vectors.spatial.bins import bins_per_chunk


def store_info(root: Group) -> dict[str, Any]:
    """What a store is, as plain values; only metadata is read, and nothing is written.

    Returns:
        ``url``, ``zv_version``, ``geometry_types``, ``ndim``, ``axes``, ``crs``, ``bounds``,
        ``chunk_shape``, ``bin_shape``, ``base_bin_shape`` (as stored, None for one bin per chunk),
        ``bins_per_chunk``, ``format_capabilities``, the conventions (``links_convention``,
        ``object_index_convention``, ``cross_chunk_strategy``, ``cross_level_depth``,
        ``cross_level_storage``, ``reduction_factor``), ``parametric_types`` (names), ``headers``
        (names, None where they cannot be listed), and ``levels``: a list of dicts, ascending, each
        with ``level``, ``vertex_count``, ``object_count``, ``chunk_count`` (None where it is not
        recorded), ``chunk_shape``, ``bin_shape``, ``bin_ratio``, ``object_sparsity``,
        ``coarsening_method``, ``parent_level``, ``arrays_present``, ``error`` (None, or ``p50``,
        ``p95``, ``max`` in world units) and ``stale`` (why the level no longer describes the one it
        was made from, else None).

    Raises:
        MetadataError: Damaged metadata.
    """
    handle = handle_at(root.layout)
    meta, layout = handle.meta, handle.layout
    indexes = [f"{number}/{OBJECT_INDEX}" for number in handle.levels]
    attributes = layout.get_attrs([PARAMETRIC, *indexes])
    kinds = deserialise_parametric_types(attributes.get(PARAMETRIC, {}).get("parametric_types", {}))
    return {
        "url": handle.backend.url,
        "zv_version": meta.zv_version,
        "geometry_types": list(meta.geometry_types),
        "ndim": meta.ndim,
        "axes": [axis.to_dict() for axis in meta.axes],
        "crs": None if meta.crs is None else dict(meta.crs),
        "bounds": [list(corner) for corner in meta.bounds],
        "chunk_shape": list(meta.chunk_shape),
        "bin_shape": list(meta.bin_shape),
        "base_bin_shape": None if meta.base_bin_shape is None else list(meta.base_bin_shape),
        "bins_per_chunk": list(bins_per_chunk(meta.chunk_shape, meta.bin_shape)),
        "format_capabilities": list(meta.format_capabilities),
        "links_convention": meta.links_convention,
        "object_index_convention": meta.object_index_convention,
        "cross_chunk_strategy": meta.cross_chunk_strategy,
        "cross_level_depth": meta.cross_level_depth,
        "cross_level_storage": meta.cross_level_storage,
        "reduction_factor": meta.reduction_factor,
        "levels": [
            _level(handle, level, attributes.get(index, {}).get("num_objects", 0))
            for level, index in zip(handle.levels.values(), indexes, strict=True)
        ],
        "parametric_types": [kind.name for kind in kinds],
        "headers": _headers(handle),
    }


def _level(handle: StoreHandle, level: LevelDocument, objects: int) -> dict[str, Any]:
    root, meta = handle.meta, level.meta
    error = level.error
    return {
        "level": meta.level,
        "vertex_count": meta.vertex_count,
        "object_count": objects,
        "chunk_count": None if level.table is None else len(level.table.coords),
        "chunk_shape": list(meta.chunk_shape or root.chunk_shape),
        "bin_shape": list(meta.bin_shape or root.bin_shape),
        "bin_ratio": list(meta.bin_ratio or (1.0,) * root.ndim),
        "object_sparsity": meta.object_sparsity,
        "coarsening_method": meta.coarsening_method,
        "parent_level": meta.parent_level,
        "arrays_present": list(meta.arrays_present),
        "error": None if error is None else {"p50": error.p50, "p95": error.p95, "max": error.max},
        "stale": level.attributes.get(STALE_KEY),
    }


def _headers(handle: StoreHandle) -> list[str] | None:
    if HEADERS not in handle.layout.get_attrs([HEADERS]):
        return []
    try:
        return header_names(handle.layout)
    except StoreError:  # the place cannot list, and nothing is recorded
        return None

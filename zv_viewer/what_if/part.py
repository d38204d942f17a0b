"""Rows of a level written to a store in memory, with what joins them."""

from __future__ import annotations

from typing import Any

import numpy as np
from zarr.storage import MemoryStore

from zarr_vectors.lazy import ZVStore
from zarr_vectors.lazy.level import ZVLevel
from zarr_vectors.reading.linked_chunks import LinkedChunks
from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.lines import write_lines
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.points import write_points
from zarr_vectors.types.polylines import write_polylines
from zv_viewer.sources.drawable import link_width
from zv_viewer.what_if.box import Box, paths_of


def write_part(
    place: MemoryStore, store: ZVStore, level: ZVLevel, kind: str, rows: LinkedChunks, box: Box
) -> None:
    """Write rows of a level as the finest of a store, chunked as the level is.

    Args:
        place: Empty.
        store: Where the rows are from.
        level: The level they are of.
        kind: What it is drawn as.
        rows: At least one.
        box: Where they lie.
    """
    chunk = np.asarray(level.chunk_shape, float)
    bins = np.asarray(store.bin_shape_at(level.level_index), float)
    parts = chunk / bins
    whole = bool((np.abs(parts - parts.round()) < 1e-9).all() and (parts > 0.5).all())
    options: dict[str, Any] = {
        "chunk_shape": level.chunk_shape,
        "bin_shape": bins.tolist() if whole else None,
        "bounds": (box.bounds[0].tolist(), box.bounds[1].tolist()),
        "dtype": level.vertex_dtype,
        "format_version": store.zv_version,
        "out_of_bounds": "expand",
    }
    positions, values = rows.positions, rows.attributes
    objects: dict[str, Any] = {}
    if (rows.objects >= 0).all() and len(rows.objects):
        objects["object_ids"] = np.unique(rows.objects, return_inverse=True)[1]
    if link_width(kind) == 0:
        write_points(place, positions, vertex_attributes=values, **options)
    elif kind == "line":
        ends = {name: value[rows.links] for name, value in values.items()}
        write_lines(place, positions[rows.links], vertex_attributes=ends, **options)
    elif kind in ("polyline", "streamline"):
        paths = paths_of(rows.links, len(positions))
        along: Any = {name: [value[path] for path in paths] for name, value in values.items()}
        lines = [positions[path] for path in paths]
        write_polylines(place, lines, geometry_type=kind, vertex_attributes=along, **options)
    elif kind == "mesh":
        write_mesh(place, positions, rows.links, vertex_attributes=values, **objects, **options)
    else:
        write_graph(
            place, positions, rows.links, kind=kind, vertex_attributes=values, **objects, **options
        )

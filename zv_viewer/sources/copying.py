"""Objects of a store as a store of their own, whole, with their attributes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.backends import StoreLike
from zarr_vectors.lazy import ZVStore
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.lines import read_lines, write_lines
from zarr_vectors.types.meshes import read_mesh, write_mesh
from zarr_vectors.types.polylines import read_polylines, write_polylines

Int = npt.NDArray[np.int64]

SOURCE_ID = "source_id"
"""Attribute of the objects of a copy: the id each had."""


def copy_objects(store: ZVStore, kind: str, ids: Int, out: StoreLike) -> int:
    """Write some objects of level 0 to a new store of the same kind; they are held in memory.

    They are numbered from 0, in the order of their ids, which become an attribute. Attributes of
    vertices and objects come along, groups and attributes of links do not.

    Args:
        store: The store.
        kind: What it is drawn as: ``line``, ``polyline``, ``streamline``, ``graph``, ``skeleton``
            or ``mesh``.
        ids: (n,) ascending; those that the level has.
        out: Where; nothing may be there yet.

    Returns:
        Vertices written.

    Raises:
        StoreError: Nothing can be written there, or the store cannot be read.
        ArrayError: It is damaged, or none of the objects has vertices.
    """
    level = store[store.levels[0]]
    rows = np.searchsorted(store.object_ids, ids)
    attributes = {
        name: np.asarray(level.object_attribute(name))[rows]
        for name in level.object_attribute_names
    }
    options: dict[str, Any] = {
        "chunk_shape": store.chunk_shape,
        "bounds": store.bounds,
        "dtype": str(level.vertex_dtype),
        "format_version": store.zv_version,
        "axis_names": [axis.name for axis in store.axes],
        "axis_units": [axis.unit for axis in store.axes],
        "attribute_units": {
            name: spec.unit for name, spec in level.attribute_specs.items() if spec.unit is not None
        },
        "crs": store.crs,
        "object_attributes": {**attributes, SOURCE_ID: ids},
    }
    place, numbers = store.backend, ids.tolist()
    if kind in ("polyline", "streamline"):
        paths = read_polylines(place, object_ids=numbers)
        cut = paths.offsets[1:-1]
        write_polylines(
            out,
            np.split(paths.positions, cut),
            vertex_attributes={n: np.split(v, cut) for n, v in paths.vertex_attributes.items()},
            bin_shape=store.bin_shape,
            geometry_type=kind,
            **_of(options, ids, paths.object_ids),
        )
        return paths.vertex_count
    if kind == "line":
        lines = read_lines(place, object_ids=numbers)
        write_lines(
            out,
            lines.endpoints,
            vertex_attributes=lines.vertex_attributes,
            bin_shape=store.bin_shape,
            **_of(options, ids, lines.object_ids),
        )
        return 2 * lines.line_count
    if kind == "mesh":
        mesh = read_mesh(place, object_ids=numbers)
        write_mesh(
            out,
            mesh.vertices,
            mesh.faces,
            vertex_attributes=mesh.vertex_attributes,
            bin_shape=store.bin_shape,
            object_ids=np.searchsorted(ids, _need(mesh.object_ids)),
            **options,
        )
        return mesh.vertex_count
    graph = read_graph(place, object_ids=numbers)
    write_graph(
        out,
        graph.positions,
        graph.edges,
        kind=kind,
        vertex_attributes=graph.vertex_attributes,
        bin_shape=store.bin_shape,
        object_ids=np.searchsorted(ids, _need(graph.object_ids)),
        **options,
    )
    return graph.node_count


def _of(options: dict[str, Any], ids: Int, each: Int) -> dict[str, Any]:
    """The options with a row of attributes for each path that was read."""
    rows = np.searchsorted(ids, each)
    own = {name: values[rows] for name, values in options["object_attributes"].items()}
    return {**options, "object_attributes": own}


def _need(ids: Int | None) -> Int:
    if ids is None:
        raise TypeError("objects were asked for, and their ids did not come")
    return ids

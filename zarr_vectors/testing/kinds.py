"""A small store of every geometry, and what a store says whatever its format, chunks or shards."""

from __future__ import annotations

from typing import Any

import numpy as np

from zarr_vectors.constants import GROUP_ATTRIBUTES, OBJECT_ATTRIBUTES
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import StoreHandle, open_handle
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level
from zarr_vectors.reading.linked import EDGE_KINDS, link_attribute_names, read_edges, read_faces
from zarr_vectors.reading.paths import PATH_KINDS, objects_of, placed, read_paths
from zarr_vectors.reading.plan import plan_read
from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.lines import write_lines
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.points import write_points
from zarr_vectors.types.polylines import write_polylines
from zarr_vectors.typing import AnyArray
from zarr_vectors.writing.copying import family_names

KINDS = ("points", "objects", "line", "polyline", "streamline", "graph", "skeleton", "mesh")
"""What :func:`make_store` makes; ``objects`` is a point cloud with objects."""

EXTENT = 60.0
"""Positions lie between minus and plus this."""


def make_store(
    kind: str,
    place: StoreLike,
    *,
    format_version: str = "0.7.0",
    seed: int = 0,
    **options: Any,  # noqa: ANN401  those of the writer
) -> None:
    """Write a store of a kind: several objects, groups, attributes of every scope it may have.

    Args:
        kind: One of :data:`KINDS`.
        place: Where.
        format_version: ``0.7.0`` or ``0.9.2``.
        seed: Other numbers, the same form.
        options: Passed to the writer, such as ``chunk_shape`` or ``dtype``.
    """
    rng = np.random.default_rng(seed)
    options = {"chunk_shape": (20.0,) * 3, "bin_shape": (10.0,) * 3, **options}
    options["format_version"] = format_version
    count, many = 240, 6
    own: dict[str, Any] = {
        "object_attributes": {
            "size": np.arange(many) * 1.5,
            "pair": np.arange(2 * many).reshape(-1, 2),
        },
        "groups": {0: [0, 2], 1: [5], 2: []},
        "group_attributes": {"weight": np.array([1.0, 2.0, 3.0], np.float32)},
    }
    if kind in ("polyline", "streamline"):
        steps = rng.normal(0, 6, (many, 40, 3))
        lines = [np.clip(np.cumsum(s, axis=0), -EXTENT, EXTENT) for s in steps]
        ages: Any = {"age": [rng.integers(0, 99, 40).astype(np.int16) for _ in lines]}
        write_polylines(place, lines, geometry_type=kind, vertex_attributes=ages, **own, **options)
        return
    if kind == "line":
        options.pop("bin_shape")
        ends = rng.uniform(-EXTENT, EXTENT, (many, 2, 3))
        write_lines(place, ends, object_attributes=own["object_attributes"], **options)
        return
    positions = rng.uniform(-EXTENT, EXTENT, (count, 3))
    ids = np.sort(rng.integers(0, many, count))
    ids[:many] = np.arange(many)
    ids = np.sort(ids)
    values: dict[str, Any] = {
        "age": rng.integers(0, 99, count).astype(np.int16),
        "rgb": rng.integers(0, 255, (count, 3)).astype(np.uint8),
        "kind": rng.choice(["a", "bb", "c"], count),
    }
    if kind in ("points", "objects"):
        extra = own | {"object_ids": ids} if kind == "objects" else {}
        write_points(place, positions, vertex_attributes=values, **extra, **options)
    elif kind == "graph":
        edges = np.stack([rng.integers(0, count, 300), rng.integers(0, count, 300)], axis=1)
        length: Any = {"length": rng.normal(size=300).astype(np.float32)}
        write_graph(
            place,
            positions,
            edges,
            object_ids=ids,
            vertex_attributes=values,
            link_attributes=length,
            **own,
            **options,
        )
    elif kind == "skeleton":
        tree = _forest(rng, ids)
        length = {"length": rng.normal(size=len(tree)).astype(np.float32)} if seed % 2 else None
        write_graph(
            place,
            positions,
            tree,
            kind="skeleton",
            object_ids=ids,
            vertex_attributes=values,
            link_attributes=length,
            **own,
            **options,
        )
    else:
        faces = np.concatenate([_faces(rng, np.flatnonzero(ids == oid)) for oid in range(many)])
        area = {"area": rng.normal(size=len(faces)).astype(np.float32)}
        write_mesh(
            place,
            positions,
            faces,
            object_ids=ids,
            vertex_attributes=values,
            face_attributes=area,
            **own,
            **options,
        )


def contents(place: StoreLike) -> dict[str, Any]:
    """What a store says, in a form that does not depend on chunks, order of rows, or format.

    Returns:
        ``geometry`` and ``levels``: of every level its vertices with their attributes, objects,
        links with their attributes, object attributes by id, groups and group attributes.
    """
    handle = open_handle(place)
    return {
        "geometry": handle.meta.geometry_types,
        "bounds": handle.meta.bounds,
        "levels": {number: _level(handle, number) for number in handle.levels},
    }


def _level(handle: StoreHandle, number: int) -> dict[str, Any]:
    layout, path = handle.layout, str(number)
    arrays = describe_level(layout, handle.meta, handle.level(number))
    reader = LevelReader(layout, arrays)
    plan = plan_read(arrays.table.coords, arrays.chunk_shape)
    names = sorted(arrays.attributes)
    kinds = set(handle.meta.geometry_types)
    read = read_faces if "mesh" in kinds else read_edges
    links: list[Any] = []
    if kinds & {*EDGE_KINDS, "mesh"} - set(PATH_KINDS):
        link_names = link_attribute_names(handle, number)
        found = read(handle, reader, plan, names, link_names)
        points = found.points
        ends = points.positions[found.links]
        named = [_plain(found.attributes[name]) for name in sorted(link_names)]
        links = sorted(zip(ends.tolist(), *named, strict=True))
    else:
        points = reader.read(plan, names)
    columns = [_plain(points.vertex_attributes[name]) for name in names]
    said: dict[str, Any] = {
        "dtypes": {name: str(points.vertex_attributes[name].dtype) for name in names},
        "vertices": sorted(zip(points.positions.tolist(), *columns, strict=True)),
        "links": links,
    }
    index = layout.get_objects(path)
    if index is not None:
        table = objects_of(layout, arrays)
        rows = read_paths(reader, placed(reader, table))
        parts = np.split(rows.positions, rows.offsets[1:-1]) if len(rows.ids) else []
        ordered = bool(kinds & set(PATH_KINDS))
        said["objects"] = {
            int(oid): part.tolist() if ordered else sorted(part.tolist())
            for oid, part in zip(rows.ids, parts, strict=True)
            if len(part)
        }
        said["object_attributes"] = {}
        for name in family_names(layout, f"{path}/{OBJECT_ATTRIBUTES}"):
            dense = layout.get_dense(f"{path}/{OBJECT_ATTRIBUTES}/{name}")
            if dense is not None:
                values, present = dense
                said["object_attributes"][name] = {
                    int(index.ids[row]): values[row].tolist()
                    for row in present.tolist()
                    if row < len(index.ids) and int(index.ids[row]) in said["objects"]
                }
    groups = layout.get_groups(path)
    said["groups"] = None if groups is None else [group.tolist() for group in groups]
    said["group_attributes"] = {}
    for name in family_names(layout, f"{path}/{GROUP_ATTRIBUTES}"):
        dense = layout.get_dense(f"{path}/{GROUP_ATTRIBUTES}/{name}")
        said["group_attributes"][name] = None if dense is None else dense[0].tolist()
    return said


def _plain(values: AnyArray) -> list[Any]:
    return [repr(value) for value in values.tolist()]


def _forest(rng: np.random.Generator, ids: AnyArray) -> AnyArray:
    """(child, parent) rows: a tree per object."""
    edges: list[tuple[int, int]] = []
    for oid in np.unique(ids):
        rows = rng.permutation(np.flatnonzero(ids == oid))
        edges += [(int(rows[i]), int(rows[rng.integers(0, i)])) for i in range(1, len(rows))]
    return np.array(edges, np.int64).reshape(-1, 2)


def _faces(rng: np.random.Generator, rows: AnyArray) -> AnyArray:
    """Triangles of three different rows each."""
    if len(rows) < 3:
        return np.zeros((0, 3), np.int64)
    return np.stack([rng.choice(rows, 3, replace=False) for _ in range(len(rows))])

"""What is written is what is read: every geometry, in both formats, with everything it may hold.

Every geometry in every format meets every pair of values of the ten properties below. All of their
combinations would be 14 336 stores; six rows of properties hold every pair (a test says so), which
makes 84.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.sharding.io import is_sharded, shard_store
from zarr_vectors.testing.agreement import assert_same
from zarr_vectors.testing.kinds import contents
from zarr_vectors.testing.reference import reference_contents
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.lines import read_lines, write_lines
from zarr_vectors.types.meshes import read_mesh, write_mesh
from zarr_vectors.types.points import read_points, write_points
from zarr_vectors.types.polylines import read_polylines, write_polylines

GEOMETRIES = ("point_cloud", "line", "polyline", "streamline", "graph", "skeleton", "mesh")
PATHS = ("line", "polyline", "streamline")
PROPERTIES = (
    "float64",
    "negative",
    "flat",
    "objects",
    "groups",
    "vertex_attributes",
    "object_attributes",
    "group_attributes",
    "link_attributes",
    "sharded",
)
# Each property holds in three of the rows 1 to 5 and not in row 0: two different choices of three
# out of five have one in common, and one each that the other has not.
CHOICES = list(itertools.combinations(range(1, 6), 3))
ROWS = [
    frozenset(p for p, rows in zip(PROPERTIES, CHOICES, strict=True) if row in rows)
    for row in range(6)
]
MANY, LONG = 4, 9


def test_the_rows_hold_every_pair() -> None:
    for one, other in itertools.combinations(PROPERTIES, 2):
        assert {(one in row, other in row) for row in ROWS} == set(
            itertools.product((True, False), repeat=2)
        )


@dataclass
class Given:
    """A store's input and what it must say."""

    geometry: str
    points: np.ndarray
    ids: np.ndarray | None
    links: np.ndarray
    options: dict[str, Any] = field(default_factory=dict)

    def columns(self, scope: str) -> dict[str, np.ndarray]:
        return dict(self.options.get(scope) or {})


def given(geometry: str, has: frozenset[str]) -> Given:
    """Walks whose vertices follow one another, joined as the geometry joins them."""
    rng = np.random.default_rng(3)
    ndim = 2 if "flat" in has else 3
    start = rng.uniform(-15, 15, (MANY, 1, ndim))
    steps = rng.uniform(-4, 4, (MANY, LONG, ndim))
    length = 2 if geometry == "line" else LONG
    points = (start + np.cumsum(steps, axis=1))[:, :length].reshape(-1, ndim)
    if "negative" not in has:
        points += 1 - points.min(axis=0)
    count = len(points)
    rows = np.arange(count).reshape(MANY, length)
    owner = np.repeat(np.arange(MANY), length)
    joined = "objects" in has or geometry in PATHS
    ids = owner if joined else np.zeros(count, int)
    if geometry == "point_cloud" and "objects" not in has:
        own = has & {"groups", "object_attributes", "group_attributes"}
        ids = np.arange(count) if own else None
    links = np.zeros((0, 2), int)
    if geometry == "graph":
        links = rng.permutation(np.concatenate([rows[:, 1:], rows[:, :-1]], axis=1).reshape(-1, 2))
    elif geometry == "skeleton":
        up = rows[:, :-1].copy()
        up[:, 4] = rows[:, 1]  # a branch
        links = rng.permutation(np.stack([rows[:, 1:], up], axis=2).reshape(-1, 2))
    elif geometry == "mesh":
        corners = np.stack([rows[:, 2:], rows[:, :-2], rows[:, 1:-1]], axis=2)
        links = rng.permutation(corners.reshape(-1, 3))
    slots = 0 if ids is None else int(ids.max()) + 1
    options: dict[str, Any] = {
        "chunk_shape": (10.0, 14.0, 12.0)[:ndim],
        "dtype": "float64" if "float64" in has else "float32",
    }
    if "vertex_attributes" in has:
        options["vertex_attributes"] = {
            "age": rng.integers(-99, 99, count).astype(np.int16),
            "rgb": rng.integers(0, 255, (count, 3)).astype(np.uint8),
            "kind": rng.choice(["a", "bb", "ç"], count),
        }
    if "object_attributes" in has:
        options["object_attributes"] = {
            "size": np.arange(slots) * 1.5,
            "pair": np.arange(2 * slots, dtype=np.int32).reshape(-1, 2),
        }
    if geometry != "line" and has & {"groups", "group_attributes"}:
        options["groups"] = {0: [0], 1: [], 2: list(range(slots))}
    if geometry != "line" and "group_attributes" in has:
        options["group_attributes"] = {"weight": np.array([1.0, 2.0, 3.0], np.float32)}
    if len(links) and "link_attributes" in has:
        options["link_attributes"] = {
            "length": rng.normal(size=len(links)).astype(np.float32),
            "ends": rng.integers(0, 9, (len(links), 2)).astype(np.uint8),
        }
    return Given(geometry, points.astype(options["dtype"]), ids, links, options)


def write(place: Path, it: Given, version: str) -> None:
    options = {**it.options, "format_version": version}
    if it.geometry == "point_cloud":
        write_points(place, it.points, object_ids=it.ids, **options)
    elif it.geometry == "line":
        ends = it.points.reshape(MANY, 2, -1)
        columns = options.pop("vertex_attributes", {})
        columns = {k: v.reshape(MANY, 2, *v.shape[1:]) for k, v in columns.items()}
        write_lines(place, ends, vertex_attributes=columns, **options)
    elif it.geometry in PATHS:
        columns = options.pop("vertex_attributes", {})
        columns = {k: np.split(v, MANY) for k, v in columns.items()}
        lines = np.split(it.points, MANY)
        kind = {"geometry_type": it.geometry}
        write_polylines(place, lines, vertex_attributes=columns, **kind, **options)
    elif it.geometry == "mesh":
        options["face_attributes"] = options.pop("link_attributes", None)
        write_mesh(place, it.points, it.links, object_ids=it.ids, **options)
    else:
        kind = {"kind": it.geometry}
        write_graph(place, it.points, it.links, object_ids=it.ids, **kind, **options)


def rows_of(points: np.ndarray, columns: dict[str, np.ndarray]) -> list[Any]:
    """Vertices with their attributes, in an order of their own."""
    values = [map(repr, columns[name].tolist()) for name in sorted(columns)]
    return sorted(zip(points.tolist(), *values, strict=True))


def links_of(points: np.ndarray, links: np.ndarray, columns: dict[str, np.ndarray]) -> list[Any]:
    """Links by the positions they join, with their attributes."""
    values = [map(repr, columns[name].tolist()) for name in sorted(columns)]
    return sorted(zip(points[links].tolist(), *values, strict=True))


def objects_of(it: Given) -> dict[int, list[Any]] | None:
    if it.ids is None:
        return None
    found = {int(i): it.points[it.ids == i].tolist() for i in np.unique(it.ids)}
    return found if it.geometry in PATHS else {i: sorted(rows) for i, rows in found.items()}


def expected(it: Given) -> dict[str, Any]:
    """What the store must say, in the form of ``contents``."""
    said: dict[str, Any] = {
        "vertices": rows_of(it.points, it.columns("vertex_attributes")),
        "links": links_of(it.points, it.links, it.columns("link_attributes")),
        "groups": list(it.options["groups"].values()) if "groups" in it.options else None,
        "group_attributes": {k: v.tolist() for k, v in it.columns("group_attributes").items()},
    }
    if it.ids is not None:
        said["objects"] = objects_of(it)
        said["object_attributes"] = {
            name: dict(enumerate(values.tolist()))
            for name, values in it.columns("object_attributes").items()
        }
    return said


def assert_eager(place: Path, it: Given) -> None:
    """The reader of each geometry."""
    columns, of_links = it.columns("vertex_attributes"), it.columns("link_attributes")
    names, link_names = list(columns), list(of_links)
    if it.geometry == "point_cloud":
        found: Any = read_points(place, attribute_names=names)
        positions, links, values = found.positions, it.links, {}
    elif it.geometry == "line":
        found = read_lines(place, attribute_names=names)
        np.testing.assert_array_equal(found.endpoints.reshape(it.points.shape), it.points)
        for name in names:
            flat = found.vertex_attributes[name].reshape(columns[name].shape)
            np.testing.assert_array_equal(flat, columns[name])
        assert found.endpoints.dtype == it.points.dtype
        return
    elif it.geometry in PATHS:
        found = read_polylines(place, attribute_names=names)
        np.testing.assert_array_equal(found.positions, it.points)
        np.testing.assert_array_equal(np.diff(found.offsets), [LONG] * MANY)
        positions, links, values = found.positions, it.links, {}
    elif it.geometry == "mesh":
        found = read_mesh(place, attribute_names=names, face_attribute_names=link_names)
        positions, links, values = found.vertices, found.faces, found.face_attributes
    else:
        found = read_graph(place, attribute_names=names, link_attribute_names=link_names)
        positions, links, values = found.positions, found.edges, found.link_attributes
    assert positions.dtype == it.points.dtype
    assert_same(rows_of(positions, found.vertex_attributes), rows_of(it.points, columns), "rows")
    expected_links = links_of(it.points, it.links, of_links)
    assert_same(links_of(positions, links, values), expected_links, "links")
    for name, values in of_links.items():
        own = found.face_attributes if it.geometry == "mesh" else found.link_attributes
        assert own[name].dtype == values.dtype
    for name in names:
        if columns[name].dtype.kind != "U":
            assert found.vertex_attributes[name].dtype == columns[name].dtype


def assert_lazy(place: Path, it: Given) -> None:
    level = open_zv(place)[0]
    columns, of_links = it.columns("vertex_attributes"), it.columns("link_attributes")
    positions = level.vertices.compute()
    assert positions.dtype == it.points.dtype
    values = {name: level.attributes[name].compute() for name in columns}
    assert sorted(level.attribute_specs) == sorted(columns)
    assert_same(rows_of(positions, values), rows_of(it.points, columns), "lazy rows")
    if len(it.links):
        lazy = level.faces if it.geometry == "mesh" else level.edges
        values = {name: lazy.attribute(name).compute() for name in of_links}
        found = links_of(positions, lazy.compute(), values)
        assert_same(found, links_of(it.points, it.links, of_links), "lazy links")
    objects = objects_of(it)
    if objects is not None:
        assert level.present_oids.tolist() == sorted(objects)
        for oid, rows in objects.items():
            if it.geometry in PATHS:
                assert level.polylines[oid].compute().tolist() == rows
            else:
                view = level.filter(object_ids=[oid]).vertices.compute()
                assert sorted(view.tolist()) == rows
        for name, column in it.columns("object_attributes").items():
            stored = level.object_attribute(name)
            assert stored.dtype == column.dtype
            np.testing.assert_array_equal(stored, column)
        for number, members in (it.options.get("groups") or {}).items():
            view = level.filter(group_ids=[number]).vertices.compute().tolist()
            assert sorted(view) == sorted(row for oid in members for row in objects[oid])


@pytest.mark.parametrize("row", range(len(ROWS)))
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_written_is_read(tmp_path: Path, geometry: str, version: str, row: int) -> None:
    it, place = given(geometry, ROWS[row]), tmp_path / "s"
    write(place, it, version)
    if "sharded" in ROWS[row]:
        shard_store(place, "octree", 4)
        assert is_sharded(place)
    assert_eager(place, it)
    assert_lazy(place, it)
    said = contents(place)["levels"][0]
    del said["dtypes"]
    assert_same(said, expected(it), "contents")
    assert_same(reference_contents(place)["levels"][0], expected(it), "reference")

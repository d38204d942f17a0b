from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.exceptions import ConventionError, StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.reading.results import GraphResult, MeshResult, PointsResult
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.meshes import read_mesh, write_mesh
from zarr_vectors.types.points import write_points

BOX = ([-9.0] * 3, [14.0] * 3)


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request):
    return request.param


@pytest.fixture
def points():
    return np.random.default_rng(8).uniform(-20, 20, (90, 3))


@pytest.fixture(params=["graph", "skeleton"])
def graph(request, tmp_path, version, points):
    edges = np.array([(k, k - 3) for k in range(3, 90)])
    write_graph(
        tmp_path / "g",
        points,
        edges,
        chunk_shape=(12.0,) * 3,
        kind=request.param,
        object_ids=np.arange(90) % 3 * 2,
        link_attributes={"weight": np.arange(87.0)},
        vertex_attributes={"row": np.arange(90)},
        groups={0: [0, 4]},
        format_version=version,
    )
    return tmp_path / "g"


def test_edges_fit_the_vertices(graph):
    level = open_zv(graph)[0]
    eager = read_graph(graph, link_attribute_names=["weight"])
    np.testing.assert_array_equal(level.vertices.compute(), eager.positions)
    np.testing.assert_array_equal(level.edges.compute(), eager.edges)
    assert len(level.edges) == 87
    assert level.edges.attribute_names == ["weight"]
    np.testing.assert_array_equal(
        level.edges.attribute("weight").compute(), eager.link_attributes["weight"]
    )
    with pytest.raises(StoreError, match="no link attribute 'x'"):
        level.edges.attribute("x").compute()
    with pytest.raises(ConventionError, match="no faces"):
        level.faces.compute()


def test_views_keep_edges_inside_them(graph):
    level = open_zv(graph)[0]
    for filters in ({"bbox": BOX}, {"object_ids": [4, 0]}, {"group_ids": [0], "bbox": BOX}):
        view, eager = level.filter(**filters), read_graph(graph, **filters)
        np.testing.assert_array_equal(view.vertices.compute(), eager.positions)
        np.testing.assert_array_equal(view.edges.compute(), eager.edges)
        assert 0 < len(view.edges) < 87


def test_objects_are_whole(graph, points):
    objects = open_zv(graph)[0].objects
    assert objects.object_ids == list(objects) == [0, 2, 4]
    assert len(objects) == 3
    assert 2 in objects
    assert 3 not in objects
    one = objects[2].compute()
    assert isinstance(one, GraphResult)
    assert one.node_count == 30
    assert one.edge_count == 29
    both = objects.read([4, 2], ["row"], ["weight"])
    np.testing.assert_array_equal(both.object_ids, both.vertex_attributes["row"] % 3 * 2)
    rows = both.vertex_attributes["row"][both.edges]
    np.testing.assert_array_equal(rows[:, 0] - rows[:, 1], 3)
    np.testing.assert_array_equal(rows[:, 0] - 3, both.link_attributes["weight"])
    with pytest.raises(IndexError, match="no object 1"):
        objects[1]


def test_faces_and_objects_of_a_mesh(tmp_path, version, points):
    faces = np.array([(k, k + 1, k + 2) for k in range(0, 87, 3)])
    write_mesh(
        tmp_path / "m",
        points,
        faces,
        chunk_shape=(25.0,) * 3,
        object_ids=np.arange(90) // 45,
        face_attributes={"area": np.arange(29)},
        format_version=version,
    )
    level = open_zv(tmp_path / "m")[0]
    eager = read_mesh(tmp_path / "m", face_attribute_names=["area"])
    np.testing.assert_array_equal(level.faces.compute(), eager.faces)
    np.testing.assert_array_equal(
        level.faces.attribute("area").compute(), eager.face_attributes["area"]
    )
    view = level.filter(bbox=BOX)
    np.testing.assert_array_equal(view.faces.compute(), read_mesh(tmp_path / "m", bbox=BOX).faces)
    one = level.objects[1].compute()
    assert isinstance(one, MeshResult)
    assert one.vertex_count == 45
    assert one.face_count == 14
    with pytest.raises(ConventionError, match="no edges"):
        level.edges.compute()


def test_objects_of_points_are_points(tmp_path, version, points):
    write_points(tmp_path / "p", points, object_ids=np.arange(90) % 2, format_version=version)
    level = open_zv(tmp_path / "p")[0]
    one = level.objects[1].compute()
    assert isinstance(one, PointsResult)
    assert one.vertex_count == 45
    with pytest.raises(ConventionError, match="point_cloud"):
        level.edges.compute()

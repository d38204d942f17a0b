"""Neurons as skeletons (SWC) and as meshes (PLY, OBJ): written, read, and compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.meshes import read_mesh, write_mesh

pytestmark = pytest.mark.realdata

VERSIONS = ["0.7.0", "0.9.2"]


def skeletons(paths):
    """All neurons of SWC files as one skeleton: positions, edges, object, label and radius."""
    parts, edges, start = [], [], 0
    for number, path in enumerate(paths):
        table = np.loadtxt(path, comments="#")
        place = {int(point): row for row, point in enumerate(table[:, 0])}
        parents = [place.get(int(parent), -1) for parent in table[:, 6]]
        edges += [(row + start, up + start) for row, up in enumerate(parents) if up >= 0]
        parts.append(
            np.column_stack([table[:, 2:5], np.full(len(table), number), table[:, [1, 5]]])
        )
        start += len(table)
    table = np.concatenate(parts)
    return table[:, :3], np.array(edges), table[:, 3].astype(int), table[:, 4], table[:, 5]


def meshes(paths):
    """All meshes of files as one: vertices, faces, object."""
    trimesh = pytest.importorskip("trimesh")
    vertices, faces, objects, start = [], [], [], 0
    for number, path in enumerate(paths):
        found = trimesh.load(path, process=False)
        vertices.append(np.asarray(found.vertices))
        faces.append(np.asarray(found.faces) + start)
        objects.append(np.full(len(found.vertices), number))
        start += len(found.vertices)
    return np.concatenate(vertices), np.concatenate(faces), np.concatenate(objects)


def sorted_rows(table):
    return table[np.lexsort(table.T[::-1])]


@pytest.mark.parametrize("version", VERSIONS)
def test_skeletons_come_back(test_data: Path, tmp_path: Path, version: str) -> None:
    paths = sorted((test_data / "neurons" / "swc").glob("*.swc"))
    assert len(paths) == 5
    positions, edges, ids, label, radius = skeletons(paths)
    count = len(positions)
    roots = count - len(edges)
    answer = write_graph(
        tmp_path / "s",
        positions,
        edges,
        kind="skeleton",
        chunk_shape=(8000.0,) * 3,
        object_ids=ids,
        vertex_attributes={"row": np.arange(count), "label": label, "radius": radius},
        object_attributes={"neuron": np.array([int(path.stem) for path in paths])},
        format_version=version,
    )
    assert answer["object_count"] == 5
    assert answer["cross_edge_count"] > 100
    found = read_graph(tmp_path / "s", attribute_names=["row", "radius"])
    rows = found.vertex_attributes["row"]
    np.testing.assert_array_equal(found.positions, positions.astype(np.float32)[rows])
    np.testing.assert_array_equal(found.vertex_attributes["radius"], radius[rows])
    np.testing.assert_array_equal(sorted_rows(rows[found.edges]), sorted_rows(edges))
    assert found.node_count - found.edge_count == roots
    level = open_zv(tmp_path / "s")[0]
    length = np.linalg.norm(np.diff(positions[edges], axis=1), axis=2).sum()
    ends = level.vertices.compute()[level.edges.compute()]
    np.testing.assert_allclose(np.linalg.norm(np.diff(ends, axis=1), axis=2).sum(), length, 1e-5)
    for oid in (0, 4):
        one = level.objects[oid].compute()
        assert one.node_count == (ids == oid).sum()
        assert one.edge_count == (ids[edges[:, 0]] == oid).sum()
    low, high = np.quantile(positions, [0.3, 0.7], axis=0)
    inside = ((positions.astype(np.float32) >= low) & (positions.astype(np.float32) <= high)).all(1)
    view = level.filter(bbox=(low, high))
    assert len(view.vertices.compute()) == inside.sum() > 0
    part = read_graph(tmp_path / "s", bbox=(low, high), attribute_names=["row"])
    near = part.vertex_attributes["row"]
    kept = edges[inside[edges].all(axis=1)]
    np.testing.assert_array_equal(sorted_rows(near[part.edges]), sorted_rows(kept))
    np.testing.assert_array_equal(view.edges.compute(), part.edges)


@pytest.mark.parametrize("encoding", ["raw", "draco"])
@pytest.mark.parametrize("version", VERSIONS)
def test_meshes_come_back(test_data: Path, tmp_path: Path, version: str, encoding: str) -> None:
    paths = sorted((test_data / "neurons" / "ply").glob("*.ply"))[:2]
    vertices, faces, ids = meshes(paths)
    answer = write_mesh(
        tmp_path / "m",
        vertices,
        faces,
        chunk_shape=(10000.0,) * 3,
        encoding=encoding,
        draco_quantization_bits=16,
        object_ids=ids,
        vertex_attributes={"row": np.arange(len(vertices))},
        format_version=version,
    )
    assert answer["cross_face_count"] > 100
    found = read_mesh(tmp_path / "m", attribute_names=["row"])
    rows = found.vertex_attributes["row"]
    off = 0 if encoding == "raw" else 10000 / 2**15
    np.testing.assert_allclose(found.vertices, vertices.astype(np.float32)[rows], rtol=0, atol=off)
    np.testing.assert_array_equal(sorted_rows(rows[found.faces]), sorted_rows(faces))
    one = open_zv(tmp_path / "m")[0].objects[1].compute()
    assert one.vertex_count == (ids == 1).sum()
    assert one.face_count == (ids[faces[:, 0]] == 1).sum()


def test_a_neuropil_comes_back(test_data: Path, tmp_path: Path) -> None:
    vertices, faces, _ = meshes([test_data / "neurons" / "neuropil.obj"])
    write_mesh(tmp_path / "m", vertices, faces, chunk_shape=(15000.0,) * 3, dtype="float64")
    found = read_mesh(tmp_path / "m")
    assert found.face_count == len(faces)
    corner = sorted_rows(found.vertices[found.faces].reshape(-1, 9))
    np.testing.assert_array_equal(corner, sorted_rows(vertices[faces].reshape(-1, 9)))

"""The pages' tracts, skeletons and meshes: what the files say is what the stores give back."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from zarr_vectors import open_zv
from zarr_vectors.testing.linked import by_chunk, joined, whole_links
from zarr_vectors.types.graphs import read_graph
from zarr_vectors.types.meshes import read_mesh
from zarr_vectors.types.polylines import read_polylines

pytestmark = pytest.mark.realdata

VOXEL = 8.0


def sorted_rows(rows: np.ndarray) -> np.ndarray:
    return rows[np.lexsort(rows.T[::-1])]


def test_tracts_come_back_and_go_out_again(
    tracts: Path, tract_store: Path, tracts_example: ModuleType, tmp_path: Path
) -> None:
    nibabel = pytest.importorskip("nibabel")
    wanted = nibabel.streamlines.load(tracts).streamlines
    found = read_polylines(tract_store)
    assert found.polyline_count == 300
    for mine, line in zip(found.lines, wanted, strict=True):
        np.testing.assert_array_equal(mine, line)
    with open_zv(tract_store) as store:
        assert [axis.unit for axis in store.axes] == ["millimeter"] * 3
        lengths = store[0].object_attribute("length")
        kept = [set(store[number].present_oids.tolist()) for number in store.levels]
    steps = [np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in wanted]
    np.testing.assert_allclose(lengths, steps, rtol=1e-5)
    assert [len(ids) for ids in kept] == [300, 300, 150, 75]
    assert kept[0] >= kept[1] >= kept[2] >= kept[3]
    long = open_zv(tract_store)[0].polylines.filter(length_range=(60, 1000)).compute()
    assert len(long) == (np.array(steps) >= 60).sum() == 38
    near = read_polylines(tract_store, bbox=([88, 98, 70], [92, 102, 74]))
    assert 0 < near.polyline_count < 300
    tracts_example.export(str(tract_store), str(tmp_path / "again.trk"))
    again = nibabel.streamlines.load(tmp_path / "again.trk")
    for mine, line in zip(again.streamlines, wanted, strict=True):
        np.testing.assert_allclose(mine, line, atol=1e-4)
    first = nibabel.streamlines.load(tracts).header
    np.testing.assert_array_equal(again.header["voxel_to_rasmm"], first["voxel_to_rasmm"])


def test_values_along_tracts_are_kept(tracts_example: ModuleType, tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    rng = np.random.default_rng(3)
    lines = [rng.uniform(0, 50, (n, 3)).astype(np.float32) for n in (5, 2, 9)]
    tractogram = nibabel.streamlines.Tractogram(
        lines,
        data_per_point={"fa": [line[:, :1] for line in lines]},
        data_per_streamline={"seed": np.arange(9, dtype=np.float32).reshape(3, 3)},
        affine_to_rasmm=np.eye(4),
    )
    nibabel.streamlines.save(tractogram, str(tmp_path / "a.trk"))
    tracts_example.convert(str(tmp_path / "a.trk"), str(tmp_path / "a.zarrvectors"))
    found = read_polylines(tmp_path / "a.zarrvectors", attribute_names=["fa"])
    np.testing.assert_allclose(np.ravel(found.vertex_attributes["fa"]), found.positions[:, 0])
    with open_zv(tmp_path / "a.zarrvectors") as store:
        np.testing.assert_array_equal(store[0].object_attribute("seed"), np.arange(9).reshape(3, 3))


def swc(path: Path) -> tuple[list[tuple[float, ...]], float]:
    """Rows (x, y, z, radius), sorted, in nanometres, and the length of the tree; line by line."""
    rows, parents = {}, {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            number, _, x, y, z, radius, parent = line.split()
            rows[int(number)] = tuple(float(value) * VOXEL for value in (x, y, z, radius))
            parents[int(number)] = int(parent)
    length = sum(
        float(np.linalg.norm(np.subtract(rows[child][:3], rows[parent][:3])))
        for child, parent in parents.items()
        if parent in rows
    )
    return sorted(rows.values()), length


def test_every_skeleton_is_an_object_that_comes_back(
    skeletons: list[Path], skeleton_store: Path
) -> None:
    with open_zv(skeleton_store) as store:
        assert store[0].object_attribute("neuron").tolist() == [int(p.stem) for p in skeletons]
        assert store[0].attribute_specs["radius"].unit == "nanometer"
        for number in store.levels:
            assert store[number].present_oids.tolist() == list(range(5))
    for number, path in enumerate(skeletons):
        found = read_graph(skeleton_store, object_ids=[number], attribute_names=["radius"])
        rows, length = swc(path)
        mine = np.column_stack([found.positions, found.vertex_attributes["radius"]])
        np.testing.assert_allclose(sorted_rows(mine), np.array(rows), rtol=1e-6)
        steps = np.diff(found.positions[found.edges].astype(np.float64), axis=1)
        assert np.linalg.norm(steps, axis=2).sum() == pytest.approx(length, rel=1e-6)


def test_coarse_skeletons_are_trees_with_the_largest_radius(skeleton_store: Path) -> None:
    finest = read_graph(skeleton_store, attribute_names=["radius"])
    roots = finest.node_count - finest.edge_count
    largest = finest.vertex_attributes["radius"].max()
    for level in (1, 2, 3):
        found = read_graph(skeleton_store, level=level, attribute_names=["radius"])
        assert found.node_count < finest.node_count
        assert found.node_count - found.edge_count == roots
        assert found.vertex_attributes["radius"].max() == largest


def test_every_mesh_is_an_object_that_comes_back(meshes: list[Path], mesh_store: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    with open_zv(mesh_store) as store:
        areas = store[0].object_attribute("area")
    for number, path in enumerate(meshes):
        wanted = trimesh.load(path, process=False)
        found = read_mesh(mesh_store, object_ids=[number])
        assert (found.vertex_count, found.face_count) == (len(wanted.vertices), len(wanted.faces))
        corners = (np.asarray(wanted.vertices) * VOXEL).astype(np.float32)[wanted.faces]
        np.testing.assert_array_equal(
            sorted_rows(found.vertices[found.faces].reshape(-1, 9)),
            sorted_rows(corners.reshape(-1, 9)),
        )
        assert areas[number] == pytest.approx(wanted.area * VOXEL**2)
        coarse = [read_mesh(mesh_store, level=n, object_ids=[number]) for n in (1, 2, 3)]
        counts = [found.face_count, *(mesh.face_count for mesh in coarse)]
        assert counts == sorted(counts, reverse=True)
        assert counts[-1] > 0


@pytest.mark.parametrize("name", ["tract_store", "skeleton_store", "mesh_store"])
def test_chunk_by_chunk_is_the_whole(request: pytest.FixtureRequest, name: str) -> None:
    store = request.getfixturevalue(name)
    opened = open_zv(store)
    for level in opened.levels:
        found = joined(by_chunk(opened[level], 9, np.random.default_rng(level)))
        whole = whole_links(store, level)
        assert found.total() == whole.total()
        # vertices of two bodies may lie at one place: which of them owns an edge is not compared
        assert {ends for _, ends in found} == {ends for _, ends in whole}

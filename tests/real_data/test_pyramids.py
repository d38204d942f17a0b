"""What coarse levels of neurons, tracts and LiDAR returns keep, measured on the real files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.pyramids import (
    Network,
    Vertex,
    distances,
    merged_lines,
    merged_network,
    nearest,
    parts_of,
    vertices_of,
)
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.meshes import read_mesh, write_mesh
from zarr_vectors.types.polylines import read_polylines, write_polylines

pytestmark = pytest.mark.realdata

FACTORS = [(1, 1), (2, 1), (2, 2)]
"""The third level leaves every second object out."""


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request):
    return request.param


@cache
def neurons(folder: Path):
    """Skeletons of all neurons: positions, (child, parent) edges, neuron, radius."""
    parts, edges, ids, first = [], [], [], 0
    for number, path in enumerate(sorted((folder / "neurons" / "swc").glob("*.swc"))):
        table = np.loadtxt(path, comments="#")
        place = {int(point): row for row, point in enumerate(table[:, 0])}
        above = np.array([place.get(int(parent), -1) for parent in table[:, 6]])
        rows = np.flatnonzero(above >= 0)
        edges.append(np.column_stack([rows, above[rows]]) + first)
        parts.append(table[:, 2:6])
        ids.append(np.full(len(table), number))
        first += len(table)
    table = np.concatenate(parts)
    return table[:, :3].astype(np.float32), np.concatenate(edges), np.concatenate(ids), table[:, 3]


@cache
def surfaces(folder: Path):
    """Meshes of two neurons: positions, faces, neuron."""
    trimesh = pytest.importorskip("trimesh")
    parts, faces, ids, first = [], [], [], 0
    for number, path in enumerate(sorted((folder / "neurons" / "ply").glob("*.ply"))[:2]):
        found = trimesh.load(path, process=False)
        parts.append(np.asarray(found.vertices, np.float32))
        faces.append(np.asarray(found.faces) + first)
        ids.append(np.full(len(parts[-1]), number))
        first += len(parts[-1])
    return np.concatenate(parts), np.concatenate(faces), np.concatenate(ids)


@cache
def tracts(folder: Path):
    """Streamlines."""
    nibabel = pytest.importorskip("nibabel")
    found = nibabel.streamlines.load(folder / "tracts" / "tracks300.trk")
    return [np.asarray(line, np.float32) for line in found.streamlines]


@cache
def slow_neurons(folder: Path):
    positions, edges, ids, _ = neurons(folder)
    level = Network(vertices_of(positions), ids.tolist(), [tuple(e) for e in edges.tolist()])
    levels = [level]
    for size in (250.0, 500.0, 1000.0):
        levels.append(merged_network(levels[-1], (size,) * 3, connected=True))
    return levels


def check_error(store, level: int, vertices: list[Vertex], reference) -> None:
    """The stored error is that of the levels made vertex by vertex, and no smaller than it can."""
    error = store[level].error
    away = distances(vertices, reference)
    assert error.reference_level == 0
    assert error.unrepresented == len(reference) - len(away)
    np.testing.assert_allclose(
        [error.p50, error.p95, error.max],
        [*np.percentile(away, (50, 95)), away.max()],
        rtol=0.01,
    )
    there = np.concatenate([v.sources for v in vertices])
    positions = store[level].vertices.compute().astype(np.float64)
    some = reference[there[:: max(1, len(there) // 1500)]]
    assert error.p95 >= np.percentile(nearest(some, positions), 95)


def kept_only(network: Network, kept) -> list[Vertex]:
    pairs = zip(network.vertices, network.owners, strict=True)
    return [vertex for vertex, owner in pairs if owner in kept]


def check_objects(store, names: list[str], count: int) -> None:
    """Ids are stable and nested; every attribute and group is at every level."""
    before = set(range(count))
    layout = open_handle(store.url.removeprefix("file://")).layout
    groups = [group.tolist() for group in layout.get_groups("0")]
    for level in store.levels:
        handle = store[level]
        there = set(handle.present_oids.tolist())
        assert there <= before
        before = there
        assert sorted(handle.attribute_specs) == sorted(names)
        weight = handle.object_attribute("number")
        np.testing.assert_array_equal(weight[sorted(there)], np.array(sorted(there)) * 10)
        assert [group.tolist() for group in layout.get_groups(str(level))] == groups
        if level:
            assert handle.preserves_object_ids
    assert len(before) == max(1, round(count / 2))


def test_skeletons(test_data: Path, tmp_path: Path, version: str) -> None:
    positions, edges, ids, radius = neurons(test_data)
    write_graph(
        tmp_path / "s",
        positions,
        edges,
        kind="skeleton",
        chunk_shape=(8000.0,) * 3,
        bin_shape=(250.0,) * 3,
        object_ids=ids,
        vertex_attributes={"radius": radius, "row": np.arange(len(ids))},
        object_attributes={"number": np.arange(5) * 10},
        groups={0: [0, 2], 1: [4]},
        format_version=version,
    )
    build_pyramid(tmp_path / "s", factors=FACTORS, sparsity_strategy="length", cross_level_depth=-1)
    store = open_zv(tmp_path / "s")
    check_objects(store, ["radius", "row"], 5)
    slow = slow_neurons(test_data)
    finest = read_graph(tmp_path / "s")
    parts = np.array(parts_of(finest.node_count, finest.edges.tolist()))
    layout = open_handle(tmp_path / "s").layout
    for level in (1, 2, 3):
        kept = set(store[level].present_oids.tolist())
        vertices = kept_only(slow[level], kept)
        found = read_graph(tmp_path / "s", level=level)
        assert found.node_count == len(vertices)
        check_error(store, level, vertices, positions)
        # vertices are connected exactly where those of level 0 that they stand for are
        above = np.array(parts_of(found.node_count, found.edges.tolist()))
        below_rows, rows = linked_rows(store, layout, level)
        pairs = np.unique(np.column_stack([parts[below_rows], above[rows]]), axis=0)
        assert len(pairs) == len(np.unique(pairs[:, 0])) == len(np.unique(pairs[:, 1]))
        assert found.edge_count == found.node_count - len(pairs)
        assert len(np.unique(found.edges[:, 0])) == found.edge_count


def linked_rows(store, layout, delta: int):
    """Rows of level 0 and of a level above that links between the two join."""
    records = layout.get_links("0", delta=delta)
    found = []
    for end, level in enumerate((0, delta)):
        table = store[level].chunk_table
        first = np.cumsum(table.counts) - table.counts
        place = dict(zip(map(tuple, table.coords.tolist()), first.tolist(), strict=True))
        chunks = records.chunks[:, end].tolist()
        found.append(np.array([place[tuple(c)] for c in chunks]) + records.rows[:, end])
    return found


def test_surfaces(test_data: Path, tmp_path: Path, version: str) -> None:
    positions, faces, ids = surfaces(test_data)
    write_mesh(
        tmp_path / "s",
        positions,
        faces,
        chunk_shape=(10000.0,) * 3,
        bin_shape=(250.0,) * 3,
        object_ids=ids,
        vertex_attributes={"row": np.arange(len(ids))},
        object_attributes={"number": np.arange(2) * 10},
        groups={0: [1]},
        format_version=version,
    )
    build_pyramid(tmp_path / "s", factors=FACTORS, cross_level_storage="none")
    store = open_zv(tmp_path / "s")
    check_objects(store, ["row"], 2)
    slow = Network(vertices_of(positions), ids.tolist(), [tuple(f) for f in faces.tolist()])
    for level, size in enumerate((250.0, 500.0, 1000.0), 1):
        slow = merged_network(slow, (size,) * 3, connected=False)
        kept = set(store[level].present_oids.tolist())
        vertices = kept_only(slow, kept)
        found = read_mesh(tmp_path / "s", level=level)
        assert found.vertex_count == len(vertices)
        assert found.face_count == sum(slow.owners[face[0]] in kept for face in slow.links) > 100
        corners = np.sort(found.faces, axis=1)
        assert (np.diff(corners, axis=1) > 0).all()
        assert len(np.unique(corners, axis=0)) == len(corners)
        check_error(store, level, vertices, positions)


def test_streamlines(test_data: Path, tmp_path: Path, version: str) -> None:
    lines = tracts(test_data)
    write_polylines(
        tmp_path / "s",
        lines,
        chunk_shape=(32.0,) * 3,
        bin_shape=(4.0,) * 3,
        vertex_attributes={"step": [np.arange(len(line)) for line in lines]},
        object_attributes={"number": np.arange(len(lines)) * 10},
        groups={0: range(0, 300, 3)},
        format_version=version,
    )
    build_pyramid(
        tmp_path / "s", factors=FACTORS, sparsity_strategy="spatial_coverage", sparsity_seed=1
    )
    store = open_zv(tmp_path / "s")
    check_objects(store, ["step"], len(lines))
    slow, first = [], 0
    for line in lines:
        slow.append(vertices_of(line, first))
        first += len(line)
    for level, size in enumerate((4.0, 8.0, 16.0), 1):
        slow = merged_lines(slow, (size,) * 3)
        found = read_polylines(tmp_path / "s", level=level)
        assert found.object_ids.tolist() == store[level].present_oids.tolist()
        kept = [slow[oid] for oid in found.object_ids]
        assert np.diff(found.offsets).tolist() == [len(line) for line in kept]
        check_error(store, level, [v for line in kept for v in line], np.concatenate(lines))
        for oid, line in zip(found.object_ids.tolist(), found.lines, strict=True):
            assert len(line) >= 2
            ends = np.stack([line[[0, -1]], lines[oid][[0, -1]]])
            cells = np.floor(ends.astype(np.float64) / size)
            np.testing.assert_array_equal(cells[0], cells[1])


def test_returns(lidar_store: Path) -> None:
    with open_zv(lidar_store) as store:
        reference = store[0].vertices.compute()
        vertices = vertices_of(reference)
        for level in store.levels[1:]:
            network = Network(vertices, [0] * len(vertices))
            bins = store[level].bin_shape
            vertices = merged_network(network, bins, connected=False).vertices
            assert store.vertex_count(level) == len(vertices)
            check_error(store, level, vertices, reference)

"""Coarse levels of linked geometry: the published releases read ours; we build on theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid, coarsen_level
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.lines import read_lines, write_lines
from zarr_vectors.types.meshes import read_mesh, write_mesh
from zarr_vectors.types.polylines import read_polylines, write_polylines

pytestmark = pytest.mark.peers

SHAPES: dict[str, Any] = {"chunk_shape": (48.0,) * 3, "bin_shape": (6.0,) * 3}
FACTORS = [(1, 1), (2, 1), (2, 2)]


def walks(count: int = 7, length: int = 40) -> np.ndarray:
    rng = np.random.default_rng(4)
    start = rng.uniform(-40, 40, (count, 1, 3))
    steps = rng.normal(0, 3, (count, length, 3)).cumsum(axis=1)
    return np.asarray((start + steps).astype(np.float32))


def chains(count: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """(child, parent) edges of trees along walks, and the tree of every vertex."""
    rows = np.arange(count * length).reshape(count, length)
    edges = np.column_stack([rows[:, 1:].reshape(-1), rows[:, :-1].reshape(-1)])
    side = rows[:, 5::7].reshape(-1)
    edges[np.isin(edges[:, 0], side), 1] -= np.minimum(side % length - 1, 2)
    return edges, np.repeat(np.arange(count), length)


@pytest.mark.parametrize("kind", ["polyline", "streamline"])
def test_our_lines_are_read(peer: Any, tmp_path: Path, kind: str) -> None:
    store = str(tmp_path / "ours")
    write_polylines(store, list(walks()), geometry_type=kind, format_version=peer.version, **SHAPES)
    build_pyramid(store, factors=FACTORS, sparsity_seed=0, cross_level_depth=-1)
    for level in (1, 2, 3):
        found = peer.call("read_paths", store=store, kind="polylines", level=level)
        ours = read_polylines(store, level=level)
        np.testing.assert_array_equal(found["counts"][found["counts"] > 0], np.diff(ours.offsets))
        np.testing.assert_array_equal(found["positions"], ours.positions)


def test_our_straight_lines_are_read(peer: Any, tmp_path: Path) -> None:
    store = str(tmp_path / "ours")
    ends = walks(9, 2)
    write_lines(store, ends, format_version=peer.version, **SHAPES)
    build_pyramid(store, factors=[(2, 2)], sparsity_seed=0)
    found = peer.call("read_paths", store=store, kind="lines", level=1)
    ours = read_lines(store, level=1)
    assert ours.line_count == 4
    np.testing.assert_array_equal(found["endpoints"], ours.endpoints)


@pytest.mark.parametrize("kind", ["graph", "skeleton", "mesh"])
def test_our_networks_are_read(peer: Any, tmp_path: Path, kind: str) -> None:
    store, points = str(tmp_path / "ours"), walks()
    edges, ids = chains(*points.shape[:2])
    flat = points.reshape(-1, 3)
    options = {"object_ids": ids, "format_version": peer.version, **SHAPES}
    if kind == "mesh":
        faces = np.column_stack([edges, edges[:, 1] - 1])
        faces = faces[(faces[:, 2] >= 0) & (ids[faces[:, 2]] == ids[faces[:, 0]])]
        write_mesh(store, flat, faces, **options)
    else:
        write_graph(store, flat, edges, kind=kind, **options)
    build_pyramid(store, factors=FACTORS, sparsity_seed=0, cross_level_depth=-1)
    form = "mesh" if kind == "mesh" else "graph"
    for level in (0, 1, 2, 3):
        found = peer.call("read_linked", store=store, form=form, level=level)
        if kind == "mesh":
            mesh = read_mesh(store, level=level)
            positions, links = mesh.vertices, mesh.faces
        else:
            graph = read_graph(store, level=level)
            positions, links = graph.positions, graph.edges
        assert len(links) > 20 // (level + 1)
        np.testing.assert_array_equal(found["positions"], positions)
        order = np.lexsort(links.T), np.lexsort(found["links"].T)
        np.testing.assert_array_equal(found["links"][order[1]], links[order[0]])


@pytest.mark.parametrize("kind", ["streamline", "mesh"])
def test_our_levels_of_so_many_vertices_are_read(peer: Any, tmp_path: Path, kind: str) -> None:
    store, points = str(tmp_path / "ours"), walks()
    edges, ids = chains(*points.shape[:2])
    options = {"format_version": peer.version, **SHAPES}
    if kind == "mesh":
        faces = np.column_stack([edges, edges[:, 1] - 1])
        faces = faces[(faces[:, 2] >= 0) & (ids[faces[:, 2]] == ids[faces[:, 0]])]
        write_mesh(store, points.reshape(-1, 3), faces, object_ids=ids, **options)
    else:
        write_polylines(store, list(points), geometry_type=kind, **options)
    build_pyramid(store, vertices=[120, 50], cross_level_depth=-1)
    for level, count in ((1, 120), (2, 50)):
        if kind == "mesh":
            found = peer.call("read_linked", store=store, form="mesh", level=level)
            mesh = read_mesh(store, level=level)
            np.testing.assert_array_equal(found["positions"], mesh.vertices)
            order = np.lexsort(mesh.faces.T), np.lexsort(found["links"].T)
            np.testing.assert_array_equal(found["links"][order[1]], mesh.faces[order[0]])
        else:
            found = peer.call("read_paths", store=store, kind="polylines", level=level)
            ours = read_polylines(store, level=level)
            np.testing.assert_array_equal(found["positions"], ours.positions)
        assert len(found["positions"]) == count


@pytest.mark.parametrize("sparsity", [1, 2])
def test_levels_are_built_on_theirs(peer: Any, tmp_path: Path, sparsity: int) -> None:
    """Vertices of their coarse levels may belong to several lines: each gets its own above."""
    store, lines = str(tmp_path / "theirs"), walks()
    peer.call(
        "write_paths",
        store=store,
        kind="polylines",
        pyramid=True,
        positions=lines.reshape(-1, 3),
        starts=np.arange(8) * 40,
        chunk_shape=[48.0] * 3,
        bin_shape=[12.0] * 3,
    )
    options = {"coarsen_factor": 2.0, "sparsity_factor": sparsity, "sparsity_seed": 1}
    spec = coarsen_level(store, 1, 2, cross_level_storage="explicit", **options)
    before, found = read_polylines(store, level=1), read_polylines(store, level=2)
    assert set(found.object_ids.tolist()) <= set(before.object_ids.tolist())
    assert (
        spec["object_count"]
        == found.polyline_count
        == max(1, round(before.polyline_count / sparsity))
    )
    size = np.array(open_zv(store)[2].bin_shape)
    lines_before = dict(zip(before.object_ids.tolist(), before.lines, strict=True))
    for oid, line in zip(found.object_ids.tolist(), found.lines, strict=True):
        for end in (0, -1):
            np.testing.assert_array_equal(
                np.floor(line[end] / size), np.floor(lines_before[oid][end] / size)
            )
    records = open_handle(store).layout.get_links("1", delta=1)
    assert records is not None
    assert len(records.rows) >= found.vertex_count
    theirs = peer.call("read_paths", store=store, kind="polylines", level=2)
    np.testing.assert_array_equal(theirs["positions"], found.positions)


@pytest.mark.parametrize("kind", ["graph", "mesh"])
def test_pyramids_are_built_of_theirs(peer: Any, tmp_path: Path, kind: str) -> None:
    store, points = str(tmp_path / "theirs"), walks()
    edges, _ = chains(*points.shape[:2])
    links = edges if kind == "graph" else np.column_stack([edges, edges[:, 1] - 1])[40:]
    peer.call(
        "write_linked",
        store=store,
        form=kind,
        positions=points.reshape(-1, 3),
        links=links,
        chunk_shape=[48.0] * 3,
    )
    build_pyramid(store, factors=[(1, 1)])
    form = "mesh" if kind == "mesh" else "graph"
    found = peer.call("read_linked", store=store, form=form, level=1)
    if kind == "mesh":
        mesh = read_mesh(store, level=1)
        positions, ours = mesh.vertices, mesh.faces
    else:
        graph = read_graph(store, level=1)
        positions, ours = graph.positions, graph.edges
    np.testing.assert_array_equal(found["positions"], positions)
    assert sorted(map(tuple, found["links"].tolist())) == sorted(map(tuple, ours.tolist()))

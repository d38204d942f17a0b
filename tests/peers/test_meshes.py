"""Meshes, both ways: the published releases' stores by us, ours by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.exceptions import ZVWarning
from zarr_vectors.lazy import open_zv
from zarr_vectors.types.meshes import read_mesh, write_mesh

pytestmark = pytest.mark.peers

COUNT = 120

CASES: dict[str, dict[str, Any]] = {
    "triangles": {"chunk_shape": [40.0] * 3},
    "quads": {"chunk_shape": [40.0] * 3},
    "one chunk": {"chunk_shape": [200.0] * 3},
    "2-D": {"chunk_shape": [25.0] * 2},
    "float64": {"chunk_shape": [40.0] * 3, "dtype": "float64"},
    "objects": {"chunk_shape": [60.0] * 3},
}


def data_of(case: str) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Vertices that differ, faces within an object, and the objects."""
    rng = np.random.default_rng(5)
    ndim = 2 if case == "2-D" else 3
    points = rng.permutation(np.linspace(-50, 50, COUNT * ndim)).reshape(COUNT, ndim).round(3)
    ids = rng.integers(0, 4, COUNT) if case == "objects" else np.zeros(COUNT, int)
    width = 4 if case == "quads" else 3
    faces = np.array(
        [rng.permutation(np.flatnonzero(ids == ids[k % COUNT]))[:width] for k in range(200)]
    )
    return points, faces, {"object_ids": ids} if case == "objects" else {}


def joined(points: np.ndarray, links: np.ndarray) -> list[Any]:
    """Faces by the positions of their corners in order."""
    corners = links.shape[1] * points.shape[1]
    return sorted(map(tuple, points[links].reshape(-1, corners).tolist()))


@pytest.mark.parametrize("case", CASES)
def test_ours_is_read_equal(peer: Any, tmp_path: Path, case: str) -> None:
    points, faces, objects = data_of(case)
    store, options = str(tmp_path / "ours"), CASES[case]
    write_mesh(store, points, faces, format_version=peer.version, **objects, **options)
    points = points.astype(options.get("dtype", "float32"))
    found = peer.call("read_linked", store=store, form="mesh")
    assert joined(found["positions"], found["links"]) == joined(points, faces)
    ours = read_mesh(store)
    np.testing.assert_array_equal(found["positions"], ours.vertices)
    assert joined(ours.vertices, ours.faces) == joined(points, faces)
    if case in ("triangles", "2-D"):
        box = ([-30.0] * points.shape[1], [33.0] * points.shape[1])
        theirs = peer.call("read_linked", store=store, form="mesh", bbox=box)
        ours = read_mesh(store, bbox=box)
        np.testing.assert_array_equal(theirs["positions"], ours.vertices)
        assert joined(theirs["positions"], theirs["links"]) == joined(ours.vertices, ours.faces)
    if case == "objects":  # neither release reads a mesh by object
        wanted = objects["object_ids"][faces[:, 0]] == 2
        ours = read_mesh(store, object_ids=[2])
        assert joined(ours.vertices, ours.faces) == joined(points, faces[wanted])


@pytest.mark.parametrize("case", CASES)
def test_theirs_is_read_equal(peer: Any, tmp_path: Path, case: str) -> None:
    points, faces, objects = data_of(case)
    store, options = str(tmp_path / "theirs"), CASES[case]
    answer = peer.call(
        "write_linked",
        store=store,
        form="mesh",
        positions=points,
        links=faces,
        columns=["a"],
        v_a=np.arange(COUNT, dtype=np.int16),
        **objects,
        **options,
    )
    ours = write_mesh(
        tmp_path / "ours", points, faces, format_version=peer.version, **objects, **options
    )
    for name, value in answer.items():
        assert ours[name] == value, name
    points = points.astype(options.get("dtype", "float32"))
    found = read_mesh(store, attribute_names=["a"])
    assert joined(found.vertices, found.faces) == joined(points, faces)
    np.testing.assert_array_equal(found.vertices, points[found.vertex_attributes["a"]])
    np.testing.assert_array_equal(open_zv(store)[0].faces.compute(), found.faces)
    if case == "objects":
        wanted = objects["object_ids"] == 2
        if peer.version == "0.7.0":  # one fragment per chunk, whatever the objects
            with pytest.warns(ZVWarning, match="share fragments"):
                part = read_mesh(store, object_ids=[2])
            assert set(joined(part.vertices, part.faces)) >= set(
                joined(points, faces[wanted[faces[:, 0]]])
            )
        else:
            part = read_mesh(store, object_ids=[2])
            assert joined(part.vertices, part.faces) == joined(points, faces[wanted[faces[:, 0]]])


def test_their_coarse_levels_have_no_faces(peer: Any, tmp_path: Path) -> None:
    points, faces, _ = data_of("triangles")
    store = str(tmp_path / "theirs")
    peer.call(
        "write_linked",
        store=store,
        form="mesh",
        positions=points,
        links=faces,
        chunk_shape=[40.0] * 3,
        pyramid=1,
    )
    with pytest.warns(ZVWarning, match="no links"):
        found = read_mesh(store, level=1)
    assert found.vertex_count > 0
    assert found.faces.shape == (0, 3)

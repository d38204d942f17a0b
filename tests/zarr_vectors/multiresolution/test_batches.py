"""Levels made in batches of objects, here or elsewhere, are byte for byte those made at once."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution import linked, linked_links, scratch
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.multiresolution.merging import runs_of
from zarr_vectors.multiresolution.scratch import Scratch
from zarr_vectors.multiresolution.shelf import Sorting, batch_bounds
from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.meshes import write_mesh

STEPS = [(1, 1), (2, 2), (2, 1)]


def files(root: Path) -> dict[str, bytes]:
    found = (p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).digest() for p in found}


def in_batches(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Everything in many parts and on disk."""
    monkeypatch.setattr(linked, "BATCH_ROWS", rows)
    monkeypatch.setattr(linked_links, "_BLOCK", 50)
    monkeypatch.setattr(scratch, "SMALL", 0)


def built(source: Path, place: Path, **options: Any) -> dict[str, bytes]:
    shutil.copytree(source, place / "s")
    asked = {"factors": STEPS, "sparsity_seed": 2, "cross_level_depth": -1}
    build_pyramid(place / "s", **(asked | options))
    return files(place)


def test_any_size_of_batches_makes_the_same_bytes(linked, tmp_path, monkeypatch):
    once = built(linked.place, tmp_path / "once", sparsity_strategy="length")
    for rows in (1, 90):
        in_batches(monkeypatch, rows)
        assert built(linked.place, tmp_path / str(rows), sparsity_strategy="length") == once


@pytest.mark.parametrize("kind", ["polyline", "mesh"])
@pytest.mark.parametrize("strategy", ["random", "spatial_coverage"])
def test_the_same_objects_are_chosen(store_of, kind, strategy, tmp_path, monkeypatch):
    data = store_of(kind)
    once = built(data.place, tmp_path / "once", sparsity_strategy=strategy)
    in_batches(monkeypatch, 90)
    assert built(data.place, tmp_path / "parts", sparsity_strategy=strategy) == once


@pytest.mark.parametrize("kind", ["graph", "skeleton", "mesh"])
def test_attributes_of_links_go_along(store_of, kind, version, tmp_path, monkeypatch):
    data = store_of(kind, version, link_values=True)
    once = built(data.place, tmp_path / "once")
    in_batches(monkeypatch, 60)
    assert built(data.place, tmp_path / "parts") == once


@pytest.mark.parametrize("kind", ["streamline", "skeleton"])
def test_other_processes_make_the_same_bytes(store_of, kind, tmp_path, monkeypatch):
    data = store_of(kind, "0.9.2")
    once = built(data.place, tmp_path / "once")
    in_batches(monkeypatch, 60)
    assert built(data.place, tmp_path / "two", workers=2) == once


@pytest.mark.parametrize("kind", ["polyline", "graph"])
def test_a_cluster_makes_the_same_bytes(store_of, kind, tmp_path, monkeypatch):
    data = store_of(kind, "0.7.0")
    once = built(data.place, tmp_path / "once")
    in_batches(monkeypatch, 60)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert built(data.place, tmp_path / "cluster", client=client) == once


def chained(rng: np.random.Generator, objects: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions, ids and edges of chains, one object each."""
    size = 20
    positions = rng.uniform(-40, 40, (objects, 1, 3)) + rng.normal(0, 3, (objects, size, 3)).cumsum(
        1
    )
    rows = np.arange(objects * size).reshape(objects, size)
    edges = np.stack([rows[:, 1:], rows[:, :-1]], axis=2).reshape(-1, 2)
    return positions.reshape(-1, 3), np.repeat(np.arange(objects) * 3, size), edges


@pytest.mark.parametrize("kind", ["graph", "skeleton"])
def test_links_between_objects_keep_them_together(tmp_path, kind, version, monkeypatch):
    positions, ids, edges = chained(np.random.default_rng(3), 6)
    # objects 1 and 2 are one tree, and so are 4 and 5
    edges = np.concatenate([edges, [[40, 25], [100, 99]]])
    options = {"object_ids": ids, "chunk_shape": (24.0,) * 3, "bin_shape": (6.0,) * 3}
    write_graph(tmp_path / "s", positions, edges, kind=kind, format_version=version, **options)
    once = built(tmp_path / "s", tmp_path / "once")
    in_batches(monkeypatch, 1)
    assert built(tmp_path / "s", tmp_path / "parts") == once


def test_vertices_of_no_object_come_along(tmp_path, version, monkeypatch):
    from zarr_vectors.core.handle import open_handle
    from zarr_vectors.core.layouts.base import ObjectRows

    positions, ids, edges = chained(np.random.default_rng(4), 5)
    options = {"object_ids": ids // 3, "chunk_shape": (24.0,) * 3, "bin_shape": (6.0,) * 3}
    write_graph(tmp_path / "s", positions, edges, format_version=version, **options)
    layout = open_handle(tmp_path / "s", "r+").layout
    rows = layout.get_objects("0")
    layout.put_objects("0", ObjectRows(rows.ids[:-1], rows.manifests[:-1], rows.sid_ndim))
    once = built(tmp_path / "s", tmp_path / "once", factors=[(1, 1), (2, 1)])
    in_batches(monkeypatch, 1)
    assert built(tmp_path / "s", tmp_path / "parts", factors=[(1, 1), (2, 1)]) == once
    store = open_zv(tmp_path / "once" / "s")
    assert store[1].present_oids.tolist() == [0, 1, 2, 3]
    assert store[1].error.unrepresented == 0


def test_a_mesh_without_objects_is_one_batch(tmp_path, version, monkeypatch):
    rng = np.random.default_rng(5)
    positions = rng.uniform(-20, 20, (60, 3))
    faces = rng.permuted(np.tile(np.arange(60), (40, 1)), axis=1)[:, :4]
    options = {"chunk_shape": (16.0,) * 3, "bin_shape": (4.0,) * 3, "format_version": version}
    write_mesh(tmp_path / "s", positions, faces, **options)
    chosen = {"factors": [(1, 1), (2, 1)]}
    once = built(tmp_path / "s", tmp_path / "once", **chosen)
    in_batches(monkeypatch, 1)
    assert built(tmp_path / "s", tmp_path / "parts", **chosen) == once


def test_encoded_faces_are_read_by_runs_of_chunks(store_of, version, tmp_path, monkeypatch):
    pytest.importorskip("DracoPy")
    data = store_of("mesh", version, encoding="draco", draco_quantization_bits=16)
    once = built(data.place, tmp_path / "once")
    in_batches(monkeypatch, 90)
    assert built(data.place, tmp_path / "parts") == once


def test_objects_that_are_linked_are_not_parted() -> None:
    sizes = np.array([4, 1, 3, 2, 2, 9, 1])
    none = np.zeros((0, 2), np.int64)
    assert batch_bounds(sizes, none, 5).tolist() == [0, 2, 4, 5, 6, 7]
    assert batch_bounds(sizes, none, 100).tolist() == [0, 7]
    assert batch_bounds(sizes, np.array([[0, 2], [1, 3]]), 5).tolist() == [0, 4, 5, 6, 7]
    assert batch_bounds(sizes, np.array([[0, 6]]), 1).tolist() == [0, 7]
    assert batch_bounds(np.zeros(0, np.int64), none, 5).tolist() == [0, 0]


def test_runs_are_no_longer_than_asked() -> None:
    sizes = np.random.default_rng(0).integers(1, 9, 200)
    runs = runs_of(sizes, 20)
    assert [a for a, _ in runs[1:]] == [b for _, b in runs[:-1]]
    assert (runs[0][0], runs[-1][1]) == (0, 200)
    for (first, stop), (_, after) in itertools.pairwise(runs):
        assert sizes[first:stop].sum() <= 20 < sizes[first:after].sum()


@pytest.mark.parametrize("small", [0, 1 << 20])
def test_rows_are_put_in_order_batch_by_batch(monkeypatch, small: int) -> None:
    monkeypatch.setattr(scratch, "SMALL", small)
    rng = np.random.default_rng(1)
    places = rng.permutation(500)
    values = {"a": places * 2, "b": np.stack([places, -places], axis=1).astype(np.int16)}
    with Scratch() as held:
        sorting = Sorting(held, np.array([0, 120, 120, 470, 500]), values)
        for part in np.array_split(np.arange(500), 7):
            sorting.add(places[part], {name: column[part] for name, column in values.items()})
        sorting.settle()
        assert sorting.columns["a"].tolist() == (np.arange(500) * 2).tolist()
        assert sorting.columns["b"][:, 1].tolist() == (-np.arange(500)).tolist()
        growing = held.growing(np.int32, (2,))
        for part in np.array_split(values["b"], 9):
            growing.add(part.astype(np.int32))
        np.testing.assert_array_equal(growing.whole(), values["b"])

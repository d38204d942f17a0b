"""Stores of the published releases and their pyramids, chunk by chunk with their links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.exceptions import ZVWarning
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.linked import by_chunk, joined, whole_links
from zarr_vectors.types.graphs import read_graph
from zarr_vectors.types.polylines import read_polylines

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore::zarr_vectors.exceptions.ZVWarning"),
]

MANY, LONG = 7, 40


def walks() -> np.ndarray:
    rng = np.random.default_rng(8)
    start = rng.uniform(-40, 40, (MANY, 1, 3))
    return np.asarray((start + rng.normal(0, 3, (MANY, LONG, 3)).cumsum(1)).astype(np.float32))


def chains() -> tuple[np.ndarray, np.ndarray]:
    """(child, parent) edges of trees along walks, and the tree of every vertex."""
    rows = np.arange(MANY * LONG).reshape(MANY, LONG)
    edges = np.column_stack([rows[:, 1:].reshape(-1), rows[:, :-1].reshape(-1)])
    side = edges[:, 0] % 7 == 3
    edges[side, 1] -= np.minimum(edges[side, 0] % LONG - 1, 2)
    return edges, np.repeat(np.arange(MANY), LONG)


@pytest.mark.parametrize("kind", ["lines", "polylines"])
def test_paths_and_their_pyramids(peer: Any, tmp_path: Path, kind: str) -> None:
    store = str(tmp_path / "theirs")
    points = walks()
    given: dict[str, Any] = {"positions": points.reshape(-1, 3), "starts": np.arange(8) * LONG}
    if kind == "lines":
        given = {"endpoints": points[:, ::20]}
    sizes: dict[str, Any] = {"chunk_shape": [24.0] * 3, "bin_shape": [6.0] * 3}
    if kind == "lines":
        del sizes["bin_shape"]
    peer.call("write_paths", store=store, kind=kind, pyramid=True, **given, **sizes)
    for level in (0, 1):
        whole = whole_links(store, level)
        assert whole
        assert len(read_polylines(store, level=level).positions)
        for step in (1, 3, 1000):
            assert set(joined(by_chunk(open_zv(store)[level], step))) == set(whole)
    assert open_zv(store)[1].shared_fragments


@pytest.mark.parametrize("kind", ["graph", "skeleton", "mesh"])
@pytest.mark.parametrize("objects", [False, True])
def test_networks(peer: Any, tmp_path: Path, kind: str, objects: bool) -> None:
    store = str(tmp_path / "theirs")
    edges, ids = chains()
    links = np.column_stack([edges, edges[:, 1] - 1]) if kind == "mesh" else edges
    links = links[(links >= 0).all(axis=1)]
    options: dict[str, Any] = {"object_ids": ids} if objects else {}
    if kind == "skeleton" and not objects:  # an object is one tree
        roots = np.arange(LONG, MANY * LONG, LONG)
        links = np.concatenate([links, np.column_stack([roots, roots - 1])])
    if kind != "mesh":
        options["kind"] = kind
        if peer.version == "0.7.0":
            options["is_tree"] = options.pop("kind") == "skeleton"
    peer.call(
        "write_linked",
        store=store,
        form="mesh" if kind == "mesh" else "graph",
        positions=walks().reshape(-1, 3),
        links=links,
        chunk_shape=[24.0] * 3,
        pyramid=1,
        **options,
    )
    whole = whole_links(store, 0)
    assert whole
    for step in (1, 3, 1000):
        found = joined(by_chunk(open_zv(store)[0], step))
        assert {ends for _, ends in found} == {ends for _, ends in whole}
        if not open_zv(store)[0].shared_fragments and (kind, peer.version) != ("mesh", "0.7.0"):
            assert found == whole


def test_their_coarse_levels_of_networks_have_rows_alone(peer: Any, tmp_path: Path) -> None:
    store = str(tmp_path / "theirs")
    edges, ids = chains()
    peer.call(
        "write_linked",
        store=store,
        form="graph",
        positions=walks().reshape(-1, 3),
        links=edges,
        object_ids=ids,
        chunk_shape=[24.0] * 3,
        pyramid=1,
    )
    level = open_zv(store)[1]
    with pytest.warns(ZVWarning, match="no links"):
        parts = by_chunk(level, 2)
    assert not joined(parts)
    index = level.object_index
    rows = sum(len(index[oid]) for oid in index.object_ids)
    assert sum(len(part.positions) for part in parts) >= rows
    known = {tuple(p) for part in parts for p in part.positions.tolist()}
    assert known == set(map(tuple, read_graph(store, level=1).positions.tolist()))

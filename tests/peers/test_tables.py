"""Attributes of objects, groups and links, ids and links between levels, both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import ZVWarning
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.agreement import assert_agrees
from zarr_vectors.testing.kinds import make_store
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.lines import read_lines
from zarr_vectors.types.points import read_points, write_points

pytestmark = pytest.mark.peers

CHUNK = [30.0] * 3
COUNT, MANY = 60, 5


def points() -> np.ndarray:
    return np.random.default_rng(4).uniform(-40, 40, (COUNT, 3)).astype(np.float32)


@pytest.mark.parametrize("kind", ["objects", "polyline", "graph"])
def test_ours_tell_which_objects_have_values(peer: Any, tmp_path: Path, kind: str) -> None:
    store = str(tmp_path / "s")
    make_store(kind, store, format_version=peer.version, chunk_shape=(60.0,) * 3)
    build_pyramid(store, factors=[(2, 2)], sparsity_seed=1)
    for number in (0, 1):
        names = {"objects": ["size", "pair"], "groups": ["weight"]}
        found = peer.call("read_tables", store=store, level=number, **names)
        level = open_zv(store)[number]
        kept = np.isin(np.arange(6), level.present_oids)
        assert kept.sum() == 6 // (number + 1)
        np.testing.assert_array_equal(found["m_size"].astype(bool), kept)
        np.testing.assert_array_equal(found["o_size"][kept], np.arange(6)[kept] * 1.5)
        pairs = np.arange(12).reshape(-1, 2)
        np.testing.assert_array_equal(found["o_pair"].reshape(-1, 2)[kept], pairs[kept])
        np.testing.assert_array_equal(found["g_weight"], [1, 2, 3])


@pytest.mark.parametrize("kind", ["points", "polyline", "skeleton", "mesh"])
def test_our_links_between_levels_are_read(peer: Any, tmp_path: Path, kind: str) -> None:
    store = str(tmp_path / "s")
    make_store(kind, store, format_version=peer.version, chunk_shape=(60.0,) * 3)
    build_pyramid(store, factors=[(2, 1), (2, 1)], cross_level_depth=-1)
    layout = open_handle(store).layout
    for level, delta in ((0, 1), (0, 2), (1, 1), (1, -1), (2, -1), (2, -2)):
        ours = layout.get_links(str(level), delta=delta)
        assert ours is not None
        theirs = peer.call("read_link_records", store=store, level=level, delta=delta, width=2)
        table = np.concatenate([ours.chunks, ours.rows[:, :, None]], axis=2)
        assert sorted(theirs["links"].tolist()) == sorted(table.tolist())
        assert len(table) >= (240 if 0 in (level, level + delta) else 20)


def edges() -> np.ndarray:
    rows = np.arange(COUNT - 1)
    return np.stack([rows + 1, np.maximum(rows - rows % 3, 0)], axis=1)


def test_our_link_attributes_are_read(peer: Any, tmp_path: Path) -> None:
    store, cost = str(tmp_path / "s"), np.arange(COUNT - 1) * 0.5
    options: dict[str, Any] = {"link_attributes": {"cost": cost}, "format_version": peer.version}
    write_graph(store, points(), edges(), chunk_shape=CHUNK, **options)
    ours = open_handle(store).layout.get_links("0", attributes=["cost"])
    assert ours is not None
    known = {
        str(np.column_stack([chunks, rows]).tolist()): value
        for chunks, rows, value in zip(
            ours.chunks, ours.rows, ours.attributes["cost"].tolist(), strict=True
        )
    }
    values = peer.call("read_tables", store=store, level=0, links=["cost"])["l_cost"]
    if peer.version == "0.7.0":  # it reads those between chunks alone
        links = peer.call("read_cross_links", store=store)["links"]
    else:
        links = peer.call("read_link_records", store=store, level=0, delta=0, width=2)["links"]
    assert len(links) == len(values) > 20
    assert [known[str(link)] for link in links.tolist()] == values.tolist()


def test_their_link_attributes_are_read(peer: Any, tmp_path: Path) -> None:
    store, cost = str(tmp_path / "s"), np.arange(COUNT - 1) * 0.5
    given = {"positions": points(), "links": edges(), "l_cost": cost, "link_columns": ["cost"]}
    peer.call("write_linked", store=store, form="graph", chunk_shape=CHUNK, **given)
    if peer.version == "0.7.0":
        with pytest.warns(ZVWarning, match="was not stored"):
            found = read_graph(store, link_attribute_names=["cost"])
    else:
        found = read_graph(store, link_attribute_names=["cost"])
    values = found.link_attributes["cost"]
    cells = np.floor(points()[edges()] / CHUNK[0])
    inside = (cells[:, 0] == cells[:, 1]).all(axis=1)
    known = {str(ends): k for k, ends in enumerate(points()[edges()].tolist())}
    order = [known[str(ends)] for ends in found.positions[found.edges].tolist()]
    lost = ~inside[order] if peer.version == "0.7.0" else np.zeros(len(order), bool)
    np.testing.assert_array_equal(values, np.where(lost, np.nan, cost[order]))


def test_sparse_ids(peer: Any, tmp_path: Path) -> None:
    """0.7.0 keeps a manifest for every id up to the largest, so there ids are small."""
    ids = np.array([3, 7, 8, 20, 21])
    if peer.version == "0.9.2":
        ids = np.array([3, 7, 2**31, 2**40, 2**40 + 1])
    owners = ids[np.arange(COUNT) % MANY]
    size = np.arange(MANY) * 2.0
    for writer in ("ours", "theirs"):
        store = str(tmp_path / writer)
        slots = np.zeros(int(ids[-1]) + 1) if peer.version == "0.7.0" else size
        if peer.version == "0.7.0":
            slots[ids] = size
        groups = {0: [int(ids[1]), int(ids[3])]}
        if writer == "ours":
            write_points(
                store,
                points(),
                chunk_shape=CHUNK,
                object_ids=owners,
                object_attributes={"size": size},
                groups=groups,
                format_version=peer.version,
            )
        else:
            more: dict[str, Any] = {"object_columns": ["size"], "chunk_shape": CHUNK}
            arrays = {"positions": points(), "object_ids": owners, "o_size": slots}
            peer.call("write", store=store, groups=groups, **more, **arrays)
        for oid in ids.tolist():
            theirs = peer.call("read", store=store, object_ids=[oid])
            found = read_points(store, object_ids=[oid])
            np.testing.assert_array_equal(found.positions, theirs["positions"])
            assert len(found.positions) == COUNT // MANY
        grouped = read_points(store, group_ids=[0])
        theirs = peer.call("read", store=store, group_ids=[0])
        np.testing.assert_array_equal(grouped.positions, theirs["positions"])
        np.testing.assert_array_equal(grouped["object_ids"], theirs["object_ids"])
        assert_agrees(tmp_path / writer)


def test_their_groups_are_read(peer: Any, tmp_path: Path) -> None:
    store = str(tmp_path / "s")
    arrays = {"positions": points(), "object_ids": np.arange(COUNT) % MANY}
    weight = np.array([0.0, 2.5])
    groups = {0: [0], 1: [1, 4]}
    peer.call("write", store=store, groups=groups, g_weight=weight, chunk_shape=CHUNK, **arrays)
    (level,) = assert_agrees(tmp_path / "s").values()
    assert level.groups == [[0], [1, 4]]
    assert level.group_attributes == {"weight": [0.0, 2.5]}


@pytest.mark.parametrize("kind", ["graph", "skeleton", "mesh"])
def test_one_object_is_not_read(peer: Any, tmp_path: Path, kind: str) -> None:
    """Neither release has the filter where there are links."""
    store, form = str(tmp_path / "s"), "mesh" if kind == "mesh" else "graph"
    make_store(kind, store, format_version=peer.version, chunk_shape=(60.0,) * 3)
    if peer.version == "0.9.2":
        with pytest.raises(AssertionError, match="not implemented"):
            peer.call("read_linked", store=store, form=form, object_ids=[2])
        return
    found = peer.call("read_linked", store=store, form=form, object_ids=[2])
    assert len(found["positions"]) == open_zv(store)[0].vertex_count


@pytest.mark.parametrize("spread", [False, True])
def test_whole_lines_of_sparse_ids(peer: Any, tmp_path: Path, spread: bool) -> None:
    """0.9.2 takes ids for 0, 1, 2 ... where it is not told which to read."""
    store = str(tmp_path / "s")
    make_store("line", store, format_version=peer.version)
    with open_zv(store)[0].writer() as writer:
        ids = [70, 70] if spread else [6, 6]
        writer.append_vertices_sync([[100.0, 100, 100], [1, 2, 3]], object_ids=ids)
    ours = read_lines(store)
    assert ours.line_count == 7
    found = peer.call("read_paths", store=store, kind="lines")["endpoints"]
    missed = spread and peer.version == "0.9.2"
    np.testing.assert_array_equal(found, ours.endpoints[: 6 if missed else 7])
    alone = peer.call("read_paths", store=store, kind="lines", object_ids=ids[:1])["endpoints"]
    np.testing.assert_array_equal(alone, ours.endpoints[6:])


def test_vertices_appended_to_skeletons(peer: Any, tmp_path: Path) -> None:
    """0.2.0 joins each new vertex with the row before it."""
    store = str(tmp_path / "s")
    make_store("skeleton", store, format_version=peer.version, chunk_shape=(60.0,) * 3)
    edges_before = read_graph(store).edge_count
    level = open_zv(store)[0]
    values: dict[str, Any] = {"age": [1, 2], "rgb": np.zeros((2, 3), np.uint8), "kind": ["a", "a"]}
    with level.writer() as writer:
        writer.append_vertices_sync([[5.0, 5, 5], [1, 2, 3]], attributes=values)
    assert read_graph(store).edge_count == edges_before
    theirs = peer.call("read_linked", store=store, form="graph")["links"]
    assert len(theirs) - edges_before == (2 if peer.version == "0.7.0" else 0)

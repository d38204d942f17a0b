"""Chunks read with what joins their rows: put together, they are what the whole readers give."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from zarr_vectors.exceptions import ConventionError, StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.counting import CountingPlace
from zarr_vectors.testing.kinds import make_store
from zarr_vectors.testing.linked import by_chunk, joined, walks_store, whole_links
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.points import write_points

KINDS = ("line", "polyline", "streamline", "graph", "skeleton", "mesh")
VERSIONS = (pytest.param("0.7.0", marks=pytest.mark.once), "0.9.2")


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.mark.parametrize("ndim", [3, 2])
def test_chunk_by_chunk_is_the_whole(tmp_path, kind, version, ndim):
    store = tmp_path / "s"
    walks_store(kind, store, version, ndim=ndim)
    build_pyramid(store, factors=[(2, 1), (2, 2)], sparsity_seed=0)
    for level in open_zv(store):
        whole = whole_links(store, level)
        assert whole or kind == "line"
        assert open_zv(store)[level].chunk_table.coords.min() < 0
        for step in (1, 3, 1000):
            parts = by_chunk(open_zv(store)[level], step, np.random.default_rng(level))
            assert joined(parts) == whole
            assert sum(len(part.positions) for part in parts) == open_zv(store)[level].vertex_count
            crossing = sum(len(part.open_rows) for part in parts)
            assert (crossing > 0) == (step < 1000 and len(parts) > 1)


def test_stores_of_chance(kind, version):
    place = DictPlace()
    make_store(kind, place, format_version=version, seed=1, chunk_shape=(30.0,) * 3)
    build_pyramid(place, factors=[(2, 1)])
    for level in (0, 1):
        assert joined(by_chunk(open_zv(place)[level], 2)) == whole_links(place, level)


def test_chunked_by_an_attribute(tmp_path, version):
    store = tmp_path / "s"
    rng = np.random.default_rng(0)
    edges = np.stack([np.arange(1, 90), rng.integers(0, np.arange(1, 90))], axis=1)
    write_graph(
        store,
        rng.uniform(-20, 20, (90, 3)),
        edges,
        kind="skeleton",
        chunk_shape=(10.0,) * 3,
        vertex_attributes={"part": rng.choice(["a", "b"], 90)},
        chunk_by_attribute="part",
        format_version=version,
    )
    level = open_zv(store)[0]
    parts = by_chunk(level, 4, attributes=["part"])
    assert joined(parts) == whole_links(store, 0)
    assert set(np.concatenate([part.attributes["part"] for part in parts]).tolist()) == {0, 1}


def test_some_chunks_alone(tmp_path, kind, version):
    store = tmp_path / "s"
    walks_store(kind, store, version)
    level = open_zv(store)[0]
    keys = level.chunk_keys
    some = [keys[i] for i in np.random.default_rng(1).permutation(len(keys))[: len(keys) // 2]]
    found = level.read_linked_chunks(some)
    each = [open_zv(store)[0].read_linked_chunks([key]) for key in some]
    where = {tuple(p): key for key, rows in level.read_chunks(keys).items() for p in rows.positions}
    inside, reaching = Counter(), Counter()
    for link, count in whole_links(store, 0).items():
        ends = [where[end] in some for end in link[1]]
        if all(ends):
            inside[link] = count
        elif any(ends):
            reaching[
                link[0], tuple(e if i else None for e, i in zip(link[1], ends, strict=True))
            ] = 1
    ids, rows = found.objects, found.positions
    first = ids[found.links[:, 0]].tolist() if len(found.links) else []
    ends = [tuple(map(tuple, link)) for link in rows[found.links].tolist()]
    assert Counter(zip(first, ends, strict=True)) == inside
    known = Counter(
        (oid, tuple(tuple(rows[row].tolist()) if row >= 0 else None for row in link))
        for oid, link in zip(found.open_objects.tolist(), found.open_rows, strict=True)
    )
    assert set(known) == set(reaching)
    assert sum(len(part.positions) for part in each) == len(rows)


def test_the_same_link_from_both_sides(tmp_path, kind, version):
    store = tmp_path / "s"
    walks_store(kind, store, version)
    level = open_zv(store)[0]
    seen: dict[Any, list[int]] = {}
    for rank, key in enumerate(level.chunk_keys):
        part = level.read_linked_chunks([key])
        width = 3 if kind == "mesh" else 2
        assert (
            part.links.shape[1:] == part.open_ends.shape[1:] == part.open_rows.shape[1:] == (width,)
        )
        for oid, ends, rows in zip(part.open_objects, part.open_ends, part.open_rows, strict=True):
            np.testing.assert_array_equal(ends >> 32 == rank, rows >= 0)
            seen.setdefault((int(oid), *ends.tolist()), []).append(rank)
    assert seen
    for (_, *ends), ranks in seen.items():
        assert sorted(set(ranks)) == sorted({end >> 32 for end in ends})


def test_rows_are_those_of_the_chunks_asked_for(tmp_path, kind, version):
    store = tmp_path / "s"
    walks_store(kind, store, version)
    level = open_zv(store)[0]
    names = list(level.attributes)
    keys = level.chunk_keys
    asked = [keys[3], (99, 99, 99), keys[0], keys[3], keys[-1]]
    found = level.read_linked_chunks(asked, names)
    rows = level.read_chunks([keys[3], keys[0], keys[-1]], names)
    stored = np.concatenate([part.positions for part in rows.values()])
    np.testing.assert_array_equal(found.positions, stored[found.stored])
    assert found.counts.tolist() == [
        len(rows[keys[3]].positions),
        0,
        len(rows[keys[0]].positions),
        0,
        len(rows[keys[-1]].positions),
    ]
    np.testing.assert_array_equal(np.sort(found.stored), np.arange(len(stored)))
    chunk = np.searchsorted(np.cumsum(found.counts), found.stored, side="right")
    assert (np.diff(chunk) >= 0).all()
    for name in names:
        values = np.concatenate([part.attributes[name] for part in rows.values()])
        np.testing.assert_array_equal(found.attributes[name], values[found.stored])
        assert found.attributes[name].dtype == level.attribute_specs[name].dtype
    of = {
        tuple(p): oid
        for oid in open_zv(store).object_ids
        for p in level.filter(object_ids=[oid]).vertices.compute().tolist()
    }
    assert found.objects.tolist() == [of[tuple(p)] for p in found.positions.tolist()]
    nothing = level.read_linked_chunks(np.zeros((0, 3), np.int64), names)
    assert [len(a) for a in (nothing.positions, nothing.links, nothing.open_ends)] == [0, 0, 0]
    with pytest.raises(StoreError, match="nosuch"):
        level.read_linked_chunks(keys[:1], ["nosuch"])


def test_faces_of_four_corners_are_cut_in_two(tmp_path, version):
    store = tmp_path / "s"
    walks_store("mesh", store, version, corners=4)
    level = open_zv(store)[0]
    parts = by_chunk(level, 1)
    assert {part.links.shape[1] for part in parts} == {3}
    assert joined(parts) == whole_links(store, 0)
    assert level.links_per_vertex == pytest.approx(
        sum(whole_links(store, 0).values()) / level.vertex_count
    )


def test_faces_of_five_corners_are_no_triangles(tmp_path, version):
    store = tmp_path / "s"
    walks_store("mesh", store, version, corners=5)
    level = open_zv(store)[0]
    with pytest.raises(ConventionError, match="5 ends"):
        by_chunk(level, 1)


def test_faces_inside_bitstreams(tmp_path, version):
    pytest.importorskip("DracoPy")
    store = tmp_path / "s"
    walks_store("mesh", store, version, encoding="draco")
    parts = by_chunk(open_zv(store)[0], 3)
    assert joined(parts) == whole_links(store, 0)
    assert open_zv(store)[0].links_per_vertex == 2.0


def test_points_are_not_joined(tmp_path, version):
    write_points(tmp_path / "s", np.eye(3), chunk_shape=(1.0,) * 3, format_version=version)
    level = open_zv(tmp_path / "s")[0]
    assert level.links_per_vertex == 0.0
    with pytest.raises(ConventionError, match="point_cloud"):
        level.read_linked_chunks(level.chunk_keys)


def test_what_is_told_without_reading(kind, version):
    place = DictPlace()
    walks_store(kind, place, version)
    store = open_zv(counted := CountingPlace(place))
    level = store[0]
    ids = [1, 4, 7, 10, 13, 16] if kind in ("graph", "skeleton", "mesh") else [0, 1, 2, 3, 4, 5]
    kept = list(range(17)) if version == "0.7.0" and len(ids) != ids[-1] + 1 else ids
    counted.reset()
    assert store.object_ids.tolist() == kept
    assert not any("/manifests/c/" in key for key in counted.asked)
    counted.reset()
    assert store.object_ids.tolist() == kept
    assert counted.requests == 0
    links = sum(whole_links(place, 0).values())
    exact = kind in ("graph", "mesh")
    assert level.links_per_vertex == pytest.approx(links / level.vertex_count if exact else 1.0)
    assert not any("/c/" in key for key in counted.asked)
    with pytest.raises(ValueError, match="read-only"):
        store.object_ids[0] = 3


def test_only_what_is_needed_is_read(kind, version):
    place = DictPlace()
    walks_store(kind, place, version)
    store = open_zv(counted := CountingPlace(place), cache_bytes=0)
    keys = store[0].chunk_keys
    store[0].read_linked_chunks(keys[:1])
    counted.reset()
    found = store[0].read_linked_chunks(keys[5:6])
    assert len(found.positions)
    origin = np.min(keys, axis=0) if version == "0.9.2" else np.zeros(3, int)
    mark = ("/" if version == "0.9.2" else ".").join(map(str, np.array(keys[5]) - origin))
    data = [key for key in counted.asked if not key.endswith("zarr.json")]
    rows = [key for key in data if "/vertices/" in key]
    assert [mark in key for key in rows] == [True]
    assert not any(name in key for key in data for name in ("object_index", "cross_chunk_links"))
    away = {key.partition("/c/")[0] for key in data if mark not in key}
    assert all("/links/" in key or "vertex_fragments" in key for key in away)
    if kind in ("line", "polyline", "streamline"):
        assert not away
    assert len(data) < 80
    assert counted.listed == []
    assert counted.round_trips <= 4


def test_threads_share_what_is_read_once(tmp_path, kind, version, monkeypatch):
    store = tmp_path / "s"
    walks_store(kind, store, version)
    level = open_zv(store)[0]
    layout, asked = level.reader.arrays and level._handle.layout, []
    get = layout.get_objects
    monkeypatch.setattr(layout, "get_objects", lambda *a: asked.append(a) or get(*a))
    keys = level.chunk_keys
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda key: level.read_linked_chunks([key]), keys))
    assert joined(parts) == whole_links(store, 0)
    assert len(asked) == 1


def test_what_is_written_later_is_read(tmp_path, version):
    walks_store("streamline", tmp_path / "s", version, bounds=([-99.0] * 3, [99.0] * 3))
    store = open_zv(tmp_path / "s")
    before = joined(by_chunk(store[0], 3))
    assert store.object_ids.tolist() == list(range(6))
    with store[0].writer() as writer:
        line = np.array([[0.0, 0, 0], [40, 40, 40]])
        writer.append_vertices_sync(line, object_ids=[6, 6], attributes={"age": [1, 2]})
    after = joined(by_chunk(store[0], 3))
    assert after == whole_links(tmp_path / "s", 0)
    assert sum(after.values()) == sum(before.values()) + 1
    assert store.object_ids.tolist() == list(range(7))

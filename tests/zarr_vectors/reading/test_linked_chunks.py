"""Chunks read with what joins their rows: put together, they are what the whole readers give."""

from __future__ import annotations

import itertools
import json
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.constants import LEVEL_KEY, LINKS_KEY, OBJECT_INDEX, OUTLINE_KEY
from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.layouts.base import LinkRecords, ObjectRows
from zarr_vectors.encoding.manifests import decode_manifests, encode_manifests
from zarr_vectors.exceptions import ArrayError, ConventionError, StoreError, ZVWarning
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.counting import CountingPlace
from zarr_vectors.testing.kinds import make_store
from zarr_vectors.testing.linked import by_chunk, joined, whole_links
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.lines import write_lines
from zarr_vectors.types.meshes import read_mesh, write_mesh
from zarr_vectors.types.polylines import read_polylines, write_polylines

KINDS = ("line", "polyline", "streamline", "graph", "skeleton", "mesh")
VERSIONS = ("0.7.0", "0.9.2")
MANY, LONG = 6, 40


def write(kind, place, version, *, ndim=3, seed=0, corners=3, **options):
    """Walks through many chunks on both sides of the origin, and links along and across them."""
    rng = np.random.default_rng(seed)
    walks = rng.uniform(-30, 30, (MANY, 1, ndim)) + rng.normal(0, 4, (MANY, LONG, ndim)).cumsum(1)
    options = {"chunk_shape": (16.0,) * ndim, "format_version": version, **options}
    if kind == "line":
        write_lines(place, walks[:, ::20], **options)
        return
    options.setdefault("bin_shape", (8.0,) * ndim)
    ages = rng.integers(0, 99, MANY * LONG).astype(np.int16)
    if kind in ("polyline", "streamline"):
        values = {"age": list(ages.reshape(MANY, LONG))}
        write_polylines(place, list(walks), geometry_type=kind, vertex_attributes=values, **options)
        return
    rows = np.arange(MANY * LONG).reshape(MANY, LONG)
    options |= {
        "object_ids": np.repeat(np.arange(MANY) * 3 + 1, LONG),
        "vertex_attributes": {"age": ages},
    }
    flat = walks.reshape(-1, ndim)
    if kind == "mesh":
        runs = [rows[:, i : LONG - corners + 1 + i].reshape(-1) for i in range(corners)]
        across = rng.choice(rows.size, (9, corners), replace=False)
        faces = np.concatenate([np.stack(runs, axis=1), across])
        write_mesh(place, flat, rng.permutation(faces), **options)
        return
    edges = np.stack([rows[:, 1:].reshape(-1), rows[:, :-1].reshape(-1)], axis=1)
    if kind == "skeleton":
        side = edges[:, 0] % 7 == 3
        edges[side, 1] -= np.minimum(edges[side, 0] % LONG - 1, 2)
    else:
        edges = np.concatenate([edges, rng.integers(0, rows.size, (30, 2))])
    write_graph(place, flat, rng.permutation(edges), kind=kind, **options)


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.mark.parametrize("ndim", [3, 2])
def test_chunk_by_chunk_is_the_whole(tmp_path, kind, version, ndim):
    store = tmp_path / "s"
    write(kind, store, version, ndim=ndim)
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


@pytest.mark.parametrize("seed", range(3))
def test_stores_of_chance(tmp_path, kind, version, seed):
    store = tmp_path / "s"
    make_store(kind, store, format_version=version, seed=seed)
    build_pyramid(store, factors=[(2, 1)])
    for level in (0, 1):
        assert joined(by_chunk(open_zv(store)[level], 2)) == whole_links(store, level)


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
    write(kind, store, version)
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
    write(kind, store, version)
    level = open_zv(store)[0]
    seen: dict = {}
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
    write(kind, store, version)
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

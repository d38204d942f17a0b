"""Chunks with links where objects share rows or are not there, or another release wrote them."""

from __future__ import annotations

import warnings
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from zarr_vectors.constants import LEVEL_KEY, LINKS_KEY, OBJECT_INDEX, OUTLINE_KEY
from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.layouts.base import ChunkGrid, LinkRecords, ObjectRows
from zarr_vectors.encoding.fragments import encode_fragments
from zarr_vectors.encoding.manifests import encode_manifest
from zarr_vectors.exceptions import ZVWarning
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.linked import by_chunk, joined, walks_store, whole_links
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.meshes import read_mesh
from zarr_vectors.types.polylines import read_polylines

VERSIONS = (pytest.param("0.7.0", marks=pytest.mark.once), "0.9.2")


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


def with_manifests(store, change):
    """Give objects other manifests: ``change`` takes and gives {object: [(chunk, fragment)]}."""
    level = open_zv(store)[0]
    index = level.object_index
    found = change({oid: list(index[oid]) for oid in index.object_ids})
    handle = open_handle(store, "r+")
    blobs = [encode_manifest(pieces, 3) for pieces in found.values()]
    handle.layout.put_objects("0", ObjectRows(np.array(list(found), np.int64), blobs, 3))


def lines_of(store):
    lines = read_polylines(store)
    return Counter(
        (oid, pair)
        for oid, line in zip(lines.object_ids.tolist(), lines.lines, strict=True)
        for pair in pairwise(map(tuple, line.tolist()))
    )


def test_paths_share_fragments_and_come_back(tmp_path, version):
    store = tmp_path / "s"
    walks_store("streamline", store, version)

    def change(pieces):
        pieces[3] = pieces[0][::-1] + pieces[1][:4]
        pieces[5] = pieces[0][:2] + pieces[0][:2] + pieces[0][4:6]
        return pieces

    with_manifests(store, change)
    whole = lines_of(store)
    for step in (1, 2, 1000):
        found = joined(by_chunk(open_zv(store)[0], step))
        assert set(found) == set(whole)
    assert found == whole


@pytest.mark.parametrize("kind", ["graph", "mesh"])
def test_objects_share_fragments(tmp_path, version, kind):
    store = tmp_path / "s"
    walks_store(kind, store, version)

    def change(pieces):
        first, second, *others = pieces
        pieces[first] = pieces[first] + pieces[second]
        pieces[others[-1]] = pieces[second]
        return pieces

    with_manifests(store, change)
    whole = Counter()
    for oid in open_zv(store)[0].present_oids.tolist():
        if kind == "mesh":
            part = read_mesh(store, object_ids=[oid])
            rows, links = part.vertices, part.faces
        else:
            part = read_graph(store, object_ids=[oid])
            rows, links = part.positions, part.edges
        whole.update((oid, tuple(map(tuple, link))) for link in rows[links].tolist())
    for step in (1, 3, 1000):
        parts = by_chunk(open_zv(store)[0], step)
        found = joined(parts)
        inside = Counter({link: n for link, n in found.items() if link in whole})
        assert inside == whole
        across = {link[1] for link in found - inside}
        assert not across & {link for _, link in whole}
        every = read_mesh(store) if kind == "mesh" else read_graph(store)
        rows, links = (
            (every.vertices, every.faces) if kind == "mesh" else (every.positions, every.edges)
        )
        assert {link[1] for link in found} == {
            tuple(map(tuple, link)) for link in rows[links].tolist()
        }
        for part in parts:
            assert len(set(zip(part.stored.tolist(), part.objects.tolist(), strict=True))) == len(
                part.stored
            )


@pytest.mark.parametrize("kind", ["polyline", "graph", "skeleton", "mesh"])
def test_without_an_object_index(tmp_path, version, kind):
    store = tmp_path / "s"
    walks_store(kind, store, version)
    before = whole_links(store, 0)
    handle = open_handle(store, "r+")
    attributes = handle.layout.get_attrs(["", "0"])
    attributes[""].pop(OUTLINE_KEY, None)
    attributes["0"][LEVEL_KEY]["arrays_present"].remove(OBJECT_INDEX)
    handle.layout.delete(f"0/{OBJECT_INDEX}")
    handle.layout.put_attrs(attributes)
    opened = open_zv(store)
    assert len(opened.object_ids) == 0
    parts = by_chunk(opened[0], 2)
    assert {oid for part in parts for oid in part.objects.tolist()} == {-1}
    found = joined(parts)
    if kind == "polyline":
        assert not found
    else:
        assert found == Counter({(-1, ends): n for ends, n in links_alone(before).items()})


def links_alone(links):
    found = Counter()
    for (_, ends), count in links.items():
        found[ends] += count
    return found


def test_rows_of_no_object_are_there(tmp_path, version):
    store = tmp_path / "s"
    walks_store("graph", store, version)
    before = whole_links(store, 0)
    gone = open_zv(store)[0].filter(object_ids=[7]).vertices.compute()
    with_manifests(store, lambda pieces: pieces | {7: []})
    level = open_zv(store)[0]
    for step in (1, 1000):
        parts = by_chunk(level, step)
        loose = np.concatenate([part.positions[part.objects == -1] for part in parts])
        assert sorted(map(tuple, loose)) == sorted(map(tuple, gone))
        assert links_alone(joined(parts)) == links_alone(before)
        for part in parts:
            chunk = np.searchsorted(np.cumsum(part.counts), part.stored, side="right")
            assert (np.diff(chunk) >= 0).all()


def test_fragments_told_row_by_row(tmp_path, version):
    store = tmp_path / "s"
    walks_store("streamline", store, version)
    level = open_zv(store)[0]
    key = max(level.read_chunks(level.chunk_keys).items(), key=lambda item: len(item[1].positions))[
        0
    ]
    index = level.reader.fragment_indexes([key])[key]
    turned = [part[::-1] for part in index]
    handle = open_handle(store, "r+")
    handle.layout.put_cells("0/vertex_fragments", {key: encode_fragments(turned)})
    whole = lines_of(store)
    assert whole != Counter()
    assert joined(by_chunk(open_zv(store)[0], 1)) == whole


@pytest.mark.parametrize("form", ["listed", "overlapping"])
def test_fragments_of_other_chunks_told_row_by_row(tmp_path, version, form):
    store = tmp_path / "s"
    walks_store("graph", store, version)
    whole = whole_links(store, 0)
    level = open_zv(store)[0]
    told = {}
    for key, index in level.reader.fragment_indexes(level.chunk_keys).items():
        fragments = [(int(part[0]), len(part)) for part in index]
        told[key] = [np.arange(start, start + n) for start, n in fragments]
        if form == "overlapping":  # one that nobody asks for, over all others
            told[key] = [*fragments, (0, sum(n for _, n in fragments))]
    handle = open_handle(store, "r+")
    cells = {key: encode_fragments(fragments) for key, fragments in told.items()}
    handle.layout.put_cells("0/vertex_fragments", cells)
    assert joined(by_chunk(open_zv(store)[0], 1)) == whole


def foreign(store):
    """As another library would leave it: nothing says that links name rows as they are stored."""
    handle = open_handle(store, "r+")
    attributes = handle.layout.get_attrs(["", "0"])
    attributes["0"].pop(LINKS_KEY)
    attributes[""].pop(OUTLINE_KEY, None)
    handle.layout.put_attrs(attributes)


def test_roots_that_nothing_tells_of(tmp_path, version):
    """A tree whose root is the second row of its fragment, and comes after a descendant."""
    store = tmp_path / "s"
    points = np.array([[1.0, 1, 1], [2, 1, 1], [3, 1, 1], [12, 1, 1], [4, 1, 1]])
    edges = np.array([[1, 0], [2, 1], [3, 2], [4, 3]])
    write_graph(
        store, points, edges, kind="skeleton", chunk_shape=(10.0,) * 3, format_version=version
    )
    # rows of chunk 0 are 0, 1, 2 and 4: let row 1 be the root, the parents 0 -> 4 -> 3 -> 2 -> 1
    layout = open_handle(store, "r+").layout
    grid = ChunkGrid((0, 0, 0), (2, 1, 1))
    told = [((0, 0), (0, 3)), ((0, 3), (1, 0)), ((1, 0), (0, 2)), ((0, 2), (0, 1))]
    chunks = np.array([[(c, 0, 0) for c, _ in link] for link in told])
    rows = np.array([[row for _, row in link] for link in told])
    layout.put_links("0", LinkRecords(chunks, rows), grid)
    foreign(store)
    with pytest.warns(ZVWarning, match="circle"):
        whole = whole_links(store, 0)
    assert len(whole) == 4
    level = open_zv(store)[0]
    with pytest.warns(ZVWarning, match="circle"):
        found = joined(by_chunk(level, 1))
    assert found == whole
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert joined(by_chunk(level, 1000)) == whole

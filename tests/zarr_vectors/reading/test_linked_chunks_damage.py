"""Damage is named where chunks are read with their links, and only by the chunks it concerns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.layouts.base import ChunkGrid, LinkRecords, ObjectRows
from zarr_vectors.encoding.manifests import encode_manifest
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.linked import walks_store

KINDS = ("streamline", "skeleton", "mesh")


@pytest.fixture(params=(pytest.param("0.7.0", marks=pytest.mark.once), "0.9.2"))
def version(request):
    return request.param


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def file_of(store: Path, array: str, chunk) -> Path:
    """The file of a chunk of an array, whatever the format."""
    handle = open_handle(store)
    if handle.meta.zv_version == "0.7.0":
        return store / array / ".".join(map(str, chunk)) / "c" / "0"
    origin = handle.layout.grids([array])[array].origin
    return Path(store / array / "c", *(str(c - o) for c, o in zip(chunk, origin, strict=True)))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def told(store) -> dict:
    """What is said of every chunk: the numbers of rows and links, or the error."""
    level = open_zv(store)[0]
    found = {}
    for key in level.chunk_keys:
        try:
            part = level.read_linked_chunks([key])
        except ArrayError as error:
            found[key] = error
        else:
            ends = sorted(map(tuple, part.open_ends.tolist()))
            found[key] = part.objects.tolist(), part.links.tolist(), ends
    return found


def middle(store):
    keys = open_zv(store)[0].chunk_keys
    return keys[len(keys) // 2]


def assert_only(before, after, concerned, array):
    """Chunks that are concerned raise an error that names the array; all others are as before."""
    for key, said in after.items():
        if key in concerned:
            assert isinstance(said, ArrayError), key
            assert f"{array} in " in str(said)
            assert said.array == array
        else:
            assert said == before[key]
    assert concerned <= set(after)


@pytest.mark.parametrize("array", ["0/vertices", "0/vertex_fragments"])
def test_a_damaged_chunk(tmp_path, kind, version, array):
    store = tmp_path / "s"
    walks_store(kind, store, version)
    before, chunk = told(store), middle(store)
    cut(file_of(store, array, chunk))
    after = told(store)
    assert isinstance(after[chunk], ArrayError)
    assert after[chunk].chunk == chunk
    assert array in str(after[chunk])
    whole = {key: said for key, said in after.items() if key != chunk}
    assert {key: said[:2] for key, said in whole.items()} == {key: before[key][:2] for key in whole}
    rank = open_zv(store)[0].chunk_keys.index(chunk)
    for key, said in whole.items():
        there = [ends for ends in before[key][2] if rank not in [end >> 32 for end in ends]]
        assert [ends for ends in said[2] if rank not in [end >> 32 for end in ends]] == there


@pytest.mark.parametrize("kind", KINDS[1:])
def test_damaged_links_inside_a_chunk(tmp_path, kind, version):
    store = tmp_path / "s"
    walks_store(kind, store, version)
    before = told(store)
    corner = "_".join(["0.0.0"] * (1 if kind != "mesh" else 2))
    array = "0/links/0" if version == "0.7.0" else f"0/links/0/{corner}"
    chunk = open_handle(store).layout.list_cells(array)[-1]
    cut(file_of(store, array, chunk))
    after = told(store)
    assert_only(before, after, {chunk}, array)
    assert after[chunk].chunk == chunk


@pytest.mark.parametrize("kind", KINDS[1:])
def test_damaged_links_between_chunks(tmp_path, kind, version):
    store = tmp_path / "s"
    walks_store(kind, store, version)
    before = told(store)
    if version == "0.7.0":
        cut(store / "0/cross_chunk_links/0/data/c/0")
        assert_only(before, told(store), set(before), "0/cross_chunk_links/0")
        return
    corner = "_".join(["+1.0.0"] * (1 if kind != "mesh" else 2))
    array = f"0/links/0/{corner}"
    chunk = open_handle(store).layout.list_cells(array)[0]
    cut(file_of(store, array, chunk))
    other = (chunk[0] + 1, *chunk[1:])
    assert_only(before, told(store), {chunk, other}, array)


@pytest.mark.parametrize("kind", ["graph", "mesh"])
def test_links_to_rows_that_are_not_there(tmp_path, kind, version):
    store = tmp_path / "s"
    walks_store(kind, store, version)
    before = told(store)
    handle = open_handle(store, "r+")
    records = handle.layout.get_links("0")
    rows, chunks = records.rows.copy(), records.chunks
    inside = (chunks == chunks[:, :1]).all(axis=(1, 2))
    link = int(np.flatnonzero(inside)[0])
    rows[link, 1] = 10_000
    grid = handle.layout.list_cells("0/vertices")
    low, high = np.min(grid, axis=0), np.max(grid, axis=0)
    box = ChunkGrid(tuple(low.tolist()), tuple((high - low + 1).tolist()))
    handle.layout.put_links("0", LinkRecords(chunks, rows), box)
    after = told(store)
    chunk = tuple(chunks[link, 0].tolist())
    assert isinstance(after[chunk], ArrayError)
    assert after[chunk].chunk == chunk
    assert "row 10000" in str(after[chunk])
    assert {key for key, said in after.items() if isinstance(said, ArrayError)} == {chunk}
    assert len(before) == len(after)


def test_a_path_into_a_chunk_that_is_not_there(tmp_path, version):
    store = tmp_path / "s"
    walks_store("streamline", store, version)
    before, index = told(store), open_zv(store)[0].object_index
    pieces = {oid: list(index[oid]) for oid in index.object_ids}
    lost = (90, 90, 90)
    pieces[2].insert(3, (lost, 0))
    layout = open_handle(store, "r+").layout
    blobs = [encode_manifest(own, 3) for own in pieces.values()]
    layout.put_objects("0", ObjectRows(np.array(list(pieces)), blobs, 3))
    after = told(store)
    concerned = {pieces[2][2][0], pieces[2][4][0]}
    assert_only(before, after, concerned, "0/object_index")
    for key in concerned:
        assert after[key].chunk == lost
        assert "object 2 " in str(after[key])


def test_a_fragment_that_is_not_there(tmp_path, kind, version):
    store = tmp_path / "s"
    walks_store(kind, store, version)
    before, index = told(store), open_zv(store)[0].object_index
    pieces = {oid: list(index[oid]) for oid in index.object_ids}
    oid = next(oid for oid in pieces if pieces[oid])
    chunk = pieces[oid][-1][0]
    pieces[oid].append((chunk, 2**40))
    layout = open_handle(store, "r+").layout
    blobs = [encode_manifest(own, 3) for own in pieces.values()]
    layout.put_objects("0", ObjectRows(np.array(list(pieces)), blobs, 3))
    after = told(store)
    assert after[chunk].chunk == chunk
    assert f"fragment {2**40}" in str(after[chunk])
    others = {key for key, said in after.items() if isinstance(said, ArrayError)}
    assert others == {chunk}
    assert len(before) == len(after)


def test_a_damaged_object_index(tmp_path, kind, version):
    store = tmp_path / "s"
    walks_store(kind, store, version)
    (table,) = (store / "0/object_index/manifests/c").iterdir()
    table.write_bytes(table.read_bytes()[:-9])
    level = open_zv(store)[0]
    for _ in range(2):
        with pytest.raises(ArrayError, match="0/object_index"):
            level.read_linked_chunks(level.chunk_keys[:1])

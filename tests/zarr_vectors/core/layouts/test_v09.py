"""What only 0.9 has: the record of full cells, grids, compressed and sharded cells, id tables."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.codecs import VLenBytesCodec

from zarr_vectors.core.backends import StorageBackend
from zarr_vectors.core.codecs import VLEN_BYTES, ZSTD_0
from zarr_vectors.core.layouts.base import ChunkGrid, ObjectRows
from zarr_vectors.core.layouts.flat import WHOLE
from zarr_vectors.core.layouts.v09 import V09Layout
from zarr_vectors.exceptions import ArrayError, StoreError

PATH = "0/vertices"
GRID = ChunkGrid((-2, 0), (6, 5))
CELLS = {(-2, 0): b"first", (3, 4): b"last", (0, 1): bytes(8)}


def edit(backend: StorageBackend, path: str, **changes: Any) -> None:
    key = f"{path}/zarr.json"
    document = json.loads(backend.get_many([key])[key])
    attributes = changes.pop("attributes", {})
    document.update(changes)
    document["attributes"].update(attributes)
    document["attributes"] = {k: v for k, v in document["attributes"].items() if v is not ...}
    backend.put_many({key: json.dumps(document).encode()})


@pytest.fixture
def layout(backend: StorageBackend) -> V09Layout:
    layout = V09Layout(backend)
    layout.create_cells(PATH, {"dtype": "float32"}, GRID)
    layout.put_cells(PATH, CELLS)
    return V09Layout(backend)


def test_keys_of_many_chunks_are_those_of_each(layout: V09Layout) -> None:
    grid = layout.grids([PATH])[PATH]
    outside = [(4, 0), (-3, 0), (0, 5), (0, -1), (2**70, 0)]
    for chunks in ([], list(CELLS), [*CELLS, *outside]):
        indexes = [grid.index(chunk) for chunk in chunks]
        keys = [None if index is None else grid.key(index) for index in indexes]
        assert grid.keys(chunks) == keys
    for wrong in ((), (0,), (0, 0, 0)):
        with pytest.raises(ArrayError, match="components, expected 2"):
            grid.keys([(0, 0), wrong])


def test_only_recorded_cells_exist(layout: V09Layout, backend: StorageBackend) -> None:
    backend.put_many({f"{PATH}/c/5/0": backend.get_many([f"{PATH}/c/0/0"])[f"{PATH}/c/0/0"]})
    assert layout.get_cells({PATH: [(3, 0)]}) == {PATH: {}}
    with backend.stats.scope() as scope:
        layout.get_cells({PATH: [(3, 0), (1, 1), (99, 99)]})
    assert scope.requests == 0


def test_without_a_record_the_place_is_listed(layout: V09Layout, backend: StorageBackend) -> None:
    edit(backend, PATH, attributes={"nonempty_chunks": ...})
    assert layout.list_cells(PATH) == tuple(sorted(CELLS))
    fresh = V09Layout(backend)
    assert fresh.list_cells(PATH) == tuple(sorted(CELLS))
    assert fresh.get_cells({PATH: [*CELLS, (1, 1)]}) == {PATH: CELLS}
    fresh.put_cells(PATH, {(1, 1): b"more"})
    assert V09Layout(backend).list_cells(PATH) == tuple(sorted({**CELLS, (1, 1): b""}))


def test_a_chunk_outside_the_grid_is_refused(layout: V09Layout) -> None:
    for chunk in ((-3, 0), (4, 0), (0, 5)):
        with pytest.raises(ArrayError, match=r"outside the grid of 0/vertices .*6x5"):
            layout.put_cells(PATH, {(0, 0): b"x", chunk: b"y"})
    assert V09Layout(layout.backend).list_cells(PATH) == tuple(sorted(CELLS))


def test_a_chunk_of_another_rank_is_refused(layout: V09Layout) -> None:
    with pytest.raises(ArrayError, match="expected 2"):
        layout.put_cells(PATH, {(0, 0, 0): b"x"})
    with pytest.raises(ArrayError, match="needs a grid"):
        layout.create_cells("0/other", {}, ChunkGrid((), ()))


def test_a_grid_that_loses_cells_is_refused(layout: V09Layout) -> None:
    for grid in (ChunkGrid((-2, 0), (5, 5)), ChunkGrid((-1, 0), (9, 9))):
        with pytest.raises(ArrayError, match="does not fit"):
            layout.set_grid(PATH, grid)
    assert V09Layout(layout.backend).get_cells({PATH: CELLS}) == {PATH: CELLS}


@pytest.mark.parametrize(
    "changes",
    [
        {"attributes": {"nonempty_chunks": "0.0"}},
        {"attributes": {"nonempty_chunks": ["0.0.0"]}},
        {"attributes": {"nonempty_chunks": ["a"]}},
        {"attributes": {"nonempty_chunks": [1]}},
        {"attributes": {"nonempty_chunks": ["0.0", "0.0.0"]}},
        {"attributes": {"chunk_grid_origin": [0]}},
        {"attributes": {"chunk_grid_origin": [0.5, 0]}},
        {"attributes": {"chunk_grid_origin": [2**63, 0]}},
        {"shape": [2**63, 5]},
        {"shape": [6]},
        {"data_type": "uint8"},
        {"codecs": [{"name": "bytes"}]},
        {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 2]}}},
    ],
)
def test_a_malformed_array_is_damage(
    layout: V09Layout, backend: StorageBackend, changes: dict[str, Any]
) -> None:
    edit(backend, PATH, **changes)
    for call in (
        lambda: V09Layout(backend).get_cells({PATH: [(0, 0)]}),
        lambda: V09Layout(backend).list_cells(PATH),
        lambda: V09Layout(backend).put_cells(PATH, {(0, 0): b"x"}),
    ):
        with pytest.raises(ArrayError, match="0/vertices"):
            call()


def test_a_record_beyond_the_grid_is_damage(layout: V09Layout, backend: StorageBackend) -> None:
    edit(backend, PATH, attributes={"nonempty_chunks": ["9.9"]})
    with pytest.raises(ArrayError, match=r"chunk \(9, 9\) of 0/vertices"):
        V09Layout(backend).get_cells({PATH: [(9, 9)]})


def test_a_huge_grid_is_never_walked(layout: V09Layout, backend: StorageBackend) -> None:
    edit(backend, PATH, shape=[2**62, 2**62])
    fresh = V09Layout(backend)
    assert fresh.list_cells(PATH) == tuple(sorted(CELLS))
    assert fresh.get_cells({PATH: CELLS}) == {PATH: CELLS}


def test_writing_to_what_is_not_there_is_refused(layout: V09Layout) -> None:
    with pytest.raises(StoreError, match="no array 0/other"):
        layout.put_cells("0/other", {(0, 0): b"x"})
    with pytest.raises(StoreError, match="no blob"):
        layout.put_slot(PATH, "data", b"x")
    assert layout.get_slot(PATH, "data") is None


@pytest.mark.parametrize(
    "codec",
    [
        ZSTD_0,
        {"name": "gzip", "configuration": {"level": 3}},
        {
            "name": "blosc",
            "configuration": {
                "cname": "zstd",
                "clevel": 5,
                "shuffle": "bitshuffle",
                "typesize": 4,
                "blocksize": 0,
            },
        },
    ],
)
def test_compressed_cells(backend: StorageBackend, codec: dict[str, Any]) -> None:
    layout = V09Layout(backend)
    layout.create_cells(PATH, {}, GRID)
    edit(backend, PATH, codecs=[VLEN_BYTES, codec])
    layout = V09Layout(backend)
    layout.put_cells(PATH, {(1, 1): b"abc" * 100})
    assert len(backend.get_many([f"{PATH}/c/3/1"])[f"{PATH}/c/3/1"]) < 300
    assert V09Layout(backend).get_cells({PATH: [(1, 1)]}) == {PATH: {(1, 1): b"abc" * 100}}


def make_sharded(
    backend: StorageBackend, cells: dict[tuple[int, int], bytes], location: str = "end"
) -> None:
    """An array of shards of 4 x 2 cells, written by zarr."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zarr says that this data type has no specification
        array = zarr.create_array(
            backend.zarr_store(),
            name=PATH,
            shape=GRID.shape,
            shards={"shape": (4, 2), "index_location": location},
            chunks=(1, 1),
            dtype="variable_length_bytes",
            serializer=VLenBytesCodec(),
            compressors=None,
            fill_value=b"",
            attributes={
                "nonempty_chunks": [f"{a}.{b}" for a, b in sorted(cells)],
                "chunk_grid_origin": list(GRID.origin),
            },
        )
        values = np.full(GRID.shape, b"", dtype=object)
        for (a, b), blob in cells.items():
            values[a + 2, b] = blob
        array[...] = values


@pytest.mark.parametrize("location", ["end", "start"])
def test_sharded_cells(backend: StorageBackend, location: str) -> None:
    make_sharded(backend, CELLS, location)
    layout = V09Layout(backend)
    assert layout.get_cells({PATH: [*CELLS, (1, 1)]}) == {PATH: CELLS}
    assert layout.list_cells(PATH) == tuple(sorted(CELLS))
    with backend.stats.scope() as scope:
        layout.get_cells({PATH: [(0, 1)]})
    assert scope.requests == 1  # the index is remembered, one cell is read
    layout.put_cells(PATH, {(0, 0): b"x", (0, 1): b""})
    changed = {chunk: blob for chunk, blob in CELLS.items() if chunk != (0, 1)} | {(0, 0): b"x"}
    again = V09Layout(backend)
    assert again.get_cells({PATH: [*CELLS, (0, 0)]}) == {PATH: changed}
    assert again.list_cells(PATH) == tuple(sorted(changed))


def test_damaged_shards(backend: StorageBackend) -> None:
    make_sharded(backend, CELLS)
    key = f"{PATH}/c/0/0"
    whole = backend.get_many([key])[key]
    for bad in (whole[:-1], b"", whole[:-5] + b"\0" + whole[-4:], whole[:40]):
        backend.put_many({key: bad})
        with pytest.raises(
            ArrayError, match=r"chunk \(-2, 0\) of 0/vertices in .*damaged"
        ) as found:
            V09Layout(backend).get_cells({PATH: [(-2, 0)]})
        assert found.value.chunk == (-2, 0)
    backend.delete_many([key])
    with pytest.raises(ArrayError, match=r"chunk \(-2, 0\) of 0/vertices .*recorded but missing"):
        V09Layout(backend).get_cells({PATH: [(-2, 0)]})
    assert V09Layout(backend).get_cells({PATH: [(3, 4)]}) == {PATH: {(3, 4): b"last"}}


def test_huge_shards_are_refused_at_once(backend: StorageBackend) -> None:
    make_sharded(backend, CELLS)
    grid = {"name": "regular", "configuration": {"chunk_shape": [2**40, 2**20]}}
    edit(backend, PATH, chunk_grid=grid)
    with pytest.raises(ArrayError, match="cells each"):
        V09Layout(backend).get_cells({PATH: [(0, 1)]})


def test_sparse_ids_keep_their_rows(backend: StorageBackend) -> None:
    blobs = [bytes([k, 0, 0, 0]) for k in range(3)]
    V09Layout(backend).put_objects("0", ObjectRows(np.array([2**40, 7, 9]), blobs, 3))
    rows = V09Layout(backend).get_objects("0")
    assert rows is not None
    assert rows.ids.tolist() == [7, 9, 2**40]
    assert list(rows.manifests) == [blobs[1], blobs[2], blobs[0]]


@pytest.mark.parametrize("ids", [[0, 0], [1, 0], [0]])
def test_a_malformed_id_table_is_damage(backend: StorageBackend, ids: list[int]) -> None:
    layout = V09Layout(backend)
    layout.put_objects("0", ObjectRows(np.arange(2), [bytes(4)] * 2, 3))
    layout.put_dense("0/object_index/object_ids", np.array(ids), {})
    with pytest.raises(ArrayError, match="object_index"):
        layout.get_objects("0")


def test_groups_may_be_ranges(backend: StorageBackend) -> None:
    layout = V09Layout(backend)
    layout.put_groups("0", [np.array([4]), np.array([], dtype=np.int64)])
    edit(backend, "0/groups", attributes={"group_ranges": {"1": [2, 5]}})
    groups = layout.get_groups("0")
    assert groups is not None
    assert [group.tolist() for group in groups] == [[4], [2, 3, 4]]
    for bad in ({"1": [0, 2**62]}, {"9": [0, 1]}, {"x": [0, 1]}, {"1": [5, 2]}, {"1": 3}, []):
        edit(backend, "0/groups", attributes={"group_ranges": bad or [1]})
        with pytest.raises(ArrayError, match="0/groups"):
            layout.get_groups("0")


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": [2**62]},
        {"shape": [2**31, 2**31]},
        {"data_type": "complex128"},
        {"data_type": "string"},
        {"fill_value": "abc"},
        {"fill_value": None},
        {"fill_value": 1e400},
        {"codecs": [VLEN_BYTES]},
        {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2**62]}}},
        {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3]}}},
    ],
)
def test_a_malformed_dense_array_is_damage(
    backend: StorageBackend, changes: dict[str, Any]
) -> None:
    layout = V09Layout(backend)
    path = "0/object_attributes/L"
    layout.put_dense(path, np.ones(4, np.int32), {})
    edit(backend, path, **changes)
    with pytest.raises(ArrayError, match=path):
        layout.get_dense(path)


def test_dense_arrays_in_several_chunks(backend: StorageBackend) -> None:
    layout = V09Layout(backend)
    values = np.arange(150_000, dtype=np.int64).reshape(-1, 2)
    layout.put_dense("0/object_attributes/pairs", values, {})
    keys = [f"0/object_attributes/pairs/c/{n}/0" for n in range(3)]
    assert len(backend.get_many(keys)) == 2
    found = layout.get_dense("0/object_attributes/pairs")
    assert found is not None
    assert np.array_equal(found[0], values)
    backend.delete_many(keys[:1])
    with pytest.raises(ArrayError, match="c/0/0 is missing"):
        layout.get_dense("0/object_attributes/pairs")
    layout.set_array_meta("0/object_attributes/pairs", {WHOLE: False})
    found = layout.get_dense("0/object_attributes/pairs")
    assert found is not None
    assert found[1].tolist() == list(range(65536, 75_000))

"""What only 0.7 has: compressed blobs, packed chunks, masks, an older object index."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from numcodecs import zstd

from zarr_vectors.core.backends import StorageBackend, open_backend
from zarr_vectors.core.codecs import BYTES, ZSTD_0
from zarr_vectors.core.documents import array_document, blob_document, group_document
from zarr_vectors.core.layouts.base import ChunkGrid, LinkRecords, ObjectRows
from zarr_vectors.core.layouts.v07 import V07Layout
from zarr_vectors.encoding.manifests import encode_manifest
from zarr_vectors.exceptions import ArrayError

GRID = ChunkGrid((), ())
PATH = "0/vertices"


def compressed(blob: str, data: bytes, size: int | None = None) -> dict[str, bytes]:
    n = len(data) if size is None else size
    return {
        f"{blob}/zarr.json": array_document([n], "uint8", [BYTES, ZSTD_0], chunk_shape=[max(n, 1)]),
        f"{blob}/c/0": zstd.compress(data, 1),
    }


def test_compressed_blobs_are_read_beside_plain_ones(backend: StorageBackend) -> None:
    layout = V07Layout(backend)
    layout.create_cells(PATH, {}, GRID)
    layout.put_cells(PATH, {(0, 0): b"plain"})
    backend.put_many(compressed(f"{PATH}/-1.0", b"packed" * 50))
    assert layout.get_cells({PATH: [(0, 0), (-1, 0)]}) == {
        PATH: {(0, 0): b"plain", (-1, 0): b"packed" * 50}
    }
    assert layout.list_cells(PATH) == ((-1, 0), (0, 0))


def test_a_missing_file_is_zeros_only_where_the_codec_leaves_zeros_out(
    backend: StorageBackend,
) -> None:
    layout = V07Layout(backend)
    layout.create_cells(PATH, {}, GRID)
    backend.put_many(compressed(f"{PATH}/0.0", bytes(12)))
    backend.delete_many([f"{PATH}/0.0/c/0"])
    assert layout.get_cells({PATH: [(0, 0)]}) == {PATH: {(0, 0): bytes(12)}}
    backend.put_many({f"{PATH}/0.1/zarr.json": blob_document(12)})
    with pytest.raises(ArrayError, match=r"chunk \(0, 1\) of 0/vertices .* 12 bytes are missing"):
        layout.get_cells({PATH: [(0, 1)]})


def test_a_missing_document_is_damage(backend: StorageBackend) -> None:
    layout = V07Layout(backend)
    layout.create_cells(PATH, {}, GRID)
    layout.put_cells(PATH, {(0, 0): b"plain"})
    backend.delete_many([f"{PATH}/0.0/zarr.json"])
    with pytest.raises(ArrayError, match=r"0\.0/zarr\.json is missing"):
        layout.get_cells({PATH: [(0, 0)]})


def test_an_empty_blob_reads_as_absent(backend: StorageBackend) -> None:
    layout = V07Layout(backend)
    layout.create_cells(PATH, {}, GRID)
    backend.put_many({f"{PATH}/0.0/zarr.json": blob_document(0)})
    assert layout.get_cells({PATH: [(0, 0)]}) == {PATH: {}}


@pytest.mark.parametrize("size", [2**28 + 1, 2**40, 2**62])
def test_huge_claims_are_refused_at_once(backend: StorageBackend, size: int) -> None:
    backend.put_many(compressed(f"{PATH}/0.0", b"x", size))
    with pytest.raises(ArrayError, match="claims"):
        V07Layout(backend).get_cells({PATH: [(0, 0)]})
    backend.delete_many([f"{PATH}/0.0/c/0"])
    with pytest.raises(ArrayError, match="claims"):
        V07Layout(backend).get_cells({PATH: [(0, 0)]})


def shard(backend: StorageBackend, name: str, index: object, data: bytes, *codecs: object) -> None:
    backend.put_many(
        {
            f"{PATH}/{name}/zarr.json": array_document(
                [len(data)],
                "uint8",
                [BYTES, *codecs],
                chunk_shape=[len(data)],
                attributes={"shard_index": index},
            ),
            f"{PATH}/{name}/c/0": zstd.compress(data, 1) if codecs else data,
        }
    )


@pytest.fixture
def packed(backend: StorageBackend) -> V07Layout:
    V07Layout(backend).create_cells(PATH, {"dtype": "float32"}, GRID)
    shard(backend, "__shard_000000", {"0.0": [0, 3], "-1.0": [3, 2]}, b"abcde", ZSTD_0)
    shard(backend, "__shard_1152921504606846976", {"7.7": [1, 2], "8.8": [0, 0]}, b"xyz")
    backend.put_many({f"{PATH}/note/zarr.json": group_document({})})
    return V07Layout(backend)


PACKED = {(0, 0): b"abc", (-1, 0): b"de", (7, 7): b"yz"}


def test_packed_chunks_are_read_and_listed(packed: V07Layout) -> None:
    assert packed.get_cells({PATH: [*PACKED, (8, 8), (9, 9)]}) == {PATH: PACKED}
    assert packed.list_cells(PATH) == ((-1, 0), (0, 0), (7, 7))


def test_a_chunk_of_its_own_goes_before_a_packed_one(packed: V07Layout) -> None:
    packed.put_cells(PATH, {(0, 0): b"new", (-1, 0): b""})
    expected = {(0, 0): b"new", (7, 7): b"yz"}
    for layout in (packed, V07Layout(packed.backend)):
        assert layout.get_cells({PATH: PACKED}) == {PATH: expected}
        assert layout.list_cells(PATH) == ((0, 0), (7, 7))


def test_an_unpacked_shard_is_fetched_once(packed: V07Layout) -> None:
    packed.get_cells({PATH: [(0, 0)]})
    with packed.backend.stats.scope() as scope:
        packed.get_cells({PATH: [(-1, 0)]})
    assert scope.requests == 2  # the chunk's own document and bytes, both absent
    packed.forget()
    assert packed.get_cells({PATH: [(-1, 0)]}) == {PATH: {(-1, 0): b"de"}}


def test_a_plain_shard_is_read_in_parts(packed: V07Layout) -> None:
    packed.list_cells(PATH)
    with packed.backend.stats.scope() as scope:
        packed.get_cells({PATH: [(7, 7)]})
    assert scope.bytes_read == 2


@pytest.mark.parametrize(
    "index",
    [
        None,
        [],
        {"0.0": [0, 6]},
        {"0.0": [-1, 2]},
        {"0.0": [2**63, 1]},
        {"0.0": [0]},
        {"0.0": [0.5, 1]},
        {"zero": [0, 1]},
        {"0.0": "01"},
    ],
)
def test_a_malformed_shard_index_is_damage(backend: StorageBackend, index: object) -> None:
    V07Layout(backend).create_cells(PATH, {}, GRID)
    shard(backend, "__shard_000000", index, b"abcde")
    with pytest.raises(ArrayError, match="0/vertices"):
        V07Layout(backend).list_cells(PATH)


@pytest.mark.parametrize("name", ["__shard_000000", "__shard_1152921504606846976"])
def test_a_missing_or_short_shard_is_damage(packed: V07Layout, name: str) -> None:
    chunk = (0, 0) if name == "__shard_000000" else (7, 7)
    key = f"{PATH}/{name}/c/0"
    packed.backend.put_many({key: b"x"})
    with pytest.raises(ArrayError, match=rf"chunk \({chunk[0]}, {chunk[1]}\) of 0/vertices"):
        packed.get_cells({PATH: [chunk]})
    if chunk == (7, 7):  # a missing file of a compressed one would mean zeros
        packed.backend.delete_many([key])
        with pytest.raises(ArrayError, match="missing"):
            packed.get_cells({PATH: [chunk]})


def test_the_older_spelling_of_the_family(backend: StorageBackend) -> None:
    backend.put_many({f"{PATH}/zarr.json": group_document({"zvf_array": "vertices"})})
    assert V07Layout(backend).array_metas([PATH]) == {PATH: {"zv_array": "vertices"}}


def test_channel_names_make_columns(backend: StorageBackend) -> None:
    layout = V07Layout(backend)
    path = "0/vertex_attributes/rgb"
    layout.create_cells(path, {"dtype": "uint8", "row_shape": [3]}, GRID)
    stored = layout.get_attrs([path])[path]
    assert stored["channel_names"] == ["ch0", "ch1", "ch2"]
    assert "row_shape" not in stored
    layout.create_cells(path, {"row_shape": [2], "channel_names": ["a", "b"]}, GRID)
    assert layout.array_metas([path])[path]["channel_names"] == ["a", "b"]
    # an array without any metadata says nothing: its dtype is not ours to guess
    layout.put_attrs({path: {}})
    assert layout.array_metas([path]) == {path: {}}


def test_masked_rows_are_absent(backend: StorageBackend) -> None:
    layout = V07Layout(backend)
    path = "0/object_attributes/L"
    layout.put_dense(path, np.array([1.0, 2.0, 3.0]), {}, np.array([1]))
    mask = backend.get_many([f"{path}/present_mask/c/0"])
    assert mask == {f"{path}/present_mask/c/0": b"\0\1\0"}
    layout.put_dense(path, np.array([4.0, 5.0, 6.0]), {})
    found = layout.get_dense(path)
    assert found is not None
    assert (found[0].tolist(), found[1].tolist()) == ([4.0, 5.0, 6.0], [0, 1, 2])


@pytest.mark.parametrize(
    "attrs",
    [
        {"dtype": "float32", "shape": [2**62]},
        {"dtype": "float32", "shape": [-1]},
        {"dtype": "float32", "shape": [3]},
        {"dtype": "object", "shape": [2]},
        {"dtype": "float32", "shape": "22"},
        {"dtype": "float32"},
        {"shape": [2]},
    ],
)
def test_dense_arrays_that_do_not_fit_their_bytes_are_damage(
    backend: StorageBackend, attrs: dict[str, object]
) -> None:
    layout = V07Layout(backend)
    path = "0/object_attributes/L"
    layout.put_dense(path, np.zeros(2, np.float32) + 1, {})
    layout.put_attrs({path: attrs})
    with pytest.raises(ArrayError, match=path):
        layout.get_dense(path)


def test_the_older_object_index(backend: StorageBackend) -> None:
    blobs = [encode_manifest([((0, 1), 2)]), encode_manifest([]), encode_manifest([((3, 4), 5)])]
    starts = np.cumsum([0, *map(len, blobs)])[:-1]
    layout = V07Layout(backend)
    index = "0/object_index"
    layout.put_attrs({index: {"num_objects": 3, "sid_ndim": 2}})
    layout.put_slot(index, "data", b"".join(blobs))
    layout.put_slot(index, "offsets", starts.astype("<i8").tobytes())
    rows = layout.get_objects("0")
    assert rows is not None
    assert (rows.ids.tolist(), list(rows.manifests)) == ([0, 1, 2], blobs)
    some = layout.get_objects("0", [2])
    assert some is not None
    assert (some.ids.tolist(), list(some.manifests)) == ([2], [blobs[2]])
    for bad in (b"", struct.pack("<3q", 0, 99, 999), struct.pack("<3q", 5, 1, 0)):
        layout.put_slot(index, "offsets", bad)
        with pytest.raises(ArrayError, match="object_index"):
            layout.get_objects("0")


def test_ids_too_sparse_for_a_dense_table_are_refused(backend: StorageBackend) -> None:
    rows = ObjectRows(np.array([0, 2**40]), [bytes(4)] * 2, 3)
    with pytest.raises(ArrayError, match=r"0\.9\.2"):
        V07Layout(backend).put_objects("0", rows)


def test_some_objects_cost_only_their_chunks(backend: StorageBackend) -> None:
    n = 40_000
    layout = V07Layout(backend)
    blobs = [encode_manifest([((k, 0), 0)]) for k in range(n)]
    layout.put_objects("0", ObjectRows(np.arange(n), blobs, 2))
    with backend.stats.scope() as scope:
        rows = layout.get_objects("0", [39_999])
    assert rows is not None
    assert list(rows.manifests) == [blobs[-1]]
    assert scope.requests == 3
    everything = layout.get_objects("0")
    assert everything is not None
    assert list(everything.manifests) == blobs


@pytest.mark.parametrize("num_objects", [2**62, -1, None, True])
def test_absurd_object_counts_are_refused_at_once(
    backend: StorageBackend, num_objects: object
) -> None:
    layout = V07Layout(backend)
    layout.put_attrs({"0/object_index": {"num_objects": num_objects, "sid_ndim": 3}})
    with pytest.raises(ArrayError, match="num_objects"):
        layout.get_objects("0")


def test_a_huge_manifest_table_is_refused_at_once(backend: StorageBackend) -> None:
    layout = V07Layout(backend)
    layout.put_objects("0", ObjectRows(np.arange(1), [bytes(4)], 3))
    key = "0/object_index/manifests/zarr.json"
    document = json.loads(backend.get_many([key])[key])
    for shape, chunk in (([2**62], [1]), ([2**62], [2**62]), ([2**30], [1]), ([], [])):
        document["shape"] = shape
        document["chunk_grid"]["configuration"]["chunk_shape"] = chunk
        backend.put_many({key: json.dumps(document).encode()})
        with pytest.raises(ArrayError, match="object_index"):
            layout.get_objects("0")


@pytest.mark.parametrize("offsets", [(0, 12), (8, 8), (0, 99), (8, 0), (0,)])
def test_malformed_group_offsets_are_damage(
    backend: StorageBackend, offsets: tuple[int, ...]
) -> None:
    layout = V07Layout(backend)
    layout.put_groups("0", [np.array([0, 1]), np.array([1])])
    layout.put_slot("0/groups", "offsets", struct.pack(f"<{len(offsets)}q", *offsets))
    with pytest.raises(ArrayError, match="0/groups"):
        layout.get_groups("0")


def test_links_that_another_program_added_are_read(tmp_path: Path) -> None:
    """The published writer adds chunks of links and leaves our record of them as it was."""
    (tmp_path / "s").mkdir()
    layout = V07Layout(open_backend(tmp_path / "s", mode="a"))
    grid = ChunkGrid((0, 0), (4, 4))
    chunks = np.zeros((1, 2, 2), np.int64)
    layout.put_links("0", LinkRecords(chunks, np.array([[0, 1]])), grid)
    layout.put_cells("0/links/0", {(1, 0): np.array([[2, 3]], "<i8").tobytes()})
    found = V07Layout(open_backend(tmp_path / "s", mode="r")).get_links("0")
    assert found is not None
    assert found.rows.tolist() == [[0, 1], [2, 3]]
    assert found.chunks[:, 0].tolist() == [[0, 0], [1, 0]]
    part = V07Layout(open_backend(tmp_path / "s", mode="r")).get_links("0", within=[(1, 0)])
    assert part is not None
    assert part.rows.tolist() == [[2, 3]]

"""The worked example of the format's description, byte for byte, in both versions.

Chunk shape 10, polyline 0 = (1,2,3) (4,5,6) (-1,5,6), polyline 1 = (7,7,7) (8,8,8), attribute
w = 10 20 30 | 40 50, object attribute L = 1.5 2.5, groups 0: 0 1 and 1: 1.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numcodecs import zstd

from zarr_vectors.core.backends import StorageBackend
from zarr_vectors.core.layouts.base import ChunkGrid, Layout, ObjectRows
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.encoding.fragments import encode_ranges
from zarr_vectors.encoding.manifests import encode_manifest
from zarr_vectors.encoding.ragged import encode_rows

HOME, WEST = (0, 0, 0), (-1, 0, 0)
ROWS = {
    HOME: bytes.fromhex(
        "0000803f0000004000004040 0000804000000a40".replace("000a40", "00a040")
        + "0000c040 0000e0400000e0400000e040 000000410000004100000041"
    ),
    WEST: bytes.fromhex("000080bf0000a0400000c040"),
}
TABLES = {
    HOME: bytes.fromhex("4746565a01000000 0200000002000000 0300000000000000")
    + struct.pack("<4q", 0, 2, 2, 2)
    + bytes(4),
    WEST: bytes.fromhex("4746565a01000000 0100000001000000 0100000000000000")
    + struct.pack("<2q", 0, 1)
    + bytes(4),
}
VALUES = {HOME: bytes.fromhex("0a00140028003200"), WEST: bytes.fromhex("1e00")}
MANIFESTS = [
    b"\2\0\0\0" + bytes(24) + b"\0" + bytes(8) + b"\xff" * 8 + bytes(16) + b"\0" + bytes(8),
    b"\1\0\0\0" + bytes(24) + b"\0\1" + bytes(7),
]
STORED_MANIFESTS = b"\2\0\0\0" + b"\x46\0\0\0" + MANIFESTS[0] + b"\x25\0\0\0" + MANIFESTS[1]


def write(version: str, backend: StorageBackend) -> Layout:
    layout = layout_for(version, backend)
    grid = ChunkGrid((-1, 0, 0), (2, 1, 1))
    home = np.array([[1, 2, 3], [4, 5, 6], [7, 7, 7], [8, 8, 8]], "f4")
    west = np.array([[-1, 5, 6]], "f4")
    layout.create_cells("0/vertices", {"dtype": "float32", "encoding": "raw"}, grid)
    layout.put_cells("0/vertices", {HOME: encode_rows(home), WEST: encode_rows(west)})
    layout.create_cells("0/vertex_fragments", {"encoding": "fragment_index_v1"}, grid)
    tables = {HOME: encode_ranges([0, 2], [2, 2]), WEST: encode_ranges([0], [1])}
    layout.put_cells("0/vertex_fragments", tables)
    layout.create_cells("0/vertex_attributes/w", {"dtype": "int16", "row_shape": []}, grid)
    values = {HOME: np.array([10, 20, 40, 50], "i2"), WEST: np.array([30], "i2")}
    layout.put_cells("0/vertex_attributes/w", {c: encode_rows(v) for c, v in values.items()})
    blobs = [encode_manifest([(HOME, 0), (WEST, 0)]), encode_manifest([(HOME, 1)])]
    layout.put_objects("0", ObjectRows(np.arange(2), blobs, 3))
    layout.put_dense("0/object_attributes/L", np.array([1.5, 2.5], "f4"), {})
    layout.put_groups("0", [np.array([0, 1]), np.array([1])])
    return layout


def node(backend: StorageBackend, path: str) -> dict[str, Any]:
    key = f"{path}/zarr.json"
    found: dict[str, Any] = json.loads(backend.get_many([key])[key])
    return found


def value(backend: StorageBackend, key: str) -> bytes:
    return backend.get_many([key])[key]


def test_0_7(backend: StorageBackend) -> None:
    write("0.7.0", backend)
    assert value(backend, "0/vertices/0.0.0/c/0") == ROWS[HOME]
    assert value(backend, "0/vertices/-1.0.0/c/0") == ROWS[WEST]
    assert value(backend, "0/vertex_fragments/0.0.0/c/0") == TABLES[HOME]
    assert value(backend, "0/vertex_fragments/-1.0.0/c/0") == TABLES[WEST]
    assert value(backend, "0/vertex_attributes/w/0.0.0/c/0") == VALUES[HOME]
    assert value(backend, "0/vertex_attributes/w/-1.0.0/c/0") == VALUES[WEST]
    assert value(backend, "0/object_attributes/L/data/c/0") == bytes.fromhex("0000c03f00002040")
    assert value(backend, "0/groups/data/c/0") == struct.pack("<3q", 0, 1, 1)
    assert value(backend, "0/groups/offsets/c/0") == struct.pack("<2q", 0, 16)
    manifests = value(backend, "0/object_index/manifests/c/0")
    assert zstd.decompress(manifests) == STORED_MANIFESTS
    assert node(backend, "0/vertices/0.0.0") == {
        "shape": [48],
        "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [48]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "bytes"}],
        "attributes": {},
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }
    assert node(backend, "0/vertices") == {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {"zv_array": "vertices", "dtype": "float32", "encoding": "raw"},
    }
    assert node(backend, "0/vertex_attributes/w")["attributes"] == {
        "zv_array": "attribute",
        "name": "w",
        "dtype": "int16",
    }
    assert node(backend, "0/object_index")["attributes"] == {
        "zv_array": "object_index",
        "num_objects": 2,
        "sid_ndim": 3,
        "layout": "vlen_manifests_v1",
    }
    assert node(backend, "0/object_attributes/L")["attributes"] == {
        "zv_array": "object_attribute",
        "name": "L",
        "dtype": "float32",
        "shape": [2],
        "has_present_mask": False,
    }
    assert node(backend, "0/groups")["attributes"] == {"zv_array": "groups", "num_groups": 2}


def test_0_9(backend: StorageBackend) -> None:
    write("0.9.2", backend)
    cells = {
        "vertices": ROWS,
        "vertex_fragments": TABLES,
        "vertex_attributes/w": VALUES,
    }
    for name, blobs in cells.items():
        for chunk, blob in blobs.items():
            stored = value(backend, f"0/{name}/c/{chunk[0] + 1}/0/0")
            assert stored == struct.pack("<II", 1, len(blob)) + blob
    attributes = node(backend, "0/vertices")["attributes"]
    assert attributes == {
        "nonempty_chunks": ["-1.0.0", "0.0.0"],
        "chunk_grid_origin": [-1, 0, 0],
        "zv_array": "vertices",
        "dtype": "float32",
        "encoding": "raw",
    }
    array = node(backend, "0/vertices")
    assert (array["shape"], array["data_type"]) == ([2, 1, 1], "variable_length_bytes")
    assert array["chunk_grid"]["configuration"] == {"chunk_shape": [1, 1, 1]}
    assert (array["fill_value"], array["codecs"]) == (
        "",
        [{"name": "vlen-bytes", "configuration": {}}],
    )
    assert value(backend, "0/object_index/object_ids/c/0") == struct.pack("<2q", 0, 1)
    stored = zstd.decompress(value(backend, "0/object_index/manifests/c/0"))
    assert stored == STORED_MANIFESTS
    sizes = np.frombuffer(zstd.decompress(value(backend, "0/object_attributes/L/c/0")), "<f4")
    assert sizes[:2].tolist() == [1.5, 2.5]
    assert np.isnan(sizes[2:]).all()
    assert len(sizes) == 65536
    assert node(backend, "0/object_attributes/L")["fill_value"] == "NaN"
    groups = zstd.decompress(value(backend, "0/groups/c/0"))
    assert groups == b"\2\0\0\0" + b"\x10\0\0\0" + struct.pack("<2q", 0, 1) + b"\x08\0\0\0" + (
        struct.pack("<q", 1)
    )
    assert node(backend, "0/object_index")["attributes"] == {
        "zv_array": "object_index",
        "num_objects": 2,
        "num_present": 2,
        "sid_ndim": 3,
        "layout": "vlen_manifests_v2",
        "object_ids_sorted": True,
    }


def test_a_grid_that_starts_at_zero_does_not_say_so(backend: StorageBackend) -> None:
    layout = layout_for("0.9.2", backend)
    layout.create_cells("0/vertices", {}, ChunkGrid((0, 0), (2, 2)))
    assert "chunk_grid_origin" not in node(backend, "0/vertices")["attributes"]
    assert node(backend, "0/vertices")["attributes"]["nonempty_chunks"] == []


def test_zarr_itself_reads_what_is_written(backend: StorageBackend) -> None:
    import zarr

    for version in ("0.7.0", "0.9.2"):
        write(version, backend)
        root = zarr.open_group(backend.zarr_store(), mode="r")
        if version == "0.7.0":
            blob = root["0/vertices/0.0.0"]
            assert isinstance(blob, zarr.Array)
            assert np.asarray(blob[:]).tobytes() == ROWS[HOME]
        else:
            sizes = root["0/object_attributes/L"]
            assert isinstance(sizes, zarr.Array)
            assert np.asarray(sizes[:]).tolist() == [1.5, 2.5]
            assert sizes.metadata.fill_value != sizes.metadata.fill_value
        backend.delete_prefix("")

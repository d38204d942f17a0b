"""The reference reader itself: blobs made by hand, and differences it must see."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.testing.agreement import assert_same
from zarr_vectors.testing.reference import blobs, read_reference
from zarr_vectors.types.polylines import write_polylines


def test_fragments_of_both_kinds() -> None:
    head = struct.pack("<IHHII", 0x5A564647, 1, 0, 3, 2)
    table = struct.pack("<qqqq", 0, 2, 2, 0)  # fragments 0 and 2 are ranges
    lists = struct.pack("<IIqq", 0, 2, 5, 0)
    blob = head + bytes([0b101]) + bytes(7) + table + lists
    assert blobs.fragments(blob) == [[0, 1], [5, 0], []]
    assert blobs.fragments(struct.pack("<IHHII", 0x5A564647, 1, 0, 0, 0)) == []


def test_manifests_of_every_mode() -> None:
    blob = struct.pack("<I", 3)
    blob += struct.pack("<qqBq", 0, -1, 0, 7)
    blob += struct.pack("<qqBqq", 1, 2, 1, 3, 2)
    blob += struct.pack("<qqBIqqq", 0, 0, 2, 3, 9, 1, 4)
    expected = [((0, -1), 7), ((1, 2), 3), ((1, 2), 4), ((0, 0), 9), ((0, 0), 1), ((0, 0), 4)]
    assert blobs.manifest(blob, 2) == expected
    assert blobs.manifest(bytes(4), 3) == []
    with pytest.raises(ValueError, match="bytes after"):
        blobs.manifest(bytes(5), 3)


def test_codes_of_orders() -> None:
    assert [blobs.places(code, 3) for code in range(6)] == [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ]


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_a_store_small_enough_to_write_down(tmp_path: Path, version: str) -> None:
    lines = [np.array([[1, 2, 3], [4, 5, 6], [-1, 5, 6]]), np.array([[7, 7, 7], [8, 8, 8]])]
    write_polylines(
        tmp_path / "s",
        lines,
        chunk_shape=(10.0,) * 3,
        vertex_attributes={"w": [np.array([10, 20, 30], "i2"), np.array([40, 50], "i2")]},
        object_attributes={"L": np.array([1.5, 2.5], np.float32)},
        groups={0: [0, 1], 1: [1]},
        format_version=version,
    )
    _, levels = read_reference(tmp_path / "s")
    level = levels[0]
    first, second = (-1, 0, 0), (0, 0, 0)
    assert {key: rows.tolist() for key, rows in level.positions.items()} == {
        first: [[-1, 5, 6]],
        second: [[1, 2, 3], [4, 5, 6], [7, 7, 7], [8, 8, 8]],
    }
    assert level.fragments == {first: [[0]], second: [[0, 1], [2, 3]]}
    assert level.attributes["w"][second].tolist() == [10, 20, 40, 50]
    assert level.objects == {0: [(second, 0), (first, 0)], 1: [(second, 1)]}
    assert level.links == {0: [((second, 1), (first, 0))]}
    assert level.object_attributes == {"L": {0: 1.5, 1: 2.5}}
    assert level.groups == [[0, 1], [1]]


def test_a_difference_is_named() -> None:
    assert_same({"a": {1: [float("nan")]}}, {"a": {1: [float("nan")]}}, "store")
    with pytest.raises(AssertionError, match=r"store, a, 1: 2\.0 is not 3"):
        assert_same({"a": {1: 2.0}}, {"a": {1: 3}}, "store")
    with pytest.raises(AssertionError, match=r"store: \['a'\] are not \['b'\]"):
        assert_same({"a": 1}, {"b": 1}, "store")

"""Arrays of a level, chunk by chunk: dtypes, axes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import zarr_vectors.core.arrays as ca
from zarr_vectors.constants import KNOWN_VERSIONS
from zarr_vectors.core.group import Group
from zarr_vectors.core.store import create_store, get_resolution_level
from zarr_vectors.exceptions import ArrayError, MetadataError, StoreError

PARTS = [np.array([[1.5, -2.0]]), np.zeros((0, 2)), np.array([[-3.0, 4.0], [5.0, 6.25]])]


@pytest.fixture(params=KNOWN_VERSIONS)
def level(request: pytest.FixtureRequest, tmp_path) -> Group:
    root = create_store(
        tmp_path / "s",
        format_version=request.param,
        bounds=([-20.0] * 2, [20.0] * 2),
        chunk_shape=(10, 10),
    )
    return get_resolution_level(root, 0)


def test_vertices_in_either_precision(level: Group) -> None:
    ca.create_vertices_array(level, "float64")
    starts = ca.write_chunk_vertices(level, (0, -1), PARTS, np.float64)
    assert starts.tolist() == [0, 1, 1]
    found = ca.read_chunk_vertices(level, (0, -1))
    assert [part.dtype for part in found] == [np.float64] * 3
    for part, given in zip(found, PARTS, strict=True):
        np.testing.assert_array_equal(part, given)
    assert ca.read_chunk_vertices(level, (0, -1), np.float32, 2)[2].dtype == np.float32
    with pytest.raises(ArrayError, match="float64 vertices, not float32"):
        ca.write_chunk_vertices(level, (0, 0), PARTS, "float32")
    with pytest.raises(ArrayError, match="damaged"):
        ca.read_chunk_vertices(level, (0, -1), ndim=5)
    ca.write_chunk_vertices(level, (0, -1), [])
    assert ca.list_chunk_keys(level) == []
    assert ca.list_chunk_keys(level, "vertex_fragments") == []
    with pytest.raises(MetadataError, match="int32"):
        ca.create_vertices_array(level, "int32")


def test_fragments_of_a_chunk(level: Group) -> None:
    ca.write_chunk_vertices(level, (0, 0), PARTS)
    index = ca.read_fragment_index(level, "vertex_fragments", (0, 0))
    assert (len(index), index.num_fragments, index.num_range_fragments) == (3, 3, 3)
    assert [index.range(f) for f in range(3)] == [(0, 1), (1, 0), (1, 2)]
    assert index.indices(2).dtype == np.int64
    assert ca.read_vertex_fragment_index(level, (0, 0)).range(2) == (1, 2)
    with pytest.raises(IndexError):
        index.range(3)
    with pytest.raises(ArrayError, match="range"):
        index.indices_view(0)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float32", "float64"])
@pytest.mark.parametrize("channels", [None, ["r", "g"]])
def test_attributes_keep_dtype_and_width(level: Group, dtype: str, channels) -> None:
    ca.write_chunk_vertices(level, (0, 0), PARTS)
    ca.create_attribute_array(level, "a", dtype, channels, {"unit": "mm"})
    width = len(channels) if channels else None
    rows = np.arange(3 * (width or 1)).astype(dtype)
    rows = rows.reshape(-1, width) if width else rows
    ca.write_chunk_attributes(level, "a", (0, 0), [rows[:1], rows[1:1], rows[1:]])
    found = ca.read_chunk_attributes(level, "a", (0, 0))
    assert [part.dtype for part in found] == [np.dtype(dtype)] * 3
    np.testing.assert_array_equal(np.concatenate(found), rows)
    assert level.read_array_meta("vertex_attributes/a")["unit"] == "mm"
    assert ca.list_chunk_keys(level, "vertex_attributes/a") == [(0, 0)]


def test_objects_and_their_attributes(level: Group) -> None:
    ca.write_chunk_vertices(level, (0, 0), PARTS)
    manifests = {1: [((0, 0), 2), ((0, 0), 0)], 3: []}
    ca.write_object_index(level, manifests, 2, total_objects=4)
    found = ca.read_all_object_manifests(level)
    assert found == [[], manifests[1], [], []]
    assert [part.tolist() for part in ca.read_object_vertices(level, 1)] == [
        PARTS[2].tolist(),
        PARTS[0].tolist(),
    ]
    ca.create_object_attributes_array(level, "size", "int32")
    assert ca.read_object_attributes(level, "size").shape == (0,)
    ca.create_object_attributes_array(level, "tip", "float64", 3)
    assert ca.read_object_attributes(level, "tip").shape == (0, 3)
    ca.write_object_attributes(level, "size", np.arange(4, dtype=np.int32))
    assert ca.read_object_attributes(level, "size").tolist() == [0, 1, 2, 3]
    assert ca.read_object_attributes(level, "size").dtype == np.int32
    assert ca.read_object_attributes(level, "size", "float64").dtype == np.float64
    with pytest.raises(ArrayError, match="object_attributes/none"):
        ca.read_object_attributes(level, "none")
    with pytest.raises(StoreError, match="not allowed"):
        ca.write_object_attributes(level, "../x", [1.0])

"""Links of one chunk, and where chunks start among all rows of a level."""

from __future__ import annotations

import numpy as np
import pytest
from zarr.storage import MemoryStore

from zarr_vectors.core.arrays import (
    count_link_groups,
    read_chunk_links,
    read_cross_chunk_links,
    write_chunk_links,
    write_chunk_vertices,
)
from zarr_vectors.core.group import Group
from zarr_vectors.core.layouts.base import ChunkGrid, LinkRecords
from zarr_vectors.core.store import create_store, get_resolution_level
from zarr_vectors.exceptions import ArrayError, MetadataError
from zarr_vectors.spatial.boundary import chunk_local_to_global_offsets

GROUPS = [np.array([[0, 1], [1, 2]]), np.array([[4, 3]])]


@pytest.fixture(params=["0.7.0", "0.9.2"])
def level(request: pytest.FixtureRequest) -> Group:
    root = create_store(
        MemoryStore(),
        bounds=([-20.0, -20.0], [19.0, 19.0]),
        chunk_shape=(10.0, 10.0),
        ndim=2,
        format_version=request.param,
    )
    return get_resolution_level(root, 0)


def flat(groups: list[np.ndarray]) -> list[list[list[int]]]:
    return [group.tolist() for group in groups]


@pytest.mark.parametrize("delta", [0, 1])
def test_groups_of_a_chunk_come_back(level: Group, delta: int) -> None:
    assert read_chunk_links(level, (-1, 0), delta=delta) == []
    assert write_chunk_links(level, (-1, 0), GROUPS, delta=delta).tolist() == [0, 2]
    write_chunk_links(level, (1, 1), GROUPS[1:], delta=delta)
    assert flat(read_chunk_links(level, (-1, 0), delta=delta)) == flat(GROUPS)
    assert [count_link_groups(level, c, delta=delta) for c in ((-1, 0), (1, 1), (0, 0))] == [
        2,
        1,
        0,
    ]
    assert read_chunk_links(level, (1, 1), np.int32, 2, delta=delta)[0].dtype == np.int32
    found = level.layout.get_links("0", delta=delta)
    assert found is not None
    assert found.rows.tolist() == [[0, 1], [1, 2], [4, 3], [4, 3]]
    assert level.layout.link_families("0", [delta])[delta].count == 4


def test_other_links_stay(level: Group) -> None:
    ends = np.array([[[0, 0], [1, 0]], [[0, 0], [0, 0]], [[-1, 1], [-1, 1]]])
    rows = np.array([[3, 4], [1, 0], [7, 8]])
    level.layout.put_links("0", LinkRecords(ends, rows), ChunkGrid((-2, -2), (4, 4)))
    write_chunk_links(level, (0, 0), GROUPS)
    assert read_cross_chunk_links(level) == [(((0, 0), 3), ((1, 0), 4))]
    assert flat(read_chunk_links(level, (-1, 1))) == [[[7, 8]]]
    write_chunk_links(level, (0, 0), [np.zeros((0, 2), int)])
    assert read_chunk_links(level, (0, 0)) == []
    found = level.layout.get_links("0")
    assert found is not None
    assert found.rows.tolist() == [[7, 8], [3, 4]]


def test_rows_that_do_not_fit_are_refused(level: Group) -> None:
    ends = np.zeros((2, 2, 2), int)
    records = LinkRecords(ends, np.array([[0, 1], [1, 2]]), {"w": np.arange(2)})
    level.layout.put_links("0", records, ChunkGrid((-2, -2), (4, 4)))
    for groups in ([np.array([[1, 2, 3]])], [np.array([[0.5, 1]])], [np.array([1, 2])]):
        with pytest.raises(ArrayError, match="must be whole numbers of shape"):
            write_chunk_links(level, (0, 0), groups)
    with pytest.raises(ArrayError, match="their number cannot change by"):
        write_chunk_links(level, (0, 0), GROUPS)
    with pytest.raises(ArrayError, match="have 2 endpoints, not 3"):
        read_chunk_links(level, (0, 0), link_width=3)
    write_chunk_links(level, (0, 0), [np.array([[5, 6], [6, 7]])])
    found = level.layout.get_links("0", attributes=["w"])
    assert found is not None
    assert found.rows.tolist() == [[5, 6], [6, 7]]
    assert found.attributes["w"].tolist() == [0, 1]
    assert read_cross_chunk_links(level, delta=2) == []


def test_where_chunks_start(level: Group) -> None:
    for chunk, counts in (((1, 0), (2, 1)), ((-2, 1), (4,)), ((0, 0), (1,))):
        write_chunk_vertices(level, chunk, [np.zeros((n, 2), np.float32) for n in counts])
    offsets, keys, total = chunk_local_to_global_offsets(level)
    assert keys == [(-2, 1), (0, 0), (1, 0)]
    assert offsets == {(-2, 1): 0, (0, 0): 4, (1, 0): 5}
    assert total == 8
    assert chunk_local_to_global_offsets(level, 1)[2] == 16
    with pytest.raises(ArrayError, match="whole rows"):
        chunk_local_to_global_offsets(level, 7)


def test_a_store_without_axes_is_named(level: Group) -> None:
    level.layout.put_attrs({"": {}})
    with pytest.raises(MetadataError, match="how many axes"):
        chunk_local_to_global_offsets(level)

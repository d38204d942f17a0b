from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zarr_vectors.exceptions import ChunkingError
from zarr_vectors.writing.order import dense_ranks, distinct, stable_order
from zarr_vectors.writing.route import (
    cell_ranks,
    manifests_of,
    route_bins,
    route_objects,
    route_rows,
)

POSITIONS = arrays(
    np.float32,
    st.tuples(st.integers(0, 60), st.integers(2, 4)),
    elements=st.floats(-1000, 1000, width=32),
)


def slow_fragments(positions, chunk, bins):
    """{chunk: [rows of bin 0, rows of bin 1, ...]} by plain loops."""
    ndim = positions.shape[1]
    per_chunk = round(chunk / bins)
    found: dict[tuple[int, ...], list[list[int]]] = {}
    for row, point in enumerate(positions.astype(np.float64)):
        key = tuple(int(np.floor(x / chunk)) for x in point)
        number = 0
        for x, k in zip(point, key, strict=True):
            local = int(np.floor(x / bins)) - k * per_chunk
            number = number * per_chunk + min(max(local, 0), per_chunk - 1)
        found.setdefault(key, [[] for _ in range(per_chunk**ndim)])[number].append(row)
    return dict(sorted(found.items()))


def routed(route):
    """The same from a route."""
    found = {}
    for i, chunk in enumerate(route.chunks.tolist()):
        numbers = range(route.chunk_fragments[i], route.chunk_fragments[i + 1])
        found[tuple(chunk)] = [
            route.order[route.fragment_rows[f] : route.fragment_rows[f + 1]].tolist()
            for f in numbers
        ]
    return found


@given(POSITIONS)
def test_bins_equal_the_slow_way(positions):
    route = route_bins(positions, (30.0,) * positions.shape[1], (15.0,) * positions.shape[1])
    assert routed(route) == slow_fragments(positions, 30.0, 15.0)
    assert route.counts.sum() == len(positions)


@given(POSITIONS, st.integers(0, 5))
def test_objects_are_fragments_in_ascending_id(positions, top):
    ids = np.arange(len(positions), dtype=np.int64) * 7 % (top + 1)
    route = route_objects(positions, (30.0,) * positions.shape[1], ids)
    fragments = routed(route)
    whole = slow_fragments(positions, 30.0, 30.0)
    assert list(fragments) == list(whole)
    for chunk, parts in fragments.items():
        rows = whole[chunk][0]
        expected = [[r for r in rows if ids[r] == oid] for oid in sorted(set(ids[rows].tolist()))]
        assert parts == expected
    tables = manifests_of(route)
    for k, oid in enumerate(tables.ids.tolist()):
        blocks = slice(tables.starts[k], tables.starts[k + 1])
        pairs = zip(tables.chunks[blocks].tolist(), tables.fragments[blocks].tolist(), strict=True)
        rows = [row for chunk, fragment in pairs for row in fragments[tuple(chunk)][fragment]]
        assert sorted(rows) == np.flatnonzero(ids == oid).tolist()
        assert tables.chunks[blocks].tolist() == sorted(tables.chunks[blocks].tolist())


@given(POSITIONS)
def test_rows_stay_in_their_chunk(positions):
    route = route_rows(positions, (30.0,) * positions.shape[1], (15.0,) * positions.shape[1])
    for chunk, parts in routed(route).items():
        assert all(len(part) == 1 for part in parts)
        rows = [part[0] for part in parts]
        assert {tuple(np.floor(positions[r].astype(float) / 30.0).astype(int)) for r in rows} == {
            chunk
        }
    assert sorted(route.order.tolist()) == list(range(len(positions)))


@given(POSITIONS)
def test_cell_ranks_are_the_ranks_of_unique_cells(positions):
    count, ranks = cell_ranks(positions, (7.0,) * positions.shape[1])
    cells = np.floor(positions.astype(np.float64) / 7.0).astype(np.int64)
    known, inverse = np.unique(cells, axis=0, return_inverse=True)
    assert count == len(known)
    np.testing.assert_array_equal(ranks, inverse.reshape(-1))


@given(arrays(np.int64, st.integers(0, 80), elements=st.integers(0, 2**60)))
def test_order_is_stable_for_wide_keys(keys):
    limit = int(keys.max(initial=0)) + 1
    np.testing.assert_array_equal(stable_order(keys, limit), np.argsort(keys, kind="stable"))
    found, ranks = dense_ranks(keys, limit)
    np.testing.assert_array_equal(found[ranks], keys)
    np.testing.assert_array_equal(found, np.unique(keys))
    np.testing.assert_array_equal(distinct(np.sort(keys)), np.unique(keys))


def test_far_apart_chunks_do_not_overflow():
    positions = np.array(
        [[-1e15, 1e15, 0.0, 1e15], [1e15, -1e15, 1.0, -1e15], [0.0, 0.0, 0.0, 0.0]]
    )
    route = route_bins(positions, (1.0,) * 4, (1.0,) * 4)
    expected = sorted(positions.astype(np.int64).tolist())
    assert route.chunks.tolist() == expected


def test_a_chunk_that_cannot_be_numbered_is_refused():
    with pytest.raises(ChunkingError, match="larger chunks"):
        route_bins(np.array([[1e30, 0.0]]), (1.0, 1.0), (1.0, 1.0))


def test_bins_that_do_not_divide_are_refused():
    with pytest.raises(ChunkingError, match="does not divide"):
        route_bins(np.zeros((1, 2)), (10.0, 10.0), (3.0, 5.0))


def test_bins_without_number_are_refused():
    with pytest.raises(ChunkingError, match="larger bins"):
        route_bins(np.zeros((1, 3)), (1024.0,) * 3, (0.5,) * 3)

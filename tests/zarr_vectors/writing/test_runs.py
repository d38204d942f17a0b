"""Paths cut into fragments, against a loop over every vertex."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zarr_vectors.exceptions import ChunkingError
from zarr_vectors.writing.runs import route_paths

CHUNK, BIN = 4.0, 2.0


def slow(lines, leads, by_bin):
    """{chunk: fragments as lists of (line, vertex)}, manifests, links: one vertex at a time."""
    chunks, manifests, links = {}, [], []
    for number, line in enumerate(lines):
        manifest = []
        before = None
        for vertex, point in enumerate(line):
            chunk = tuple(int(x // CHUNK) for x in point)
            if leads is not None:
                chunk = (leads[number][vertex], *chunk)
            cell = (chunk, tuple(x // BIN for x in point) if by_bin else None)
            if cell != before:
                chunks.setdefault(chunk, []).append([])
                manifest.append((chunk, len(chunks[chunk]) - 1))
            chunks[chunk][manifest[-1][1]].append((number, vertex))
            before = cell
        manifests.append(manifest)
    for manifest in manifests:
        for (first, number), (second, following) in pairwise(manifest):
            if first != second:
                last = sum(map(len, chunks[first][: number + 1])) - 1
                links.append((first, last, second, sum(map(len, chunks[second][:following]))))
    return chunks, manifests, links


def fast(lines, leads, by_bin):
    """The same, as arrays say it."""
    ndim = max((line.shape[1] for line in lines), default=2)
    rows = np.concatenate([line.reshape(-1, ndim) for line in lines]).astype(np.float32)
    starts = np.cumsum([0, *map(len, lines)])
    lead = None if leads is None else np.concatenate(leads).astype(np.int64)
    found = route_paths(rows, starts, (CHUNK,) * ndim, (BIN,) * ndim if by_bin else None, lead=lead)
    owner = np.repeat(np.arange(len(lines)), np.diff(starts))
    names = [(int(k), int(i - starts[k])) for i, k in enumerate(owner)]
    stored = [names[row] for row in found.by_row().order]
    edges = found.route.fragment_rows.tolist()
    fragments = [stored[a:b] for a, b in pairwise(edges)]
    cuts = found.route.chunk_fragments.tolist()
    keys = [tuple(row) for row in found.route.chunks.tolist()]
    assert keys == sorted(keys)
    assert found.route.chunk_rows.tolist() == [edges[i] for i in cuts]
    assert found.by_row().fragment_objects.tolist() == [part[0][0] for part in fragments]
    chunks = {key: fragments[a:b] for key, (a, b) in zip(keys, pairwise(cuts), strict=True)}
    table = found.manifests()
    blocks = [
        (tuple(chunk), fragment)
        for chunk, fragment in zip(table.chunks.tolist(), table.fragments.tolist(), strict=True)
    ]
    manifests = [blocks[a:b] for a, b in pairwise(table.starts.tolist())]
    links = [
        (tuple(chunk[0]), row[0], tuple(chunk[1]), row[1])
        for chunk, row in zip(
            found.links().records().chunks.tolist(), found.links().rows.tolist(), strict=True
        )
    ]
    assert table.ids.tolist() == list(range(len(lines)))
    return chunks, manifests, links


def assert_same(lines, leads, by_bin):
    expected, found = slow(lines, leads, by_bin), fast(lines, leads, by_bin)
    assert found[0] == expected[0]
    assert found[1] == expected[1]
    assert sorted(found[2]) == sorted(expected[2])


@pytest.mark.parametrize("ndim", [2, 3, 4])
@pytest.mark.parametrize("by_bin", [False, True])
@pytest.mark.parametrize("led", [False, True])
def test_as_a_loop_over_vertices(ndim, by_bin, led):
    rng = np.random.default_rng(ndim)
    lines = [
        np.cumsum(rng.integers(-2, 3, (n, ndim)), axis=0).astype(float)
        for n in (30, 0, 1, 2, 17, 0)
    ]
    leads = [rng.integers(0, 3, len(line)).tolist() for line in lines] if led else None
    assert_same(lines, leads, by_bin)


coordinates = st.integers(-9, 9).map(float) | st.sampled_from([-4.5, 3.5, 4.0, 8.0, -0.5])
line_lists = st.lists(
    st.lists(st.tuples(coordinates, coordinates), max_size=12), min_size=1, max_size=6
).filter(lambda lines: any(lines))


@given(lines=line_lists, by_bin=st.booleans(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_paths_as_a_loop_over_vertices(lines, by_bin, data):
    arrays = [np.array(line, float).reshape(-1, 2) for line in lines]
    leads = None
    if data.draw(st.booleans()):
        leads = [
            data.draw(st.lists(st.integers(0, 2), min_size=len(a), max_size=len(a))) for a in arrays
        ]
    assert_same(arrays, leads, by_bin)


def test_nothing_but_empty_paths():
    found = route_paths(np.zeros((0, 3), np.float32), np.zeros(4, np.int64), (1.0,) * 3)
    assert found.route.chunks.shape == (0, 3)
    assert found.manifests().starts.tolist() == [0, 0, 0, 0]
    assert found.links().records().chunks.shape == (0, 2, 3)


def test_chunks_that_bins_do_not_divide():
    with pytest.raises(ChunkingError):
        route_paths(np.zeros((2, 2), np.float32), np.array([0, 2]), (4.0, 4.0), (3.0, 3.0))


def test_chunks_far_apart_are_numbered():
    rows = np.array([[-1e9, 1e9, 5.0], [1e9, -1e9, 5.0], [1e9, -1e9, 6.0]])
    found = route_paths(rows, np.array([0, 3]), (1e-3, 1e-3, 1.0))
    assert len(found.route.chunks) == 3
    assert len(found.links().rows) == 2

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.exceptions import ArrayError
from zarr_vectors.writing import edges
from zarr_vectors.writing.edges import (
    NO_ROW,
    checked_links,
    crossing_links,
    link_parts,
    link_records,
    parent_links,
    stored_rows,
)
from zarr_vectors.writing.route import route_objects

POINTS = np.array([[11.0, 1], [1, 1], [12, 1], [2, 1], [-3, 1]])


def test_links_name_chunks_and_rows_as_stored():
    route = route_objects(POINTS, (10.0, 10.0), np.array([1, 0, 0, 0, 0]))
    links = np.array([[0, 2], [0, 1], [3, 1], [4, 4]])
    records = link_records(route, stored_rows(route)[links], {"w": np.arange(4)})
    # chunk (1, 0) holds object 0 (input row 2) before object 1 (input row 0)
    assert records.rows.tolist() == [[1, 0], [1, 0], [1, 0], [0, 0]]
    assert records.chunks.tolist() == [
        [[1, 0], [1, 0]],
        [[1, 0], [0, 0]],
        [[0, 0], [0, 0]],
        [[-1, 0], [-1, 0]],
    ]
    crossing = crossing_links(route, stored_rows(route), links)
    assert crossing.tolist() == [False, True, False, False]
    assert records.attributes["w"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("most", [1, 4, 10**6])
def test_parts_of_links_are_all_links_each_with_whole_chunks(monkeypatch, most):
    monkeypatch.setattr(edges, "PART_LINKS", most)
    rng = np.random.default_rng(3)
    route = route_objects(rng.uniform(-50, 50, (60, 2)), (20.0, 20.0), rng.integers(0, 4, 60))
    rows, links = stored_rows(route), rng.integers(0, 60, (80, 3))
    links[::2] = links[::2, :1]  # as inside a chunk as can be
    crossing = crossing_links(route, rows, links)
    values = {"w": np.arange(80)}
    parts = list(link_parts(route, rows, links, crossing, values))
    assert (len(parts) > 2) == (most < 40)
    whole = link_records(route, rows[links], values)
    order = np.concatenate([part.attributes["w"] for part in parts])
    assert sorted(order.tolist()) == list(range(80))
    chunks = np.concatenate([part.coords[part.numbers] for part in parts])
    np.testing.assert_array_equal(chunks, whole.chunks[order])
    np.testing.assert_array_equal(np.concatenate([part.rows for part in parts]), whole.rows[order])
    inside = [set(part.numbers[~crossing[part.attributes["w"]], 0].tolist()) for part in parts]
    assert sum(map(len, inside)) == len(set.union(*inside))
    assert order[: crossing.sum()].tolist() == np.flatnonzero(crossing).tolist()


@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_a_reader_of_the_rule_finds_every_parent(seed, every, mark_roots):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 30))
    points = rng.uniform(-20, 20, (count, 2))
    parents = np.array([rng.integers(-1, i) if i else -1 for i in range(count)])
    tree = np.zeros(count, np.int64)
    for node, parent in enumerate(parents):
        tree[node] = node if parent < 0 else tree[parent]
    route = route_objects(points, (9.0, 9.0), tree % 3, parts=tree)
    rows = stored_rows(route)
    stored = np.full(count, -1)
    stored[rows] = np.where(parents >= 0, rows[parents], -1)
    told = parent_links(route, stored, every=every, mark_roots=mark_roots)

    def read(first):
        found = [-1 if i in first else i - 1 for i in range(count)]
        for child, parent in told.tolist():
            found[child] = max(parent, -1)
        return found

    assert read(set(route.fragment_rows[:-1].tolist())) == stored.tolist()
    if mark_roots:  # a reader that knows no fragments finds them too
        assert read({0}) == stored.tolist()
    else:
        assert (told >= 0).all()
    if every:
        assert set(told[told[:, 1] >= 0, 0].tolist()) == set(np.flatnonzero(stored >= 0).tolist())
    records = link_records(route, told)
    assert ((records.rows[:, 1] == NO_ROW) == (told[:, 1] < 0)).all()
    apart = (records.chunks[:, 0] != records.chunks[:, 1]).any(axis=1)
    assert not (apart & (told[:, 1] < 0)).any()


@pytest.mark.parametrize(
    ("given_links", "words"),
    [
        ([[0, 5]], "edges row 0 names vertex 5; there are 5"),
        ([[0, 1], [2, -1]], "edges row 1 names vertex -1"),
        ([0, 1], r"must be \(M, 2\), not \(2,\)"),
        ([[True, False]], "must be integers, not bool"),
    ],
)
def test_links_that_cannot_be(given_links, words):
    with pytest.raises(ArrayError, match=words):
        checked_links(given_links, 5, "edges", least=2, most=2)


def test_no_links_have_a_width():
    assert checked_links([], 5, "faces", least=3).shape == (0, 3)
    assert checked_links(np.zeros((0, 4)), 5, "faces", least=3).shape == (0, 4)

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.core.layouts.base import LinkRecords
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading.edges import (
    NO_PARENT,
    OUTSIDE,
    Selection,
    circles,
    renumbered,
    stored_ends,
    told_parents,
)
from zarr_vectors.spatial import ranks

NEAR = st.integers(-3, 3)
FAR = st.sampled_from([-(2**52), -7, 0, 5, 2**40, 2**52])


@given(st.data(), st.sampled_from([NEAR, FAR, st.integers(-800, 800)]), st.integers(1, 4))
def test_ranks_are_places_in_the_list(data, parts, rank):
    few = data.draw(st.sampled_from([0, ranks._FEW]))
    chunk = st.tuples(*[parts] * rank)
    known = sorted(data.draw(st.sets(chunk, max_size=12)))
    wanted = data.draw(st.lists(chunk | st.sampled_from(known) if known else chunk, max_size=12))
    coords = np.array(known, np.int64).reshape(-1, rank)
    with patch.object(ranks, "_FEW", few):
        found = ranks.chunk_ranks(np.array(wanted, np.int64).reshape(-1, rank), coords)
    assert found.tolist() == [known.index(w) if w in known else OUTSIDE for w in wanted]


SELECTION = Selection(np.array([[-1, 0], [2, 0]]), np.array([0, 3, 5]))


def records(*links):
    """Links of ((chunk, row), (chunk, row)); chunks on one line."""
    ends = np.array(links, np.int64).reshape(-1, 2, 2)
    chunks = np.stack([ends[..., 0], np.zeros_like(ends[..., 0])], axis=-1)
    return LinkRecords(chunks, ends[..., 1])


def test_ends_are_rows_of_the_chunks_read():
    found = stored_ends(
        records([[-1, 2], [2, 1]], [[2, 0], [1, 90]], [[2, 0], [2, 1]]), SELECTION, "0/links", "u"
    )
    assert found.tolist() == [[2, 4], [3, OUTSIDE], [3, 4]]
    links, kept = renumbered(found, None)
    assert links.tolist() == [[2, 4], [3, 4]]
    assert kept.tolist() == [True, False, True]
    only = Selection(SELECTION.coords, SELECTION.starts, np.array([4, 2]))
    links, kept = renumbered(found, only.places())
    assert links.tolist() == [[1, 0]]
    whole, kept = renumbered(found[2:], None)
    assert whole.tolist() == [[3, 4]]
    assert kept is None


@pytest.mark.parametrize("row", [2, -1, 2**50])
def test_a_row_that_is_not_there_is_damage(row):
    with pytest.raises(ArrayError, match=rf"chunk \(2, 0\) of 0/links in u .* row {row} of 2"):
        stored_ends(records([[-1, 0], [2, row]]), SELECTION, "0/links", "u")


def test_links_of_another_rank_are_damage():
    wrong = LinkRecords(np.zeros((1, 2, 3), np.int64), np.zeros((1, 2), np.int64))
    with pytest.raises(ArrayError, match="3 components, expected 2"):
        stored_ends(wrong, SELECTION, "0/links", "u")


def test_parents_are_the_row_before_unless_told():
    first = np.array([True, False, False, True, False])
    ends = np.array([[2, 0], [3, OUTSIDE], [OUTSIDE, 1], [4, NO_PARENT]])
    parents, told = told_parents(ends, first)
    assert parents.tolist() == [NO_PARENT, 0, 0, OUTSIDE, NO_PARENT]
    assert told.tolist() == [-1, -1, 0, 1, 3]


def test_a_row_returned_twice_counts_where_it_is_first():
    twice = Selection(SELECTION.coords, SELECTION.starts, np.array([1, 4, 1]))
    assert twice.places().tolist() == [-1, 0, -1, -1, 1]


@given(st.lists(st.integers(-1, 11), min_size=12, max_size=12))
def test_circles_are_all_found_and_nothing_else(parents):
    def comes_back(row):
        at = row
        for _ in parents:
            at = parents[at]
            if at < 0 or at == row:
                return at == row
        return False

    found = circles(np.array(parents))
    assert sorted(row for circle in found for row in circle) == [
        row for row in range(12) if comes_back(row)
    ]
    for circle in found:
        assert [parents[row] for row in circle] == [*circle[1:], circle[0]]

"""Curves pass over every edge once, and break only where they must."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zv_viewer.drawing.paths import paths_of


def curves(links) -> list[list[int]]:
    paths = paths_of(np.asarray(links, np.int64).reshape(-1, 2))
    return [part.tolist() for part in np.split(paths.rows, paths.start[1:-1])] if len(paths) else []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_every_edge_is_passed_once_and_rows_end_at_most_one_path(links) -> None:
    found = curves(links)
    passed = [tuple(sorted(pair)) for curve in found for pair in itertools.pairwise(curve)]
    assert sorted(passed) == sorted(tuple(sorted(link)) for link in links)
    ends = [curve[end] for curve in found for end in (0, -1) if curve[0] != curve[-1]]
    odd = [row for row in range(10) if sum(link.count(row) for link in links) % 2]
    assert sorted(ends) == odd


def test_a_shuffled_curve_is_one_path() -> None:
    rng = np.random.default_rng(0)
    rows = rng.permutation(500)
    links = np.stack([rows[:-1], rows[1:]], axis=1)
    links = np.where(rng.random((499, 1)) < 0.5, links, links[:, ::-1])
    (path,) = curves(rng.permutation(links))
    assert path in (rows.tolist(), rows[::-1].tolist())


def test_a_ring_is_closed_and_a_fork_has_two_paths() -> None:
    (ring,) = curves([(0, 1), (1, 2), (2, 0)])
    assert ring[0] == ring[-1]
    assert len(ring) == 4
    assert sorted(map(len, curves([(0, 1), (1, 2), (1, 3)]))) == [2, 3]


def test_the_number_of_the_path_of_each_row() -> None:
    paths = paths_of(np.array([[0, 1], [2, 3], [3, 4]]))
    assert paths.number.tolist() == [0, 0, 1, 1, 1]
    assert len(paths_of(np.zeros((0, 2), np.int64))) == 0

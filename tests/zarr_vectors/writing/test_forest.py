from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.exceptions import ArrayError
from zarr_vectors.writing.forest import depth_first, parents_of


def slow_order(parents):
    """One node at a time, by a stack."""
    children = {}
    for node, parent in enumerate(parents):
        children.setdefault(parent, []).append(node)
    order, waiting = [], children.get(-1, [])[::-1]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting += children.get(node, [])[::-1]
    return order


def slow_root(parents, node):
    while parents[node] >= 0:
        node = parents[node]
    return node


@st.composite
def forests(draw):
    count = draw(st.integers(0, 40))
    names = draw(st.permutations(range(count)))
    parents = [-1] * count
    for place in range(1, count):
        above = draw(st.integers(-1, place - 1))
        parents[names[place]] = -1 if above < 0 else names[above]
    return parents


@given(forests())
def test_order_is_that_of_a_walk(parents):
    order, roots = depth_first(np.array(parents, np.int64))
    assert order.tolist() == slow_order(parents)
    assert roots.tolist() == [slow_root(parents, node) for node in range(len(parents))]


@pytest.mark.parametrize("count", [1, 2, 3, 64, 65, 1000])
def test_paths_as_deep_as_there_are_nodes(count):
    up = np.arange(count) - 1
    assert depth_first(up)[0].tolist() == list(range(count))
    down = np.append(np.arange(1, count), -1)
    assert depth_first(down)[0].tolist() == list(range(count))[::-1]


@pytest.mark.parametrize(
    "edges",
    [
        [[0, 1], [1, 0]],
        [[0, 1], [1, 2], [2, 0]],
        [[3, 4], [0, 1], [1, 2], [2, 0]],
        [[4, 0], [0, 1], [1, 2], [2, 3], [3, 0]],
    ],
)
def test_circles_are_refused(edges):
    parents = parents_of(np.array(edges), 6)
    with pytest.raises(ArrayError, match=r"node [0-3] is among its own ancestors"):
        depth_first(parents)


def test_parents_are_one_each():
    assert parents_of(np.array([[2, 0], [1, 0]]), 4).tolist() == [-1, 0, 0, -1]
    with pytest.raises(ArrayError, match=r"node 2 has 2 parents \(0, 1\)"):
        parents_of(np.array([[2, 0], [2, 1]]), 3)
    with pytest.raises(ArrayError, match="edge 1 makes node 2 its own parent"):
        parents_of(np.array([[1, 0], [2, 2]]), 3)

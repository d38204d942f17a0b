from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.multiresolution.strategies.graphs import components, contract
from zarr_vectors.multiresolution.strategies.links import carry_links
from zarr_vectors.multiresolution.strategies.meshes import cluster, triangles_of
from zarr_vectors.multiresolution.strategies.polylines import merge_runs

LINES = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=12), min_size=1, max_size=6
)
NODES = st.integers(1, 14)


@st.composite
def networks(draw):
    """Cells of nodes, some left out, and edges between them, some twice or to themselves."""
    count = draw(NODES)
    cells = draw(st.lists(st.integers(-1, 3), min_size=count, max_size=count))
    ends = st.integers(0, count - 1)
    edges = draw(st.lists(st.tuples(ends, ends), max_size=20))
    return np.array(cells), np.array(edges, np.int64).reshape(-1, 2)


@st.composite
def trees(draw):
    """Cells of nodes and the (child, parent) edges of a forest, in any order of nodes."""
    count = draw(NODES)
    cells = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    parents = [draw(st.integers(-1, i - 1)) for i in range(count)]
    names = draw(st.permutations(range(count)))
    edges = [(names[i], names[p]) for i, p in enumerate(parents) if p >= 0]
    return np.array(cells), np.array(edges, np.int64).reshape(-1, 2)


def parts_of(count, edges):
    """The part of every node, by walking."""
    near = {i: set() for i in range(count)}
    for a, b in edges:
        near[a].add(b)
        near[b].add(a)
    found = [-1] * count
    for start in range(count):
        todo = [start] if found[start] < 0 else []
        while todo:
            node = todo.pop()
            if found[node] < 0:
                found[node] = start
                todo += near[node]
    return found


def merged_slowly(lines):
    """Lines of (cell, place) as runs of rows, vertex by vertex."""
    row, found = 0, []
    for line in lines:
        runs = []
        for i, (cell, _) in enumerate(line):
            if i and line[i - 1][0] == cell:
                runs[-1].append(row + i)
            else:
                runs.append([row + i])
        if len(runs) == 1 and line[0] != line[-1]:
            half = (len(line) + 1) // 2
            runs = [runs[0][:half], runs[0][half:]]
        found.append(runs)
        row += len(line)
    return found


@given(LINES)
def test_lines_are_merged_as_by_hand(lines):
    flat = [vertex for line in lines for vertex in line]
    cells = np.array([cell for cell, _ in flat], np.int64)
    positions = np.array(flat, np.float64).reshape(-1, 2)
    starts = np.cumsum([0, *map(len, lines)])
    merged = merge_runs(positions, cells, starts)
    wanted = merged_slowly(lines)
    np.testing.assert_array_equal(np.diff(merged.starts), [len(runs) for runs in wanted])
    runs = [run for line in wanted for run in line]
    assert merged.count == len(runs)
    for row, run in enumerate(runs):
        np.testing.assert_array_equal(np.flatnonzero(merged.parents == row), run)
    for line, (start, stop) in zip(wanted, np.column_stack([starts[:-1], starts[1:]]), strict=True):
        if len(line) == 2 and cells[start] == cells[stop - 1] and len(set(cells[start:stop])) == 1:
            ends = merged.exact[merged.parents[[start, stop - 1]]]
            np.testing.assert_array_equal(ends, [start, stop - 1])
    assert (merged.exact >= 0).sum() == 2 * sum(
        len(line) == 2 and len({int(cells[r]) for run in line for r in run}) == 1 for line in wanted
    )


def test_lines_of_two_ends_can_be_kept_whatever_their_length():
    positions = np.zeros((4, 3))
    cells, starts = np.zeros(4, np.int64), np.array([0, 2, 4])
    assert merge_runs(positions, cells, starts).count == 2
    kept = merge_runs(positions, cells, starts, always_two=True)
    np.testing.assert_array_equal(kept.parents, [0, 1, 2, 3])
    np.testing.assert_array_equal(kept.exact, [0, 1, 2, 3])


@given(networks())
def test_components_equal_a_walk(network):
    cells, edges = network
    np.testing.assert_array_equal(components(len(cells), edges), parts_of(len(cells), edges))


@given(networks())
def test_contraction_keeps_what_is_connected(network):
    cells, edges = network
    found = contract(cells, edges)
    inside = [(a, b) for a, b in edges.tolist() if cells[a] == cells[b]]
    parts = parts_of(len(cells), inside)
    live = np.flatnonzero(cells >= 0)
    np.testing.assert_array_equal(found.parents >= 0, cells >= 0)
    for a in live:
        for b in live:
            same = parts[a] == parts[b] and cells[a] == cells[b]
            assert (found.parents[a] == found.parents[b]) == same
    assert set(found.parents[live].tolist()) == set(range(found.count))
    # connected above exactly where the vertices that are left are connected below
    kept = [(a, b) for a, b in edges.tolist() if cells[a] >= 0 <= cells[b]]
    below = parts_of(len(cells), kept)
    above = parts_of(found.count, found.links.links.tolist())
    for a in live:
        for b in live:
            assert (below[a] == below[b]) == (above[found.parents[a]] == above[found.parents[b]])


@given(trees())
def test_trees_stay_trees_and_point_as_they_did(tree):
    cells, edges = tree
    found = contract(cells, edges)
    links = found.links.links
    parts = len(set(parts_of(len(cells), edges.tolist())))
    assert len(links) == found.count - parts
    assert len(set(links[:, 0].tolist())) == len(links)
    for child, parent in edges.tolist():
        a, b = found.parents[child], found.parents[parent]
        assert a == b or [a, b] in links.tolist()


@given(networks(), st.sampled_from([2, 3]))
def test_links_are_carried_as_by_hand(network, width):
    cells, edges = network
    links = edges if width == 2 else np.column_stack([edges, edges[::-1, 0]])
    found = carry_links(links, cells)
    wanted, owners = [], []
    for link in links.tolist():
        ends = [int(cells[row]) for row in link]
        if min(ends) < 0 or len(set(ends)) < width:
            owners.append(-1)
            continue
        known = [set(e) for e in wanted]
        if set(ends) not in known:
            wanted.append(ends)
            known.append(set(ends))
        owners.append(known.index(set(ends)))
    np.testing.assert_array_equal(found.links, np.array(wanted, np.int64).reshape(-1, width))
    np.testing.assert_array_equal(found.parents, owners)


@given(networks())
def test_clusters_are_cells(network):
    cells, edges = network
    faces = np.column_stack([edges, edges[::-1, 1]])
    found = cluster(cells, faces)
    assert found.count == len(set(cells[cells >= 0].tolist()))
    for cell in range(4):
        assert len(set(found.parents[cells == cell].tolist())) <= 1
    ends = np.sort(found.links.links, axis=1)
    assert (np.diff(ends, axis=1) > 0).all()
    assert len(np.unique(ends, axis=0)) == len(ends)


@pytest.mark.parametrize("corners", [3, 4, 5])
def test_faces_are_cut_into_fans(corners):
    face = np.arange(corners) + 10
    found, owners = triangles_of(np.stack([face, face + 100]))
    wanted = [[10, 10 + i, 11 + i] for i in range(1, corners - 1)]
    np.testing.assert_array_equal(found, [*wanted, *(np.array(wanted) + 100).tolist()])
    np.testing.assert_array_equal(owners, np.repeat([0, 1], corners - 2))


def test_winding_is_kept():
    faces = np.array([[0, 1, 2], [2, 1, 0], [3, 2, 1]])
    found = carry_links(faces, np.array([0, 1, 2, 0]))
    np.testing.assert_array_equal(found.links, [[0, 1, 2]])
    np.testing.assert_array_equal(found.parents, [0, 0, 0])

"""Edges collapsed until so many vertices are left: shapes whose answer is known."""

import numpy as np
import pytest

from zarr_vectors.multiresolution.strategies.collapse import collapse, edges_of
from zarr_vectors.multiresolution.strategies.links import carry_links
from zarr_vectors.multiresolution.strategies.shapes import to_edges, to_faces, to_shape
from zarr_vectors.testing.pyramids import parts_of


def path(count):
    at = np.arange(count - 1)
    return np.column_stack([at, at + 1])


def sheet(side):
    """A square sheet of triangles, and its corners."""
    at = np.stack(np.meshgrid(*[np.arange(side)] * 2, indexing="ij"), -1).reshape(-1, 2)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).reshape(-1)
    first = np.column_stack([corner, corner + side, corner + 1])
    second = np.column_stack([corner + 1, corner + side, corner + side + 1])
    return np.column_stack([at, np.zeros(len(at))]).astype(float), np.concatenate([first, second])


def ball(times):
    """A closed surface of triangles around 0, cut finer a few times."""
    points = [*np.eye(3), *-np.eye(3)]
    faces = [(0, 1, 2), (1, 3, 2), (3, 4, 2), (4, 0, 2), (1, 0, 5), (3, 1, 5), (4, 3, 5), (0, 4, 5)]
    for _ in range(times):
        middles, finer = {}, []
        for face in faces:
            new = []
            for a, b in zip(face, (*face[1:], face[0]), strict=True):
                key = (min(a, b), max(a, b))
                if key not in middles:
                    middles[key] = len(points)
                    points.append((points[a] + points[b]) / 2)
                new.append(middles[key])
            (a, b, c), (d, e, f) = face, new
            finer += [(a, d, f), (d, b, e), (f, e, c), (d, e, f)]
        faces = finer
    whole = np.array(points)
    return whole / np.linalg.norm(whole, axis=1, keepdims=True), np.array(faces)


def test_a_corner_stays_where_lines_are_straight():
    legs = np.array([[x, 0.0] for x in range(21)] + [[20.0, y] for y in range(1, 21)])
    found = collapse(legs, path(41), 3)
    np.testing.assert_allclose(found.positions, [[0, 0], [20, 0], [20, 20]], atol=0.2)
    assert (np.diff(found.parents) >= 0).all()
    assert found.parents[[0, -1]].tolist() == [0, 2]


@pytest.mark.parametrize("most", [2, 17, 64, 300])
def test_no_more_vertices_than_asked_for(most):
    rng = np.random.default_rng(most)
    line = rng.normal(size=(300, 3)).cumsum(axis=0)
    found = collapse(line, path(300), most)
    assert len(found.positions) == most
    np.testing.assert_array_equal(np.unique(found.parents), np.arange(most))
    joined = carry_links(path(300), found.parents).links
    np.testing.assert_array_equal(joined, path(most))
    if most == 300:
        np.testing.assert_allclose(found.positions, line)


def slowly(points, line):
    """Distance of each point to a line."""
    firsts, seconds = (
        np.repeat(line[part], len(points), axis=0) for part in (np.s_[:-1], np.s_[1:])
    )
    every = np.tile(points, (len(line) - 1, 1))
    return to_edges(every, firsts, seconds).reshape(len(line) - 1, -1).min(axis=0)


def test_shapes_are_nearer_than_every_so_many_vertices():
    """What is left is nearer to the line than as many of its vertices at even steps."""
    turn = np.linspace(0, 3, 400)
    line = np.column_stack([turn**3, np.sin(turn**2 * 3), turn])
    found = collapse(line, path(400), 25)
    even = line[np.linspace(0, 399, 25).round().astype(int)]
    away = [slowly(line, part) for part in (found.positions, even)]
    assert np.percentile(away[0], 95) < 0.7 * np.percentile(away[1], 95)


def test_parts_stay_apart_and_keep_two_vertices():
    rng = np.random.default_rng(0)
    edges = np.concatenate([path(50) + 50 * part for part in range(6)])
    points = rng.normal(size=(301, 3))  # one that nothing joins
    found = collapse(points, edges, 1)
    assert len(found.positions) == 13
    links = carry_links(edges, found.parents).links
    assert len(links) == 6
    before, after = parts_of(301, edges.tolist()), parts_of(13, links.tolist())
    pairs = {(before[row], after[parent]) for row, parent in enumerate(found.parents.tolist())}
    assert len(pairs) == 7
    np.testing.assert_allclose(found.positions[-1], points[-1])


def test_a_tree_stays_a_tree():
    rng = np.random.default_rng(3)
    above = np.array([rng.integers(max(0, row - 5), row) for row in range(1, 200)])
    edges = np.column_stack([np.arange(1, 200), above])
    found = collapse(rng.normal(size=(200, 3)), edges, 40)
    links = carry_links(edges, found.parents).links
    assert len(found.positions) == 40
    assert len(links) == 39
    assert len(np.unique(links[:, 0])) == 39  # each has one above it


def test_a_flat_sheet_stays_flat_and_whole():
    points, faces = sheet(20)
    found = collapse(points, faces, 40)
    kept = carry_links(faces, found.parents).links
    assert len(found.positions) == 40
    corners = found.positions[kept]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] / 2
    assert (areas < 0).all() or (areas > 0).all()  # none turned over
    assert abs(areas.sum()) == pytest.approx(19 * 19, rel=0.02)
    np.testing.assert_allclose(found.positions[:, 2], 0, atol=1e-9)


def test_a_ball_stays_closed_and_round():
    points, faces = ball(4)
    found = collapse(points, faces, 100)
    kept = carry_links(faces, found.parents).links
    assert len(found.positions) == 100
    assert len(kept) == 2 * 100 - 4  # of a closed surface without a handle
    sides = np.sort(np.concatenate([kept[:, [0, 1]], kept[:, [1, 2]], kept[:, [2, 0]]]), axis=1)
    assert (np.unique(sides, axis=0, return_counts=True)[1] == 2).all()
    away = to_shape(points, found.parents, found.positions, kept)
    assert away.max() < 0.06


def test_a_tube_is_cut_last():
    """A thin tube with a ball at each end stays one piece as long as there are vertices for it."""
    around = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    rings = [np.column_stack([np.full(8, x), np.cos(around), np.sin(around)]) for x in range(60)]
    points = np.concatenate(rings)
    at = (np.arange(59)[:, None] * 8 + np.arange(8)).reshape(-1)
    beside = np.where(at % 8 == 7, at - 7, at + 1)
    faces = np.concatenate(
        [np.column_stack([at, beside, at + 8]), np.column_stack([beside, beside + 8, at + 8])]
    )
    found = collapse(points, faces, 30)
    kept = carry_links(faces, found.parents).links
    assert len(found.positions) == 30
    assert len(set(parts_of(30, edges_of(kept, 30)[0].tolist()))) == 1
    assert to_shape(points, found.parents, found.positions, kept).max() < 1


def test_any_number_of_axes():
    points, faces = sheet(12)
    for ndim in (2, 4):
        own = np.zeros((len(points), ndim))
        own[:, :2] = points[:, :2]
        assert len(collapse(own, faces, 20).positions) == 20


def test_far_from_0():
    rng = np.random.default_rng(1)
    line = rng.normal(size=(200, 3)).cumsum(axis=0)
    near, far = (collapse(line + move, path(200), 30) for move in (0, 849_000.0))
    np.testing.assert_array_equal(near.parents, far.parents)
    np.testing.assert_allclose(near.positions, far.positions - 849_000.0, atol=1e-4)


def test_distances_to_edges_and_faces():
    rng = np.random.default_rng(0)
    points, corners = rng.normal(size=(60, 3)), rng.normal(size=(60, 3, 3))
    t = np.linspace(0, 1, 401)
    for found, weights in (
        (to_edges(points, corners[:, 0], corners[:, 1]), np.column_stack([1 - t, t, 0 * t])),
        (
            to_faces(points, corners),
            np.array([(1 - a - b, a, b) for a in t[::4] for b in t[::4] if a + b <= 1]),
        ),
    ):
        near = np.einsum("gc,ncd->ngd", weights, corners) - points[:, None]
        slowly = np.linalg.norm(near, axis=2).min(axis=1)
        assert (found <= slowly + 1e-12).all()
        np.testing.assert_allclose(found, slowly, atol=0.02)


def test_a_face_without_area_is_its_sides():
    point = np.array([[0.5, 1.0, 0.0]])
    flat = np.array([[[0.0, 0, 0], [1, 0, 0], [1, 0, 0]]])
    assert to_faces(point, flat) == pytest.approx(1.0)


def test_what_nothing_joins_is_its_vertex():
    found = to_shape(np.ones((2, 3)), np.array([0, 1]), np.zeros((2, 3)), np.zeros((0, 2), int))
    np.testing.assert_allclose(found, np.sqrt(3))

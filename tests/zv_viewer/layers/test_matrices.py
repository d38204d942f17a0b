"""View arithmetic: where things land, and that large coordinates cancel before float32."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zv_viewer.layers.matrices import (
    flat_matrix,
    in_layer,
    near_view,
    slab_of,
    slider_step,
    solid_matrix,
)

SIZE = (600, 800)


def land(matrix, points):
    clip = np.c_[points, np.ones(len(points))] @ matrix.T
    return clip[:, :2] / clip[:, 3:]


def test_a_flat_view_puts_the_canvas_corners_at_the_ends_of_clip_space():
    matrix = flat_matrix((50, 20), 4.0, SIZE)
    corners = np.array([[50 - 75, 20 - 100, 0], [50 + 75, 20 + 100, 0], [50, 20, 0]])
    np.testing.assert_allclose(land(matrix, corners), [[-1, 1], [1, -1], [0, 0]], atol=1e-12)


@pytest.mark.parametrize("fov", [0, 30, 60])
def test_a_solid_view_keeps_the_zoom_in_the_plane_of_its_centre(fov):
    up, forward = np.array([0, -1.0, 0]), np.array([1.0, 0, 0])
    matrix = solid_matrix((1, 2, 3), 10.0, SIZE, forward, up, fov)
    edge = np.array([[1, 2 - 30, 3], [1, 2, 3 + 40], [1, 2, 3]])
    at = land(matrix, edge)
    np.testing.assert_allclose(np.abs(at), [[0, 1], [1, 0], [0, 0]], atol=1e-12)
    behind = matrix @ [1 - 1e4, 2, 3, 1]
    assert (behind[3] > 0) == (fov == 0)


@given(
    shift=st.sampled_from([1e3, 1e6, 1e9]),
    zoom=st.floats(1e-3, 1e4),
    displayed=st.permutations([0, 1, 2]),
)
def test_a_near_view_is_the_same_view(shift, zoom, displayed):
    origin = np.full(3, shift) + np.array([0, 7, 9])
    middle = origin + np.array([3.25, -1.5, 8])
    matrix = flat_matrix((middle[displayed[0]], middle[displayed[1]]), zoom, SIZE)
    near = near_view(matrix, displayed[:2], origin, middle[list(displayed[:2])])
    step = np.array([0.5, -0.25, 1.0]) / zoom
    relative = np.append(middle - origin + step, 0.0)
    clip = near.matrix @ (relative - near.centre) + near.offset
    expected = flat_matrix((0, 0), zoom, SIZE) @ [step[displayed[0]], step[displayed[1]], 0, 1]
    np.testing.assert_allclose(clip[:2], expected[:2], atol=1e-12 * shift * zoom)


def test_near_positions_survive_float32_at_large_coordinates():
    origin = np.array([400.0, 850_000.0, 640_000.0])
    middle = origin + np.array([12.25, -300.5, 123.5])
    zoom = 5000.0
    matrix = flat_matrix(middle[1:], zoom, SIZE)
    near = near_view(matrix, (1, 2), origin, middle[1:])
    relative = (middle + np.array([0, 0.01, 0.02]) - origin).astype(np.float32)
    step = np.append(relative, np.float32(0)) - near.centre
    clip = near.matrix.astype(np.float32) @ step + near.offset.astype(np.float32)
    pixels = clip[:2] * np.array([400, -300])
    np.testing.assert_allclose(pixels, [0.02 * zoom, 0.01 * zoom], atol=0.1)


def test_a_transform_on_the_layer_is_the_same_as_moving_the_points():
    linear, translate = np.array([[2.0, 0.3], [0, 0.5]]), np.array([7.0, -3])
    matrix = flat_matrix((1, 2), 3.0, SIZE)
    points = np.random.default_rng(0).uniform(-9, 9, (20, 2))
    moved = points @ linear.T + translate
    pad = np.zeros((20, 1))
    np.testing.assert_allclose(
        land(in_layer(matrix, linear, translate), np.hstack([points, pad])),
        land(matrix, np.hstack([moved, pad])),
    )


def test_a_slab_is_the_margins_or_one_step():
    zero = np.zeros(3)
    low, high = slab_of(np.array([5.0, 6, 7]), zero, zero, np.array([2.0, 1, 1]), (1, 2))
    np.testing.assert_array_equal(low, [4, -np.inf, -np.inf])
    np.testing.assert_array_equal(high, [6, np.inf, np.inf])
    low, high = slab_of(np.array([5.0, 6, 7]), np.array([0.1, 0, 0]), zero, np.ones(3), (2,))
    np.testing.assert_allclose(low[:2], [4.9, 5.5])
    np.testing.assert_allclose(high[:2], [5.0, 6.5])


def test_stepping_a_slider_leaves_no_gap():
    step = np.array([0.01])
    ends = [slab_of(np.array([0.01 * i]), np.zeros(1), np.zeros(1), step, ()) for i in range(9)]
    for (_, high), (low, _) in pairwise(ends):
        assert low[0] <= high[0] + 1e-12


@pytest.mark.parametrize(
    ("extent", "step"),
    [(1000, 1), (100, 1), (99, 0.1), (10, 0.1), (1, 0.01), (0, 1), (0.25, 0.001)],
)
def test_small_axes_get_small_steps(extent, step):
    assert slider_step(np.array([[3.0], [3.0 + extent]]))[0] == pytest.approx(step)

import numpy as np
import pytest

from zv_viewer.planning.error import FOCUS, NEAR, measure, pixel_scale
from zv_viewer.testing.cameras import look_at, orthographic


def pixels(camera, points):
    """Canvas positions of (N, 3) points, pixels from the middle."""
    clip = np.c_[points, np.ones(len(points))] @ camera.matrix.T
    return clip[:, :2] / clip[:, 3:] * np.array(camera.viewport) / 2


def corners(lo, hi):
    unit = np.stack(np.meshgrid(*[[0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return lo + unit * (hi - lo)


def hull_area(points):
    """Area of the convex hull, by the support in many directions (exact for few corners)."""
    at = points - points.mean(axis=0)
    order = [int(np.argmax(at @ [np.cos(t), np.sin(t)])) for t in np.linspace(0, 2 * np.pi, 20001)]
    x, y = at[order].T
    return 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


@pytest.mark.parametrize("seed", range(5))
def test_a_rotation_does_not_change_the_pixels_of_a_unit(seed):
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    camera = orthographic((1, 2, 3), 7.0, displayed=(0, 1, 2), rotation=turn)
    assert pixel_scale(camera) == pytest.approx(7.0)
    box = measure(camera, np.zeros((1, 3)), np.ones((1, 3)))
    assert box.px_per_unit == pytest.approx(7.0)
    assert box.area[0] == pytest.approx(hull_area(pixels(camera, corners(0, 1))), rel=1e-6)


def test_pixels_of_a_unit_at_the_nearest_corner():
    camera = look_at((0, 0, 0), (1, 0, 0), fov=60, viewport=(800.0, 600.0))
    lo, hi = np.array([[4.0, -1, -1], [10, -1, -1]]), np.array([[6.0, 1, 1], [12, 1, 1]])
    box = measure(camera, lo, hi)
    assert box.px_per_unit == pytest.approx([600 / (2 * np.tan(np.pi / 6) * w) for w in (4, 10)])
    step = pixels(camera, np.array([[4.0, 0, 0], [4, 0, 1e-6]]))
    assert np.linalg.norm(step[1] - step[0]) * 1e6 == pytest.approx(box.px_per_unit[0], rel=1e-5)
    assert not box.around.any()


def test_a_far_box_has_the_area_of_its_outline():
    camera = look_at((0, 0, 0), (1, 0.3, 0.2), fov=50)
    lo = np.array([[30.0, 3, 2]])
    box = measure(camera, lo, lo + 2)
    outline = hull_area(pixels(camera, corners(lo[0], lo[0] + 2)))
    assert box.area[0] == pytest.approx(outline, rel=0.02)
    assert box.area_in_view[0] >= outline


def test_a_box_around_the_camera_is_near_but_not_endlessly_so():
    camera = look_at((0, 0, 0), (1, 0, 0), fov=60, viewport=(800.0, 600.0))
    box = measure(camera, np.array([[-1.0, -1, -1]]), np.array([[1.0, 1, 1]]))
    assert box.around.all()
    assert np.isinf(box.area).all()
    assert box.area_in_view[0] == 800 * 600
    assert box.px_per_unit[0] == pytest.approx(pixel_scale(camera) / (NEAR * 2))


def test_only_what_is_on_the_canvas_counts_as_in_view():
    camera = orthographic((0.0, 0.0), 10.0, viewport=(100.0, 60.0))
    lo, hi = (
        np.array([[4.0, 0.0], [20, 20], [-50, -50]]),
        np.array([[8.0, 1.0], [21, 21], [50, 50]]),
    )
    box = measure(camera, lo, hi)
    assert box.area_in_view == pytest.approx([10 * 10, 0, 6000])
    assert box.area == pytest.approx([400, 100, 1e6])


def test_attention_falls_off_from_the_middle():
    camera = orthographic((0.0, 0.0), 1.0, viewport=(1000.0, 500.0))
    lo = np.array([[0.0, 0], [FOCUS * 500, 0], [-1, -1]])
    box = measure(camera, lo, lo + 1)
    assert box.focus == pytest.approx([1, 0.5, 1])
    assert measure(camera, lo, lo + 1, foveation=False).focus.tolist() == [1, 1, 1]

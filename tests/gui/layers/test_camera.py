"""`camera_of` against the transforms vispy draws with."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from zv_viewer.layers.camera import camera_of, settle_centre
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.update import LayerUpdate

pytestmark = pytest.mark.gui

BOX = [[0, 0, 0], [1000, 1000, 1000]]
ORIENTATIONS = list(product(("towards", "away"), ("down", "up"), ("right", "left")))


def seen_by_vispy(viewer, shown):
    """(N, 2) clip coordinates and (N,) inside, of (N, k) displayed world positions."""
    view = viewer.window._qt_viewer.canvas.view
    pad = np.zeros((len(shown), 3 - shown.shape[1]))
    landed = view.scene.transform.map(np.hstack([shown[:, ::-1], pad]))
    width, height = view.rect.size
    at = landed[:, :2] / landed[:, 3:]
    at = np.stack([2 * at[:, 0] / width - 1, 1 - 2 * at[:, 1] / height], axis=1)
    return at, (np.abs(at) <= 1).all(axis=1) & (landed[:, 3] > 0)


def seen_by(camera, shown):
    pad = np.zeros((len(shown), 3 - shown.shape[1]))
    clip = np.hstack([shown, pad, np.ones((len(shown), 1))]) @ camera.matrix.T
    inside = (clip[:, 3] > 0) & (np.abs(clip[:, :2]) <= clip[:, 3:]).all(axis=1)
    return clip[:, :2] / clip[:, 3:], inside


@pytest.mark.parametrize("perspective", [0, 30, 60])
def test_three_axes_agree_on_every_point(stage, perspective):
    here = stage(BOX, ndisplay=3)
    rng = np.random.default_rng(int(perspective))
    camera, mismatches, checked, inside_count = here.viewer.scene.camera, 0, 0, 0
    for orientation in ORIENTATIONS:
        camera.orientation = orientation
        camera.perspective = perspective
        camera.angles = tuple(rng.uniform(-80, 80, 3))
        camera.zoom = float(rng.uniform(0.5, 4))
        camera.center = tuple(rng.uniform(300, 700, 3))
        here.settle()
        points = rng.uniform(0, 1000, (2500, 3))
        at, inside = seen_by_vispy(here.viewer, points)
        mine, mine_inside = seen_by(camera_of(here.viewer, here.layer), points)
        mismatches += int((inside != mine_inside).sum())
        checked += len(points)
        inside_count += int(inside.sum())
        np.testing.assert_allclose(mine[inside], at[inside], atol=1e-5)
    assert checked == 20_000
    assert inside_count > 1000
    assert mismatches == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_two_axes_agree_in_any_order(stage, order):
    here = stage(BOX)
    rng = np.random.default_rng(0)
    here.viewer.dims.order = order
    camera = here.viewer.scene.camera
    for orientation in ORIENTATIONS[:4]:
        camera.orientation = orientation
        camera.zoom = float(rng.uniform(0.5, 4))
        camera.center = tuple(rng.uniform(300, 700, 3))
        here.settle()
        view = camera_of(here.viewer, here.layer)
        assert view.displayed == order[1:]
        shown = rng.uniform(0, 1000, (2500, 2))
        at, inside = seen_by_vispy(here.viewer, shown)
        mine, mine_inside = seen_by(view, shown)
        np.testing.assert_array_equal(mine_inside, inside)
        np.testing.assert_allclose(mine, at, atol=1e-5)


def test_the_slab_is_in_store_coordinates(stage):
    here = stage([[0, 0, 0], [10, 1000, 1000]])
    here.layer.scale = (2, 1, 1)
    here.layer.translate = (7, 0, 0)
    here.viewer.dims.set_point(0, 11)
    view = camera_of(here.viewer, here.layer)
    np.testing.assert_allclose(view.slab_lo, [1.95, -np.inf, -np.inf])
    np.testing.assert_allclose(view.slab_hi, [2.05, np.inf, np.inf])
    here.viewer.dims.margin_left = (4, 0, 0)
    view = camera_of(here.viewer, here.layer)
    np.testing.assert_allclose([view.slab_lo[0], view.slab_hi[0]], [0, 2])
    here.viewer.dims.ndisplay = 3
    assert np.isinf(camera_of(here.viewer, here.layer).slab_lo).all()


def test_the_canvas_size_is_the_viewport(stage):
    here = stage(BOX)
    height, width = here.viewer.canvas.size
    view = camera_of(here.viewer, here.layer)
    ratio = here.layer.pixel_ratio()
    assert view.viewport == (width * ratio, height * ratio)
    image = here.picture()
    assert image.shape[:2] == (height * ratio, width * ratio)


def drag(here, steps):
    native = here.viewer.window._qt_viewer.canvas._scene_canvas.native
    QTest.mousePress(native, Qt.LeftButton, Qt.NoModifier, QPoint(200, 200))
    for step in range(1, steps + 1):
        at = QPoint(200 + 4 * step, 200 + step)
        there = QPointF(native.mapToGlobal(at))
        move = (QEvent.MouseMove, QPointF(at), there, Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
        QApplication.sendEvent(native, QMouseEvent(*move))
        here.settle()
    QTest.mouseRelease(native, Qt.LeftButton, Qt.NoModifier, at)
    here.settle()


def test_a_drag_at_large_coordinates_is_seen_although_napari_does_not_report_it(stage, cell):
    middle = np.array([400.0, 850_000.0, 640_000.0])
    here = stage([middle - 500, middle + 500])
    camera = here.viewer.scene.camera
    put = (cell(here.scene, 0, [middle]),)
    here.layer.apply(LayerUpdate(put=put, draw=(DrawItem(0),)))
    camera.zoom = 1000
    camera.center = tuple(middle)
    here.settle()
    views, centres = [], []
    here.layer.events.view.connect(lambda event: views.append(event))

    def tell(event) -> None:
        centres.append(event)

    camera.events.center.connect(tell)
    drag(here, 10)
    assert len(views) >= 10
    assert centres == []
    camera.events.center.disconnect(tell)
    row, column = here.pixels_of([middle])[0]
    lit = np.argwhere(here.picture().sum(axis=-1) > 0)
    assert len(lit)
    np.testing.assert_allclose(lit.mean(axis=0), [row, column], atol=2)
    assert settle_centre(here.viewer, here.layer)
    np.testing.assert_allclose(camera.center[-2:], here.layer.canvas_centre()[-2:], rtol=0)
    assert abs(camera.center[-1] - middle[2]) > 0.03
    assert not settle_centre(here.viewer, here.layer)
    before = here.pixels_of([middle])[0]
    here.viewer.window.resize(800, 600)
    here.settle()
    height, width = here.viewer.canvas.size
    after = here.pixels_of([middle])[0]
    assert np.abs(after - before).max() < 200, (before, after, height, width)

"""What both ways of drawing have in common: the contract of a layer that shows cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zv_viewer.drawing.slots import PAGE
from zv_viewer.layers import factory
from zv_viewer.layers.camera import camera_of
from zv_viewer.layers.points import CellPoints
from zv_viewer.layers.standard_points import StandardPoints
from zv_viewer.layers.store_layer import LayerError
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.settings import Budget
from zv_viewer.model.update import LayerUpdate

pytestmark = pytest.mark.gui

BOX = [[1000, 0, 0], [1100, 100, 200]]
BACKENDS = {"fast": CellPoints, "standard": StandardPoints}


@pytest.fixture(params=list(BACKENDS))
def here(request, stage):
    opened = stage(BOX, backend=request.param, ndisplay=3)
    assert type(opened.layer) is BACKENDS[request.param]
    opened.layer.point_size = 6.0
    opened.viewer.scene.camera.angles = (0, 0, 0)
    return opened


def points_of(here, rows):
    """Points on the canvas's diagonal of the box, at the depth of its middle."""
    low, high = here.scene.bounds
    at = np.linspace(0.1, 0.9, rows)[:, None]
    points = low + (high - low) * at
    points[:, 0] = (low[0] + high[0]) / 2
    return points


def seen(here, points):
    """Which points are lit, by the layer's own transform and napari's camera."""
    image = here.picture()
    camera = here.viewer.scene.camera
    height, width = image.shape[:2]
    away = (points - np.asarray(camera.center))[:, 1:] * camera.zoom
    row, column = (height / 2 + away[:, 0]).astype(int), (width / 2 + away[:, 1]).astype(int)
    return image[row, column]


def test_draw_parts_swap_and_drop(here, cell):
    points = points_of(here, 12)
    put = (
        cell(here.scene, 0, points[:6], parts=[0, 2, 6], spacing=6.0),
        cell(here.scene, 1, points[6:], spacing=6.0),
    )
    here.layer.apply(LayerUpdate(put=put))
    assert not seen(here, points).any()
    here.layer.apply(LayerUpdate(draw=(DrawItem(0, (1,)), DrawItem(1))))
    assert (seen(here, points).sum(axis=1) > 0).tolist() == [False] * 2 + [True] * 10
    assert here.layer.rows_drawn == 10
    again = (cell(here.scene, 1, points[:2], spacing=6.0),)
    here.layer.apply(LayerUpdate(put=again))
    assert (seen(here, points).sum(axis=1) > 0).tolist() == [True] * 6 + [False] * 6
    here.layer.apply(LayerUpdate(drop=(0, 1), draw=()))
    assert not seen(here, points).any()


def test_the_extent_is_the_stores_whatever_is_drawn(here, cell):
    for draw in ((), (DrawItem(0),)):
        put = (cell(here.scene, 0, points_of(here, 3)),)
        here.layer.apply(LayerUpdate(put=put, draw=draw))
        np.testing.assert_allclose(here.layer.extent.world, here.scene.bounds)
    here.viewer.dims.ndisplay = 2
    assert here.viewer.dims.range[0][:2] == (1000, 1100)


def test_colours(here, cell):
    points = points_of(here, 3)
    values = [0, 10, np.nan]
    put = (cell(here.scene, 0, points, values, spacing=6.0),)
    here.layer.apply(LayerUpdate(put=put, draw=(DrawItem(0),)))
    here.layer.set_colours("scalar", [[0, 0, 1], [1, 0, 0]], (0, 10))
    np.testing.assert_allclose(seen(here, points), [[0, 0, 255], [255, 0, 0], [127.5] * 3], atol=1)
    here.layer.set_colours("plain", [0, 1, 0])
    assert (seen(here, points) == [0, 255, 0]).all()


def test_hidden_layers_take_updates(here, cell):
    points = points_of(here, 3)
    here.layer.visible = False
    put = (cell(here.scene, 0, points, spacing=6.0),)
    here.layer.apply(LayerUpdate(put=put, draw=(DrawItem(0),)))
    assert not seen(here, points).any()
    here.layer.visible = True
    assert seen(here, points).any(axis=1).all()


def test_neither_is_edited_saved_or_duplicated(here):
    here.layer.editable = True
    assert not here.layer.editable
    with pytest.raises(LayerError, match="memory://box"):
        here.layer.as_layer_data_tuple()


def test_capacity_is_whole_pages(here):
    assert here.layer.capacity >= 20_000
    assert here.layer.capacity % PAGE == 0


def test_the_fallback_is_taken_where_napari_moved(monkeypatch, caplog, stage):
    monkeypatch.setattr(factory, "WHY_STANDARD", "No module named 'napari._vispy'")
    opened = stage(BOX, backend="auto", ndisplay=3)
    assert type(opened.layer) is StandardPoints
    assert "napari._vispy" in caplog.text


def test_the_camera_speaks_store_coordinates(here, cell):
    points = points_of(here, 5)
    put = (cell(here.scene, 0, points, spacing=6.0),)
    here.layer.apply(LayerUpdate(put=put, draw=(DrawItem(0),)))
    for angles in [(0, 0, 0), (10, 40, 70)]:
        here.viewer.scene.camera.angles = angles
        assert here.colours_at(points).any(axis=1).all()
    here.viewer.dims.ndisplay = 2
    here.viewer.dims.set_point(0, 1050)
    view = camera_of(here.viewer, here.layer)
    np.testing.assert_allclose([view.slab_lo[0], view.slab_hi[0]], [1049.5, 1050.5])
    assert here.colours_at(points).any(axis=1).all()


def test_a_new_capacity(here, cell):
    points = points_of(here, 3)
    put = (cell(here.scene, 0, points, spacing=6.0),)
    here.layer.apply(LayerUpdate(put=put, draw=(DrawItem(0),)))
    assert seen(here, points).any()
    here.layer.set_capacity(100_000)
    assert 100_000 <= here.layer.capacity < 100_000 + PAGE
    here.layer.apply(LayerUpdate(put=put, draw=(DrawItem(0),)))
    assert seen(here, points).any(axis=1).all()


@pytest.mark.parametrize("backend", list(BACKENDS))
def test_a_budget_makes_room_but_not_for_more_than_the_store(backend, scene_of):
    scene = scene_of(BOX)
    layer = factory.make_layer(scene, Budget(vertices=50_000), backend=backend)
    assert layer.capacity == PAGE
    level = replace(scene.levels[0], counts=np.full(100, 5000))
    layer = factory.make_layer(
        replace(scene, levels=(level,)), Budget(vertices=50_000), backend=backend
    )
    assert 60_000 <= layer.capacity <= 150_000

"""Stores with units in a window: the bar, the axes' names, images beside them, time as a slider."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.types.points import write_points
from zv_viewer.layers.camera import camera_of
from zv_viewer.session import open_store
from zv_viewer.session.jumping import look_at

pytestmark = pytest.mark.gui

CORNERS = np.array([[0.0, 0.0, 0.0], [2.0, 10.0, 20.0], [1.0, 9.0, 2.0]])


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., Path]:
    def make(units: list[str | None], names: tuple[str, ...] = ("z", "y", "x")) -> Path:
        write_points(
            tmp_path / "s",
            CORNERS,
            chunk_shape=(20.0,) * 3,
            axis_names=names,
            axis_units=units,
        )
        return tmp_path / "s"

    return make


def place_of(viewer, layer, point) -> np.ndarray:
    """(2,) pixels right and down where a position of the store lands."""
    camera = camera_of(viewer, layer)
    shown = np.asarray(point, float)[list(camera.displayed)]
    x, y, _, w = camera.matrix @ [*shown, *(0.0,) * (3 - len(shown)), 1.0]
    return np.array([(1 + x / w) / 2, (1 - y / w) / 2]) * camera.viewport


def test_an_image_in_other_units_lies_where_its_numbers_say(
    make_napari_viewer: Callable, qtbot, store: Callable[..., Path]
) -> None:
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, store(["micrometer"] * 3))
    assert session.wait(20)
    assert viewer.canvas.overlays.scale_bar.visible
    assert viewer.dims.axis_labels == ("z", "y", "x")
    assert [str(unit) for unit in session.layer.units] == ["micrometer"] * 3
    viewer.dims.ndisplay = 2
    viewer.dims.margin_left = viewer.dims.margin_right = (10.0,) * 3
    image = np.zeros((10, 20), np.uint8)
    image[9, 2] = 255
    viewer.add_image(
        image[None].repeat(3, 0), scale=(1000.0,) * 3, units=["nanometer"] * 3, name="image"
    )
    assert [str(unit) for unit in viewer.layers.units] == ["nanometer"] * 3
    look_at(viewer, session.layer, np.stack([CORNERS[2] - 3, CORNERS[2] + 3]))
    viewer.layers["image"].visible = False
    session.layer.point_size = 6
    session.layer.set_colours("plain", [[1.0, 0.0, 0.0]])
    assert session.wait(20)
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    red = np.argwhere((picture[..., 0] > 200) & (picture[..., 1] < 50))
    viewer.layers["image"].visible = True
    session.layer.visible = False
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    white = np.argwhere(picture.min(axis=-1) > 200)
    inner = white[np.abs(white - red.mean(axis=0)).max(axis=1) < 200]
    assert np.abs(red.mean(axis=0) - inner.mean(axis=0)).max() < 3
    down, right = red.mean(axis=0)
    assert np.abs(place_of(viewer, session.layer, CORNERS[2]) - (right, down)).max() < 2


@pytest.mark.parametrize(
    "unit",
    [None, *(pytest.param(unit, marks=pytest.mark.once) for unit in ("furlong**2", "wibbles"))],
)
def test_no_bar_where_no_unit_is_known(
    make_napari_viewer: Callable, qtbot, store: Callable[..., Path], unit: str | None
) -> None:
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, store([unit] * 3))
    assert session.wait(20)
    assert [str(one) for one in session.layer.units] == ["pixel"] * 3
    assert not viewer.canvas.overlays.scale_bar.visible


def test_time_gets_a_slider_not_the_canvas(
    make_napari_viewer: Callable, qtbot, store: Callable[..., Path]
) -> None:
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, store(["second", "micrometer", "micrometer"], ("t", "y", "x")))
    assert session.wait(20)
    assert viewer.dims.ndisplay == 2
    assert viewer.dims.not_displayed == (0,)
    viewer.dims.set_point(0, 1.0)
    assert session.wait(20)
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3]
    right, down = np.rint(place_of(viewer, session.layer, CORNERS[2])).astype(int)
    assert picture[down - 2 : down + 3, right - 2 : right + 3].max() > 100
    right, down = np.rint(place_of(viewer, session.layer, CORNERS[1])).astype(int)
    assert picture[down - 2 : down + 3, right - 2 : right + 3].max() < 60

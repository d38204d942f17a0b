"""Planes, lines and spheres of a store: in the window, in its list, in a picture without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from zarr_vectors.core.metadata import ParametricTypeDef
from zarr_vectors.types.parametric import write_parametric_objects
from zarr_vectors.types.points import write_points
from zv_viewer.layers.camera import camera_of
from zv_viewer.session import open_store
from zv_viewer.widgets.parametric import SHAPES_DOCK
from zv_viewer.widgets.show_store import show_store

pytestmark = pytest.mark.gui

OBJECTS = [
    {"type": "plane", "coefficients": [0, 0, 1, -2], "name": "floor"},
    {"type": "line", "coefficients": [0, 2, 8, 1, 0, 0], "name": "axis"},
    {"type": "sphere", "coefficients": [5, 5, 6, 2], "name": "soma"},
    {"type": "sphere", "coefficients": [50, 5, 6, 2], "name": "far"},
    {"type": "cone", "coefficients": [0.5], "name": "cone"},
]


@pytest.fixture(
    params=[
        pytest.param(("z", "y", "x"), marks=pytest.mark.once),
        pytest.param(("x", "y", "z"), marks=pytest.mark.once),
        ("t", "z", "y", "x"),
    ]
)
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    names = request.param
    write_points(
        tmp_path / "s",
        np.array([[0.0] * len(names), [10.0] * len(names)]),
        chunk_shape=(10.0,) * len(names),
        axis_names=names,
    )
    write_parametric_objects(
        tmp_path / "s",
        OBJECTS,
        object_attributes={"quality": np.arange(5) / 4},
        groups={0: [0, 2]},
        custom_types=[ParametricTypeDef(100, "cone", ("angle",))],
    )
    return tmp_path / "s"


def colour_at(viewer, session, shapes, point: dict[str, float]) -> np.ndarray:
    """(3,) the picture where a position lands."""
    assert session.wait(20)
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    layer = shapes.layers[0]
    camera = camera_of(viewer, layer)
    place = [point[name] for name in layer.scene.axis_names]
    shown = [place[axis] for axis in camera.displayed]
    x, y, _, w = camera.matrix @ [*shown, *(0.0,) * (3 - len(shown)), 1.0]
    width, height = camera.viewport
    down, right = int((1 - y / w) / 2 * height), int((1 + x / w) / 2 * width)
    return picture[down - 1 : down + 2, right - 1 : right + 2].reshape(-1, 3).max(axis=0)


def test_they_are_drawn_listed_and_hidden(make_napari_viewer: Callable, qtbot, store: Path) -> None:
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, store)
    assert session.wait(20)
    shapes = session.shapes
    assert [one.name for one in shapes.objects] == [one["name"] for one in OBJECTS]
    assert [bool(shapes.why_not_drawn(k)) for k in range(5)] == [False, False, False, True, True]
    assert [layer.scene.link_width for layer in shapes.layers] == [3, 2]
    table = viewer.window.dock_widgets[SHAPES_DOCK].table
    heads = [table.horizontalHeaderItem(k).text() for k in range(table.columnCount())]
    assert heads == ["name", "kind", "numbers", "groups", "quality"]
    row = [table.item(2, k).text() for k in range(table.columnCount())]
    assert row == ["soma", "sphere", "cx 5, cy 5, cz 6, r 2", "0", "0.5"]
    assert "planes, lines and spheres" in table.item(4, 0).toolTip()
    viewer.dims.ndisplay = 3
    for layer in shapes.layers:
        layer.opacity = 1.0
    viewer.scene.camera.perspective = 0
    soma = {"x": 5.0, "y": 5.0, "z": 6.0}
    assert viewer.scene.camera.angles is not None
    drawn = colour_at(viewer, session, shapes, soma)
    assert drawn.max() > 60
    table.item(2, 0).setCheckState(Qt.CheckState.Unchecked)
    table.item(0, 0).setCheckState(Qt.CheckState.Unchecked)
    assert colour_at(viewer, session, shapes, soma).max() < 60
    axis = {"x": 7.0, "y": 2.0, "z": 8.0}
    assert colour_at(viewer, session, shapes, axis).max() > 60
    table.item(1, 0).setCheckState(Qt.CheckState.Unchecked)
    assert colour_at(viewer, session, shapes, axis).max() < 60
    viewer.layers.remove(session.layer)
    assert not viewer.layers


def test_the_slider_cuts_them(shared_viewer, qtbot, store: Path) -> None:
    viewer = shared_viewer
    session = open_store(viewer, store)
    assert session.wait(20)
    shapes = session.shapes
    for layer in shapes.layers:
        layer.opacity = 1.0
    viewer.dims.ndisplay = 2
    names = list(viewer.dims.axis_labels)
    order = [axis for axis in range(viewer.dims.ndim) if names[axis] not in ("x", "y")]
    viewer.dims.order = (*order, names.index("y"), names.index("x"))
    z = names.index("z")
    viewer.dims.margin_left = viewer.dims.margin_right = (0.1,) * viewer.dims.ndim
    rim, middle = {"x": 6.732, "y": 5.0, "z": 7.0}, {"x": 5.0, "y": 5.0, "z": 7.0}
    viewer.dims.set_point(z, 7.0)
    assert colour_at(viewer, session, shapes, rim).max() > 60
    assert colour_at(viewer, session, shapes, middle).max() < 60
    viewer.dims.set_point(z, 7.95)
    assert colour_at(viewer, session, shapes, middle).max() > 60
    assert colour_at(viewer, session, shapes, rim).max() < 60
    viewer.dims.set_point(z, 2.0)
    assert colour_at(viewer, session, shapes, rim).max() > 60


def test_a_store_of_shapes_alone_is_seen_whole(make_napari_viewer, tmp_path: Path) -> None:
    objects = [
        {"type": "plane", "coefficients": [0, 0, 1, -120], "name": "floor"},
        {"type": "sphere", "coefficients": [500, 50, 160, 20], "name": "soma"},
        {"type": "sphere", "coefficients": [400, 5, 100, 32], "name": "other"},
    ]
    write_parametric_objects(tmp_path / "alone", objects, create_new_store=True)
    viewer = make_napari_viewer(show=True)  # it gets docks
    session = show_store(viewer, tmp_path / "alone")
    assert session.wait(20)
    shapes = session.shapes
    assert [shapes.why_not_drawn(number) for number in range(3)] == [""] * 3
    low, high = session.scene.bounds
    for x, y, z, radius in ([500, 50, 160, 20], [400, 5, 100, 32]):
        assert (low < np.array([x, y, z]) - radius).all()
        assert (high > np.array([x, y, z]) + radius).all()
    seen = viewer.screenshot(canvas_only=True, flash=False)[..., :3].max(axis=-1) > 40
    rows, columns = np.nonzero(seen)
    assert np.ptp(columns) > 0.3 * seen.shape[1] or np.ptp(rows) > 0.3 * seen.shape[0]

"""Objects of a store in the window: the dock comes, the picture follows, the camera goes there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from zarr_vectors.testing.kinds import make_store
from zv_viewer.layers.camera import camera_of
from zv_viewer.model.objects import Look
from zv_viewer.widgets.objects_dock import OBJECTS_DOCK
from zv_viewer.widgets.show_store import DOCK, show_store

pytestmark = pytest.mark.gui

WIDE = {"chunk_shape": (30.0,) * 3, "bin_shape": (15.0,) * 3}
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def streamlines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("objects") / "lines"
    make_store("streamline", place, **WIDE)
    return place


def shown(viewer, qtbot, place: Path):
    session = show_store(viewer, place)
    assert session.wait(20)
    panel = viewer.window.dock_widgets[OBJECTS_DOCK].panel
    qtbot.waitUntil(lambda: session.objects.table is not None and not session.objects.busy)
    return session, panel


def test_a_row_is_clicked_and_the_rest_fades(
    make_napari_viewer: Callable, qtbot, streamlines: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    session, panel = shown(viewer, qtbot, streamlines)
    assert panel.counts.text() == "6 objects"
    assert panel.trouble.text() == ""
    session.objects.select([2])
    before = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    qtbot.mouseClick(panel.ghost, LEFT)
    ids = session.scene.objects
    expected = np.where(ids == 2, Look.SELECTED, Look.GHOST)
    assert session.layer.object_looks.tolist() == expected.tolist()
    after = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    assert after[..., :3].sum() < before[..., :3].sum()
    qtbot.mouseClick(panel.show_all, LEFT)
    panel.search.setText("4")
    assert np.flatnonzero(session.layer.object_looks).tolist() == np.flatnonzero(ids == 4).tolist()


def test_the_camera_goes_to_what_is_selected(
    make_napari_viewer: Callable, qtbot, streamlines: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    session, panel = shown(viewer, qtbot, streamlines)
    session.layer.scale = (2.0, 2.0, 2.0)
    viewer.scene.camera.angles = (10, -40, 60)
    session.objects.select([3])
    qtbot.mouseClick(panel.jump, LEFT)
    box = session.objects.jump_box()
    center = 2 * box.mean(axis=0)[list(viewer.dims.displayed)]
    assert viewer.scene.camera.center == pytest.approx(tuple(center), abs=1e-3)
    height, width = viewer.canvas.size
    corners = (
        np.array(np.meshgrid(*box.T, indexing="ij"))
        .reshape(3, -1)
        .T[:, list(viewer.dims.displayed)]
    )
    clip = np.c_[corners, np.ones(8)] @ camera_of(viewer, session.layer).matrix.T
    on_canvas = np.abs(clip[:, :2] / clip[:, 3:])
    assert on_canvas.max() == pytest.approx(0.85, abs=0.02)
    viewer.dims.ndisplay = 2
    qtbot.mouseClick(panel.jump, LEFT)
    height, width = viewer.canvas.size
    middle, extent = box.mean(axis=0), box[1] - box[0]
    axis = viewer.dims.not_displayed[0]
    assert viewer.dims.point[axis] == pytest.approx(2 * middle[axis], abs=2)
    seen = 2 * extent[list(viewer.dims.displayed)]
    fits = 0.85 * min(height / seen[0], width / seen[1])
    assert viewer.scene.camera.zoom == pytest.approx(fits)
    assert session.wait(20)


def test_two_stores_share_the_dock_and_nothing_is_left_when_they_go(
    make_napari_viewer: Callable, qtbot, streamlines: Path, tmp_path: Path
) -> None:
    make_store("objects", tmp_path / "cloud", **WIDE)
    viewer = make_napari_viewer(show=True)
    first, panel = shown(viewer, qtbot, streamlines)
    dock = viewer.window.dock_widgets[OBJECTS_DOCK]
    assert dock.stores.count() == 1
    second, _ = shown(viewer, qtbot, tmp_path / "cloud")
    assert [dock.stores.itemText(k) for k in range(2)] == ["lines", "cloud"]
    first.objects.select([1])
    dock.stores.setCurrentIndex(0)
    assert "1 selected" in panel.counts.text()
    dock.stores.setCurrentIndex(1)
    assert panel.counts.text() == "6 objects"
    assert panel.ghost.isEnabled()
    second.objects.select([1])
    assert panel.jump.isEnabled()
    viewer.layers.clear()
    assert dock.stores.count() == 0
    assert panel.counts.text() == "no objects to show"
    assert viewer.window.dock_widgets[DOCK] is not None
    qtbot.waitUntil(lambda: not [t for t in threading.enumerate() if "objects" in t.name])

"""Points that have objects, in a window: hidden, isolated, faded, coloured and sized by them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from zarr_vectors.testing.kinds import make_store
from zv_viewer.layers.points import CellPoints
from zv_viewer.session.picking import picking_of
from zv_viewer.session.sizing import sizing_of
from zv_viewer.widgets.show_store import show_store

pytestmark = pytest.mark.gui


def picture(viewer, session) -> np.ndarray:
    for _ in range(4):
        QApplication.processEvents()
    assert session.wait(20)
    return viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)


def lit(image: np.ndarray) -> int:
    return int((image.max(axis=-1) > 20).sum())


def test_points_are_told_apart_by_their_objects(
    make_napari_viewer: Callable, qtbot, tmp_path: Path
) -> None:
    make_store("objects", tmp_path / "store", chunk_shape=(60.0,) * 3, bin_shape=(30.0,) * 3)
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, tmp_path / "store")
    assert session.wait(20)
    viewer.canvas.overlays.scale_bar.visible = False
    layer, objects = session.layer, session.objects
    assert isinstance(layer, CellPoints)
    layer.point_size = 6.0
    session.color_by(None)
    assert objects.can_hide
    objects.load()
    qtbot.waitUntil(lambda: objects.table is not None and not objects.busy)
    whole = picture(viewer, session)
    cells = session.controller.drawn.cells
    assert all(cell.objects is None for cell in cells), "nobody asked for them yet"

    objects.select([0])
    objects.isolate()
    objects.select([])
    alone = picture(viewer, session)
    cells = session.controller.drawn.cells
    assert sum((session.scene.objects[cell.objects] == 0).sum() for cell in cells if len(cell)) > 0
    assert 0 < lit(alone) < 0.5 * lit(whole)
    objects.show_all()
    objects.select([0])
    objects.hide()
    objects.select([])
    rest = picture(viewer, session)
    assert lit(rest) < lit(whole)
    assert lit(np.maximum(alone, rest)) > 0.98 * lit(whole), "hidden and alone make the whole"

    objects.show_all()
    objects.select([0])
    objects.ghost_rest()
    faint = picture(viewer, session)
    grey = (np.ptp(faint, axis=-1) == 0) & (faint.max(axis=-1) > 20)
    assert grey.sum() > 0.5 * lit(whole)
    assert faint[grey].max() < 200
    yellow = (faint[..., 0] > 200) & (faint[..., 2] < 60)
    assert yellow.sum() > 0, "what is selected stands out"

    objects.show_all()
    objects.select([])
    objects.colour_by("size")
    by_size = picture(viewer, session)
    assert len(np.unique(by_size[by_size.max(axis=-1) > 20], axis=0)) >= 6
    objects.colour_by(None)

    sizes = sizing_of(session)
    sizes.choose("object", "size", pixels=(2.0, 20.0))
    large = picture(viewer, session)
    assert lit(large) > 1.5 * lit(whole)
    sizes.choose("object", "size", limits=(100.0, 200.0), pixels=(2.0, 20.0))
    assert lit(picture(viewer, session)) < 0.5 * lit(whole)
    sizes.clear()
    assert lit(picture(viewer, session)) == pytest.approx(lit(whole), rel=0.01)

    told = []
    picking_of(session, viewer).picked.connect(told.append)
    seen = picture(viewer, session).max(axis=-1) > 20
    row, column = np.argwhere(seen)[seen.sum() // 2]
    height, width = viewer.canvas.size
    ratio = width / seen.shape[1]
    picking_of(session, viewer).at(float(column * ratio), float(row * ratio))
    qtbot.waitUntil(lambda: bool(told))
    number = told[0].what.shown.object_id
    assert number is not None
    assert objects.selected_ids.tolist() == [number]
    assert height > 0


@pytest.mark.parametrize("backend", ["standard"])
def test_layers_of_naparis_own_tell_points_apart(
    make_napari_viewer: Callable, qtbot, tmp_path: Path, backend: str
) -> None:
    make_store("objects", tmp_path / "store", chunk_shape=(60.0,) * 3, bin_shape=(30.0,) * 3)
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, tmp_path / "store", layers=backend)
    assert session.wait(20)
    objects = session.objects
    objects.load()
    qtbot.waitUntil(lambda: objects.table is not None and not objects.busy)
    whole = session.layer.rows_drawn
    assert whole == 240
    objects.select([0])
    objects.isolate()
    qtbot.waitUntil(lambda: 0 < session.layer.rows_drawn < whole)
    assert session.wait(20)
    owners = np.concatenate([c.objects for c in session.controller.drawn.cells])
    assert session.layer.rows_drawn == (session.scene.objects[owners] == 0).sum()

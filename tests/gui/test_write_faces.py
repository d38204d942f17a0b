"""Attributes of faces written from the dock and seen as colours, as a user does it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from zarr_vectors import open_zv
from zarr_vectors.testing.surfaces import write_sheets
from zv_viewer.session import open_store
from zv_viewer.session.editing import editing_of
from zv_viewer.widgets.write_attribute import WRITE_DOCK, WriteAttribute

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton


def clicked(qtbot, button, editing) -> None:
    """Click, and wait until the worker is done."""
    qtbot.waitUntil(lambda: button.enabled, timeout=30_000)
    qtbot.mouseClick(button.native, LEFT)
    qtbot.waitUntil(lambda: not editing.busy, timeout=30_000)


def typed(qtbot, widget, text: str) -> None:
    widget.native.clear()
    qtbot.keyClicks(widget.native, text)


def lasso_of_the_left_half(qtbot, dock) -> None:
    qtbot.mouseClick(dock.source.draw.native, LEFT)
    lasso = dock.source.lasso
    size = lasso.size()
    corners = [(0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98)]
    points = [QPoint(int(size.width() * x), int(size.height() * y)) for x, y in corners]
    qtbot.mousePress(lasso, LEFT, pos=points[0])
    for point in points[1:]:
        qtbot.mouseMove(lasso, point)
    qtbot.mouseRelease(lasso, LEFT, pos=points[-1])


def picture(viewer, name: str) -> np.ndarray:
    """The canvas; the window is kept where ``ZV_PICTURES`` names a folder."""
    folder = os.environ.get("ZV_PICTURES")
    if folder:
        viewer.window.screenshot(f"{folder}/{name}.png", canvas_only=False, flash=False)
    return viewer.window.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_faces_are_written_coloured_carried_and_undone(
    make_napari_viewer, qtbot, tmp_path: Path, monkeypatch, version: str
) -> None:
    monkeypatch.setenv("ZV_VIEWER_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "sheets"
    write_sheets(place, format_version=version)
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, place)
    assert session.wait(60)
    dock = WriteAttribute(viewer)
    viewer.window.add_dock_widget(dock, name=WRITE_DOCK, area="right")
    editing = editing_of(session)
    assert dock.scope.choices == ("vertex", "face", "object")
    dock.scope.value = "face"
    typed(qtbot, dock.new_name, "across")
    typed(qtbot, dock.source.expression, "x")
    clicked(qtbot, dock.rehearse, editing)
    assert "faces reach from one chunk to another" in dock.outcome.value
    assert "0/face_attributes/across/zarr.json  - > " in dock.outcome.value
    clicked(qtbot, dock.write, editing)
    qtbot.waitUntil(
        lambda: session.colours is not None and session.colours.attribute == "face: across",
        timeout=30_000,
    )
    assert session.wait(60)
    shot = picture(viewer, f"write_faces-{version}")
    drawn = shot[shot.sum(axis=2) > 60]
    assert np.ptp(drawn[:, 0] - drawn[:, 2]) > 60  # from one end of the colours to the other
    for number in (1, 2):
        values = open_zv(place)[number].face_attributes["across"].compute()
        assert np.isfinite(values).all()
    typed(qtbot, dock.new_name, "left")
    dock.source.way.value = "lasso"
    typed(qtbot, dock.source.inside, "in")
    typed(qtbot, dock.source.outside, "out")
    lasso_of_the_left_half(qtbot, dock)
    clicked(qtbot, dock.rehearse, editing)
    assert "2 categories" in dock.outcome.value
    clicked(qtbot, dock.write, editing)
    qtbot.waitUntil(lambda: session.colours.attribute == "face: left", timeout=30_000)
    assert session.wait(60)
    picture(viewer, f"write_face_labels-{version}")
    share = (open_zv(place)[0].face_attributes["left"].compute() == "in").mean()
    assert 0.2 < share < 0.8, share
    qtbot.waitUntil(lambda: not editing.busy and not session.reloading, timeout=30_000)
    clicked(qtbot, dock.undo, editing)
    qtbot.waitUntil(lambda: not editing.busy and not session.reloading, timeout=30_000)
    assert "left" not in open_zv(place)[0].face_attributes
    assert "across" in open_zv(place)[0].face_attributes
    assert session.wait(60)
    assert session.colours.attribute is None

"""The dock while a worker is busy: how far it is, and that it is given up when asked."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from qtpy.QtCore import Qt

from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import Cancelled
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import make_store
from zv_viewer.edits.history import History
from zv_viewer.session import open_store
from zv_viewer.session.editing import GIVEN_UP, editing_of
from zv_viewer.widgets.write_attribute import WRITE_DOCK, WriteAttribute

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton


def contents(place: Path) -> dict[str, bytes]:
    files = [file for file in place.rglob("*") if file.is_file()]
    return {file.relative_to(place).as_posix(): file.read_bytes() for file in files}


def until(cancelled, progress) -> None:
    """Be at work until it is given up."""
    end = time.monotonic() + 60
    while not cancelled():
        progress(0.4, "2 of 5 values")
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_a_dry_run_and_a_write_are_given_up(
    make_napari_viewer, qtbot, tmp_path: Path, monkeypatch, version: str
) -> None:
    monkeypatch.setenv("ZV_VIEWER_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "store"
    make_store("skeleton", place, format_version=version)
    build_pyramid(place, factors=[(2.0, 1.0)])
    before = contents(place)
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, place)
    assert session.wait(60)
    dock = WriteAttribute(viewer)
    viewer.window.add_dock_widget(dock, name=WRITE_DOCK, area="right")
    editing = editing_of(session)
    qtbot.waitUntil(lambda: dock.rehearse.enabled, timeout=30_000)
    assert dock.scope.choices == ("vertex", "node", "object")
    assert "age" in dock.source.expression.tooltip
    qtbot.keyClicks(dock.new_name.native, "far")
    qtbot.keyClicks(dock.source.expression.native, "hypot(x, y)")
    with monkeypatch.context() as patch:

        def slow(handle, request, *, progress, cancelled):
            until(cancelled, progress)
            raise Cancelled("the dry run was given up")

        patch.setattr("zv_viewer.session.editing.rehearse", slow)
        qtbot.mouseClick(dock.rehearse.native, LEFT)
        qtbot.waitUntil(lambda: dock.progress.value == 400, timeout=30_000)
        assert not dock.rehearse.enabled
        assert dock.progress.tooltip == "2 of 5 values"
        folder = os.environ.get("ZV_PICTURES")
        if folder:
            viewer.window.screenshot(f"{folder}/busy.png", canvas_only=False, flash=False)
        qtbot.mouseClick(dock.cancel.native, LEFT)
        qtbot.waitUntil(lambda: not editing.busy, timeout=30_000)
    assert dock.outcome.value == GIVEN_UP
    assert not dock.write.enabled
    qtbot.mouseClick(dock.rehearse.native, LEFT)
    qtbot.waitUntil(lambda: dock.write.enabled, timeout=30_000)
    write = History.write
    with monkeypatch.context() as patch:

        def slowly(kept, handle, dry, *, progress, cancelled):
            until(cancelled, progress)
            return write(kept, handle, dry, progress=progress, cancelled=cancelled)

        patch.setattr(History, "write", slowly)
        qtbot.mouseClick(dock.write.native, LEFT)
        qtbot.waitUntil(lambda: dock.progress.value == 400, timeout=30_000)
        qtbot.mouseClick(dock.cancel.native, LEFT)
        qtbot.waitUntil(lambda: not editing.busy, timeout=30_000)
    assert dock.outcome.value == GIVEN_UP
    assert contents(place) == before
    assert History().edits(open_handle(place).backend.url) == []
    qtbot.mouseClick(dock.write.native, LEFT)  # it was rehearsed, and can still be written
    qtbot.waitUntil(lambda: dock.undo.enabled and not session.reloading, timeout=30_000)
    assert "latest first" in dock.undo.tooltip
    for described in (tmp_path / "cache").rglob("edit.json"):
        described.write_text("{")
    editing.look()
    qtbot.waitUntil(lambda: "can neither be undone nor redone" in dock.outcome.value, timeout=9000)
    assert not dock.undo.enabled
    assert session.wait(60)

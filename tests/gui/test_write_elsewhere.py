"""Attributes written from the dock to a bucket; a store on the web says that it is only read."""

from __future__ import annotations

from pathlib import Path

import pytest
from qtpy.QtCore import Qt

from zarr_vectors import open_zv
from zarr_vectors.core.backends import open_backend
from zarr_vectors.testing.kinds import make_store
from zarr_vectors.testing.servers import Server, http_server
from zv_viewer.session import open_store
from zv_viewer.session.editing import editing_of
from zv_viewer.widgets.write_attribute import WRITE_DOCK, WriteAttribute

pytestmark = [pytest.mark.gui, pytest.mark.network, pytest.mark.once]

FEW = {"chunk_shape": (60.0,) * 3, "bin_shape": (30.0,) * 3, "format_version": "0.9.2"}


def shown(make_napari_viewer, qtbot, url: str, monkeypatch, cache: Path, variables):
    monkeypatch.setenv("ZV_VIEWER_CACHE", str(cache))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, url)
    assert session.wait(60)
    dock = WriteAttribute(viewer)
    viewer.window.add_dock_widget(dock, name=WRITE_DOCK, area="right")
    editing = editing_of(session)
    qtbot.waitUntil(lambda: not editing.busy, timeout=60_000)
    return session, dock, editing


def test_a_bucket_is_written_to_and_undone(
    make_napari_viewer, qtbot, s3: Server, tmp_path: Path, monkeypatch
) -> None:
    url = s3.at("dock")
    make_store("points", open_backend(url, mode="w", **s3.options), **FEW)
    session, dock, editing = shown(
        make_napari_viewer, qtbot, url, monkeypatch, tmp_path, s3.environment
    )

    def clicked(button) -> None:
        qtbot.waitUntil(lambda: button.enabled, timeout=60_000)
        qtbot.mouseClick(button.native, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: not editing.busy, timeout=60_000)

    qtbot.keyClicks(dock.new_name.native, "height")
    qtbot.keyClicks(dock.source.expression.native, "hypot(x, y)")
    clicked(dock.rehearse)
    assert "240 values, float32" in dock.outcome.value
    clicked(dock.write)
    qtbot.waitUntil(
        lambda: session.colours is not None and session.colours.attribute == "height",
        timeout=60_000,
    )
    assert session.wait(60)
    assert "height" in open_zv(url, **s3.options)[0].attribute_specs
    clicked(dock.undo)
    assert "undone" in dock.outcome.value
    assert "height" not in open_zv(url, **s3.options)[0].attribute_specs
    qtbot.waitUntil(lambda: not editing.busy and not session.reloading, timeout=60_000)


def test_a_store_on_the_web_says_so_before_any_work(
    make_napari_viewer, qtbot, tmp_path: Path, monkeypatch
) -> None:
    make_store("points", tmp_path / "served" / "s.zarrvectors", **FEW)
    with http_server(tmp_path / "served") as web:
        url = web.at("s.zarrvectors")
        _, dock, editing = shown(
            make_napari_viewer, qtbot, url, monkeypatch, tmp_path, web.environment
        )
        assert "cannot be written to" in editing.refusal
        assert editing.refusal in dock.outcome.value
        assert not dock.rehearse.enabled
        assert not dock.write.enabled

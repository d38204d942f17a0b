"""Another pyramid tried from the window, as a user does it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from qtpy.QtCore import Qt

from zarr_vectors import build_pyramid, open_zv
from zarr_vectors.testing.kinds import make_store
from zv_viewer.session import open_store
from zv_viewer.session.trying import trying_of
from zv_viewer.widgets.quality_dock import QualityDock

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton


def test_a_pyramid_is_tried_and_the_call_is_the_one_that_builds_it(
    make_napari_viewer: Callable, qtbot, tmp_path: Path
) -> None:
    store = tmp_path / "s"
    make_store("skeleton", store, chunk_shape=(30.0,) * 3, bin_shape=(7.5,) * 3)
    build_pyramid(store, factors=[2.0])
    files = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, store)
    assert session.wait(60)
    dock = QualityDock(viewer)
    qtbot.addWidget(dock)
    dock.show()
    panel = dock.what_if
    dock.pages.setCurrentWidget(panel)
    trying = trying_of(session, viewer)

    panel.coarsening.clear()
    assert "name how much" in panel.call.toPlainText()
    qtbot.keyClicks(panel.coarsening, "4 2")
    qtbot.keyClicks(panel.sparsity, "1 2")
    qtbot.keyClicks(panel.chunks, "2")
    text = panel.call.toPlainText()
    assert "factors=[(4.0, 1.0), (2.0, 2.0)], chunk_scale_factors=[2, 2]" in text
    assert "remove_resolution_level(store, 1)" in text

    # given up, and asked again
    qtbot.mouseClick(panel.ask, LEFT)
    qtbot.mouseClick(panel.cancel, LEFT)
    assert not trying.running
    qtbot.waitUntil(lambda: not trying._lane.busy, timeout=60_000)
    assert trying.trial is None
    qtbot.mouseClick(panel.ask, LEFT)
    assert panel.cancel.isEnabled()
    qtbot.waitUntil(lambda: not trying.running, timeout=60_000)
    assert panel.told.text().startswith("tried with 240 of 240 vertices")
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == files
    cells = [
        [panel.table.item(row, column).text() for column in range(panel.table.columnCount())]
        for row in range(panel.table.rowCount())
    ]
    assert [line[0] for line in cells] == ["0", "1", "2"]
    assert cells[0][4:] == ["-"] * 4
    assert float(cells[2][6]) >= float(cells[1][6]) > 0
    assert int(cells[2][2]) == 3
    if folder := os.environ.get("ZV_PICTURES"):
        dock.resize(560, 640)
        dock.grab().save(f"{folder}/what-if.png")

    # what was promised is what is built
    session.close()
    exec(text.split("\n\n", maxsplit=1)[0], {})  # noqa: S102 - as the user would
    built = open_zv(store)
    for line in cells[1:]:
        level = built[int(line[0])]
        assert f"{level.vertex_count:,}" == line[1]
        assert f"{level.error.p95:.4g}" == line[5]
    assert built[2].chunk_shape == (120.0,) * 3

"""Another pyramid tried from the window, as a user does it."""

from __future__ import annotations

import os
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


@pytest.mark.parametrize("version", ["0.7.0", pytest.param("0.9.2", marks=pytest.mark.once)])
def test_a_pyramid_is_tried_and_the_call_is_the_one_that_builds_it(
    shared_viewer, qtbot, tmp_path: Path, version: str
) -> None:
    viewer, store = shared_viewer, tmp_path / "s"
    shapes = {"chunk_shape": (30.0,) * 3, "bin_shape": (7.5,) * 3}
    make_store("skeleton", store, format_version=version, **shapes)
    build_pyramid(store, factors=[2.0])
    files = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
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
    qtbot.mouseClick(panel.run, LEFT)
    qtbot.mouseClick(panel.cancel, LEFT)
    assert not trying.running
    qtbot.waitUntil(lambda: not trying._lane.busy, timeout=60_000)
    assert trying.tried is None
    qtbot.mouseClick(panel.run, LEFT)
    assert panel.cancel.isEnabled()
    qtbot.waitUntil(lambda: not trying.running, timeout=60_000)
    assert panel.told.text().startswith("tried with 240 of 240 vertices")
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == files
    cells = [
        [panel.table.item(row, column).text() for column in range(panel.table.columnCount())]
        for row in range(panel.table.rowCount())
    ]
    words = [tuple(line[:2]) for line in cells]
    tried = [("0", "now"), ("0", "tried"), ("1", "now"), ("1", "tried"), ("2", "tried")]
    assert words == tried
    assert [line[2] for line in cells[:2]] == ["240", "240"]
    assert cells[1][4:6] == ["-"] * 2
    was = open_zv(store)[1]
    assert cells[2][2] == f"{was.vertex_count:,}"
    assert cells[2][4] == f"{was.error.p95:.4g}"
    one, two = cells[3:]
    assert float(two[8]) >= float(one[8]) > 0
    assert int(two[6]) == 3
    if folder := os.environ.get("ZV_PICTURES"):
        dock.resize(560, 640)
        dock.grab().save(f"{folder}/what-if.png")

    # what was promised is what is built
    session.close()
    exec(text.split("\n\n", maxsplit=1)[0], {})  # noqa: S102 - as the user would
    built = open_zv(store)
    for line in (one, two):
        level = built[int(line[0])]
        assert f"{level.vertex_count:,}" == line[2]
        assert f"{level.error.p95:.4g}" == line[4]
    assert built[2].chunk_shape == (120.0,) * 3

"""The report on a pyramid in the window: made in a worker, opened from a file, gone through."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import numpy as np
import pytest
from qtpy.QtCore import Qt

from zarr_vectors import build_pyramid
from zarr_vectors.testing.kinds import make_store
from zv_viewer.layers.view import read_view
from zv_viewer.qa.report import Finding, Report, Where
from zv_viewer.session import open_store
from zv_viewer.session.jumping import view_of_box
from zv_viewer.session.reporting import box_of, reporting_of
from zv_viewer.widgets.quality_dock import QualityDock

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton


@pytest.mark.parametrize("version", ["0.7.0", pytest.param("0.9.2", marks=pytest.mark.once)])
def test_findings_are_listed_and_gone_to(
    make_napari_viewer: Callable, qtbot, tmp_path, version: str
) -> None:
    store = tmp_path / "s"
    shapes = {"chunk_shape": (30.0,) * 3, "bin_shape": (7.5,) * 3}
    make_store("skeleton", store, format_version=version, **shapes)
    build_pyramid(store, factors=[2.0])
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, store)
    assert session.wait(60)
    dock = QualityDock(viewer)
    qtbot.addWidget(dock)
    dock.show()
    panel = dock.report
    dock.pages.setCurrentWidget(panel)
    reporting = reporting_of(session, viewer)

    # made in a worker
    with qtbot.waitSignal(reporting.progress, timeout=60_000):
        qtbot.mouseClick(panel.run, LEFT)
        assert panel.cancel.isEnabled()
    qtbot.waitUntil(lambda: not reporting.running, timeout=60_000)
    made = reporting.report
    assert made.complete
    assert made.geometry == "skeleton"
    assert panel.findings.topLevelItemCount() == len(made.findings)
    assert "level 1" in panel.told.text()
    assert not panel.progress.isVisible()

    # given up
    qtbot.mouseClick(panel.run, LEFT)
    qtbot.mouseClick(panel.cancel, LEFT)
    qtbot.waitUntil(lambda: not reporting.running, timeout=60_000)

    # opened, and gone through
    chunk = tuple(int(x) for x in session.scene.levels[1].chunks[3])
    found = (
        Finding("hole", 1, Where(chunk=chunk), "a hole", "fill it"),
        Finding("dropped_object", 1, Where(object=4), "object 4 is gone", "build it again"),
        Finding("broken_seam", 0, Where(position=(1.0, 2.0, 3.0)), "a seam", "mend it"),
        Finding("useless_level", 1, Where(), "as large as level 0", "remove it"),
    )
    report = Report(str(store), version, "skeleton", made.levels, found)
    path = tmp_path / "r.json"
    path.write_text(json.dumps(report.to_json()))
    panel.open_file(str(path))
    qtbot.waitUntil(lambda: panel.findings.topLevelItemCount() == 4, timeout=20_000)
    assert panel.told.text().startswith("3 errors, 1 warning,")
    assert panel.details.text() == "a hole\n\nfill it"
    if folder := os.environ.get("ZV_PICTURES"):
        dock.resize(420, 520)
        dock.grab().save(f"{folder}/report.png")

    def went(row: int) -> tuple[np.ndarray, float]:
        panel.findings.setCurrentItem(panel.findings.topLevelItem(row))
        viewer.reset_view()
        before = viewer.scene.camera.zoom
        qtbot.mouseClick(panel.go, LEFT)
        qtbot.waitUntil(lambda: not reporting.busy, timeout=20_000)
        view = read_view(viewer)
        return np.array(view.center), view.zoom / before

    centre, closer = went(0)
    box = box_of(session.scene, found[0])
    assert np.allclose(centre, view_of_box(viewer, session.layer, box).center)
    assert ((box[0] <= centre) & (centre <= box[1])).all()
    assert closer > 1.5
    assert session.settings.level_lock == 1
    session.objects.load()
    qtbot.waitUntil(lambda: session.objects.table is not None, timeout=20_000)
    went(1)
    assert session.objects.selected_ids.tolist() == [4]
    centre, closer = went(2)
    assert np.allclose(centre, (1.0, 2.0, 3.0))
    assert session.layer.marked == (1.0, 2.0, 3.0)
    assert session.settings.level_lock == 0
    panel.lock.setChecked(False)
    session.update_settings(level_lock=None)
    centre, _ = went(3)
    assert np.allclose(centre, session.scene.origin)
    assert session.settings.level_lock is None
    assert session.layer.marked is None

    # what is no report says so
    path.write_text('{"store": 3}')
    panel.open_file(str(path))
    qtbot.waitUntil(lambda: "is no report" in panel.told.text(), timeout=20_000)
    assert panel.findings.topLevelItemCount() == 4
    panel.open_file(str(tmp_path / "none.json"))
    qtbot.waitUntil(lambda: "No such file" in panel.told.text(), timeout=20_000)

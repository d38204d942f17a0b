"""How a store is drawn, shown in the window: colours of cells, outlines, a frozen selection."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from zarr_vectors import build_pyramid
from zarr_vectors.testing.kinds import make_store
from zv_viewer.drawing.tints import level_colours
from zv_viewer.model.settings import Budget
from zv_viewer.session import open_store
from zv_viewer.session.inspecting import inspecting_of
from zv_viewer.widgets.quality_dock import QualityDock

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton


def picture(viewer, session, qtbot) -> np.ndarray:
    inspecting = inspecting_of(session)
    assert session.wait(60)
    qtbot.waitUntil(lambda: not inspecting.busy, timeout=60_000)
    qtbot.wait(20)
    return viewer.screenshot(canvas_only=True, flash=False)[..., :3]


def colours_in(image: np.ndarray) -> set[tuple[int, ...]]:
    found, counts = np.unique(image.reshape(-1, 3), axis=0, return_counts=True)
    return {tuple(colour) for colour, n in zip(found.tolist(), counts, strict=True) if n > 3}


def choose(box, text: str) -> None:
    """As with the mouse: the item whose text begins so."""
    place = next(i for i in range(box.count()) if box.itemText(i).startswith(text))
    box.setCurrentIndex(place)


def texts(legend) -> list[str]:
    return [legend.item(row).text() for row in range(legend.count())]


def test_what_is_drawn_is_told(
    make_napari_viewer: Callable, qtbot, either_store: Path, tmp_path: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, either_store)
    assert session.wait(60)
    viewer.canvas.overlays.scale_bar.visible = False
    dock = QualityDock(viewer)
    qtbot.addWidget(dock)
    dock.show()
    see = dock.see
    own = picture(viewer, session, qtbot)
    written = []
    rows = session.layer._drawer.node._rows
    rows.write = written.append

    choose(see.colour, "level drawn")
    stats = session.stats()
    by_level = picture(viewer, session, qtbot)
    drawn = [f"level {n}" for n in sorted(stats.levels_drawn)]
    assert [text.split(":")[0] for text in texts(see.legend)] == drawn
    positions = [i for i, one in enumerate(session.scene.levels) if one.index in stats.levels_drawn]
    wanted = {tuple(c) for c in level_colours(np.array(positions)).tolist()}
    assert wanted <= colours_in(by_level) <= {*wanted, (0, 0, 0)}
    assert sum(int(t.split(", ")[1].split()[0].replace(",", "")) for t in texts(see.legend)) >= 1

    choose(see.colour, "error")
    assert texts(see.legend)[0] == "exact: level 0"
    fine = picture(viewer, session, qtbot)
    choose(see.colour, "bytes")
    assert not np.array_equal(picture(viewer, session, qtbot), fine)
    assert texts(see.legend)[-1].split()[-1] in ("kB", "MB", "bytes")
    choose(see.colour, "as set")
    assert not see.legend.isVisible()
    assert np.array_equal(picture(viewer, session, qtbot), own)
    assert not [one for write in written for one in write if one.moved]

    # outlines
    del rows.write
    choose(see.level, "1")
    assert session.settings.level_lock == 1
    before = picture(viewer, session, qtbot)
    choose(see.outline, "chunks")
    lined = picture(viewer, session, qtbot)
    assert (lined != before).any(axis=-1).sum() > 200
    level = session.scene.levels[1]
    assert see.outlined.text() == f"{len(level.chunks):,} chunks"
    choose(see.outline, "bins")
    picture(viewer, session, qtbot)
    assert see.outlined.text() == f"{level.vertex_count:,} bins"
    viewer.dims.ndisplay = 2
    flat = picture(viewer, session, qtbot)
    assert session.layer.outlines.displayed == session.controller.camera.displayed
    assert len(session.layer.outlines.displayed) == 2
    choose(see.outline, "nothing")
    assert (picture(viewer, session, qtbot) != flat).any()
    assert see.outlined.text() == ""
    viewer.dims.ndisplay = 3
    choose(see.level, "automatic")

    # frozen
    session.update_settings(budget=Budget(100_000, 1 << 28), quality_px=8.0)
    picture(viewer, session, qtbot)
    plan, frozen_camera = session.controller.plan, session.controller.camera
    qtbot.mouseClick(see.freeze, LEFT)
    viewer.scene.camera.zoom *= 6
    viewer.scene.camera.angles = (30.0, 20.0, 60.0)
    image = picture(viewer, session, qtbot)
    assert session.controller.plan is plan
    assert session.controller.camera is frozen_camera
    assert "fly around" in see.frozen.text()
    assert (image == 255).all(axis=-1).sum() > 50
    assert session.stats().hole_frames == 0
    qtbot.mouseClick(see.freeze, LEFT)
    assert not session.frozen
    picture(viewer, session, qtbot)
    assert session.controller.plan is not plan
    assert session.layer.outlines is None
    session.close()
    viewer.layers.clear()

    # objects, drawn at one level each
    make_store("skeleton", tmp_path / "s", chunk_shape=(30.0,) * 3, bin_shape=(7.5,) * 3)
    build_pyramid(tmp_path / "s", factors=[2.0])
    session = open_store(viewer, tmp_path / "s")
    assert session.wait(60)
    choose(see.level, "1")
    choose(see.colour, "level drawn")
    image = picture(viewer, session, qtbot)
    assert tuple(level_colours(np.array([1]))[0].tolist()) in colours_in(image)
    assert [text.split(":")[0] for text in texts(see.legend)] == ["level 1"]
    assert f" {session.stats().vertices_drawn:,} vertices" in texts(see.legend)[0]
    if folder := os.environ.get("ZV_PICTURES"):
        dock.grab().save(f"{folder}/see.png")
        choose(see.outline, "chunks")
        picture(viewer, session, qtbot)
        viewer.screenshot(f"{folder}/see-canvas.png", canvas_only=True, flash=False)
    session.use_layers("standard")
    assert not see.colour.isEnabled()
    assert "fast layers" in see.frozen.text()

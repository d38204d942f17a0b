"""Attributes written from the dock, as a user does it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from zarr_vectors import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import make_store
from zv_viewer.model.settings import Budget
from zv_viewer.session import open_store
from zv_viewer.session.editing import editing_of
from zv_viewer.widgets.write_attribute import WRITE_DOCK, WriteAttribute

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module", params=[pytest.param("0.7.0", marks=pytest.mark.once), "0.9.2"])
def made(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Points that belong to objects, and streamlines, each with a coarse level."""
    folder = tmp_path_factory.mktemp("written")
    for kind in ("points", "streamline"):
        make_store(kind, folder / kind, format_version=request.param)
        build_pyramid(folder / kind, factors=[(2.0, 1.0)])
    return folder


def shown(make_napari_viewer, place: Path, monkeypatch, cache: Path):
    monkeypatch.setenv("ZV_VIEWER_CACHE", str(cache))
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, place)
    assert session.wait(60)
    session.update_settings(budget=Budget(100_000, 1 << 28), level_lock=0)
    dock = WriteAttribute(viewer)
    viewer.window.add_dock_widget(dock, name=WRITE_DOCK, area="right")
    assert session.wait(60)
    return viewer, session, dock


def typed(qtbot, widget, text: str) -> None:
    widget.native.clear()
    qtbot.keyClicks(widget.native, text)


def clicked(qtbot, button, editing) -> None:
    """Click, and wait until the worker is done."""
    qtbot.waitUntil(lambda: button.enabled, timeout=30_000)
    qtbot.mouseClick(button.native, LEFT)
    qtbot.waitUntil(lambda: not editing.busy, timeout=30_000)


def contents(place: Path) -> dict[str, bytes]:
    files = [file for file in place.rglob("*") if file.is_file()]
    return {file.relative_to(place).as_posix(): file.read_bytes() for file in files}


def picture(viewer, name: str) -> None:
    """Keep a picture of the window, where ``ZV_PICTURES`` names a folder."""
    folder = os.environ.get("ZV_PICTURES")
    if folder:
        viewer.window.screenshot(f"{folder}/{name}.png", canvas_only=False, flash=False)


def coloured_by(session) -> str | None:
    return None if session.colours is None else session.colours.attribute


def reread(session, qtbot, check: Callable[[], bool]) -> None:
    qtbot.waitUntil(check, timeout=30_000)
    assert session.wait(60)


def test_an_expression_is_rehearsed_written_coloured_and_undone(
    make_napari_viewer, qtbot, made: Path, tmp_path: Path, monkeypatch
) -> None:
    place = tmp_path / "points"
    shutil.copytree(made / "points", place)
    before = contents(place)
    viewer, session, dock = shown(make_napari_viewer, place, monkeypatch, tmp_path / "cache")
    editing = editing_of(session)
    assert dock.store.value == session.layer.name
    assert not dock.write.enabled
    clicked(qtbot, dock.rehearse, editing)
    assert "name" in dock.outcome.value
    typed(qtbot, dock.new_name, "height")
    typed(qtbot, dock.source.expression, "x.__class__")
    clicked(qtbot, dock.rehearse, editing)
    assert "knows no attributes of objects" in dock.outcome.value
    typed(qtbot, dock.source.expression, "sqrt(x**2 + y**2) + age")
    dock.dtype.value = "float32"
    clicked(qtbot, dock.rehearse, editing)
    assert "240 values, float32" in dock.outcome.value
    assert "chunks: " in dock.outcome.value
    assert contents(place) == before
    told = {change.key for change in editing.dry_run.changes}
    clicked(qtbot, dock.write, editing)
    reread(session, qtbot, lambda: coloured_by(session) == "height")
    after = contents(place)
    assert {key for key in after if after[key] != before.get(key)} == told
    level = open_zv(place)[0]
    x, y, _ = level.vertices.compute().T
    expected = np.sqrt(x**2 + y**2) + level.attributes["age"].compute()
    np.testing.assert_allclose(level.attributes["height"].compute(), expected, rtol=1e-5)
    assert "height" in open_zv(place)[1].attribute_specs
    # the same name once more is refused, until it may be replaced
    typed(qtbot, dock.source.expression, "age > 50")
    dock.dtype.value = "as computed"
    clicked(qtbot, dock.rehearse, editing)
    assert "refused: level 0 has a vertex attribute" in dock.outcome.value
    assert not dock.write.enabled
    qtbot.mouseClick(dock.replace.native, LEFT, pos=QPoint(8, dock.replace.native.height() // 2))
    assert dock.replace.value
    clicked(qtbot, dock.rehearse, editing)
    picture(viewer, "write_attribute")
    clicked(qtbot, dock.write, editing)
    qtbot.waitUntil(lambda: dock.undo.enabled and not session.reloading, timeout=30_000)
    assert open_zv(place)[0].attributes["height"].compute().dtype == np.bool_
    for expected_now in (after, before):
        clicked(qtbot, dock.undo, editing)
        assert contents(place) == expected_now
        qtbot.waitUntil(lambda: not editing.busy and not session.reloading, timeout=30_000)
    assert not dock.undo.enabled
    clicked(qtbot, dock.redo, editing)
    assert contents(place) == after


@pytest.mark.parametrize("made", ["0.9.2"], indirect=True)
def test_a_lasso_labels_what_is_inside(
    make_napari_viewer, qtbot, made: Path, tmp_path: Path, monkeypatch
) -> None:
    place = tmp_path / "points"
    shutil.copytree(made / "points", place)
    _, session, dock = shown(make_napari_viewer, place, monkeypatch, tmp_path / "cache")
    editing = editing_of(session)
    typed(qtbot, dock.new_name, "chosen")
    dock.source.way.value = "lasso"
    typed(qtbot, dock.source.inside, "in")
    typed(qtbot, dock.source.outside, "out")
    clicked(qtbot, dock.rehearse, editing)
    assert "draw a lasso first" in dock.outcome.value
    qtbot.mouseClick(dock.source.draw.native, LEFT)
    lasso = dock.source.lasso
    size = lasso.size()
    corners = [(0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98)]
    points = [QPoint(int(size.width() * x), int(size.height() * y)) for x, y in corners]
    qtbot.mousePress(lasso, LEFT, pos=points[0])
    for point in points[1:]:
        qtbot.mouseMove(lasso, point)
    qtbot.mouseRelease(lasso, LEFT, pos=points[-1])
    assert "corners" in dock.source.draw.text
    clicked(qtbot, dock.rehearse, editing)
    assert "2 categories" in dock.outcome.value
    clicked(qtbot, dock.write, editing)
    reread(session, qtbot, lambda: coloured_by(session) == "chosen")
    values = open_zv(place)[0].attributes["chosen"].compute()
    share = (values == "in").mean()
    assert 0.2 < share < 0.8, share  # half of the canvas, the camera looks at the middle


def test_a_table_of_objects_and_the_selection(
    make_napari_viewer, qtbot, made: Path, tmp_path: Path, monkeypatch
) -> None:
    place = tmp_path / "streamline"
    shutil.copytree(made / "streamline", place)
    table = tmp_path / "grades.csv"
    table.write_text("id,grade\n" + "".join(f"{oid},{oid * 10}\n" for oid in range(5)))
    viewer, session, dock = shown(make_napari_viewer, place, monkeypatch, tmp_path / "cache")
    editing = editing_of(session)
    dock.scope.value = "object"
    typed(qtbot, dock.new_name, "grade")
    dock.source.way.value = "file"
    dock.source.file.value = table
    assert not dock.source.column.choices  # read in a thread
    qtbot.waitUntil(lambda: "grade" in dock.source.column.choices, timeout=10_000)
    dock.source.column.value = "grade"
    dock.source.by.value = "object id"
    dock.source.ids.value = "id"
    clicked(qtbot, dock.rehearse, editing)
    assert "1 of 6 objects have no row in grades.csv" in dock.outcome.value
    dock.source.lax.value = True
    clicked(qtbot, dock.rehearse, editing)
    assert "note: 1 of 6 objects have no row in grades.csv" in dock.outcome.value
    picture(viewer, "write_objects")
    clicked(qtbot, dock.write, editing)
    reread(session, qtbot, lambda: session.objects.coloured_by == "grade")
    found = open_zv(place)[0].object_attribute("grade", masked=True)
    assert found.tolist() == [0, 10, 20, 30, 40, None]
    viewer.add_points(np.zeros((6, 3)), features={"mark": list("abcabc")}, name="marks")
    typed(qtbot, dock.new_name, "mark")
    dock.source.way.value = "features of a layer"
    assert dock.source.layer.value == "marks"
    dock.source.column.value = "mark"
    dock.source.by.value = "row"
    clicked(qtbot, dock.rehearse, editing)
    assert "6 values, 3 categories" in dock.outcome.value
    clicked(qtbot, dock.write, editing)
    reread(session, qtbot, lambda: session.objects.coloured_by == "mark")
    assert open_zv(place)[1].object_attribute("mark").tolist() == list("abcabc")
    session.objects.select([1, 3])
    dock.scope.value = "vertex"
    typed(qtbot, dock.new_name, "picked")
    dock.source.way.value = "selected objects"
    clicked(qtbot, dock.rehearse, editing)
    clicked(qtbot, dock.write, editing)
    reread(session, qtbot, lambda: coloured_by(session) == "picked")
    assert open_zv(place)[0].attributes["picked"].compute().sum() == 80


@pytest.mark.parametrize("made", ["0.9.2"], indirect=True)
def test_read_only_stores_say_so_before_any_work(
    make_napari_viewer, qtbot, made: Path, tmp_path: Path, monkeypatch
) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "s.zarrvectors"), "zip", made / "points"))
    _, session, dock = shown(make_napari_viewer, archive, monkeypatch, tmp_path / "cache")
    qtbot.waitUntil(lambda: "cannot be written to" in dock.outcome.value, timeout=30_000)
    assert not dock.rehearse.enabled
    assert editing_of(session).refusal

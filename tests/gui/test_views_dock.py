"""The dock of views as a user works it: one window, a store of each format."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from imageio.v3 import imread
from qtpy.QtCore import Qt

from zarr_vectors import build_pyramid, open_zv
from zarr_vectors.testing.kinds import make_store
from zarr_vectors.types.polylines import read_polylines
from zv_viewer import load_view, save_view
from zv_viewer.errors import InputError
from zv_viewer.layers.view import read_view
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.rows import ValueRange
from zv_viewer.session import open_store, sessions_in
from zv_viewer.session.filtering import filtering_of
from zv_viewer.session.sizing import SizeSpec, sizing_of
from zv_viewer.views.saving import ViewFiles
from zv_viewer.widgets.views_dock import ViewsDock

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton
WIDE = {"chunk_shape": (40.0,) * 3, "bin_shape": (20.0,) * 3}
STEADY = LodSettings(Budget(100_000, 1 << 28, 1 << 28), hysteresis=0.0)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Points of one format, streamlines of the other."""
    folder = tmp_path_factory.mktemp("views")
    made = {}
    for kind, version in (("points", "0.7.0"), ("streamline", "0.9.2")):
        made[kind] = folder / f"{kind}.zarrvectors"
        make_store(kind, made[kind], format_version=version, **WIDE)
        build_pyramid(made[kind], factors=[(2, 1)])
    return made


@pytest.fixture
def dock(shared_viewer, qtbot) -> Iterator[ViewsDock]:
    found = ViewsDock(shared_viewer, ViewFiles(shared_viewer))
    found.resize(420, 760)
    qtbot.addWidget(found)
    found.show()
    yield found
    for session in sessions_in(shared_viewer.layers):
        session.close()


def typed(qtbot, line, text: object) -> None:
    line.clear()
    qtbot.keyClicks(line, str(text))


def pressed(qtbot, button) -> None:
    assert button.isEnabled()
    qtbot.mouseClick(button, LEFT)


def until_said(qtbot, label, what: str) -> None:
    qtbot.waitUntil(lambda: what in label.text(), timeout=60_000)


def picture(viewer) -> np.ndarray:
    for session in sessions_in(viewer.layers):
        assert session.wait(60)
        session.draw_anew()
        assert session.wait(60)
    return viewer.screenshot(canvas_only=True, flash=False)


def test_a_view_comes_back_as_it_was(
    shared_viewer, dock: ViewsDock, qtbot, stores, tmp_path: Path
) -> None:
    viewer, file = shared_viewer, tmp_path / "view.json"
    points = open_store(viewer, stores["points"], settings=STEADY)
    assert points.wait(60)
    lines = open_store(viewer, stores["streamline"])
    assert lines.wait(60)
    points.color_by("age", colormap="magma", limits=(0, 50))
    sizing_of(points).choose("vertex", "age", limits=(0, 90), pixels=(2.0, 9.0))
    lines.objects.load()
    qtbot.waitUntil(lambda: lines.objects.answer is not None, timeout=60_000)
    lines.objects.select([1, 3])
    lines.objects.hide()
    lines.objects.colour_by("size", colormap="plasma")
    rule = ValueRange("age", 20.0, 90.0)
    filtering_of(points).set_rules([rule])
    points.update_settings(level_lock=0)
    viewer.scene.camera.angles = (10.0, 20.0, 80.0)
    viewer.scene.camera.zoom *= 1.5
    home, before = read_view(viewer), picture(viewer)
    assert len(np.unique(before.reshape(-1, 4), axis=0)) > 10

    typed(qtbot, dock.view.file, file)
    pressed(qtbot, dock.view.save)
    until_said(qtbot, dock.view.told, f"saved as {file}")
    saved = json.loads(file.read_text())
    assert [layer["name"] for layer in saved["layers"]] == ["points", "streamline"]
    assert saved["layers"][1]["objects"]["hidden"] == [[1, 1], [3, 3]]

    points.close()
    viewer.layers.remove(points.layer)  # to be opened again; the lines are still there
    lines.objects.show_all()
    lines.objects.colour_by(None)
    viewer.scene.camera.zoom *= 3
    viewer.scene.camera.angles = (0.0, 0.0, 0.0)
    pressed(qtbot, dock.view.open)
    until_said(qtbot, dock.view.told, "the view is shown")
    again = sessions_in(viewer.layers)
    assert [session.layer.name for session in again] == ["points", "streamline"]
    assert again[1] is lines
    assert sizing_of(again[0]).spec == SizeSpec("vertex", "age", (0.0, 90.0), (2.0, 9.0))
    assert filtering_of(again[0]).rules == (rule,)
    assert again[0].settings.level_lock == 0
    assert lines.objects.selected_ids.tolist() == [1, 3]
    now = read_view(viewer)
    assert now.zoom == home.zoom
    assert now.angles == home.angles
    np.testing.assert_array_equal(picture(viewer), before)


@pytest.mark.once
def test_from_a_program(shared_viewer, qtbot, stores, tmp_path: Path) -> None:
    viewer, file = shared_viewer, tmp_path / "view.json"
    session = open_store(viewer, stores["points"], settings=STEADY)
    assert session.wait(60)
    session.color_by("rgb")
    saved = save_view(viewer, file)
    assert saved.layers[0].colours.attribute == "rgb"
    session.color_by(None)
    restoring = load_view(viewer, file)
    assert restoring.wait()
    assert restoring.sessions == (session,)
    assert session.colours.attribute == "rgb"
    with pytest.raises(InputError, match="1 stores; 2 are given"):
        load_view(viewer, file, stores=["a", "b"])
    elsewhere = load_view(viewer, file, stores=[str(stores["streamline"])])
    assert not elsewhere.wait()
    assert "has changed" in elsewhere.error
    assert session.layer.visible
    assert [one.layer for one in sessions_in(viewer.layers)] == [session.layer]
    gone = load_view(viewer, file, stores=[str(tmp_path / "nowhere")])
    assert not gone.wait()
    assert "nowhere" in gone.error
    assert session.is_open
    session.close()


def test_a_changed_store_is_refused_then_shown(
    shared_viewer, dock: ViewsDock, qtbot, tmp_path: Path
) -> None:
    viewer, file, place = shared_viewer, tmp_path / "view.json", tmp_path / "store"
    make_store("points", place, format_version="0.9.2", **WIDE)
    first = open_store(viewer, place)
    assert first.wait(60)
    typed(qtbot, dock.view.file, file)
    pressed(qtbot, dock.view.save)
    until_said(qtbot, dock.view.told, "saved as")
    first.close()
    viewer.layers.remove(first.layer)
    level = open_zv(place)[0]
    with level.writer() as writer:
        writer.add_attribute_sync("more", np.zeros(level.vertex_count, "f4"))
    assert not dock.view.force.isVisible()
    pressed(qtbot, dock.view.open)
    until_said(qtbot, dock.view.told, "has changed since the view was saved")
    assert "the attribute 'more' is new" in dock.view.told.text()
    assert not viewer.layers
    pressed(qtbot, dock.view.force)
    until_said(qtbot, dock.view.told, "'more' is new")
    qtbot.waitUntil(lambda: bool(sessions_in(viewer.layers)), timeout=60_000)
    qtbot.waitUntil(lambda: viewer.layers[0].visible, timeout=60_000)
    file.write_text('{"format": "zv-view-state", "version": 1, "run": "me"}')
    pressed(qtbot, dock.view.open)
    until_said(qtbot, dock.view.told, "holds no view")
    assert len(sessions_in(viewer.layers)) == 1


@pytest.mark.once
def test_a_way_is_recorded_flown_and_made_a_movie(
    shared_viewer, dock: ViewsDock, qtbot, stores, tmp_path: Path
) -> None:
    viewer, panel = shared_viewer, dock.path
    session = open_store(viewer, stores["points"], settings=STEADY)
    assert session.wait(60)
    start = viewer.scene.camera.zoom
    pressed(qtbot, panel.add)
    viewer.scene.camera.zoom = 2 * start
    panel.seconds.setValue(0.4)
    pressed(qtbot, panel.add)
    assert [panel.list.item(row).text()[:6] for row in range(2)] == ["1: at ", "2: at "]
    typed(qtbot, panel.file, tmp_path / "way.json")
    pressed(qtbot, panel.save)
    until_said(qtbot, panel.told, "saved as")
    pressed(qtbot, panel.remove)
    assert panel.list.count() == 1
    pressed(qtbot, panel.open)
    until_said(qtbot, panel.told, "2 keyframes, 0.4 s")
    with qtbot.waitSignal(panel.list.itemDoubleClicked):
        panel.list.itemDoubleClicked.emit(panel.list.item(0))
    assert viewer.scene.camera.zoom == pytest.approx(start)
    pressed(qtbot, panel.play)
    qtbot.waitUntil(lambda: panel.play.text() == "Play", timeout=20_000)
    assert viewer.scene.camera.zoom == pytest.approx(2 * start)
    viewer.scene.camera.zoom = start
    panel.rate.setValue(5)
    typed(qtbot, panel.movie, tmp_path / "movie")
    pressed(qtbot, panel.make)
    until_said(qtbot, panel.told, "the movie is")
    frames = sorted(path.name for path in (tmp_path / "movie").iterdir())
    assert frames == ["00001.png", "00002.png", "00003.png"]
    shots = [imread(tmp_path / "movie" / name).astype(int) for name in frames]
    assert all(np.abs(one - other).max() > 0 for one, other in pairwise(shots))
    assert viewer.scene.camera.zoom == pytest.approx(start)
    typed(qtbot, panel.movie, tmp_path / "movie.mp4")
    pressed(qtbot, panel.make)
    until_said(qtbot, panel.told, "movie")
    panel.cancel.click()


@pytest.mark.once
def test_rows_go_to_other_programs(
    shared_viewer, dock: ViewsDock, qtbot, stores, tmp_path: Path
) -> None:
    viewer, panel = shared_viewer, dock.export
    session = open_store(viewer, stores["streamline"])
    assert session.wait(60)
    typed(qtbot, panel.file, tmp_path / "all.csv")
    pressed(qtbot, panel.export)
    until_said(qtbot, panel.told, "vertices are in")
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    whole = read_polylines(stores["streamline"])
    assert list(rows[0]) == ["x", "y", "z", "age", "object"]
    assert len(rows) == whole.vertex_count
    got = np.array(sorted([float(row[name]) for name in "xyz"] for row in rows), np.float32)
    np.testing.assert_array_equal(got, np.array(sorted(whole.positions.tolist()), np.float32))

    session.objects.load()
    qtbot.waitUntil(lambda: session.objects.answer is not None, timeout=60_000)
    panel.what.setCurrentIndex(1)
    pressed(qtbot, panel.export)
    until_said(qtbot, panel.told, "no object is selected")
    session.objects.select([4, 2])
    part = tmp_path / "part.zarrvectors"
    typed(qtbot, panel.file, part)
    pressed(qtbot, panel.export)
    until_said(qtbot, panel.told, "vertices are in")
    found = read_polylines(part, attribute_names=["age"])
    wanted = read_polylines(stores["streamline"], object_ids=[2, 4], attribute_names=["age"])
    np.testing.assert_array_equal(found.positions, wanted.positions)
    np.testing.assert_array_equal(found.vertex_attributes["age"], wanted.vertex_attributes["age"])
    copied = open_zv(part)
    assert [group.tolist() for group in copied[0].groups] == [[0], [], []]
    assert copied.zv_version == "0.9.2"
    assert copied[0].object_attribute("source_id").tolist() == [2, 4]
    assert copied[0].object_attribute("size").tolist() == [3.0, 6.0]

    parquet = pytest.importorskip("pyarrow.parquet")
    typed(qtbot, panel.file, tmp_path / "two.parquet")
    pressed(qtbot, panel.export)
    until_said(qtbot, panel.told, "two.parquet")
    table = parquet.read_table(tmp_path / "two.parquet")
    assert set(table["object"].to_pylist()) == {2, 4}
    assert table.num_rows == wanted.vertex_count
    assert dock.grab().save(str(tmp_path / "dock.png"))

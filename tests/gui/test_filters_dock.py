"""Filters of vertices as a user sets them up, and clicks on the canvas."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QLabel

from zarr_vectors import open_zv
from zarr_vectors.testing.kinds import make_store
from zv_viewer.layers.camera import camera_of
from zv_viewer.model.settings import Budget
from zv_viewer.session import open_store
from zv_viewer.session.filtering import filtering_of
from zv_viewer.session.picking import picking_of
from zv_viewer.sources.store import StoreSource
from zv_viewer.widgets.filters_dock import FiltersDock
from zv_viewer.widgets.lasso import Lasso, canvas_of
from zv_viewer.widgets.row_filters import BALL, BOX, LASSO, SHARE

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton
WIDE = {"chunk_shape": (30.0,) * 3, "bin_shape": (15.0,) * 3}
KINDS = ("points", "streamline", "skeleton", "mesh")
LINKED_ONCE = ("points", *(pytest.param(kind, marks=pytest.mark.once) for kind in KINDS[1:]))


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """A store of each kind and format, made once."""
    made: dict[tuple[str, str], Path] = {}

    def store(kind: str, version: str = "0.7.0") -> Path:
        if (kind, version) not in made:
            place = tmp_path_factory.mktemp("filters") / f"{kind}-{version}"
            make_store(kind, place, format_version=version, **WIDE)
            made[kind, version] = place
        return made[kind, version]

    return store


def shown(viewer, qtbot, place: Path):
    session = open_store(viewer, place)
    assert session.wait(60)
    session.update_settings(budget=Budget(100_000, 1 << 28), level_lock=0)
    assert session.wait(60)
    dock = FiltersDock(viewer)
    qtbot.addWidget(dock)
    dock.show()
    return session, dock


def add(dock: FiltersDock, qtbot, target):
    """A line for an attribute, or one of the words."""
    qtbot.mouseClick(dock.filters.add, LEFT)
    line = dock.filters.lines[-1]
    place = [line.target.itemData(k) for k in range(line.target.count())].index(target)
    line.target.setCurrentIndex(place)
    return line


def level_0(place: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Positions and values of all vertices stored, once each."""
    store = open_zv(place)
    level = store[0]
    names = tuple(level.attribute_specs)
    rows = level.read_chunks(level.chunk_table.coords, attributes=names)
    positions = np.concatenate([part.positions for part in rows.values()])
    values = {n: np.concatenate([part.attributes[n] for part in rows.values()]) for n in names}
    return positions, values


def drawn_rows(session) -> int:
    return session.stats().vertices_drawn


def settled(session, qtbot) -> None:
    filtering = filtering_of(session)
    assert session.wait(60)
    qtbot.waitUntil(lambda: not filtering.busy and filtering.counted is not None, timeout=60_000)


@pytest.mark.parametrize("version", [pytest.param("0.7.0", marks=pytest.mark.once), "0.9.2"])
@pytest.mark.parametrize("kind", LINKED_ONCE)
def test_what_is_typed_is_counted_as_by_hand(
    shared_viewer, qtbot, stores, kind: str, version: str
) -> None:
    place = stores(kind, version)
    viewer = shared_viewer
    session, dock = shown(viewer, qtbot, place)
    positions, values = level_0(place)
    total = f"{len(positions):,} vertices, counted on level 0"
    line = add(dock, qtbot, ("age", 0))
    qtbot.keyClicks(line.editor.low, "20")
    qtbot.keyClicks(line.editor.high, "60")
    kept = (values["age"] >= 20) & (values["age"] <= 60)
    settled(session, qtbot)
    assert dock.counts.text() == f"{kept.sum():,} of {total}"
    line.way.setCurrentIndex(1)
    settled(session, qtbot)
    assert dock.counts.text() == f"{(~kept).sum():,} of {total}"
    box = add(dock, qtbot, (BOX, 0))
    qtbot.keyClicks(box.editor.low[0], "-10")
    qtbot.keyClicks(box.editor.high[1], "25.5")
    both = ~kept & (positions[:, 0] >= -10) & (positions[:, 1] <= 25.5)
    settled(session, qtbot)
    assert dock.counts.text() == f"{both.sum():,} of {total}"
    if kind != "streamline":  # copies of a vertex that paths share are drawn each
        assert drawn_rows(session) == both.sum()
    qtbot.mouseClick(line.remove, LEFT)
    qtbot.mouseClick(box.remove, LEFT)
    ball = add(dock, qtbot, (BALL, 0))
    for edit, text in zip(ball.editor.centre, ("5", "-5", ""), strict=True):
        edit.clear()
        qtbot.keyClicks(edit, text)
    qtbot.keyClicks(ball.editor.radius, "30")
    inside = ((positions[:, :2] - (5, -5)) ** 2).sum(axis=1) <= 900
    settled(session, qtbot)
    assert dock.counts.text() == f"{inside.sum():,} of {total}"
    assert 0 < inside.sum() < len(positions)


def test_categories_are_ticked_and_a_share_is_set(shared_viewer, qtbot, stores) -> None:
    place = stores("points")
    viewer = shared_viewer
    session, dock = shown(viewer, qtbot, place)
    _, values = level_0(place)
    names = session.scene.attribute("kind").categories
    line = add(dock, qtbot, ("kind", 0))
    line.editor.list.item(names.index("bb")).setCheckState(Qt.CheckState.Checked)
    settled(session, qtbot)
    kept = int((values["kind"] == names.index("bb")).sum())
    assert kept == drawn_rows(session)
    assert dock.counts.text().startswith(f"{kept} of 240 vertices")
    qtbot.mouseClick(line.remove, LEFT)
    share = add(dock, qtbot, (SHARE, 0))
    counted = []
    for percent in (30, 60, 30):
        share.editor.percent.setValue(percent)
        settled(session, qtbot)
        counted.append(filtering_of(session).counted.kept)
        assert drawn_rows(session) == counted[-1]
    assert counted[0] == counted[2] < counted[1] < 240
    qtbot.mouseClick(share.remove, LEFT)
    assert session.wait(60)
    assert drawn_rows(session) == 240
    assert not dock.counts.isVisible()


def test_an_outline_is_drawn_with_the_mouse(shared_viewer, qtbot, stores) -> None:
    place = stores("points")
    viewer = shared_viewer
    session, dock = shown(viewer, qtbot, place)
    positions, _ = level_0(place)
    canvas = canvas_of(viewer)
    line = add(dock, qtbot, (LASSO, 0))
    qtbot.mouseClick(line.editor.button, LEFT)
    lasso = canvas.findChild(Lasso)
    assert lasso is dock.lasso
    width, height = lasso.width(), lasso.height()
    corners = np.array([(0.3, 0.3), (0.7, 0.35), (0.65, 0.7), (0.4, 0.6)])
    places = [QPoint(round(x * width), round(y * height)) for x, y in corners]
    centre_before = viewer.scene.camera.center
    qtbot.mousePress(lasso, LEFT, pos=places[0])
    for at in places[1:]:
        qtbot.mouseMove(lasso, at)
    viewer.screenshot(flash=False)
    qtbot.mouseRelease(lasso, LEFT, pos=places[-1])
    settled(session, qtbot)
    assert viewer.scene.camera.center == centre_before
    camera = camera_of(viewer, session.layer)
    axes = list(camera.displayed)
    clip = np.c_[positions[:, axes], np.ones(len(positions))] @ camera.matrix.T
    on = clip[:, :2] / clip[:, 3:]
    polygon = np.array([(p.x() / width * 2 - 1, 1 - p.y() / height * 2) for p in places])
    side = np.roll(polygon, -1, axis=0) - polygon
    turned = [
        side[k, 0] * (on[:, 1] - polygon[k, 1]) - side[k, 1] * (on[:, 0] - polygon[k, 0])
        for k in range(4)
    ]
    inside = (np.array(turned) <= 0).all(axis=0)  # corners go clockwise
    assert 0 < inside.sum() < len(positions)
    assert filtering_of(session).counted.kept == inside.sum()
    assert drawn_rows(session) == inside.sum()


def test_escape_gives_an_outline_up(shared_viewer, qtbot, stores) -> None:
    viewer = shared_viewer
    session, dock = shown(viewer, qtbot, stores("points"))
    line = add(dock, qtbot, (LASSO, 0))
    qtbot.mouseClick(line.editor.button, LEFT)
    qtbot.keyClick(dock.lasso, Qt.Key.Key_Escape)
    assert filtering_of(session).rules == ()
    assert line.rule() is None


def test_hidden_objects_do_not_count(shared_viewer, qtbot, stores) -> None:
    viewer = shared_viewer
    session, dock = shown(viewer, qtbot, stores("skeleton"))
    session.objects.load()
    qtbot.waitUntil(lambda: session.objects.table is not None and not session.objects.busy)
    session.objects.select([0, 1])
    session.objects.isolate()
    line = add(dock, qtbot, ("age", 0))
    qtbot.keyClicks(line.editor.low, "0")
    settled(session, qtbot)
    own = session.objects.table.vertices[:2].sum()
    assert filtering_of(session).counted.kept == own
    session.objects.show_all()
    qtbot.waitUntil(lambda: filtering_of(session).counted is not None)
    settled(session, qtbot)
    assert filtering_of(session).counted.kept == filtering_of(session).counted.of


@pytest.mark.parametrize("kind", LINKED_ONCE)
def test_what_is_left_out_is_not_seen(shared_viewer, qtbot, stores, kind) -> None:
    viewer = shared_viewer
    session, dock = shown(viewer, qtbot, stores(kind))

    def lit() -> int:
        image = viewer.screenshot(canvas_only=True, flash=False)
        return int((image[..., :3].max(axis=-1) > 40).sum())

    everything = lit()
    assert everything > 100
    line = add(dock, qtbot, ("age", 0))
    qtbot.keyClicks(line.editor.low, "93.5")
    settled(session, qtbot)
    assert lit() < everything / 5
    line.way.setCurrentIndex(1)
    settled(session, qtbot)
    assert everything / 3 < lit() < everything
    qtbot.mouseClick(line.remove, LEFT)
    assert session.wait(60)
    assert lit() == everything


def test_a_filter_stays_when_the_store_is_read_anew(shared_viewer, qtbot, tmp_path: Path) -> None:
    make_store("points", tmp_path / "store", **WIDE)
    session, dock = shown(shared_viewer, qtbot, tmp_path / "store")
    line = add(dock, qtbot, ("age", 0))
    qtbot.keyClicks(line.editor.low, "50")
    settled(session, qtbot)
    make_store("points", tmp_path / "other", seed=1, **WIDE)
    shutil.rmtree(tmp_path / "store")
    (tmp_path / "other").rename(tmp_path / "store")
    with qtbot.waitSignal(session.reloaded, timeout=60_000):
        session.reload()
    settled(session, qtbot)
    _, values = level_0(tmp_path / "store")
    kept = int((values["age"] >= 50).sum())
    assert filtering_of(session).counted.kept == kept == drawn_rows(session)


@pytest.mark.parametrize("kind", KINDS)
def test_a_click_says_what_is_there(shared_viewer, qtbot, stores, kind) -> None:
    viewer = shared_viewer
    place = stores(kind)
    session, dock = shown(viewer, qtbot, place)
    if session.objects is not None:
        session.objects.load()
        qtbot.waitUntil(lambda: session.objects.table is not None and not session.objects.busy)
    positions, values = level_0(place)
    camera = camera_of(viewer, session.layer)
    ratio = session.layer.pixel_ratio()
    axes = list(camera.displayed)
    clip = np.c_[positions[:, axes], np.ones(len(positions))] @ camera.matrix.T
    pixels = (clip[:, :2] / clip[:, 3:] * (1, -1) + 1) * np.array(camera.viewport) / 2
    x, y = np.rint(pixels[len(pixels) // 2] / ratio).astype(int).tolist()
    viewer.layers.selection.active = session.layer
    picking = picking_of(session, viewer)
    with qtbot.waitSignal(picking.picked, timeout=60_000):
        qtbot.mouseClick(canvas_of(viewer), LEFT, pos=QPoint(x, y))
    assert picking.last is not None
    what = picking.last.what
    near = np.hypot(*(pixels - pixels[len(pixels) // 2]).T)
    away = np.linalg.norm(positions - what.shown.position, axis=1)
    assert away.min() < 1e-4
    assert session.layer.marked == what.shown.position
    red, green, blue = np.moveaxis(viewer.screenshot(flash=False)[..., :3], -1, 0)
    ring = np.argwhere((red > 120) & (green > 90) & (blue < 40) & (red > green))
    middle = pixels[away.argmin()][::-1]
    if kind == "points":
        assert len(ring)
        assert np.allclose(ring.mean(axis=0), middle, atol=3)
    if kind == "points":
        assert near[away.argmin()] < 4 * ratio
    assert what.shown.values["age"] == (int(values["age"][away.argmin()]),)
    text = " ".join(label.text() for label in dock.what.findChildren(QLabel))
    for word in ("chunk", "level shown", "level wanted", "not finer", "age"):
        assert word in text
    if kind != "points":
        assert session.objects.selected_ids.tolist() == [what.shown.object_id]
        assert "object's size" in text
    with qtbot.waitSignal(picking.picked, timeout=60_000):
        qtbot.mouseClick(canvas_of(viewer), LEFT, pos=QPoint(2, 2))
    assert picking.last is None
    assert session.layer.marked is None


def test_what_a_level_lacks_for_a_filter_is_said_on_the_canvas(
    make_napari_viewer: Callable, qtbot, small_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = StoreSource.read

    def without(self, level, chunks, attributes=()):
        return read(self, level, chunks, attributes if level == 0 else ())

    known = StoreSource.attributes_of
    monkeypatch.setattr(StoreSource, "read", without)
    monkeypatch.setattr(
        StoreSource,
        "attributes_of",
        lambda self, level: known(self, level) if level == 0 else frozenset(),
    )
    viewer = make_napari_viewer(show=True)
    session, dock = shown(viewer, qtbot, small_store)
    note = viewer.canvas.overlays["text"]
    session.update_settings(level_lock=2)
    assert session.wait(20)
    assert not note.visible
    line = add(dock, qtbot, ("intensity", 0))
    qtbot.keyClicks(line.editor.low, "1")
    settled(session, qtbot)
    qtbot.waitUntil(lambda: note.visible)
    assert "level 2 has no 'intensity' to filter by and is not drawn" in note.text
    session.update_settings(level_lock=0)
    assert session.wait(20)
    qtbot.waitUntil(lambda: not note.visible)
    session.update_settings(level_lock=2)
    qtbot.waitUntil(lambda: note.visible)
    qtbot.mouseClick(line.remove, LEFT)
    qtbot.waitUntil(lambda: not note.visible)

"""The appearance dock, used as a person does: what is set is seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from zarr_vectors.testing.kinds import make_store
from zv_viewer.drawing.palette import colours_of_ids
from zv_viewer.objects import ID
from zv_viewer.session import sessions_in
from zv_viewer.session.sizing import sizing_of
from zv_viewer.widgets.appearance import APPEARANCE_DOCK
from zv_viewer.widgets.look import BY_ATTRIBUTE, BY_VALUE, FIXED
from zv_viewer.widgets.show_store import show_store

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton
WIDE = {"chunk_shape": (60.0,) * 3, "bin_shape": (30.0,) * 3}


@pytest.fixture
def shown(make_napari_viewer: Callable, qtbot, tmp_path: Path):
    def show(kind: str, place: Path | None = None):
        if place is None:
            place = tmp_path / "store"
            make_store(kind, place, **WIDE)
        viewer = make_napari_viewer(show=True)
        session = show_store(viewer, place)
        assert session.wait(20)
        viewer.canvas.overlays.scale_bar.visible = False
        return viewer, session, viewer.window.dock_widgets[APPEARANCE_DOCK]

    return show


def picture(viewer) -> np.ndarray:
    for _ in range(4):
        QApplication.processEvents()
    seen = [session for session in sessions_in(viewer.layers) if session.layer.visible]
    assert all(session.wait(20) for session in seen)
    return viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)


def lit(viewer) -> int:
    return int((picture(viewer).max(axis=-1) > 30).sum())


def test_points_are_sized_and_seen_through(shown, small_store: Path) -> None:
    viewer, _, dock = shown("points", small_store)
    look = dock.look
    assert look.density.isVisibleTo(look)
    assert not look.width.isVisibleTo(look)
    assert not look.shaded.isVisibleTo(look)
    look.sizes.setCurrentText(FIXED)
    look.least.setValue(2.0)
    small = lit(viewer)
    look.least.setValue(8.0)
    assert lit(viewer) > 3 * small
    bright = picture(viewer).max()
    look.opacity.setValue(0.2)
    assert viewer.layers[0].opacity == pytest.approx(0.2)
    faint = picture(viewer)
    assert faint[faint.max(axis=-1) > 0].mean() < 0.7 * bright
    viewer.layers[0].opacity = 0.6
    assert look.opacity.value() == pytest.approx(0.6)


def test_size_follows_the_value_without_an_upload(shown, small_store: Path) -> None:
    viewer, session, dock = shown("points", small_store)
    written = []
    rows = session.layer._drawer.node._rows
    rows.position.set_subdata = lambda *given, **more: written.append(given)
    session.color_by("intensity")
    assert session.wait(20)
    rows.write = written.append
    dock.look.sizes.setCurrentText(BY_VALUE)
    dock.look.least.setValue(1.0)
    dock.look.most.setValue(12.0)
    large = lit(viewer)
    _, high = session.layer.colouring.limits
    session.color_by("intensity", limits=(high, high + 1))
    assert lit(viewer) < large / 3
    assert not written


def test_size_follows_another_attribute_than_the_one_coloured_by(shown, small_store: Path) -> None:
    viewer, session, dock = shown("points", small_store)
    session.color_by("intensity")
    assert session.wait(20)
    look = dock.look
    look.sizes.setCurrentText(BY_ATTRIBUTE)
    assert look.size_by.isVisibleTo(look)
    before = picture(viewer)
    node = session.layer._drawer.node
    columns = []
    add = node._rows.write

    def written(writes):
        columns.extend(write.columns for write in writes)
        add(writes)

    node._rows.write = written
    offered = [look.size_by.attribute.itemText(at) for at in range(look.size_by.attribute.count())]
    other = next(text for text in offered[1:] if "intensity" not in text)
    look.least.setValue(1.0)
    look.most.setValue(14.0)
    look.size_by.attribute.setCurrentText(other)
    assert session.wait(20)
    assert sizing_of(session).spec.limits is not None
    large = lit(viewer)
    assert np.abs(picture(viewer) - before).max() > 20
    assert columns, "the sizes of the cells drawn go to the card"
    assert set(columns) == {frozenset({"a_size"})}, "nothing else does"
    columns.clear()
    low, high = sizing_of(session).spec.limits
    look.size_by.low.setValue(high)
    look.size_by.high.setValue(high + 1)
    look.size_by.high.editingFinished.emit()
    assert lit(viewer) < large / 2, "all are below the range, so small"
    assert not columns
    look.sizes.setCurrentText(FIXED)
    assert sizing_of(session).spec is None
    assert session.wait(20)
    assert "a_size" not in node._rows.columns
    assert low < high


def test_lines_and_faces_have_looks_of_their_own(shown, tmp_path: Path) -> None:
    viewer, session, dock = shown("mesh")
    shaded = picture(viewer)
    assert dock.look.shaded.isChecked()
    dock.look.shaded.setChecked(False)
    assert not session.layer.shaded
    flat = picture(viewer)
    assert flat.sum() > 1.05 * shaded.sum()
    make_store("skeleton", tmp_path / "lines", **WIDE)
    lines = show_store(viewer, tmp_path / "lines")
    assert lines.wait(20)
    assert dock.stores.currentText() == lines.layer.name
    assert not dock.look.shaded.isVisibleTo(dock.look)
    session.layer.visible = False
    thin = lit(viewer)
    widths = lines.layer.line_widths
    if widths[1] >= 4:
        dock.look.width.setValue(4.0)
        assert lit(viewer) > 2 * thin
    dock.stores.setCurrentIndex(0)
    assert dock.look.shaded.isVisibleTo(dock.look)


def test_colours_of_vertices_and_of_objects(shown, qtbot) -> None:
    viewer, session, dock = shown("skeleton")
    session.objects.colour_by(ID)
    objects = session.objects
    qtbot.waitUntil(lambda: objects.table is not None and not objects.busy)
    colours = dock.colours
    texts = [colours.attribute.itemText(place) for place in range(colours.attribute.count())]
    assert colours.attribute.currentText() == "object"
    own = session.layer.object_colours
    assert np.allclose(own, colours_of_ids(session.scene.objects) / 255)
    assert {"object: size", "object: groups"} <= set(texts)
    colours.attribute.setCurrentText("object: size")
    assert objects.coloured_by == "size"
    assert colours.low.value() == pytest.approx(0.0)
    assert colours.high.value() == pytest.approx(7.5)
    by_size = picture(viewer)
    colours.colormap.setCurrentText("magma")
    assert np.abs(picture(viewer) - by_size).max() > 20
    vertex = session.scene.attributes[0].name
    colours.attribute.setCurrentIndex(1)
    assert objects.coloured_by is None
    assert session.colours.attribute == vertex
    assert not session.layer.objects_coloured


def test_planes_cut_and_are_turned_moved_and_removed(shown, qtbot) -> None:
    viewer, session, dock = shown("mesh")
    planes = dock.planes
    viewer.scene.camera.angles = (0.0, 0.0, 90.0)
    whole = lit(viewer)
    x = session.scene.axis_names.index("x") if "x" in session.scene.axis_names else 2
    name = session.scene.axis_names[x]
    planes.direction.setCurrentText(f"across {name}")
    qtbot.mouseClick(planes.add, LEFT)
    assert planes.planes.count() == 1
    half = picture(viewer).max(axis=-1) > 30
    assert 0.2 * whole < half.sum() < 0.8 * whole
    qtbot.mouseClick(planes.flip, LEFT)
    other = picture(viewer).max(axis=-1) > 30
    assert (half & other).sum() < 0.05 * whole
    assert (half | other).sum() > 0.95 * whole
    planes.place.setValue(0)
    assert lit(viewer) > 0.99 * whole
    planes.place.setValue(900)
    assert lit(viewer) < 0.3 * whole
    planes.planes.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert lit(viewer) == whole
    planes.planes.item(0).setCheckState(Qt.CheckState.Checked)
    qtbot.mouseClick(planes.remove, LEFT)
    assert planes.planes.count() == 0
    assert lit(viewer) == whole
    planes.direction.setCurrentText("facing the camera")
    qtbot.mouseClick(planes.add, LEFT)
    assert "oblique" in planes.planes.item(0).text() or "kept" in planes.planes.item(0).text()
    planes.place.setValue(990)
    assert lit(viewer) < 0.3 * whole


def test_the_slice_is_made_thicker(shown, small_store: Path) -> None:
    viewer, session, dock = shown("points", small_store)
    assert not dock.slab.boxes
    viewer.dims.ndisplay = 2
    assert session.wait(20)
    (axis,) = dock.slab.boxes
    box = dock.slab.boxes[axis]
    assert box.text() == "one step"
    viewer.dims.set_point(axis, session.scene.bounds[:, axis].mean())
    assert session.wait(20)
    thin = lit(viewer)
    box.setValue(100.0)
    assert viewer.dims.margin_left[axis] + viewer.dims.margin_right[axis] == pytest.approx(100.0)
    assert session.wait(20)
    assert lit(viewer) > 1.5 * thin
    if session.scene.axis_units[axis]:
        assert box.suffix().strip() == "µm"

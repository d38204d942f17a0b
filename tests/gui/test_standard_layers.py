"""Stores in layers of napari's own: forced, or because napari's private modules cannot be had."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Points, Shapes, Surface, Tracks
from qtpy.QtCore import Qt

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import make_store
from zv_viewer.layers import factory
from zv_viewer.layers.cells import CellLayer
from zv_viewer.layers.standard_layer import StandardLayer
from zv_viewer.layers.standard_points import StandardPoints
from zv_viewer.model.objects import Look
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.session import open_store
from zv_viewer.session.paint import PaintWatch
from zv_viewer.widgets.show_store import DOCK, show_store

pytestmark = pytest.mark.gui

KINDS = {
    "points": Points,
    "streamline": Tracks,
    "line": Shapes,
    "polyline": Shapes,
    "mesh": Surface,
}
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A store with two levels of each kind, made when first asked for."""
    folder = tmp_path_factory.mktemp("standard")

    def store(kind: str) -> Path:
        path = folder / kind
        if not path.exists():
            make_store(kind, path, chunk_shape=(30.0,) * 3, bin_shape=(15.0,) * 3)
            build_pyramid(str(path), factors=[(2.0, 1.0)])
        return path

    return store


@pytest.fixture
def no_private_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As where napari's private modules are elsewhere."""
    canvas_side = "zv_viewer.layers.vispy_cells"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "napari._vispy.layers.base", None)
        patch.delitem(sys.modules, canvas_side)
        importlib.reload(factory)
        assert factory.WHY_STANDARD is not None
        assert "napari._vispy.layers.base" in factory.WHY_STANDARD
        yield
    importlib.reload(factory)
    assert factory.WHY_STANDARD is None


@pytest.fixture
def layers(request: pytest.FixtureRequest) -> str:
    if request.param == "forced":
        return "standard"
    request.getfixturevalue("no_private_modules")
    return "auto"


def lit(viewer) -> int:
    image = viewer.screenshot(canvas_only=True, flash=False)[..., :3]
    return int((image.max(axis=-1) > 40).sum())


# what is missing decides which classes are taken, not what they do: one linked and one other
@pytest.mark.parametrize(
    ("layers", "kind"),
    [
        *(("forced", kind) for kind in KINDS if kind != "polyline"),
        pytest.param("forced", "polyline", marks=pytest.mark.once),  # as lines: of napari's Shapes
        *(
            pytest.param("private modules missing", kind, marks=pytest.mark.once)
            for kind in ("points", "mesh")
        ),
    ],
    indirect=["layers"],
)
def test_every_kind_follows_the_camera(
    make_napari_viewer: Callable, stores: Callable, layers: str, kind: str
) -> None:
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, stores(kind), layers=layers)
    assert session.wait(20)
    layer = session.layer
    assert isinstance(layer, KINDS[kind])
    assert isinstance(layer, StandardLayer)
    watch = PaintWatch(viewer, lambda _: session.on_frame())
    assert lit(viewer) > 100
    extent = layer.extent.world[:, -3:]
    np.testing.assert_allclose(extent, session.scene.bounds, atol=1e-3)
    whole = layer.rows_drawn
    zoom, camera = viewer.scene.camera.zoom, viewer.scene.camera
    session.update_settings(quality_px=1e5)
    assert session.wait(20)
    assert set(session.stats().levels_drawn) == {1}
    camera.zoom = 2 * zoom
    session.update_settings(quality_px=1.5)
    assert session.wait(20)
    assert set(session.stats().levels_drawn) == {0}
    for part in np.geomspace(2, 1, 5):
        camera.zoom = part * zoom
        assert session.wait(20)
    assert layer.rows_drawn == whole
    stats = session.stats()
    assert stats.holes == stats.hole_frames == stats.failed == 0
    watch.close()
    viewer.dims.ndisplay = 2
    assert session.wait(20)
    assert session.stats().holes == 0
    if kind in ("points", "streamline"):  # of others napari shows what lies in a slice
        assert lit(viewer) > 10
    np.testing.assert_allclose(layer.extent.world[:, -3:], extent)


def test_fast_layers_are_refused_where_there_are_none(
    make_napari_viewer: Callable, stores: Callable, no_private_modules: None
) -> None:
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, stores("points"), layers="fast")
    assert not session.wait(20)
    assert "napari._vispy.layers.base" in session.error
    session = open_store(viewer, stores("points"))
    assert session.wait(20)
    with pytest.raises(factory.LayerError):
        session.use_layers("fast")
    assert session.layers == "auto"
    assert isinstance(session.layer, StandardPoints)


def test_the_ceiling_is_kept_and_said(
    make_napari_viewer: Callable, stores: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zv_viewer.layers.standard_layer import Ceiling

    monkeypatch.setattr(StandardPoints, "ceiling", Ceiling(60, 120))
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, stores("points"), layers="standard")
    assert session.wait(20)
    dock = viewer.window.dock_widgets[DOCK]
    assert session.settings.budget.vertices == 60
    assert session.stats().vertices_drawn <= 60
    assert "60" in dock.drawn_by.text.text()
    session.update_settings(budget=Budget(vertices=1000))
    assert session.wait(20)
    stats = session.stats()
    assert 60 < stats.vertices_drawn <= 120
    assert "120" in stats.reason
    assert session.settings.budget.vertices == 1000
    assert dock.drawn_by.text.text() == "napari's Points, given 120 vertices at most"


def test_layers_are_swapped_in_the_dock(
    make_napari_viewer: Callable, qtbot, stores: Callable
) -> None:
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, stores("streamline"))
    other = open_store(viewer, stores("points"), settings=LodSettings())
    assert session.wait(20)
    assert other.wait(20)
    dock, old = viewer.window.dock_widgets[DOCK], session.layer
    dock.stores.setCurrentIndex(dock.stores.findText("streamline"))
    old.scale, old.translate, old.opacity, old.name = (2, 2, 2), (5, 6, 7), 0.5, "mine"
    session.color_by(None)
    old.set_colours("plain", [0, 1, 0])
    looks = np.full(len(session.scene.objects), Look.NORMAL)
    looks[-1] = Look.HIDDEN
    old.set_object_looks(looks)
    viewer.layers.selection.active = old
    index, extent = viewer.layers.index(old), old.extent.world
    camera = viewer.scene.camera
    center, zoom = camera.center, camera.zoom

    choose(dock.drawn_by.choice, "standard")
    layer = session.layer
    assert isinstance(layer, Tracks)
    assert old not in viewer.layers
    assert viewer.layers.index(layer) == index
    assert viewer.layers.selection.active is layer
    assert (layer.name, layer.opacity, layer.visible) == ("mine", 0.5, True)
    np.testing.assert_allclose(layer.extent.world[:, 1:], extent, atol=1e-3)
    assert camera.center == pytest.approx(center)
    assert camera.zoom == pytest.approx(zoom)
    assert session.wait(20)
    assert layer.object_looks.tolist() == looks.tolist()
    assert np.unique(layer.track_colors[2:], axis=0).tolist() == [[0, 1, 0, 1]]
    assert "Tracks" in dock.drawn_by.text.text()
    drawn = layer.rows_drawn

    choose(dock.drawn_by.choice, "fast")
    again = session.layer
    assert isinstance(again, CellLayer)
    assert session.wait(20)
    assert viewer.dims.ndim == 3
    np.testing.assert_allclose(again.extent.world, extent, atol=1e-3)
    assert again.translate.tolist() == pytest.approx([5, 6, 7])
    assert again.rows_drawn >= drawn
    assert again.colouring.lut[0].tolist() == [0, 1, 0]
    viewer.layers.remove(again)
    assert session.controller.stats().waiting_for == "closed"
    assert other.is_open


def choose(box, data) -> None:
    """Choose from a list as a user does."""
    index = box.findData(data)
    box.setCurrentIndex(index)
    box.activated.emit(index)


@pytest.mark.parametrize(
    ("kind", "layers"),
    [
        ("points", "fast"),
        pytest.param("streamline", "fast", marks=pytest.mark.once),
        pytest.param("polyline", "standard", marks=pytest.mark.once),
        ("mesh", "standard"),
    ],
)
def test_a_copy_is_an_ordinary_layer_with_what_is_drawn(
    make_napari_viewer: Callable, qtbot, stores: Callable, tmp_path: Path, kind: str, layers: str
) -> None:
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, stores(kind), layers=layers)
    assert session.wait(20)
    session.layer.scale = (2, 2, 2)
    if kind != "points":
        hidden = np.full(len(session.scene.objects), Look.NORMAL)
        hidden[-1] = Look.HIDDEN
        session.layer.set_object_looks(hidden)
    button = viewer.window.dock_widgets[DOCK].drawn_by.copy
    qtbot.mouseClick(button, LEFT)
    copied = viewer.layers[-1]
    assert type(copied) is KINDS[kind]
    assert copied.name == f"{session.layer.name} (copy)"
    viewer.dims.ndisplay = 2
    assert copied.editable
    text = session.copy_shown().text
    total = session.scene.levels[0].vertex_count
    assert f"{total:,}" in text
    data, _, type_name = copied.as_layer_data_tuple()
    assert type_name == KINDS[kind].__name__.lower()
    low, high = copied.extent.data[:, -3:]
    assert (low >= session.scene.bounds[0] - 1e-3).all()
    assert (high <= session.scene.bounds[1] + 1e-3).all()
    place, whole = copied.extent.world[:, -3:], session.layer.extent.world[:, -3:]
    assert (place[0] >= whole[0] - 1e-2).all()
    assert (place[1] <= whole[1] + 1e-2).all()
    assert (np.ptp(place, axis=0) > 0.7 * np.ptp(whole, axis=0)).all()
    if kind == "points":
        assert len(data) == total == session.layer.rows_drawn
        copied.save(str(tmp_path / "points.csv"))
        assert (tmp_path / "points.csv").stat().st_size > 1000
    else:
        assert 0 < rows_of(copied) < total
    before = rows_of(copied)
    viewer.layers.remove(session.layer)
    assert rows_of(copied) == before


def rows_of(layer) -> int:
    if isinstance(layer, Shapes):
        return sum(map(len, layer.data))
    return len(layer.data[0]) if isinstance(layer, Surface) else len(layer.data)

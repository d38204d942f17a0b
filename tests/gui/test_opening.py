"""Every way into the window leads to the same live layer."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import qtpy
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QFileDialog

import zv_viewer
from zarr_vectors.testing.data import points_store
from zarr_vectors.types.points import write_points
from zv_viewer import cli, samples
from zv_viewer.errors import InputError
from zv_viewer.layers.points import CellPoints
from zv_viewer.model.settings import LodSettings
from zv_viewer.session import Opening, attaching, feed, session_of
from zv_viewer.session import session as session_module
from zv_viewer.session.attaching import AllInView
from zv_viewer.stage import Stage
from zv_viewer.widgets import show_store

pytestmark = pytest.mark.gui


def settled_layer(viewer, qtbot, vertices: int) -> CellPoints:
    """The one layer, once its picture is settled and shows all of the store."""
    qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=20_000)
    layer = viewer.layers[0]
    assert isinstance(layer, CellPoints)
    session = session_of(layer)
    assert session.wait(20)
    assert session.stats().vertices_in_view_level0 == vertices
    assert session.stats().vertices_drawn > 0
    return layer


@pytest.fixture
def choose_ours(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Accept napari's reader dialog as it stands; the labels it offered."""
    from napari._qt.dialogs.qt_reader_dialog import QtReaderDialog

    offered: list[list[str]] = []

    def accept(dialog: QtReaderDialog) -> bool:
        offered.append([button.text() for button in dialog.reader_btn_group.buttons()])
        return True

    monkeypatch.setattr(QtReaderDialog, "exec_", accept)
    return offered


def test_from_python(make_napari_viewer: Callable, qtbot, small_store: Path) -> None:
    viewer = make_napari_viewer(show=True)
    session = zv_viewer.open_store(viewer, small_store)
    assert session.wait(20)
    layer = settled_layer(viewer, qtbot, 5000)
    assert session.layer is layer
    assert viewer.dims.ndisplay == 3


def test_by_the_viewers_open_with_our_name(
    make_napari_viewer: Callable, qtbot, small_store: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.open(str(small_store), plugin="zv-viewer")
    settled_layer(viewer, qtbot, 5000)


def test_a_store_that_is_no_map_keeps_napari_s_orientation(
    make_napari_viewer: Callable, qtbot, small_store: Path, tmp_path: Path
) -> None:
    plain, map_ = make_napari_viewer(show=True), make_napari_viewer(show=True)
    before = plain.scene.camera.orientation
    zv_viewer.open_store(plain, small_store)
    settled_layer(plain, qtbot, 5000)
    assert plain.scene.camera.orientation == before
    points_store(tmp_path / "map", crs={"name": "EPSG:2994"})
    zv_viewer.open_store(map_, tmp_path / "map")
    settled_layer(map_, qtbot, 50)
    assert [str(way) for way in map_.scene.camera.orientation] == ["towards", "up", "right"]


def test_through_the_file_menu(
    make_napari_viewer: Callable,
    qtbot,
    small_store: Path,
    choose_ours: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    viewer = make_napari_viewer(show=True)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: str(small_store))
    viewer.window._qt_viewer._open_folder_dialog()
    settled_layer(viewer, qtbot, 5000)
    assert choose_ours == [["Zarr Vectors", "napari builtins"]]


def test_by_dropping_it(
    make_napari_viewer: Callable, qtbot, small_store: Path, choose_ours: list[list[str]]
) -> None:
    viewer = make_napari_viewer(show=True)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(small_store))])
    place = QPointF(50, 50) if qtpy.API_NAME.lower() == "pyqt6" else QPoint(50, 50)
    event = QDropEvent(
        place,
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    viewer.window._qt_viewer.dropEvent(event)
    settled_layer(viewer, qtbot, 5000)
    assert len(choose_ours) == 1


def test_from_the_plugin_menu(make_napari_viewer: Callable, qtbot, small_store: Path) -> None:
    from napari._app_model import get_app_model

    viewer = make_napari_viewer(show=True)
    get_app_model().commands.execute_command("zv-viewer.open_store").result()
    (dialog,) = show_store._shown
    dialog.place.setCurrentText(str(small_store))
    dialog.accept()
    settled_layer(viewer, qtbot, 5000)
    assert show_store.DOCK in viewer.window.dock_widgets


def test_a_sample(
    make_napari_viewer: Callable,
    qtbot,
    monkeypatch: pytest.MonkeyPatch,
    small_sample: Path,
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.open_sample("zv-viewer", "cells")
    made = [f"cells-{samples.REVISION}"]
    qtbot.waitUntil(lambda: [layer.name for layer in viewer.layers] == made, timeout=20_000)
    settled_layer(viewer, qtbot, 5000)


IN_THE_WINDOW = """
import sys, napari
from qtpy.QtWidgets import QApplication
from zv_viewer import cli
from zv_viewer.session import session_of

def run():
    viewer = napari.current_viewer()
    while not viewer.layers:
        QApplication.processEvents()
    layer = viewer.layers[0]
    assert session_of(layer).wait(30)
    print(layer.name, session_of(layer).stats().vertices_drawn, *viewer.window.dock_widgets)
    viewer.close()

napari.run = run  # what comes after the window is up: the person
sys.exit(cli.main(sys.argv[1:]))
"""


def test_from_the_command(small_store: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IN_THE_WINDOW, str(small_store)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "small 5000 Level of detail Appearance Filters"


def test_a_bad_path_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make_napari_viewer: Callable, qtbot
) -> None:
    assert cli.main([str(tmp_path / "none.zarrvectors")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "none.zarrvectors" in said
    viewer = make_napari_viewer(show=True)
    session = zv_viewer.open_store(viewer, tmp_path / "none.zarrvectors")
    qtbot.waitUntil(lambda: session.error is not None, timeout=5000)
    assert "none.zarrvectors" in session.error
    assert len(viewer.layers) == 0


def test_removing_the_layer_ends_the_session(
    make_napari_viewer: Callable, qtbot, small_store: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    session = zv_viewer.open_store(viewer, small_store)
    layer = settled_layer(viewer, qtbot, 5000)
    closed = []
    session.closed.connect(closed.append)
    viewer.layers.remove(layer)
    assert closed == [session]
    assert session_of(layer) is None


def test_two_stores_in_one_viewer(make_napari_viewer: Callable, qtbot, small_store: Path) -> None:
    viewer = make_napari_viewer(show=True)
    one = zv_viewer.open_store(viewer, small_store)
    two = zv_viewer.open_store(viewer, small_store, name="again")
    assert one.wait(20)
    assert two.wait(20)
    assert {layer.name for layer in viewer.layers} == {"small", "again"}
    assert two.stats().vertices_drawn == one.stats().vertices_drawn > 0


def test_stores_opened_together_are_all_in_view_until_the_camera_moves(
    make_napari_viewer: Callable, qtbot, tmp_path: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    show_all = AllInView(viewer)
    seen = []
    for k, place in enumerate((0.0, 900.0, 5000.0)):
        write_points(tmp_path / str(k), np.eye(3) * 100 + place, chunk_shape=(100.0,) * 3)
        session = zv_viewer.open_store(viewer, tmp_path / str(k))
        session.opened.connect(show_all)
        assert session.wait(20)
        seen.append(viewer.scene.camera.center)
        if k == 1:
            viewer.scene.camera.angles = (0, 20, 70)
    assert [np.round(center) for center in seen] == [
        pytest.approx((middle,) * 3) for middle in (50, 500, 500)
    ]


def test_what_cannot_be_drawn_is_a_sentence_too(
    make_napari_viewer: Callable, qtbot, small_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise InputError("small has 5 axes; at most 4 can be drawn")

    monkeypatch.setattr(attaching, "make_layer", refuse)
    viewer = make_napari_viewer(show=True)
    session = zv_viewer.open_store(viewer, small_store)
    qtbot.waitUntil(lambda: session.error is not None, timeout=5000)
    assert "5 axes" in session.error
    assert len(viewer.layers) == 0


def refuse_by_mistake(*_: object, **__: object) -> None:
    raise ZeroDivisionError("a slip of ours")


@pytest.mark.parametrize("part", ["source", "layer"])
def test_a_mistake_while_opening_ends_the_wait_and_is_not_hidden(
    make_napari_viewer: Callable,
    qtbot,
    small_store: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    part: str,
) -> None:
    viewer = make_napari_viewer(show=True)
    if part == "layer":
        monkeypatch.setattr(attaching, "make_layer", refuse_by_mistake)
        session = show_store.show_store(viewer, small_store)
    else:
        opening = Opening(str(small_store), refuse_by_mistake)
        session = show_store.show_store(viewer, small_store, opening)
    notices = len(notification_manager.records)
    started = time.perf_counter()
    with pytest.raises(ZeroDivisionError, match="a slip of ours") as caught:
        session.wait(120)
    assert time.perf_counter() - started < 20
    assert "refuse_by_mistake" in [entry.name for entry in caught.traceback]
    assert "a slip of ours" in session.error
    (record,) = notification_manager.records[notices:]
    assert record.message == session.error
    (logged,) = [record for record in caplog.records if record.name == session_module.__name__]
    assert logged.exc_info[1] is caught.value
    assert len(viewer.layers) == 0
    assert not session.settled


def test_a_mistake_after_the_layer_is_in_takes_it_out_again(
    make_napari_viewer: Callable, qtbot, small_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LodController", refuse_by_mistake)
    viewer = make_napari_viewer(show=True)
    session = zv_viewer.open_store(viewer, small_store)
    with pytest.raises(ZeroDivisionError):
        session.wait(20)
    assert len(viewer.layers) == 0
    assert not session.is_open


def test_a_mistake_while_opening_reaches_a_program_with_its_traceback(
    make_napari_viewer: Callable, qtbot, small_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attaching, "make_layer", refuse_by_mistake)
    stage = Stage(make_napari_viewer(show=True), LodSettings(), (800, 600))
    with pytest.raises(ZeroDivisionError):
        stage.open([str(small_store)])
    stage.close()

"""Keys and menu commands act on the stores of the layers selected."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from zv_viewer import plugin
from zv_viewer.layers.ring import Ring
from zv_viewer.session.picking import picking_of
from zv_viewer.widgets import show_store
from zv_viewer.widgets.keys import LOCK_KEY, OPEN_KEY, PICK_KEY, RELOAD_KEY, bind_keys

pytestmark = pytest.mark.gui

BOTH = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


def test_keys_reload_lock_and_open(make_napari_viewer: Callable, qtbot, small_store: Path) -> None:
    viewer = make_napari_viewer(show=True)
    session = show_store.show_store(viewer, small_store)
    assert session.wait(20)
    canvas = viewer.window._qt_viewer.canvas.native

    qtbot.keyClick(canvas, Qt.Key.Key_L, BOTH)
    assert session.settings.level_lock == 0
    qtbot.keyClick(canvas, Qt.Key.Key_L, BOTH)
    assert session.settings.level_lock is None
    with qtbot.waitSignal(session.reloaded, timeout=10_000):
        qtbot.keyClick(canvas, Qt.Key.Key_R, BOTH)
    assert session.wait(20)
    qtbot.keyClick(canvas, Qt.Key.Key_Z, BOTH)
    qtbot.waitUntil(lambda: len(show_store._shown) == 1, timeout=5_000)
    (dialog,) = show_store._shown
    dialog.reject()
    QApplication.processEvents()


@pytest.mark.parametrize("layers", ["fast", "standard"])
def test_a_key_picks_what_is_under_the_mouse(
    make_napari_viewer: Callable, qtbot, small_store: Path, layers: str
) -> None:
    viewer = make_napari_viewer(show=True)
    session = show_store.show_store(viewer, small_store, layers=layers)
    assert session.wait(20)
    layer, told = session.layer, []
    picking_of(session, viewer).picked.connect(told.append)
    canvas = viewer.window._qt_viewer.canvas.native
    middle = canvas.rect().center()
    qtbot.mouseMove(canvas, middle - QPoint(10, 10))
    qtbot.mouseMove(canvas, middle)
    pointer = next(c.__self__ for c in viewer.mouse_move_callbacks if hasattr(c, "__self__"))
    pointer._at = float(middle.x()), float(middle.y())
    qtbot.keyClick(canvas, Qt.Key.Key_P, BOTH)
    qtbot.waitUntil(lambda: bool(told), timeout=10_000)
    assert told[0] is not None, "the middle of the cloud is full"
    position = told[0].what.shown.position
    if layers == "fast":
        assert layer.marked == position
        return
    (ring,) = [one for one in viewer.layers if isinstance(one, Ring)]
    assert ring.data_to_world(ring.data[0]) == pytest.approx(
        layer.data_to_world(np.asarray(position) - layer.store_offset)
    )
    assert viewer.layers.selection.active is layer
    assert not ring.editable
    session.layer.visible = False
    QApplication.processEvents()
    image = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    assert ((image[..., 0] > 200) & (image[..., 2] < 60)).sum() > 20, "a yellow ring is seen"
    session.use_layers("fast")
    assert not any(isinstance(one, Ring) for one in viewer.layers)


def test_menu_commands_and_a_viewer_without_stores(
    make_napari_viewer: Callable, qtbot, small_store: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    plugin.reload_command()
    plugin.lock_command()
    assert [note.message for note in notification_manager.records[-2:]] == ["no store is open"] * 2
    session = show_store.show_store(viewer, small_store)
    assert session.wait(20)
    plugin.lock_command()
    assert session.settings.level_lock == 0
    with qtbot.waitSignal(session.reloaded, timeout=10_000):
        plugin.reload_command()


def test_keys_of_the_user_are_left_alone(make_napari_viewer: Callable) -> None:
    viewer = make_napari_viewer()
    mine = lambda viewer: None  # noqa: E731 - a function is a function
    viewer.bind_key(LOCK_KEY, mine)
    bind_keys(viewer, lambda viewer: None)
    bind_keys(viewer, lambda viewer: None)
    assert mine in viewer.keymap.values()
    assert len(viewer.keymap) == len({LOCK_KEY, OPEN_KEY, PICK_KEY, RELOAD_KEY})

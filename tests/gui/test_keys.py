"""Keys and menu commands act on the stores of the layers selected."""

from collections.abc import Callable
from pathlib import Path

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from zv_viewer import plugin
from zv_viewer.widgets import show_store
from zv_viewer.widgets.keys import LOCK_KEY, OPEN_KEY, RELOAD_KEY, bind_keys

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
    assert len(viewer.keymap) == len({LOCK_KEY, OPEN_KEY, RELOAD_KEY})

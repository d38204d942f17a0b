"""How large the window of ``zv-view`` opens."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from napari.settings import get_settings
from qtpy.QtGui import QGuiApplication

from zv_viewer.app import make_room


@pytest.mark.parametrize("remembered", [None, (700, 500)])
def test_a_first_window_takes_most_of_the_screen(qapp, monkeypatch, remembered) -> None:
    sizes: list[tuple[int, int]] = []
    viewer = SimpleNamespace(window=SimpleNamespace(resize=lambda *size: sizes.append(size)))
    monkeypatch.setattr(get_settings().application, "window_size", remembered)
    make_room(viewer)
    room = QGuiApplication.primaryScreen().availableGeometry()
    if remembered:
        assert not sizes
    else:
        assert sizes == [(int(room.width() * 0.85), int(room.height() * 0.85))]

"""Stores for the window, and a window that the tests of a file share."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from app_model import Application
from napari import Viewer
from napari._app_model._app import NapariApplication, _napari_names
from napari._qt._qapp_model.qactions import init_qactions
from napari._qt.qt_viewer import QtViewer
from napari.plugins import _initialize_plugins
from napari.settings import get_settings

from zv_viewer import samples

SMALL = samples.Sample("small", "small", "cells", 3, 5000, 3, 250.0, 62.5, 3, "0.7.0")


@pytest.fixture(scope="session", autouse=True)
def _settings_stay() -> None:
    """Every window resets napari's settings; the file of whoever runs the tests is left alone."""
    get_settings()._save_on_change = False


@pytest.fixture(scope="module", autouse=True)
def _what_stays_is_not_searched_again() -> Iterator[None]:
    """napari collects garbage with every layer removed; what windows leave is none."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5000 cells with attributes and a pyramid."""
    path = tmp_path_factory.mktemp("stores") / "small.zarrvectors"
    samples.make_sample(SMALL, path)
    return path


@pytest.fixture(scope="session", params=["0.7.0", pytest.param("0.9.2", marks=pytest.mark.once)])
def either_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in each format."""
    path: Path = tmp_path_factory.mktemp("stores") / f"small-{request.param}.zarrvectors"
    samples.make_sample(replace(SMALL, format_version=request.param), path)
    return path


@pytest.fixture
def small_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Samples are small, and made in a folder of the test's own."""
    small = {name: replace(SMALL, name=name) for name in ("cells", "transcripts")}
    monkeypatch.setattr(samples, "samples", lambda: small)
    monkeypatch.setenv("ZV_VIEWER_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def window_of_the_file(qapp) -> Iterator[Viewer]:
    """As ``make_napari_viewer`` makes one for a test, which may open its own beside it."""
    app = NapariApplication("window of the file")
    app.injection_store.namespace = _napari_names
    with (
        patch.object(NapariApplication, "get_app_model", return_value=app),
        patch("napari._qt.threads.status_checker.StatusChecker.start"),
    ):
        get_settings().reset()
        _initialize_plugins.cache_clear()
        init_qactions.cache_clear()
        viewer = Viewer(show=True, show_welcome_screen=False)
        QtViewer._instances.clear()  # those of single tests are counted
        yield viewer
        get_settings().reset()
        with patch.object(viewer.window._qt_window, "_save_current_window_settings"):
            viewer.close()
        Application.destroy("window of the file")
    _initialize_plugins.cache_clear()
    init_qactions.cache_clear()


@pytest.fixture
def shared_viewer(window_of_the_file: Viewer, qtbot) -> Iterator[Viewer]:
    """The window of the file, as it was opened; after the test nothing of it may be left."""
    viewer = window_of_the_file
    before = _held(viewer)
    yield viewer
    viewer.layers.clear()
    viewer.canvas.grid.reset()
    viewer.scene.camera.reset()
    viewer.dims.ndisplay = 2
    viewer.dims.margin_left = viewer.dims.margin_right = (0.0, 0.0)
    for name in ("axis_labels", "units"):
        setattr(viewer.dims, name, before[name])
    qtbot.wait(1)
    left = {name: (before[name], now) for name, now in _held(viewer).items() if now != before[name]}
    assert not left


def _held(viewer: Viewer) -> dict[str, Any]:
    """What a window holds: how it looks on, and how many listen to it or stand on its canvas."""
    emitters: dict[str, Callable[[], list[Any]]] = {
        f"{name}.{event}": emitter
        for name, model in (
            ("viewer", viewer),
            ("layers", viewer.layers),
            ("dims", viewer.dims),
            ("camera", viewer.scene.camera),
            ("canvas", viewer.canvas),
        )
        for event, emitter in model.events.emitters.items()
    }
    canvas = viewer.window._qt_viewer.canvas
    return {
        **viewer.dims.model_dump(exclude={"last_used"}),
        "camera": viewer.scene.camera.model_dump(),
        "grid": viewer.canvas.grid.model_dump(),
        "overlays": {n: o.visible for n, o in viewer.canvas.overlays.items()},
        "visuals": len(canvas.layer_to_visual),
        "nodes": len(canvas.view.scene.children),
        "docks": sorted(viewer.window.dock_widgets),
        **{f"listeners of {n}": len(emitter.callbacks) for n, emitter in emitters.items()},
    }

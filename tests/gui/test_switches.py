"""What the counters are worth in the window: each sees its safeguard switched off, and only then.

Frames are counted as they are painted, and reads take as long as over a network.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

import zv_viewer
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import Cloud, points_store
from zv_viewer.controller import LodStats
from zv_viewer.flight.path import fit_zoom
from zv_viewer.layers.view import apply_view
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.model.view import ViewState
from zv_viewer.session import Opening, StoreSession
from zv_viewer.session.paint import PaintWatch
from zv_viewer.sources.base import RawCell
from zv_viewer.sources.store import StoreSource

pytestmark = [pytest.mark.gui, pytest.mark.once]

EXTENT = np.array([200.0, 200.0, 25.0])  # x, y, z
MIDDLE = (100.0, 100.0, 12.5)
LEVELS = 2
BUDGET = Budget(vertices=10_000, bytes=10**9)
WASTE_ALLOWED = 0.15


class FarSource(StoreSource):
    """A store whose reads take as long as is set."""

    read_s = 0.0

    def read(self, level: int, chunks: np.ndarray, attributes: Sequence[str] = ()) -> RawCell:
        time.sleep(self.read_s)
        return super().read(level, chunks, attributes)


class Window:
    """A store in a viewer, and its camera."""

    def __init__(self, viewer, session: StoreSession, source: FarSource) -> None:
        self.viewer, self.session, self.source = viewer, session, source

    def look(self, part: float, center: Sequence[float]) -> None:
        """From so near that this part of the store spans the canvas."""
        height, width = self.viewer.canvas.size
        zoom = fit_zoom(self.session.scene, (width, height), part)
        apply_view(self.viewer, ViewState(3, tuple(map(float, center)), zoom))

    def stay(self, seconds: float, done: Callable[[], bool] = lambda: False) -> None:
        """Let the window live on, or until ``done``."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end and not done():
            QApplication.processEvents()
            time.sleep(0.002)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flat slab of 40 000 vertices in 512 chunks, and a coarser level."""
    path = tmp_path_factory.mktemp("stores") / "slab.zarrvectors"
    positions = np.random.default_rng(0).random((40_000, 3)) * EXTENT
    points_store(path, Cloud(positions, {}), chunk=12.5, bins=2, levels=LEVELS)
    return path


@pytest.fixture
def opened(make_napari_viewer: Callable, qtbot, store: Path) -> Callable:
    """Opens the store in a window with a first view; every painted frame is counted."""

    @contextmanager
    def show(settings: LodSettings, part: float, center: Sequence[float]) -> Iterator[Window]:
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(700, 500)
        source = FarSource(str(store))
        opening = Opening(str(store), lambda _: source)
        session = zv_viewer.open_store(viewer, store, settings=settings, opening=opening)
        window = Window(viewer, session, source)
        session.opened.connect(lambda _: window.look(part, center))
        watch = PaintWatch(viewer, lambda seconds: session.on_frame())
        try:
            assert session.wait(30)
            yield window
        finally:
            watch.close()
            session.close()
            viewer.close()

    return show


def pan(opened: Callable, *, floor: bool) -> LodStats:
    """Fly along the store, close up, faster than it loads."""
    with opened(LodSettings(BUDGET, floor=floor), 0.2, (20, 100, 12.5)) as window:
        window.source.read_s = 0.2
        for place in np.linspace(20, 180, 25):
            window.look(0.2, (place, 100, 12.5))
            window.stay(0.05)
        return window.session.stats()


def test_holes_are_counted_without_the_floor_only(opened: Callable) -> None:
    assert pan(opened, floor=True).hole_frames == 0
    assert pan(opened, floor=False).hole_frames > 0


def jitter(opened: Callable, store: Path, *, hysteresis: float) -> LodStats:
    """Zoom in and out by a tenth about the place where the coarsest cells are refined."""
    with open_zv(str(store)) as handle:
        error = handle[LEVELS - 1].error.p95
    # The error of the coarsest level, in pixels, in a view of everything.
    with opened(LodSettings(BUDGET, quality_px=1e6), 1.0, MIDDLE) as window:
        quality_px = error * window.viewer.scene.camera.zoom
        settings = LodSettings(
            BUDGET, quality_px=quality_px, hysteresis=hysteresis, foveation=False
        )
        window.session.settings = settings
        for step in range(12):
            window.look(1.1 if step % 2 else 0.9, MIDDLE)
            window.stay(0.25)
        return window.session.stats()


def test_oscillations_are_counted_without_hysteresis_only(opened: Callable, store: Path) -> None:
    assert jitter(opened, store, hysteresis=0.25).oscillations == 0
    assert jitter(opened, store, hysteresis=0.0).oscillations > 0


def jumps(opened: Callable, *, cancel: bool) -> LodStats:
    """Look at one place after the other, and leave when half of it has been read."""
    settings = LodSettings(Budget(10**6, 10**9), quality_px=1e6, cancel=cancel)
    with opened(settings, 1.0, MIDDLE) as window:
        session = window.session
        session.settings = replace(settings, quality_px=0.5, density_max=1e9)
        window.source.read_s = 0.02
        for x in (30, 170, 100):
            before = session.stats().requests
            window.look(0.25, (x, 100, 12.5))
            window.stay(2.0, lambda before=before: session.stats().requests >= before + 60)
        window.source.read_s = 0.0
        window.stay(30.0, lambda: session.controller.idle)
        return session.stats()


def test_waste_is_counted_without_cancelling_only(opened: Callable) -> None:
    kept, cut = jumps(opened, cancel=True), jumps(opened, cancel=False)
    assert kept.wasted_bytes <= WASTE_ALLOWED * kept.bytes_read
    assert cut.wasted_bytes > WASTE_ALLOWED * cut.bytes_read


def test_what_comes_into_view_at_once_is_planned_before_the_next_paint(opened: Callable) -> None:
    with opened(LodSettings(BUDGET), 0.2, (20, 100, 12.5)) as window:
        assert window.session.wait(30)
        window.stay(0.5)
        planned = window.session.controller.plan
        window.look(0.2, (22, 100, 12.5))
        QApplication.sendPostedEvents()
        assert window.session.controller.plan is planned  # that will do in its turn
        for part, center in ((0.2, (180, 100, 12.5)), (1.0, MIDDLE)):
            window.stay(0.5)
            planned = window.session.controller.plan
            window.look(part, center)
            QApplication.sendPostedEvents()  # no timer, and no paint
            assert window.session.controller.plan is not planned

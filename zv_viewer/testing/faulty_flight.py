"""A flight in a real window over a store whose network fails, and what a person would have felt."""

from __future__ import annotations

import math
import time
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from zv_viewer.flight.measure import FrameLog
from zv_viewer.session import StoreSession
from zv_viewer.session.paint import PaintWatch

FAULTS = ("slow_down", "error", "reset", "lost", "half", "hang", "stale")
"""Faults of :mod:`zarr_vectors.testing.servers` that a viewer has to live with."""

BEAT_S = 0.005
STEP_S = 0.02


def fly(
    viewer: Any,  # noqa: ANN401 - a napari viewer
    session: StoreSession,
    seconds: float,
) -> dict[str, float | int | None]:
    """Zoom in and out, turn and wander for so long; the figures of :class:`FrameLog`.

    Frames are told to the session, so that holes are counted.
    """
    log = FrameLog()

    def painted(seconds: float) -> None:
        session.on_frame()
        stats = session.stats()
        log.frame(seconds, loading=stats is not None and stats.in_flight > 0)

    watch, beat = PaintWatch(viewer, painted), QTimer()
    beat.setInterval(int(BEAT_S * 1e3))
    beat.timeout.connect(lambda: log.beat(time.perf_counter(), BEAT_S))
    camera, start = viewer.scene.camera, time.perf_counter()
    zoom, center = camera.zoom, tuple(camera.center)
    reach = 0.3 * min(viewer.canvas.size) / zoom
    beat.start()
    while (now := time.perf_counter() - start) < seconds:
        camera.zoom = zoom * 2 ** (1.5 - 1.5 * math.cos(now))
        camera.center = (*center[:-1], center[-1] + reach * math.sin(now / 2))
        camera.angles = (0.0, 40 * math.sin(now / 3), 90.0)
        step = time.perf_counter() + STEP_S
        while time.perf_counter() < step:
            QApplication.processEvents()
            time.sleep(0.001)
    beat.stop()
    watch.close()
    camera.zoom, camera.center = zoom, center
    return log.summary()

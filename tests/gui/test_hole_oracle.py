"""Holes found by looking at the picture: every vertex of a full picture has something near it in the live one.

Level errors are distances to a representative, so a level-0 vertex may be drawn at most ``max error`` away
from its place. The reference is the whole of level 0 in the same viewer, drawn by napari's own Points; a
lit pixel of it with nothing lit within that distance in the live picture is a hole.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Points
from qtpy.QtWidgets import QApplication
from scipy.ndimage import distance_transform_edt

import zv_viewer
from zarr_vectors.lazy import open_zv
from zv_viewer.flight.path import Flight, Leg
from zv_viewer.layers.view import apply_view
from zv_viewer.model.settings import Budget, LodSettings

pytestmark = pytest.mark.gui

POINT_PX = 4
FLIGHT = Flight(
    (
        Leg("overview", 3),
        Leg("zoom", 10, extent_fraction=0.05),
        Leg("pan", 10, extent_fraction=0.05),
        Leg("orbit", 6, extent_fraction=0.3),
        Leg("back", 5),
    )
)


def lit(viewer) -> np.ndarray:
    picture = viewer.screenshot(canvas_only=True, flash=False)
    return picture[..., :3].max(axis=-1) > 40


def hole_pixels(live: np.ndarray, full: np.ndarray, reach: float) -> int:
    """Lit pixels of ``full``, away from the rim, with nothing lit within ``reach`` px in ``live``."""
    rim = int(np.ceil(reach))
    if 2 * rim >= min(full.shape):
        return 0
    distance = distance_transform_edt(~live) if live.any() else np.full(live.shape, np.inf)
    inner = np.zeros_like(full)
    inner[rim : full.shape[0] - rim, rim : full.shape[1] - rim] = True
    return int((full & inner & (distance > reach)).sum())


def fly(viewer, session, store: Path) -> tuple[list[int], int, int]:
    """Hole pixels per step, steps that were judged, and hole frames the controller counted."""
    handle = open_zv(str(store))
    errors = {number: handle[number].error.max for number in handle.levels}
    reference = Points(
        handle[0].vertices.compute(), size=POINT_PX, border_width=0, antialiasing=0, visible=False
    )
    reference.size_mode = "canvas" if hasattr(reference, "size_mode") else None
    viewer.add_layer(reference)
    height, width = viewer.canvas.size
    found, judged = [], 0
    for view in FLIGHT.steps_for(session.scene, (width, height)):
        apply_view(viewer, view)
        for _ in range(2):
            QApplication.processEvents()
        stats = session.stats()
        live = lit(viewer)
        session.on_frame()
        worst = max((errors[level] for level in stats.levels_drawn), default=max(errors.values()))
        reach = worst * view.zoom + POINT_PX + 2
        session.layer.visible, reference.visible = False, True
        full = lit(viewer)
        session.layer.visible, reference.visible = True, False
        judged += 2 * np.ceil(reach) < min(full.shape)
        found.append(hole_pixels(live, full, reach))
    return found, judged, session.stats().hole_frames


@pytest.mark.parametrize("floor", [True, False])
def test_the_picture_has_holes_only_without_the_floor(
    make_napari_viewer: Callable, small_store: Path, floor: bool
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(800, 600)
    settings = LodSettings(Budget(vertices=3000, bytes=2_000_000), floor=floor)
    session = zv_viewer.open_store(viewer, small_store, settings=settings)
    assert session.wait(20)
    session.layer.point_size = POINT_PX
    found, judged, counted = fly(viewer, session, small_store)
    assert judged > 20
    if floor:
        assert sum(found) == 0
        assert counted == 0
    else:
        assert sum(found) > 0
        assert counted > 0

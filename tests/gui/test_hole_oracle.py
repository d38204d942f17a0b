"""Holes found by looking at the picture: every vertex has something drawn near it.

Level errors are distances to a representative, so a level-0 vertex may be drawn at most the level's
largest error away from its place. The reference is the whole of level 0 in the same viewer, drawn
by napari's own Points; a lit pixel of it with nothing lit within that distance in the live picture
is a hole.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
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
from zv_viewer.model.update import LayerUpdate
from zv_viewer.session import Opening
from zv_viewer.sources.base import RawCell
from zv_viewer.sources.store import StoreSource

pytestmark = [pytest.mark.gui, pytest.mark.once]

POINT_PX = 4
FLIGHT = Flight(
    (
        Leg("overview", 3),
        Leg("zoom", 8, extent_fraction=0.1),
        Leg("pan", 8, extent_fraction=0.1),
        Leg("orbit", 6, extent_fraction=0.5),
        Leg("back", 5),
    )
)


class SlowSource(StoreSource):
    """A store a network away."""

    def read(self, level: int, chunks: np.ndarray, attributes: Sequence[str] = ()) -> RawCell:
        time.sleep(0.05)
        return super().read(level, chunks, attributes)


def lit(viewer) -> np.ndarray:
    picture = viewer.screenshot(canvas_only=True, flash=False)
    return picture[..., :3].max(axis=-1) > 40


def hole_pixels(live: np.ndarray, full: np.ndarray, reach: float) -> int:
    """Lit pixels of ``full``, off the rim, with nothing lit within ``reach`` px in ``live``."""
    rim = int(np.ceil(reach))
    if 2 * rim >= min(full.shape):
        return 0
    distance = distance_transform_edt(~live) if live.any() else np.full(live.shape, np.inf)
    inner = np.zeros_like(full)
    inner[rim : full.shape[0] - rim, rim : full.shape[1] - rim] = True
    return int((full & inner & (distance > reach)).sum())


def fly(viewer, session, store: Path, *, to_the_end: bool) -> tuple[list[int], int, int]:
    """Hole pixels per step, steps that were judged, and hole frames the controller counted.

    The flight ends with the first hole unless it goes on ``to_the_end``.
    """
    handle = open_zv(str(store))
    errors = {number: handle[number].error.max for number in handle.levels[1:]} | {0: 0.0}
    reference = Points(
        handle[0].vertices.compute(),
        size=POINT_PX,
        canvas_size_limits=(POINT_PX, POINT_PX),
        border_width=0,
        antialiasing=0,
        visible=False,
    )
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
        # Where nothing is drawn in view, nothing stands for anything.
        worst = max((errors[level] for level in stats.levels_drawn), default=0.0)
        reach = worst * view.zoom + POINT_PX + 2
        session.layer.visible, reference.visible = False, True
        full = lit(viewer)
        session.layer.visible, reference.visible = True, False
        judged += 2 * np.ceil(reach) < min(full.shape)
        found.append(hole_pixels(live, full, reach))
        if found[-1] and not to_the_end:
            break
    return found, judged, session.stats().hole_frames


@pytest.mark.parametrize("honest", [True, False])
def test_the_picture_has_no_holes(
    make_napari_viewer: Callable, small_store: Path, honest: bool
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(800, 600)
    settings = LodSettings(Budget(vertices=3000, bytes=2_000_000))
    opening = Opening(str(small_store), SlowSource)
    session = zv_viewer.open_store(viewer, small_store, settings=settings, opening=opening)
    assert session.wait(20)
    session.layer.point_size = POINT_PX
    if not honest:
        forget_every_third_cell(session.layer)
    found, judged, counted = fly(viewer, session, small_store, to_the_end=honest)
    assert judged > (15 if honest else 0)
    assert counted == 0
    assert (sum(found) == 0) is honest


def forget_every_third_cell(layer) -> None:
    """A layer that does not draw all it is told: the controller cannot know, the oracle must."""
    whole = layer.apply

    def apply(update: LayerUpdate) -> None:
        draw = update.draw
        if draw is not None:
            draw = tuple(item for item in draw if item.cell % 3)
        whole(replace(update, draw=draw))

    layer.apply = apply

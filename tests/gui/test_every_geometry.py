"""Every geometry of both formats in a window: what is drawn is where the finest level is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import KINDS, make_store
from zarr_vectors.types.parametric import write_parametric_objects
from zv_viewer.session import open_store
from zv_viewer.session.jumping import look_at
from zv_viewer.testing.pictures import ends_of, lit, pixels_of, places_on, share_lit, within

pytestmark = pytest.mark.gui

SHOWN = 0.98
"""Part of the places that have to be lit: one may fall on the rim of the canvas."""


@pytest.mark.once
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_it_is_drawn_where_it_is(shared_viewer, qtbot, tmp_path: Path, version: str) -> None:
    viewer = shared_viewer
    viewer.window.resize(700, 500)
    for kind in KINDS:
        store = tmp_path / kind
        make_store(kind, store, format_version=version)
        if kind != "line":
            build_pyramid(store, factors=[(1, 1), (2, 1)])
        session = open_store(viewer, store)
        assert session.wait(20), kind
        ends = ends_of(store)
        places = places_on(ends)
        for angles, part in (((0, 0, 90), 1.0), ((20, 50, 10), 0.3)):
            viewer.scene.camera.angles = angles
            middle, half = np.median(places, axis=0), part * np.ptp(places, axis=0) / 2
            look_at(viewer, session.layer, np.stack([middle - half, middle + half]))
            session.update_settings(quality_px=0.2)
            assert session.wait(20), kind
            picture = lit(viewer)
            pixels = pixels_of(viewer, session.layer, places)
            at = pixels_of(viewer, session.layer, ends.reshape(-1, 3)).reshape(*ends.shape[:2], 2)
            near = places_on(ends[within(picture, at).all(axis=1)])  # what has its ends in view
            assert share_lit(picture, pixels_of(viewer, session.layer, near)) > SHOWN, (
                kind,
                angles,
            )
            # what is lit is data: where nothing of a box around it all lands, all is dark
            low, high = pixels.min(axis=0) - 8, pixels.max(axis=0) + 8
            bright = np.argwhere(picture)
            assert ((bright > low) & (bright < high)).all(), (kind, angles)
        viewer.layers.remove(session.layer)
        assert not lit(viewer).any(), kind


def test_a_mark_beside_the_data_is_noticed(shared_viewer, qtbot, tmp_path: Path) -> None:
    viewer = shared_viewer
    make_store("streamline", tmp_path / "s")
    session = open_store(viewer, tmp_path / "s")
    assert session.wait(20)
    places = places_on(ends_of(tmp_path / "s"))
    assert share_lit(lit(viewer), pixels_of(viewer, session.layer, places)) > SHOWN
    session.layer.translate = (0.0, 40.0, 0.0)
    assert session.wait(20)
    assert share_lit(lit(viewer), pixels_of(viewer, session.layer, places - [0, 40, 0])) < SHOWN
    assert share_lit(lit(viewer), pixels_of(viewer, session.layer, places)) > SHOWN


def test_spheres_of_a_store_of_nothing_else(shared_viewer, qtbot, tmp_path: Path) -> None:
    viewer = shared_viewer
    ball = {"type": "sphere", "coefficients": [60, 70, 50, 20]}
    write_parametric_objects(tmp_path / "s", [ball], create_new_store=True)
    session = open_store(viewer, tmp_path / "s")
    assert session.wait(20)
    qtbot.waitUntil(lambda: bool(session.shapes.layers), timeout=20_000)
    assert session.wait(20)
    layer = session.shapes.layers[0]
    around = np.random.default_rng(0).normal(size=(400, 3))
    around *= 19 / np.linalg.norm(around, axis=1, keepdims=True)
    pixels = pixels_of(viewer, layer, around + np.array([60, 70, 50]))
    picture = lit(viewer)
    assert share_lit(picture, pixels) > SHOWN
    middle = pixels_of(viewer, layer, np.array([[60.0, 70.0, 50.0]]))[0]
    assert np.abs(np.argwhere(picture).mean(axis=0) - middle).max() < 2

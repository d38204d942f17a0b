"""Real stores in the window: settled, whole, and the right way up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import laspy
import numpy as np
import pytest

import zv_viewer

pytestmark = [pytest.mark.realdata, pytest.mark.gui]


@pytest.mark.parametrize("attribute", [None, "rgb", "intensity", "class"])
def test_the_lidar_file_settles(
    make_napari_viewer: Callable, lidar_store: Path, attribute: str | None
) -> None:
    session = zv_viewer.open_store(make_napari_viewer(show=True), lidar_store)
    assert session.wait(60)
    session.color_by(attribute)
    assert session.wait(60)
    stats = session.stats()
    assert session.settings.level_lock is None
    assert stats.vertices_in_view_level0 == 110_000
    assert 0 < stats.vertices_drawn <= 110_000
    assert stats.holes == stats.failed == stats.refused_by_budget == 0


@pytest.mark.parametrize("attribute", ["type", "roi", "confidence"])
def test_the_synapses_settle(
    make_napari_viewer: Callable, synapse_store: Path, attribute: str
) -> None:
    session = zv_viewer.open_store(make_napari_viewer(show=True), synapse_store)
    assert session.wait(60)
    session.color_by(attribute)
    assert session.wait(60)
    stats = session.stats()
    assert stats.vertices_in_view_level0 == 14_836
    assert stats.vertices_drawn > 0
    assert stats.holes == stats.failed == 0


def test_north_is_up_and_east_is_right(
    make_napari_viewer: Callable, lidar_store: Path, laz: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    session = zv_viewer.open_store(viewer, lidar_store)
    assert session.wait(60)
    viewer.canvas.overlays.scale_bar.visible = False
    session.color_by("rgb")
    assert session.wait(60)
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(float)
    lit = picture.max(axis=-1) > 0
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    seen = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean(axis=-1)

    cloud = laspy.read(laz)
    x, y = np.asarray(cloud.x), np.asarray(cloud.y)
    grey = (np.asarray(cloud.red, float) + cloud.green + cloud.blue) / 3
    edges = [np.linspace(v.min(), v.max(), n + 1) for v, n in ((y, 12), (x, 24))]
    total = np.histogram2d(y, x, edges, weights=grey)[0]
    count = np.histogram2d(y, x, edges)[0]
    map_ = (total / np.maximum(count, 1))[::-1]  # north first
    blocks = [np.array_split(band, 24, axis=1) for band in np.array_split(seen, 12, axis=0)]
    shown = np.array([[block.mean() for block in band] for band in blocks])

    def likeness(other: np.ndarray) -> float:
        return float(np.corrcoef(shown.ravel(), other.ravel())[0, 1])

    assert likeness(map_) > 0.7
    mirrored = (map_[::-1], map_[:, ::-1], map_[::-1, ::-1])
    assert max(map(likeness, mirrored)) < likeness(map_) - 0.3

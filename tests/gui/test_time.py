"""Stores with a time axis: a slider cuts lines and faces where the slab does, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Tracks
from scipy.ndimage import binary_dilation

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.polylines import write_polylines
from zv_viewer.layers.camera import camera_of
from zv_viewer.session import open_store
from zv_viewer.widgets.appearance import AppearanceDock

pytestmark = [pytest.mark.gui, pytest.mark.once]

NAMES, UNITS = ("t", "z", "y", "x"), ("second", "micrometer", "micrometer", "micrometer")
SIZE = (20.0, 60.0, 60.0, 60.0)
FEW = 3
CHUNK = (5.0, 30.0, 30.0, 30.0)


def curves() -> list[np.ndarray]:
    """Curves through time: some step on slowly, some from chunk to chunk."""
    rng = np.random.default_rng(4)
    found = []
    for k in range(24):
        steps = 7 if k % 3 == 0 else 30
        t = np.linspace(0.0, SIZE[0], steps)
        place = np.cumsum(rng.normal(0, 60 / steps, (steps, 3)), axis=0) + rng.uniform(10, 50, 3)
        found.append(np.column_stack([t, np.clip(place, 0.0, 60.0)]).astype(np.float32))
    return found


def kept_part(start: np.ndarray, end: np.ndarray, low: float, high: float) -> np.ndarray:
    """Points of a segment, close together, that lie in the slab of time."""
    steps = np.linspace(0, 1, 600)[:, None]
    points = start + steps * (end - start)
    return points[(points[:, 0] >= low) & (points[:, 0] <= high)]


def pixels(viewer, layer, points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) where positions land."""
    camera = camera_of(viewer, layer)
    shown = points[:, list(camera.displayed)].astype(float)
    pad = np.zeros((len(shown), 3 - shown.shape[1]))
    clip = np.hstack([shown, pad, np.ones((len(shown), 1))]) @ camera.matrix.T
    x, y = clip[:, 0] / clip[:, 3], clip[:, 1] / clip[:, 3]
    down = np.floor((1 - y) / 2 * shape[0]).astype(int)
    right = np.floor((1 + x) / 2 * shape[1]).astype(int)
    inside = (down >= 0) & (down < shape[0]) & (right >= 0) & (right < shape[1])
    found = np.zeros(shape, bool)
    found[down[inside], right[inside]] = True
    return found


def near(mask: np.ndarray) -> np.ndarray:
    return binary_dilation(mask, np.ones((3, 3)), 2)


def lit(viewer, session) -> np.ndarray:
    assert session.wait(30)
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3]
    return picture.max(axis=-1) > 20


@pytest.mark.parametrize("ndisplay", [2, 3])
def test_lines_are_cut_by_the_slab_of_time(
    make_napari_viewer: Callable, qtbot, tmp_path: Path, ndisplay: int
) -> None:
    lines = curves()
    write_polylines(
        tmp_path / "s",
        lines,
        chunk_shape=CHUNK,
        bin_shape=tuple(edge / 2 for edge in CHUNK),
        bounds=([0.0] * 4, list(SIZE)),
        axis_names=NAMES,
        axis_units=UNITS,
    )
    build_pyramid(tmp_path / "s", factors=[(2.0, 1.0)])
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, tmp_path / "s")
    assert session.wait(30)
    assert viewer.dims.ndisplay == 3
    assert viewer.dims.not_displayed == (0,)
    viewer.canvas.overlays.scale_bar.visible = False
    session.update_settings(level_lock=0)
    viewer.dims.ndisplay = ndisplay
    dock = AppearanceDock(viewer)
    slab = dock.slab
    assert slab.boxes[0].suffix() == " s"
    for axis, box in slab.boxes.items():
        if axis:
            box.setValue(60.0)
            viewer.dims.set_point(axis, 30.0)
    for time, width in ((3.0, 0.0), (9.6, 1.5), (10.0, 4.0), (12.4, 0.3)):
        viewer.dims.set_point(0, time)
        slab.boxes[0].setValue(width)
        seen = lit(viewer, session)
        camera = camera_of(viewer, session.layer)
        low, high = camera.slab_lo[0], camera.slab_hi[0]
        if width:
            assert (low, high) == pytest.approx((time - width / 2, time + width / 2))
        pieces = [kept_part(a, b, low, high) for line in lines for a, b in pairwise(line)]
        marks = [pixels(viewer, session.layer, piece, seen.shape) for piece in pieces]
        assert sum(mark.any() for mark in marks) > 20
        assert not (seen & ~near(np.any(marks, axis=0))).any()
        there = near(seen)
        for mark in marks:  # of pieces shorter than a few pixels none may have its middle in
            assert mark.sum() <= FEW or not (mark & ~there).any()


def sheet_at(across, along):
    """t, z, y and x of a place on a tilted sheet that time runs across."""
    return 20 * across, 10 + 20 * along + 15 * across, 5 + 50 * along, 5 + 50 * across


def test_faces_are_cut_by_the_slab_of_time(
    make_napari_viewer: Callable, qtbot, tmp_path: Path
) -> None:
    sheet = [sheet_at(*place) for place in ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))]
    write_mesh(
        tmp_path / "s",
        np.array(sheet, np.float32),
        np.array([[0, 1, 2], [0, 2, 3]]),
        chunk_shape=CHUNK,
        bounds=([0.0] * 4, list(SIZE)),
        axis_names=NAMES,
    )
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, tmp_path / "s")
    assert session.wait(30)
    for time, width in ((4.0, 2.0), (10.0, 6.0), (17.0, 0.8)):
        viewer.dims.set_point(0, time)
        viewer.dims.margin_left = viewer.dims.margin_right = (width / 2, 0.0, 0.0, 0.0)
        seen = lit(viewer, session)
        across, along = np.meshgrid(np.linspace(0, 1, 700), np.linspace(0, 1, 700))
        grid = np.stack(sheet_at(across, along), axis=-1).reshape(-1, 4)
        kept = grid[np.abs(grid[:, 0] - time) <= width / 2]
        expected = pixels(viewer, session.layer, kept, seen.shape)
        assert expected.sum() > 1000
        assert not (seen & ~near(expected)).any()
        assert not (expected & ~near(seen)).any()


def test_tracks_through_time_have_tails(
    make_napari_viewer: Callable, qtbot, tmp_path: Path
) -> None:
    times = np.arange(21.0)
    places = np.column_stack([times, 30 + 0 * times, 30 + 0 * times, 3 * times])
    write_polylines(
        tmp_path / "s",
        [places],
        chunk_shape=CHUNK,
        bounds=([0.0] * 4, list(SIZE)),
        axis_names=NAMES,
        axis_units=UNITS,
    )
    viewer = make_napari_viewer(show=True)
    session = open_store(viewer, tmp_path / "s", layers="standard")
    assert session.wait(30)
    layer = session.layer
    assert isinstance(layer, Tracks)
    viewer.canvas.overlays.scale_bar.visible = False
    layer.tail_length = 5
    layer.head_length = 0
    layer.tail_width = 5
    for time in (8.0, 15.0):
        viewer.dims.set_point(0, time)
        seen = lit(viewer, session)
        there = [pixels(viewer, layer, place[None], seen.shape) for place in places]
        shown = [bool((near(seen) & mark).any()) for mark in there]
        assert shown[int(time) - 3 : int(time)] == [True] * 3
        assert not any(shown[: int(time) - 6])
        assert not any(shown[int(time) + 2 :])

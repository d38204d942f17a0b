"""What a person sees first, in the window and in `render`: the same, and it tells something."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from imageio.v3 import imread

from zarr_vectors.types.lines import write_lines
from zarr_vectors.types.parametric import write_parametric_objects
from zarr_vectors.types.polylines import write_polylines
from zv_viewer.drawing.palette import colours_of_ids
from zv_viewer.widgets.show_store import show_store

pytestmark = pytest.mark.gui

SPREAD = np.arange(5) * 20.0 + 10.0


def fan(runs_along: int) -> list[np.ndarray]:
    """Five curves, side by side, that run along an axis."""
    curves = []
    for place in SPREAD:
        curve = np.full((30, 3), 50.0)
        curve[:, 1 if runs_along == 2 else 2] = place
        curve[:, runs_along] = np.linspace(5, 95, 30)
        curves.append(curve)
    return curves


def common_colours(picture: np.ndarray, at_least: int = 40) -> list[tuple[int, ...]]:
    """Colours of many pixels, black aside."""
    found, counts = np.unique(picture[..., :3].reshape(-1, 3), axis=0, return_counts=True)
    return [tuple(one) for one in found[counts >= at_least].tolist() if max(one) > 40]


def test_streamlines_are_coloured_by_direction(
    make_napari_viewer: Callable, qtbot, tmp_path: Path
) -> None:
    write_polylines(
        tmp_path / "s",
        fan(2) + fan(1),
        chunk_shape=(100.0,) * 3,
        axis_names=("z", "y", "x"),
        vertex_attributes={"depth": [np.arange(30.0)] * 10},
    )
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, tmp_path / "s")
    assert session.wait(20)
    assert session.colours.attribute == "direction"
    picture = viewer.screenshot(canvas_only=True, flash=False)
    assert {(255, 0, 0), (0, 255, 0)} <= set(common_colours(picture))


@pytest.mark.once
def test_lines_are_coloured_by_object_and_shapes_are_drawn_in_a_picture_too(
    make_napari_viewer: Callable, qtbot, tmp_path: Path
) -> None:
    ends = [(curve[0], curve[-1]) for curve in fan(2)]
    write_lines(
        tmp_path / "s",
        np.array(ends),
        chunk_shape=(100.0,) * 3,
        bounds=([0.0] * 3, [100.0] * 3),
        axis_names=("z", "y", "x"),
    )
    write_parametric_objects(
        tmp_path / "s", [{"type": "line", "coefficients": [0, 60, 50, 1, 0, 0]}]
    )
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, tmp_path / "s")
    assert session.wait(20)
    expected = {tuple(colour) for colour in colours_of_ids(np.arange(5)).tolist()}
    assert session.objects.coloured_by is not None
    picture = viewer.screenshot(canvas_only=True, flash=False)
    assert expected <= set(common_colours(picture))
    out = tmp_path / "p.png"
    words = ("render", tmp_path / "s", "--out", out, "--size", "500x400")
    command = [sys.executable, "-W", "ignore", "-m", "zv_viewer", *map(str, words)]
    subprocess.run(command, check=True, timeout=240, capture_output=True)
    drawn = imread(out)
    assert expected <= set(common_colours(drawn))
    rows = {
        tuple(colour): np.argwhere((drawn[..., :3] == colour).all(axis=-1)) for colour in expected
    }
    lines = sorted(found[:, 0].mean() for found in rows.values())
    between = drawn[int((lines[2] + lines[3]) / 2) - 8 : int((lines[2] + lines[3]) / 2) + 8]
    assert len(common_colours(between)) == 1

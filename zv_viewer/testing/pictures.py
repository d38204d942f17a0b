"""What a picture of a store has to show: places of its finest level, and what is lit there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.lazy import open_zv
from zarr_vectors.types.graphs import read_graph
from zarr_vectors.types.lines import read_lines
from zarr_vectors.types.meshes import read_mesh
from zarr_vectors.types.points import read_points
from zv_viewer.layers.camera import camera_of

Float = npt.NDArray[np.float64]
DARK = 24
"""A pixel no brighter than this is background."""


def ends_of(store: Path) -> Float:
    """(M, W, D) the ends of every link of level 0, read by the readers of whole stores.

    W is 1 for points, 2 for edges and pieces of lines, 3 for faces.
    """
    with open_zv(str(store)) as opened:
        kinds = opened.geometry_types
    if "mesh" in kinds:
        mesh = read_mesh(str(store))
        return np.asarray(mesh.vertices, float)[mesh.faces]
    if "line" in kinds:
        return np.asarray(read_lines(str(store)).endpoints, float)
    if "point_cloud" in kinds:
        return np.asarray(read_points(str(store)).positions, float)[:, None]
    graph = read_graph(str(store))
    return np.asarray(graph.positions, float)[graph.edges]


def places_on(ends: Float) -> Float:
    """(N, D) positions at which something of links, (M, W, D), has to be drawn.

    The ends, and ways from each to the centre of its link.
    """
    centre = ends.mean(axis=1, keepdims=True)
    parts = [ends + share * (centre - ends) for share in (0.0, 0.5, 1.0)]
    return np.asarray(np.concatenate(parts).reshape(-1, ends.shape[-1]))


def pixels_of(viewer: Any, layer: Any, positions: Float) -> Float:  # noqa: ANN401 - of napari
    """(N, 2) canvas pixels, down and right, where positions of a layer's store land."""
    camera = camera_of(viewer, layer)
    shown = positions[:, list(camera.displayed)]
    flat = np.zeros((len(shown), 3 - shown.shape[1]))
    ends = np.column_stack([shown, flat, np.ones(len(shown))]) @ camera.matrix.T
    right, up = (ends[:, :2] / ends[:, 3:]).T
    width, height = camera.viewport
    return np.column_stack([(1 - up) / 2 * height, (1 + right) / 2 * width])


def lit(viewer: Any) -> npt.NDArray[np.bool_]:  # noqa: ANN401 - a napari viewer
    """(height, width) which pixels of the canvas are not background."""
    picture = viewer.screenshot(canvas_only=True, flash=False)
    return np.asarray(picture[..., :3].max(axis=-1) > DARK)


def within(picture: npt.NDArray[np.bool_], pixels: Float) -> npt.NDArray[np.bool_]:
    """(..., ) which pixels, (..., 2), lie inside a picture."""
    return np.asarray(((pixels >= 0) & (pixels < picture.shape)).all(axis=-1))


def share_lit(picture: npt.NDArray[np.bool_], pixels: Float, reach: int = 2) -> float:
    """Which part of the places inside a picture have a lit pixel at most ``reach`` away."""
    at = np.floor(pixels).astype(int)
    inside = within(picture, at)
    around = [
        picture[np.clip(at[:, 0] + i, 0, picture.shape[0] - 1), column]
        for j in range(-reach, reach + 1)
        for column in [np.clip(at[:, 1] + j, 0, picture.shape[1] - 1)]
        for i in range(-reach, reach + 1)
    ]
    return float(np.any(around, axis=0)[inside].mean())

"""A window with a layer in it, and pictures of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from zv_viewer.layers.camera import camera_of
from zv_viewer.layers.factory import make_layer
from zv_viewer.layers.points import CellPoints
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.links import LinkArrays, OpenLinks
from zv_viewer.model.scene import LevelInfo, SceneInfo


def a_scene(bounds, link_width=0, objects=1) -> SceneInfo:
    """A store with nothing but bounds, (2, D), and objects where rows are linked."""
    box = np.asarray(bounds, float)
    ndim = box.shape[1]
    level = LevelInfo(
        0,
        np.ones(ndim),
        np.ones(ndim),
        np.zeros((1, ndim), np.int64),
        np.ones(1, np.int64),
        True,
        0.0,
        "density",
    )
    names = tuple("tzyx"[-ndim:])
    units = (None,) * ndim
    plain = SceneInfo(
        "memory://box", "box", "0.7.0", "points", names, units, box, (level,), (), 12.0
    )
    return replace(plain, link_width=link_width, objects=np.arange(objects))


def a_cell(scene, number, points, values=None, parts=None, spacing=0.0) -> CellArrays:
    """Points, (N, D) in store coordinates, as a worker hands them over."""
    points = np.asarray(points, float).reshape(-1, scene.ndim)
    rows = np.zeros((len(points), 4), np.float32)
    rows[:, : scene.ndim] = points - scene.origin
    ends = [0, len(rows)] if parts is None else parts
    return CellArrays(
        cell=number,
        positions=rows,
        values=None if values is None else np.asarray(values, np.float32),
        attribute=None if values is None else "value",
        part_start=np.asarray(ends, np.int64),
        spacing=spacing,
        order=np.arange(len(rows), dtype=np.uint32),
        fetched_bytes=0,
        requests=0,
    )


def linked_cells(
    scene, points, links, objects=0, cells=0, level=0, values=None
) -> list[CellArrays]:
    """Rows that links join, cut into cells: (N, D) points, (M, W) rows that are joined.

    ``objects`` and ``cells`` are one number or (N,): rank and cell of each row.
    """
    points = np.asarray(points, float).reshape(-1, scene.ndim)
    links = np.asarray(links, np.int64).reshape(-1, scene.link_width)
    objects = np.broadcast_to(objects, len(points))
    cells = np.broadcast_to(cells, len(points))
    found = []
    for number in np.unique(cells):
        own = np.flatnonzero(cells == number)
        local = np.full(len(points), -1)
        local[own] = np.arange(len(own))
        rows = local[links]
        mine, whole = (rows >= 0).any(axis=1), (rows >= 0).all(axis=1)
        names = {}
        for at in np.flatnonzero(mine & ~whole):
            names.setdefault(tuple(sorted({int(c) for c in cells[links[at]]})), []).append(at)
        for name, those in names.items():
            names[name] = sorted(those, key=lambda at: (objects[links[at, 0]], *links[at]))
        order = np.array([at for those in names.values() for at in those], np.int64)
        open_links = OpenLinks(
            groups=tuple(names),
            start=np.cumsum([0, *map(len, names.values())]),
            rows=rows[order],
            ends=links[order],
            owner=cells[links[order]].astype(np.int64),
            objects=objects[links[order, 0]].astype(np.uint32),
        )
        value = None if values is None else np.asarray(values)[own]
        found.append(
            replace(
                a_cell(scene, int(number), points[own], value),
                links=LinkArrays(
                    level, objects[own].astype(np.uint32), rows[whole].astype(np.uint32), open_links
                ),
            )
        )
    return found


@dataclass
class Stage:
    """A viewer, a layer in it, and eyes."""

    viewer: Any
    layer: Any
    scene: SceneInfo

    def settle(self) -> None:
        """Let the window catch up."""
        for _ in range(6):
            QApplication.processEvents()

    def picture(self) -> np.ndarray:
        """(H, W, 3) int, the canvas."""
        self.settle()
        image = self.viewer.screenshot(canvas_only=True, flash=False)
        return np.asarray(image)[..., :3].astype(int)

    def lit(self) -> int:
        """Pixels that are not black."""
        return int((self.picture().sum(axis=-1) > 0).sum())

    def pixels_of(self, points) -> np.ndarray:
        """(N, 2) row and column where store positions land, by the layer's camera."""
        camera = camera_of(self.viewer, self.layer)
        shown = np.asarray(points, float).reshape(-1, self.scene.ndim)[:, list(camera.displayed)]
        pad = np.zeros((len(shown), 3 - shown.shape[1]))
        clip = np.hstack([shown, pad, np.ones((len(shown), 1))]) @ camera.matrix.T
        x, y = clip[:, 0] / clip[:, 3], clip[:, 1] / clip[:, 3]
        width, height = camera.viewport
        return np.stack([(1 - y) / 2 * height, (1 + x) / 2 * width], axis=1).astype(int)

    def colours_at(self, points) -> np.ndarray:
        """(N, 3) colours of the picture where store positions land."""
        image = self.picture()
        row, column = self.pixels_of(points).T
        return image[row, column]

    def lit_at(self, points, image=None) -> np.ndarray:
        """(N,) bool, whether the picture is lit within a pixel of where store positions land."""
        lit = (self.picture() if image is None else image).sum(axis=-1) > 0
        row, column = self.pixels_of(points).T
        near = [lit[row + down, column + right] for down in (-1, 0, 1) for right in (-1, 0, 1)]
        return np.any(near, axis=0)


@pytest.fixture
def stage(shared_viewer) -> Callable[..., Stage]:
    """Puts a layer alone into the window of the file, as :func:`on_stage` says."""
    return partial(on_stage, shared_viewer)


@pytest.fixture
def stage_of_its_own(make_napari_viewer) -> Callable[..., Stage]:
    """As ``stage``, in a window for this test: napari keeps what it does to it."""
    return partial(on_stage, make_napari_viewer(show=True))


def on_stage(
    viewer,
    bounds,
    ndisplay=2,
    capacity=20_000,
    backend="fast",
    size=4.0,
    link_width=0,
    objects=1,
    geometry="points",
) -> Stage:
    """A layer for a box, (2, D) bounds, alone in a window."""
    scene = replace(a_scene(bounds, link_width, objects), geometry=geometry)
    viewer.layers.clear()
    viewer.window.resize(900, 700)
    layer = make_layer(scene, capacity, name="cells", backend=backend)
    viewer.add_layer(layer)
    viewer.dims.ndisplay = ndisplay
    viewer.reset_view()
    if isinstance(layer, CellPoints):
        layer.point_size = size
    here = Stage(viewer, layer, scene)
    here.settle()
    return here


@pytest.fixture
def scene_of() -> Callable[..., SceneInfo]:
    """Makes a scene of bounds."""
    return a_scene


@pytest.fixture
def cell() -> Callable[..., CellArrays]:
    """Makes a cell of a scene."""
    return a_cell


@pytest.fixture
def cut_cells() -> Callable[..., list[CellArrays]]:
    """Makes cells of rows that are linked."""
    return linked_cells

"""Cells in slots against napari's own Points, side by side in one window.

    python tests/benchmarks/slots_vs_stock.py [--points 1000000] [--cells 200] [--rounds 5]

Both layers show the same cloud, coloured by the same attribute with the same map and limits, in the
same view with every point in it. Rounds alternate; medians are printed, and as JSON in the last
line. ``call`` is the time on the GUI thread until the call returns; ``total`` adds what the next
frame costs more than a frame that has nothing to upload.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
import warnings
from collections.abc import Callable

import napari
import numpy as np
from napari.layers import Points
from OpenGL import GL
from qtpy.QtWidgets import QApplication

from zv_viewer.layers.factory import make_layer
from zv_viewer.layers.points import CellPoints
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.scene import LevelInfo, SceneInfo
from zv_viewer.model.update import LayerUpdate

EXTENT = 1000.0


def a_scene() -> SceneInfo:
    """A cube of ``EXTENT`` with one level."""
    bounds = np.array([[0.0] * 3, [EXTENT] * 3])
    chunks, counts = np.zeros((1, 3), np.int64), np.ones(1, np.int64)
    level = LevelInfo(0, np.full(3, 100.0), np.ones(3), chunks, counts, True, 0.0, "density")
    axes, units = ("z", "y", "x"), (None,) * 3
    about = ("memory://cube", "cube", "0.7.0", "points")
    return SceneInfo(*about, axes, units, bounds, (level,), (), 12.0)


def a_cell(number: int, positions: np.ndarray, values: np.ndarray, scene: SceneInfo) -> CellArrays:
    """Rows as a worker hands them over."""
    rows = np.zeros((len(positions), 4), np.float32)
    rows[:, :3] = positions - scene.origin
    order = np.arange(len(positions), dtype=np.uint32)
    return CellArrays(number, rows, values, "value", np.array([0, len(rows)]), 10.0, order, 0, 0)


class Window:
    """A viewer and a stopwatch."""

    def __init__(self) -> None:
        self.viewer = napari.Viewer(ndisplay=3, show=True)
        self.viewer.window.resize(1000, 800)
        self.native = self.viewer.window._qt_viewer.canvas._scene_canvas.native
        for _ in range(10):
            QApplication.processEvents()

    def timed(self, act: Callable[[], object]) -> float:
        """Milliseconds of ``act`` alone."""
        start = time.perf_counter()
        act()
        return (time.perf_counter() - start) * 1e3

    def draw(self) -> float:
        """Milliseconds of one whole frame, waited for."""
        self.native.makeCurrent()
        GL.glFinish()
        start = time.perf_counter()
        self.native.update()
        QApplication.processEvents()
        self.native.makeCurrent()
        GL.glFinish()
        return (time.perf_counter() - start) * 1e3


class Bench:
    """Both layers, the clouds to show, and the figures so far.

    Args:
        window: Where both are drawn.
        points: Points in view.
        cells: Cells they are cut into.
    """

    def __init__(self, window: Window, points: int, cells: int) -> None:
        self.window, self.points, self.cells = window, points, cells
        self.rng = np.random.default_rng(0)
        self.scene = a_scene()
        self.per = points // cells
        self.everything = tuple(DrawItem(c) for c in range(cells))
        self.table = napari.utils.colormaps.ensure_colormap("viridis").colors
        self.figures: dict[str, list[float]] = {}
        viewer = window.viewer
        layer = make_layer(self.scene, 2 * points, name="cells", backend="fast")
        assert isinstance(layer, CellPoints)
        self.slots = viewer.add_layer(layer)
        self.slots.point_size = 2.0
        self.slots.set_colours("scalar", self.table, (0.0, 1.0))
        look = {"size": 2, "border_width": 0, "antialiasing": 0}
        features = {"value": [0.5]}
        self.stock = viewer.add_points(np.zeros((1, 3)), features=features, name="stock", **look)
        viewer.reset_view()

    def note(self, name: str, milliseconds: float) -> None:
        """Keep one figure."""
        self.figures.setdefault(name, []).append(milliseconds)

    def apply(self, name: str, update: LayerUpdate) -> None:
        """Time one update of the slots, its first frame and the frames after."""
        call = self.window.timed(lambda: self.slots.apply(update))
        first = self.window.draw()
        frame = statistics.median(self.window.draw() for _ in range(3))
        self.note(f"slots {name} call", call)
        self.note(f"slots {name} total", call + max(first - frame, 0.0))

    def only(self, layer: Points) -> None:
        """Show one of the two."""
        self.slots.visible, self.stock.visible = layer is self.slots, layer is self.stock
        self.window.draw()
        self.window.draw()

    def frames(self, name: str, number: int) -> None:
        """Time frames at rest and one after a turn of the camera."""
        rest = statistics.median(self.window.draw() for _ in range(3))
        self.note(f"{name} frame", rest)
        self.window.viewer.scene.camera.angles = (3.0 * number + 2.0, 10, 5)
        self.note(f"{name} frame moving", self.window.draw())

    def a_cell(self, number: int, rows: int) -> CellArrays:
        """A cell of random rows."""
        positions = self.rng.uniform(0, EXTENT, (rows, 3))
        return a_cell(number, positions, self.rng.random(rows).astype(np.float32), self.scene)

    def round_of_slots(self, number: int, arrays: tuple[CellArrays, ...]) -> None:
        """Fill, swap, recolour, frames."""
        self.only(self.slots)
        drop = tuple(range(self.cells)) if number else ()
        self.slots.apply(LayerUpdate(drop=drop, draw=()))
        self.window.draw()
        self.apply("fill", LayerUpdate(put=arrays, draw=self.everything))
        middle = self.cells // 2
        same, other = self.a_cell(middle, self.per), self.a_cell(middle, self.per // 2)
        self.apply("swap same size", LayerUpdate(put=(same,), draw=self.everything))
        self.apply(
            "swap other size", LayerUpdate(drop=(middle,), put=(other,), draw=self.everything)
        )
        recolour = self.window.timed(
            lambda: self.slots.set_colours("scalar", self.table[::-1], (0.2, 0.7))
        )
        self.note("slots recolour", recolour)
        self.slots.set_colours("scalar", self.table, (0.0, 1.0))
        self.frames("slots", number)

    def round_of_stock(self, number: int, positions: np.ndarray, values: np.ndarray) -> None:
        """The same with napari's own layer."""
        self.only(self.stock)
        call = self.window.timed(lambda: setattr(self.stock, "data", positions))
        first = self.window.draw()
        frame = statistics.median(self.window.draw() for _ in range(3))
        self.note("stock fill call", call)
        self.note("stock fill total", call + max(first - frame, 0.0))

        def colour() -> None:
            self.stock.features = {"value": values}
            self.stock.face_colormap = "viridis"
            self.stock.face_contrast_limits = (0.0, 1.0)
            self.stock.face_color = "value"

        self.note("stock recolour", self.window.timed(colour))
        self.window.draw()
        self.frames("stock", number)
        self.stock.face_color = "white"
        self.stock.data = np.zeros((1, 3))

    def round(self, number: int) -> None:
        """One cloud, both ways."""
        positions = self.rng.uniform(0, EXTENT, (self.points, 3))
        values = self.rng.random(self.points).astype(np.float32)
        parts = [slice(c * self.per, (c + 1) * self.per) for c in range(self.cells)]
        arrays = tuple(
            a_cell(c, positions[part], values[part], self.scene) for c, part in enumerate(parts)
        )
        gc.collect()
        self.round_of_slots(number, arrays)
        self.round_of_stock(number, positions, values)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--points", type=int, default=1_000_000)
    options.add_argument("--cells", type=int, default=200)
    options.add_argument("--rounds", type=int, default=5)
    args = options.parse_args()
    warnings.simplefilter("ignore")
    window = Window()
    bench = Bench(window, args.points, args.cells)
    for number in range(args.rounds):
        bench.round(number)
    ms = {name: statistics.median(times) for name, times in bench.figures.items()}
    ratios = {
        "fill call (goal 50)": ms["stock fill call"] / ms["slots fill call"],
        "fill total": ms["stock fill total"] / ms["slots fill total"],
        "frame (goal 3)": ms["stock frame"] / ms["slots frame"],
        "frame moving (goal 3)": ms["stock frame moving"] / ms["slots frame moving"],
        "recolour": ms["stock recolour"] / ms["slots recolour"],
    }
    for name, value in ms.items():
        print(f"{name:28s} {value:10.2f} ms")
    for name, value in ratios.items():
        print(f"{name:28s} {value:10.1f} x")
    print(json.dumps({"points": args.points, "cells": args.cells, "ms": ms, "ratios": ratios}))
    window.viewer.close()
    QApplication.processEvents()


if __name__ == "__main__":
    main()

"""Lines and faces in cells against napari's own Tracks and Surface, side by side in one window.

    python tests/benchmarks/lines_vs_stock.py [--lines 100000] [--rows 50] [--faces 2000000]
        [--cells 6] [--rounds 3]

Both layers of a pair show the same shapes in the same view, cut into ``cells`` cubes along each
axis for ours, with the links that join them. ``replace`` is the time on the GUI thread until the
call that exchanges everything returns, ``frame`` that of one whole frame at rest, ``processor`` the
time all threads spend on it, which other work on the machine changes little, ``swap`` the time of
exchanging one cell. Rounds alternate; medians are printed, and as JSON in the last line.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
from napari.layers import Layer
from napari.utils.colormaps import ensure_colormap
from qtpy.QtWidgets import QApplication
from slots_vs_stock import EXTENT, Window, a_scene

from zv_viewer.drawing.links import with_links
from zv_viewer.layers.factory import make_layer
from zv_viewer.layers.linked import CellLines, CellMesh
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.links import RawLinks
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.update import LayerUpdate

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

COLOURS = ensure_colormap("viridis").colors


def streamlines(rng: np.random.Generator, lines: int, rows: int) -> tuple[Float, Int, Int]:
    """Positions (N, 3), objects (N,) and links (M, 2) of smooth lines in the cube."""
    turns = rng.normal(0, 1, (lines, 1, 3)) + rng.normal(0, 0.3, (lines, rows, 3)).cumsum(axis=1)
    steps = turns / np.linalg.norm(turns, axis=2, keepdims=True) * (0.3 * EXTENT / rows)
    positions = rng.uniform(0, EXTENT, (lines, 1, 3)) + steps.cumsum(axis=1)
    first = np.arange(lines * rows).reshape(lines, rows)[:, :-1].ravel()
    objects = np.arange(lines).repeat(rows)
    links = np.stack([first, first + 1], axis=1)
    return np.clip(positions, 0, EXTENT).reshape(-1, 3), objects, links


def landscape(rng: np.random.Generator, faces: int) -> tuple[Float, Int, Int]:
    """Positions (N, 3), objects (N,) and links (M, 3) of a wavy sheet through the cube."""
    n = int(np.sqrt(faces / 2)) + 1
    y, x = np.meshgrid(*[np.linspace(0, EXTENT, n)] * 2, indexing="ij")
    phases = rng.uniform(0, 6, 2)
    z = EXTENT * (
        0.5 + 0.2 * np.sin(9 * y / EXTENT + phases[0]) * np.cos(7 * x / EXTENT + phases[1])
    )
    corner = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    links = np.stack(
        [corner, corner + 1, corner + n, corner + 1, corner + n + 1, corner + n], axis=1
    )
    return (
        np.stack([z, y, x], axis=-1).reshape(-1, 3),
        np.zeros(n * n, np.int64),
        links.reshape(-1, 3),
    )


def cut(
    scene: SceneInfo, shape: tuple[Float, Int, Int], values: npt.NDArray[np.float32], cells: int
) -> tuple[CellArrays, ...]:
    """The cells of a shape, as workers hand them over."""
    positions, objects, links = shape
    place = np.minimum((positions / EXTENT * cells).astype(np.int64), cells - 1)
    cell = place @ np.array([cells * cells, cells, 1])
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], np.arange(cells**3 + 1))
    local = np.empty(len(order), np.int64)
    local[order] = np.arange(len(order)) - start[cell[order]]
    owner = cell[links]
    inner = (owner == owner[:, :1]).all(axis=1)
    ends = owner << 32 | local[links]
    of_inner = np.argsort(np.where(inner, owner[:, 0], cells**3), kind="stable")
    inner_start = np.searchsorted(owner[of_inner, 0][: inner.sum()], np.arange(cells**3 + 1))
    crossing = np.flatnonzero(~inner)
    touched = np.unique(
        np.concatenate([owner[crossing, i] * len(links) + crossing for i in range(links.shape[1])])
    )
    open_start = np.searchsorted(touched, np.arange(cells**3 + 1) * len(links))
    found = []
    for number in range(cells**3):
        rows = order[start[number] : start[number + 1]]
        if not len(rows):
            continue
        own = of_inner[inner_start[number] : inner_start[number + 1]]
        reach = touched[open_start[number] : open_start[number + 1]] % len(links)
        raw = RawLinks(
            objects=objects[rows],
            inner=local[links[own]],
            open_rows=np.where(owner[reach] == number, local[links[reach]], -1),
            open_ends=ends[reach],
            open_objects=objects[links[reach, 0]],
            stored=np.arange(len(rows)),
            stored_count=len(rows),
        )
        padded = np.zeros((len(rows), 4), np.float32)
        padded[:, :3] = positions[rows] - scene.origin
        arrays = CellArrays(
            cell=number,
            positions=padded,
            values=values[rows],
            attribute="value",
            part_start=np.array([0, len(rows)]),
            spacing=1.0,
            order=np.arange(len(rows), dtype=np.uint32),
            fetched_bytes=0,
            requests=0,
        )
        found.append(with_links(arrays, 0, raw, scene.objects, np.arange(cells**3)))
    return tuple(found)


class Pair:
    """One of our layers and one of napari's, the same shapes in both.

    Args:
        window: Where both are drawn.
        name: Of the pair.
        ours: Our layer, in no viewer yet.
        make: Adds napari's layer for a shape and its values.
        give: Exchanges everything napari's layer shows.
    """

    def __init__(
        self,
        window: Window,
        name: str,
        ours: CellLines | CellMesh,
        make: Callable[..., Layer],
        give: Callable[..., None],
    ) -> None:
        self.window, self.name, self.ours = window, name, ours
        self.make, self.give = make, give
        self.stock: Layer | None = None
        self.held: tuple[int, ...] = ()
        self.figures: dict[str, list[float]] = {}
        window.viewer.add_layer(ours)

    def note(self, name: str, milliseconds: float) -> None:
        """Keep one figure."""
        self.figures.setdefault(name, []).append(milliseconds)

    def exchange(self, name: str, act: Callable[[], object]) -> None:
        """Time a call, and what processors spend on it."""
        start = time.process_time()
        self.note(f"{name} replace", self.window.timed(act))
        self.note(f"{name} replace processor", (time.process_time() - start) * 1e3)

    def only(self, layer: Layer) -> None:
        """Show one of the two."""
        for other in self.window.viewer.layers:
            other.visible = other is layer
        self.window.draw()
        self.window.draw()

    def frames(self, name: str) -> None:
        """Time frames at rest, and what processors spend on them."""
        for _ in range(3):
            start = time.process_time()
            self.note(f"{name} frame", self.window.draw())
            self.note(f"{name} frame processor", (time.process_time() - start) * 1e3)

    def round(
        self, number: int, shape: tuple[Float, Int, Int], other: tuple[Float, Int, Int], cells: int
    ) -> None:
        """Show a shape, exchange it for another, both ways."""
        rng = np.random.default_rng(number)
        values = [rng.random(len(one[0])).astype(np.float32) for one in (shape, other)]
        first, second = (
            cut(self.ours.scene, one, value, cells)
            for one, value in zip((shape, other), values, strict=True)
        )
        levels = np.zeros(len(self.ours.scene.objects), np.uint8)
        self.only(self.ours)
        draw = tuple(DrawItem(arrays.cell) for arrays in first)
        self.ours.apply(LayerUpdate(drop=self.held, put=first, draw=draw, object_levels=levels))
        self.window.draw()
        update = LayerUpdate(
            drop=tuple(arrays.cell for arrays in first),
            put=second,
            draw=tuple(DrawItem(arrays.cell) for arrays in second),
            object_levels=levels,
        )
        gc.collect()
        self.exchange("ours", partial(self.ours.apply, update))
        self.held = tuple(arrays.cell for arrays in second)
        self.window.draw()
        self.frames("ours")
        middle = sorted(second, key=len)[len(second) // 2]
        swap = LayerUpdate(put=(replace(middle, links=replace(middle.links)),))
        self.note("ours swap", self.window.timed(partial(self.ours.apply, swap)))
        self.note("ours swap rows", float(len(middle)))
        del first, second, middle, update, swap
        if self.stock is None:
            self.stock = self.make(self.window.viewer, shape, values[0])
        self.only(self.stock)
        self.give(self.stock, shape, values[0])
        self.window.draw()
        gc.collect()
        given = self.stock
        self.exchange("stock", lambda: self.give(given, other, values[1]))
        self.window.draw()
        self.frames("stock")

    def close(self) -> dict[str, float]:
        """Take both layers away; the medians."""
        for layer in list(self.window.viewer.layers):
            self.window.viewer.layers.remove(layer)
        return {name: statistics.median(times) for name, times in self.figures.items()}


def tracks_of(shape: tuple[Float, Int, Int]) -> Float:
    """(N, 5) id, time 0 and position of streamlines."""
    positions, objects, _ = shape
    return np.column_stack([objects, np.zeros(len(objects)), positions])


def measure_lines(window: Window, args: argparse.Namespace) -> dict[str, float]:
    """Streamlines against Tracks."""
    scene = replace(a_scene(), link_width=2, objects=np.arange(args.lines))
    layer = make_layer(scene, int(args.lines * args.rows * 1.1) + 128 * args.cells**3, name="lines")
    assert isinstance(layer, CellLines)
    layer.set_colours("scalar", COLOURS, (0.0, 1.0))
    pair = Pair(
        window,
        "lines",
        layer,
        lambda viewer, shape, _: viewer.add_tracks(tracks_of(shape), name="tracks", tail_width=1),
        lambda tracks, shape, _: setattr(tracks, "data", tracks_of(shape)),
    )
    window.viewer.reset_view()
    window.viewer.scene.camera.angles = (10, 20, 30)
    for number in range(args.rounds):
        rng = np.random.default_rng(number)
        pair.round(
            number, *(streamlines(rng, args.lines, args.rows) for _ in range(2)), cells=args.cells
        )
    return pair.close()


def measure_faces(window: Window, args: argparse.Namespace) -> dict[str, float]:
    """A sheet against Surface, both shaded flat."""
    scene = replace(a_scene(), link_width=3)
    layer = make_layer(scene, int(args.faces * 0.6) + 128 * args.cells**3, name="mesh")
    assert isinstance(layer, CellMesh)
    layer.set_colours("scalar", COLOURS, (0.0, 1.0))

    def data(shape: tuple[Float, Int, Int], values: npt.NDArray[np.float32]) -> tuple[object, ...]:
        return shape[0], shape[2], values

    pair = Pair(
        window,
        "faces",
        layer,
        lambda viewer, shape, values: viewer.add_surface(data(shape, values), name="surface"),
        lambda surface, shape, values: setattr(surface, "data", data(shape, values)),
    )
    window.viewer.reset_view()
    window.viewer.scene.camera.angles = (10, 20, 30)
    for number in range(args.rounds):
        rng = np.random.default_rng(number)
        pair.round(number, *(landscape(rng, args.faces) for _ in range(2)), cells=args.cells)
    return pair.close()


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lines", type=int, default=100_000)
    options.add_argument("--rows", type=int, default=50)
    options.add_argument("--faces", type=int, default=2_000_000)
    options.add_argument("--cells", type=int, default=6)
    options.add_argument("--rounds", type=int, default=3)
    args = options.parse_args()
    warnings.simplefilter("ignore")
    window = Window()
    measured = {"lines": measure_lines(window, args), "faces": measure_faces(window, args)}
    ratios = {}
    for name, ms in measured.items():
        for figure, value in ms.items():
            print(f"{name + ' ' + figure:32s} {value:10.2f}{'' if 'rows' in figure else ' ms'}")
        for figure in ("replace", "replace processor", "frame", "frame processor"):
            ratios[f"{name} {figure}"] = ms[f"stock {figure}"] / ms[f"ours {figure}"]
    goals = {"lines replace": 50, "lines frame": 3, "faces replace": 10}
    for name, value in ratios.items():
        goal = f" (goal {goals[name]})" if name in goals else ""
        print(f"{name + goal:32s} {value:10.1f} x")
    print(json.dumps({"arguments": vars(args), "ms": measured, "ratios": ratios}))
    window.viewer.close()
    QApplication.processEvents()


if __name__ == "__main__":
    main()

"""A click is answered within a frame or two, however much is drawn."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.links import LinkArrays, OpenLinks
from zv_viewer.model.plan import DrawItem
from zv_viewer.planning import build_cells
from zv_viewer.rows.drawn import Drawn
from zv_viewer.rows.picking import pick
from zv_viewer.testing.cameras import look_at
from zv_viewer.testing.scenes import grid_scene

PER_CELL, EDGE = 500, 16
OBJECTS = 1_000_000
VIEW = look_at((-20.0, 8.0, 8.0), (8.0, 8.1, 8.2))


@pytest.fixture(scope="module")
def drawn() -> tuple[CellTree, Drawn]:
    """Two million rows in 4096 cells, a million objects of two rows each."""
    scene = grid_scene(EDGE, 1, PER_CELL)
    tree = build_cells(scene)
    rng = np.random.default_rng(0)
    none = np.zeros((0, 2), np.int64)
    empty = OpenLinks((), np.zeros(1, np.int64), none, none, none, np.zeros(0, np.uint32))
    cells, items = [], []
    for cell in range(len(tree)):
        positions = np.zeros((PER_CELL, 4), np.float32)
        positions[:, :3] = rng.uniform(tree.lo[cell], tree.hi[cell], (PER_CELL, 3)) - scene.origin
        ranks = rng.integers(0, OBJECTS, PER_CELL // 2).repeat(2).astype(np.uint32)
        inner = np.arange(PER_CELL, dtype=np.uint32).reshape(-1, 2)
        links = LinkArrays(0, ranks, inner, empty)
        order = np.arange(PER_CELL, dtype=np.uint32)
        part = np.array([PER_CELL], np.int64)
        cells.append(CellArrays(cell, positions, None, None, part, 0.1, order, 0, 0, links))
        items.append(DrawItem(cell))
    levels, looks = np.zeros(OBJECTS, np.uint8), np.full(OBJECTS, 2, np.uint8)
    planes = np.zeros((0, 3)), np.zeros(0)
    return tree, Drawn(tuple(cells), tuple(items), levels, looks, *planes)


def quickest(tree: CellTree, drawn: Drawn, camera: Camera, *, linked: bool) -> float:
    """Processor seconds of the fastest of some clicks."""
    scene = grid_scene(EDGE, 1, PER_CELL)
    if linked:
        scene = replace(scene, link_width=2, objects=np.arange(OBJECTS))
    times = []
    for x in (500.0, 640.0, 700.0):
        began = time.thread_time()
        assert pick(scene, tree, camera, drawn, (x, 360.0)) is not None
        times.append(time.thread_time() - began)
    return min(times)


@pytest.mark.parametrize("linked", [False, True])
def test_a_click_looks_at_few_of_two_million_rows(
    drawn: tuple[CellTree, Drawn],
    linked: bool,
) -> None:
    assert quickest(*drawn, VIEW, linked=linked) < 0.1

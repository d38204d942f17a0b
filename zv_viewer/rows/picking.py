"""Which of the rows drawn a click on the canvas means: a point, a line or a face near the ray."""

from __future__ import annotations

import numpy as np

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.scene import SceneInfo
from zv_viewer.rows.aim import Aim
from zv_viewer.rows.drawn import Drawn, Hit, is_drawn
from zv_viewer.rows.link_picking import pick_link


def pick(
    scene: SceneInfo,
    tree: CellTree,
    camera: Camera,
    drawn: Drawn,
    pointer: tuple[float, float],
    radius_px: float = 6.0,
) -> Hit | None:
    """The row a click means; None where nothing is drawn near.

    Of a line it is the end that is nearer to the pointer, of a face the nearest corner.

    Args:
        scene: The store.
        tree: Its cells.
        camera: The view, in device pixels.
        drawn: What is drawn.
        pointer: (x, y) device pixels from the upper left corner.
        radius_px: How far around the pointer to look, device pixels.
    """
    aim = Aim(scene, camera, pointer, radius_px)
    ids = np.array([arrays.cell for arrays in drawn.cells], np.int64)
    near = set(ids[aim.near(tree, ids)].tolist())
    if not scene.by_object:
        return _pick_point(aim, drawn, near)
    held = {arrays.cell: arrays for arrays in drawn.cells}
    found = pick_link(aim, drawn, held, near)
    return found or _pick_point(aim, drawn, near)


def _pick_point(aim: Aim, drawn: Drawn, near: set[int]) -> Hit | None:
    away, depth, cells, rows = [], [], [], []
    for arrays, item in zip(drawn.cells, drawn.items, strict=True):
        if arrays.cell not in near:
            continue
        own = np.flatnonzero(is_drawn(arrays, item, drawn))
        own = own[aim.uncut(drawn, arrays.positions[own])]
        offset, deep = aim.project(arrays.positions[own])
        distance = np.hypot(*offset.T)
        close = np.flatnonzero(distance <= aim.radius_px)
        away.append(distance[close])
        depth.append(deep[close])
        rows.append(own[close])
        cells.append(np.full(len(close), arrays.cell))
    if not rows:
        return None
    all_away = np.concatenate(away)
    best = aim.best(all_away, np.concatenate(depth))
    if best is None:
        return None
    cell, row = np.concatenate(cells)[best], np.concatenate(rows)[best]
    return Hit(int(cell), int(row), float(all_away[best]))

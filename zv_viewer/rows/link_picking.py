"""The line or face near a place on the canvas."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.joints import Joints
from zv_viewer.model.chunks import CellArrays
from zv_viewer.rows.aim import UNDER_PX, Aim, Int
from zv_viewer.rows.drawn import Drawn, Float, Hit, is_drawn

AT_ONCE = 1 << 18
"""Links tested in one go, to bound memory."""


def pick_link(aim: Aim, drawn: Drawn, held: dict[int, CellArrays], near: set[int]) -> Hit | None:
    """The link nearest to the pointer, by the end of it that is."""
    reached = set(near)
    for cell in near:
        own = held[cell].links
        if own is not None:
            reached.update(other for group in own.open.groups for other in group)
    order = sorted(reached & held.keys())
    if not order:
        return None
    items = {item.cell: item for item in drawn.items}
    start = np.cumsum([0, *(len(held[cell]) for cell in order)])
    positions = np.concatenate([held[cell].positions for cell in order])
    shown = np.concatenate([is_drawn(held[cell], items[cell], drawn) for cell in order])
    links = _links_of(held, order, start, near)
    best: tuple[float, float, int] | None = None
    for first in range(0, len(links), AT_ONCE):
        part = links[first : first + AT_ONCE]
        part = part[shown[part].all(axis=1)]
        test = _lines if links.shape[1] == 2 else _faces
        rows, away, depth = test(aim, drawn, positions, part)
        one = aim.best(away, depth)
        if one is not None:
            key = (_rank(away[one]), float(depth[one] if away[one] <= UNDER_PX else away[one]))
            if best is None or key < best[:2]:
                best = (*key, int(rows[one]))
                nearest = float(away[one])
    if best is None:
        return None
    place = int(np.searchsorted(start, best[2], side="right")) - 1
    return Hit(order[place], best[2] - int(start[place]), nearest)


def _rank(away: float) -> float:
    return 0.0 if away <= UNDER_PX else 1.0


def _links_of(held: dict[int, CellArrays], order: list[int], start: Int, near: set[int]) -> Int:
    """(L, W) links of the cells near, and those that join any of these cells."""
    first = dict(zip(order, start.tolist(), strict=False))
    joints, width, parts = Joints(), 2, []
    for cell in order:
        links = held[cell].links
        if links is not None:
            width = links.inner.shape[1]
            joints.put(cell, links.open)
            if cell in near:
                parts.append(links.inner.astype(np.int64) + first[cell])
    for joint in joints.update(set(order)).added:
        offset = np.array([first[cell] for cell in order], np.int64)
        parts.append(joint.rows + offset[np.searchsorted(order, joint.owner)])
    return np.concatenate([np.zeros((0, width), np.int64), *parts])


def _lines(
    aim: Aim, drawn: Drawn, positions: npt.NDArray[np.float32], links: Int
) -> tuple[Int, Float, Float]:
    """Of each line the end nearer to the pointer, how far the line is from it, and how deep."""
    one, two = (positions[links[:, end]].astype(np.float64) for end in (0, 1))
    low, high = _span(aim, drawn, one, two)
    kept = low <= high
    links, one, two, low, high = links[kept], one[kept], two[kept], low[kept], high[kept]
    first, last = one + (two - one) * low[:, None], one + (two - one) * high[:, None]
    (a, deep_a), (b, deep_b) = aim.project(first), aim.project(last)
    along = b - a
    length = (along * along).sum(axis=1)
    share = np.clip(-(a * along).sum(axis=1) / np.where(length > 0, length, 1.0), 0, 1)
    away = np.hypot(*(a + along * share[:, None]).T)
    depth = deep_a + (deep_b - deep_a) * share
    on = low + (high - low) * share
    rows = np.where(on < 0.5, links[:, 0], links[:, 1])
    return rows, np.where(np.isnan(away), np.inf, away), depth


def _span(aim: Aim, drawn: Drawn, one: Float, two: Float) -> tuple[Float, Float]:
    """(L,) where, from 0 to 1, each line begins and ends within slab and planes."""
    low, high = np.zeros(len(one)), np.ones(len(one))
    bounds = [
        (one[:, axis], two[:, axis], least, most)
        for axis, least, most in zip(
            aim.hidden.tolist(), aim.low.tolist(), aim.high.tolist(), strict=True
        )
    ]
    for normal, reach in zip(drawn.normals, drawn.reach.tolist(), strict=True):
        ndim = len(normal)
        bounds.append((one[:, :ndim] @ normal, two[:, :ndim] @ normal, reach, np.inf))
    for start, end, least, most in bounds:
        step = end - start
        flat = step == 0
        safe = np.where(flat, 1.0, step)
        enter, leave = (least - start) / safe, (most - start) / safe
        enter, leave = np.minimum(enter, leave), np.maximum(enter, leave)
        inside = (start >= least) & (start <= most)
        low = np.where(flat, np.where(inside, low, 2.0), np.maximum(low, enter))
        high = np.where(flat, high, np.minimum(high, leave))
    return low, high


def _faces(
    aim: Aim, drawn: Drawn, positions: npt.NDArray[np.float32], links: Int
) -> tuple[Int, Float, Float]:
    """Of each face under the pointer its corner nearest to it; 0 pixels away, and how deep."""
    on, deep = aim.project(positions)
    a, b, c = (on[links[:, end]] for end in range(3))
    weights = np.stack([_cross(b, c), _cross(c, a), _cross(a, b)], axis=1)
    area = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights /= area[:, None]
    under = np.flatnonzero((weights >= 0).all(axis=1) & (area != 0))
    links, weights = links[under], weights[under]
    # In perspective, weights on the canvas are those in the world divided by depth.
    if aim.camera.matrix[3, : len(aim.camera.displayed)].any():
        weights = weights / deep[links]
        weights /= weights.sum(axis=1, keepdims=True)
    corners = positions[links].astype(np.float64)
    places = (corners * weights[:, :, None]).sum(axis=1)
    uncut = aim.uncut(drawn, places)
    links, places = links[uncut], places[uncut]
    _, depth = aim.project(places)
    squared = (on[links] ** 2).sum(axis=2)
    rows = links[np.arange(len(links)), np.argmin(squared, axis=1)]
    return rows, np.zeros(len(links)), depth


def _cross(one: Float, two: Float) -> Float:
    return np.asarray(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])

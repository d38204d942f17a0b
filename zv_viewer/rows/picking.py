"""Which of the rows drawn a click on the canvas means: a point, a line or a face near the ray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.joints import Joints
from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.objects import Look
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.scene import SceneInfo
from zv_viewer.planning.frustum import frustum_test
from zv_viewer.planning.slab import slab_test

Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]

UNDER_PX = 2.5
"""What is this near is under the pointer: of that the nearest to the viewer is meant."""

AT_ONCE = 1 << 18
"""Links tested in one go, to bound memory."""


@dataclass(frozen=True, eq=False, slots=True)
class Drawn:
    """What a layer draws.

    Args:
        cells: Cells, and what is drawn of each.
        items: Likewise.
        object_levels: (O,) position of the level each object is drawn at; None for points.
        looks: (O,) looks of the objects; None: all are drawn.
        normals: (P, D) planes that clip, store axes.
        reach: (P,) where each lies along its normal, relative to the scene's origin.
    """

    cells: tuple[CellArrays, ...]
    items: tuple[DrawItem, ...]
    object_levels: UInt8 | None
    looks: UInt8 | None
    normals: Float
    reach: Float


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that was clicked on.

    Args:
        cell: Its cell.
        row: Its place in the cell.
        away_px: How far from the pointer what was hit is.
    """

    cell: int
    row: int
    away_px: float


class Aim:
    """A place on the canvas and what is seen there.

    Args:
        scene: The store.
        camera: The view.
        pointer: (x, y) device pixels from the upper left corner.
        radius_px: How far around it to look.
    """

    def __init__(
        self, scene: SceneInfo, camera: Camera, pointer: tuple[float, float], radius_px: float
    ) -> None:
        width, height = camera.viewport
        self.camera, self.radius_px = camera, radius_px
        self.at = np.array([pointer[0], pointer[1]])
        self._half = np.array([width, height]) / 2
        self._axes = list(camera.displayed)
        n = len(self._axes)
        self._rows = camera.matrix[:, [*range(n), 3]].copy()
        self._origin = scene.origin
        self._rows[:, n] += self._rows[:, :n] @ scene.origin[self._axes]
        hidden = [axis for axis in range(scene.ndim) if axis not in self._axes]
        self.hidden = np.array(hidden, np.int64)
        self.low = camera.slab_lo[hidden] - scene.origin[hidden]
        self.high = camera.slab_hi[hidden] - scene.origin[hidden]

    def near(self, tree: CellTree, cells: Int) -> Bool:
        """(C,) cells that have something near the ray."""
        x, y = self.at / self._half - 1
        grow_x, grow_y = (self.radius_px + 1) / self._half
        y = -y
        n = len(self._axes)
        of = self.camera.matrix[:, [*range(n), 3]]
        faces = np.stack(
            [
                of[0] - (x - grow_x) * of[3],
                (x + grow_x) * of[3] - of[0],
                of[1] - (y - grow_y) * of[3],
                (y + grow_y) * of[3] - of[1],
                of[3],
            ]
        )
        lo, hi = tree.lo[cells], tree.hi[cells]
        meets, _ = frustum_test(faces, lo[:, self._axes], hi[:, self._axes])
        in_slab, _ = slab_test(self.camera, lo, hi)
        return np.asarray(meets & in_slab)

    def project(self, positions: npt.NDArray[np.floating]) -> tuple[Float, Float]:
        """(N, 2) pixels from the pointer (NaN behind the viewer), and (N,) depth."""
        shown = positions[:, self._axes].astype(np.float64)
        n = len(self._axes)
        x, y, z, w = (shown @ row[:n] + row[n] for row in self._rows)
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = np.where(w > 0, 1 / w, np.nan)
        on = np.stack([(x * scale + 1) * self._half[0], (1 - y * scale) * self._half[1]], axis=1)
        deep = w if self.camera.matrix[3, :n].any() else z
        return on - self.at, deep

    def best(self, away: Float, depth: Float) -> int | None:
        """Which candidate is meant; None where none is near."""
        near = np.flatnonzero(away <= self.radius_px)
        if not len(near):
            return None
        under = near[away[near] <= UNDER_PX]
        if len(under):
            return int(under[np.lexsort((away[under], depth[under]))[0]])
        return int(near[np.argmin(away[near])])


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
    found = _pick_link(aim, drawn, held, near)
    return found or _pick_point(aim, drawn, near)


def _pick_point(aim: Aim, drawn: Drawn, near: set[int]) -> Hit | None:
    away, depth, cells, rows = [], [], [], []
    for arrays, item in zip(drawn.cells, drawn.items, strict=True):
        if arrays.cell not in near:
            continue
        own = np.flatnonzero(_is_drawn(arrays, item, drawn))
        own = own[_uncut(aim, drawn, arrays.positions[own])]
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


def _is_drawn(arrays: CellArrays, item: DrawItem, drawn: Drawn) -> Bool:
    """(N,) rows of a cell that are drawn, whatever clips them."""
    found = np.ones(len(arrays), np.bool_) if arrays.kept is None else arrays.kept.copy()
    if item.parts is not None:
        inside = np.zeros(len(arrays), np.bool_)
        for part in item.parts:
            inside[arrays.part_start[part] : arrays.part_start[part + 1]] = True
        found &= inside
    links = arrays.links
    if links is not None and drawn.object_levels is not None:
        found &= drawn.object_levels[links.objects] == links.level
    objects = arrays.objects if links is None else links.objects
    if drawn.looks is not None and objects is not None:
        found &= drawn.looks[objects] >= Look.NORMAL
    return found


def _uncut(aim: Aim, drawn: Drawn, positions: npt.NDArray[np.floating]) -> Bool:
    """(N,) positions, relative to the origin, in the slab and beyond all planes."""
    hidden = positions[:, aim.hidden]
    found = ((hidden >= aim.low) & (hidden <= aim.high)).all(axis=1)
    if len(drawn.normals):
        along = positions[:, : drawn.normals.shape[1]] @ drawn.normals.T
        found &= (along >= drawn.reach).all(axis=1)
    return np.asarray(found)


def _pick_link(aim: Aim, drawn: Drawn, held: dict[int, CellArrays], near: set[int]) -> Hit | None:
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
    shown = np.concatenate([_is_drawn(held[cell], items[cell], drawn) for cell in order])
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
    uncut = _uncut(aim, drawn, places)
    links, places = links[uncut], places[uncut]
    _, depth = aim.project(places)
    squared = (on[links] ** 2).sum(axis=2)
    rows = links[np.arange(len(links)), np.argmin(squared, axis=1)]
    return rows, np.zeros(len(links)), depth


def _cross(one: Float, two: Float) -> Float:
    return np.asarray(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])

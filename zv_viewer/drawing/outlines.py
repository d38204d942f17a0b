"""Boxes of what is drawn, and their edges as pieces of lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.scene import SceneInfo

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

Outlined: TypeAlias = Literal["chunks", "bins"]

MOST = 20_000
"""Boxes outlined at once, those nearest to the middle of the view."""

MOST_ROWS = 2_000_000
"""Rows looked at for the bins they lie in."""


@dataclass(frozen=True, eq=False, slots=True)
class Boxes:
    """Boxes to outline.

    Args:
        lo: (N, D) lower corners, store axes.
        hi: (N, D) upper corners.
        levels: (N,) position of the level each belongs to.
        of: How many there are; more than N where only some are outlined.
        sure: False where not all rows were looked at.
    """

    lo: Float
    hi: Float
    levels: Int
    of: int
    sure: bool = True

    def __len__(self) -> int:
        return len(self.lo)


@dataclass(frozen=True, eq=False, slots=True)
class Outlines:
    """Edges of boxes, as a canvas draws them.

    Args:
        ends: (M, 2, n) ends of each piece on the axes shown, store units.
        colours: (M, 3) uint8.
        displayed: The n axes.
    """

    ends: Float
    colours: npt.NDArray[np.uint8]
    displayed: tuple[int, ...]


def seen(
    cells: Sequence[CellArrays],
    items: Sequence[DrawItem],
    object_levels: npt.NDArray[np.uint8] | None,
) -> list[tuple[CellArrays, DrawItem]]:
    """The cells of which something is drawn, and what of each."""
    pairs = zip(cells, items, strict=True)
    if object_levels is None:
        return list(pairs)
    return [
        (arrays, item)
        for arrays, item in pairs
        if arrays.links is not None
        and (object_levels[arrays.links.objects] == arrays.links.level).any()
    ]


def chunk_boxes(
    scene: SceneInfo, tree: CellTree, items: Sequence[DrawItem], middle: Float
) -> Boxes:
    """The chunks that cells drawn come from.

    Args:
        scene: Their levels.
        tree: The cells.
        items: What is drawn.
        middle: (D,) of the view.
    """
    low, high, levels = [], [], []
    for item in items:
        level = int(tree.level[item.cell])
        info = scene.levels[level]
        corner = info.chunks[tree.chunks(item.cell), -scene.ndim :] * info.chunk_shape
        corner = corner[_in_parts(tree, item, corner, corner + info.chunk_shape)]
        low.append(corner)
        high.append(corner + info.chunk_shape)
        levels.append(np.full(len(corner), level))
    return _nearest(scene, low, high, levels, middle)


def bin_boxes(
    scene: SceneInfo,
    tree: CellTree,
    drawn: Sequence[tuple[CellArrays, DrawItem]],
    middle: Float,
) -> Boxes:
    """The bins that rows drawn lie in, nearest cells first.

    Args:
        scene: Their levels.
        tree: The cells.
        drawn: From :func:`seen`.
        middle: (D,) of the view.
    """
    centres = [(tree.lo[item.cell] + tree.hi[item.cell]) / 2 for _, item in drawn]
    away = [float(((centre - middle) ** 2).sum()) for centre in centres]
    low, high, levels, rows, sure = [], [], [], 0, True
    for place in np.argsort(away, kind="stable").tolist():
        arrays, item = drawn[place]
        if rows and rows + len(arrays) > MOST_ROWS:
            sure = False
            break
        rows += len(arrays)
        level = int(tree.level[item.cell])
        shape = scene.levels[level].bin_shape
        at = arrays.positions[:, : scene.ndim].astype(np.float64) + scene.origin
        at = at[_in_parts(tree, item, at, at)]
        corner = np.unique(np.floor(at / shape).astype(np.int64), axis=0) * shape
        low.append(corner)
        high.append(corner + shape)
        levels.append(np.full(len(corner), level))
    return _nearest(scene, low, high, levels, middle, sure=sure)


def edges(boxes: Boxes, displayed: tuple[int, ...], colours: npt.NDArray[np.uint8]) -> Outlines:
    """The edges of boxes on the axes shown, none twice.

    Args:
        boxes: The boxes.
        displayed: Two or three axes.
        colours: (L, 3) for each level.
    """
    axes, n = list(displayed), len(displayed)
    rows = np.column_stack([boxes.lo[:, axes], boxes.hi[:, axes], boxes.levels])
    rows = np.unique(rows, axis=0) if len(rows) else rows
    low, high, levels = rows[:, :n], rows[:, n : 2 * n], rows[:, -1].astype(np.int64)
    pairs = _edges_of_box(n)
    ends = np.where(pairs[None], high[:, None, None, :], low[:, None, None, :])
    return Outlines(
        ends.reshape(-1, 2, n), np.repeat(colours[levels], len(pairs), axis=0), displayed
    )


def view_edges(camera: Camera, bounds: Float, colour: tuple[int, int, int]) -> Outlines:
    """The edges of what a camera sees, as deep as some bounds, (2, D), reach.

    Args:
        camera: The view.
        bounds: Of the store.
        colour: Of the edges.
    """
    axes = list(camera.displayed)
    n = len(axes)
    corners = np.array(list(product(*bounds[:, axes].T.tolist())))
    depth = corners @ camera.matrix[2, :n] + camera.matrix[2, 3]
    faces = np.array(list(product((-1.0, 1.0), repeat=2)))
    ends = []
    for x, y in faces:
        if n == 2:
            ends.append(_at(camera, x, y, None))
        else:
            ends += [_at(camera, x, y, float(end)) for end in (depth.min(), depth.max())]
    points = np.array(ends).reshape((2,) * n + (n,))
    pairs = _edges_of_box(n)
    made = np.array([[points[tuple(end.astype(int))] for end in pair] for pair in pairs])
    kept = np.isfinite(made).all(axis=(1, 2))
    colours = np.tile(np.array(colour, np.uint8), (int(kept.sum()), 1))
    return Outlines(made[kept], colours, camera.displayed)


def joined(*parts: Outlines) -> Outlines:
    """Several outlines on the same axes."""
    return Outlines(
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.colours for part in parts]),
        parts[0].displayed,
    )


def _at(camera: Camera, x: float, y: float, depth: float | None) -> Float:
    """The position seen at a place of the canvas, at a depth (a value of the third row)."""
    n = len(camera.displayed)
    rows = camera.matrix[:, [*range(n), 3]]
    wanted = [rows[0] - x * rows[3], rows[1] - y * rows[3]]
    right = [-wanted[0][n], -wanted[1][n]]
    if depth is not None:
        wanted.append(rows[2])
        right.append(depth - rows[2][n])
    matrix = np.array(wanted)[:, :n]
    if abs(np.linalg.det(matrix)) < 1e-300:
        return np.full(n, np.nan)
    at = np.linalg.solve(matrix, np.array(right))
    return at if at @ rows[3][:n] + rows[3][n] > 0 else np.full(n, np.nan)


def _in_parts(tree: CellTree, item: DrawItem, lo: Float, hi: Float) -> npt.NDArray[np.bool_]:
    """(N,) whether boxes reach into what is drawn of a cell; those without extent lie in it."""
    if item.parts is None:
        return np.ones(len(lo), bool)
    reach = np.zeros(len(lo), bool)
    solid = (hi > lo).all(axis=1)
    for child in tree.children(item.cell)[list(item.parts)].tolist():
        low, high = tree.lo[child], tree.hi[child]
        inside = ((hi > low) & (lo < high)).all(axis=1)
        reach |= np.where(solid, inside, ((lo >= low) & (lo <= high)).all(axis=1))
    return reach


def _nearest(
    scene: SceneInfo,
    low: list[Float],
    high: list[Float],
    levels: list[Int],
    middle: Float,
    *,
    sure: bool = True,
) -> Boxes:
    if not low:
        none = np.zeros((0, scene.ndim))
        return Boxes(none, none, np.zeros(0, np.int64), 0)
    lo, hi, level = np.concatenate(low), np.concatenate(high), np.concatenate(levels)
    of = len(lo)
    if of > MOST:
        away = (((lo + hi) / 2 - middle) ** 2).sum(axis=1)
        kept = np.sort(np.argpartition(away, MOST)[:MOST])
        lo, hi, level = lo[kept], hi[kept], level[kept]
    return Boxes(lo, hi, level, of, sure)


def _edges_of_box(n: int) -> npt.NDArray[np.bool_]:
    """(E, 2, n) which corner each end of an edge is, axis by axis: False the lower one."""
    corners = np.array(list(product((False, True), repeat=n)))
    pairs = [(a, b) for a in corners for b in corners if (a != b).sum() == 1 and (b > a).any()]
    return np.array(pairs)

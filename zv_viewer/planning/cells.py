"""Build the tree of cells from the chunk tables of a scene."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import BYTES_PER_CELL
from zv_viewer.model.links import BYTES_PER_GROUP, BYTES_PER_LINKS
from zv_viewer.model.scene import LevelInfo, SceneInfo
from zv_viewer.planning.ragged import offsets

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

BYTES_PER_ROW = 16 + 4 + 4
"""Memory of one vertex in ``CellArrays``: position, value and store order."""

OPEN_SHARE = 0.3
"""About how many links reach other cells, of those that join the rows of one."""
GROUPS_PER_CELL = 6
"""About with how many sets of other cells links join the rows of one."""

MIN_ERROR_RATIO = 1.3
"""A coarser level is at least this much worse than the next finer one."""

_LARGEST_DENOMINATOR = 1000
_SAME = 1e-9


def build_cells(scene: SceneInfo) -> CellTree:
    """The cells of a scene.

    A cell whose next coarser cell holds no chunk hangs below the nearest coarser cell that does, so
    children may skip a level; without any it is a root. On an axis where the shapes of two levels
    have no common multiple, one cell spans the whole extent (its ``cell_shape`` is inf there).

    Args:
        scene: Levels with their chunk tables; ``levels[0]`` is the finest.

    Returns:
        The tree. Two calls on equal scenes give equal trees.
    """
    shapes, per_cell, per_parent = _cell_shapes(scene)
    bounds = _covering_bounds(scene)
    length, axes = _extent(bounds)
    rows = [
        _group(level, per_cell[i], bounds, length, axes, capped=i > 0)
        for i, level in enumerate(scene.levels)
    ]
    start = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row.count) for row in reversed(rows)], out=start[1:])
    first = [int(start[len(rows) - 1 - i]) for i in range(len(rows))]
    parent = _parents(rows, per_parent, first)
    boxes = [_boxes(row.index, shapes[i], bounds) for i, row in enumerate(rows)]
    coarse_first = range(len(rows) - 1, -1, -1)
    count = np.concatenate([rows[i].count for i in coarse_first])
    parents = np.concatenate([parent[i] for i in coarse_first])
    held = np.flatnonzero(parents >= 0)
    child = held[np.argsort(parents[held], kind="stable")]
    child_start = offsets(parents[held], len(count))
    chunk_counts = np.concatenate([np.diff(rows[i].chunk_start) for i in coarse_first])
    chunk_start = np.zeros(len(count) + 1, np.int64)
    np.cumsum(chunk_counts, out=chunk_start[1:])
    errors = level_errors(scene)
    levels = np.repeat(np.array(coarse_first, np.int64), np.diff(start))
    return CellTree(
        level=levels,
        level_start=start,
        lo=np.concatenate([boxes[i][0] for i in coarse_first]),
        hi=np.concatenate([boxes[i][1] for i in coarse_first]),
        count=count,
        nbytes=_memory(scene, count) + 8 * (np.maximum(np.diff(child_start), 1) + 1),
        fetch_bytes=np.ceil(count * scene.bytes_per_vertex).astype(np.int64),
        error=errors[levels],
        spacing=np.concatenate([rows[i].spacing for i in coarse_first]),
        parent=parents,
        child_start=child_start,
        child=child,
        chunk_start=chunk_start,
        chunk=np.concatenate([rows[i].chunk for i in coarse_first]),
        cell_shape=shapes,
    )


def level_errors(scene: SceneInfo) -> Float:
    """World error per level: stored where somebody measured it, else from the density of vertices.

    The finest level is exact. A stored error of nothing at all (nearly every vertex alone in its
    bin) still counts as a hundredth of the spacing, so that a close enough look gets the finer
    level.

    Args:
        scene: Levels, finest first.

    Returns:
        (L,) world units, growing by ``MIN_ERROR_RATIO`` or more per level.
    """
    bounds = _covering_bounds(scene)
    length, axes = _extent(bounds)
    errors = np.zeros(len(scene.levels))
    for i, level in enumerate(scene.levels[1:], start=1):
        boxes = np.unique(level.chunks[:, -scene.ndim :], axis=0)
        volume = _volumes(boxes, level.chunk_shape, bounds, length, axes).sum()
        spacing = _spacing(volume, level.vertex_count, length, axes)
        own = spacing if np.isnan(level.error) else max(level.error, float(spacing) / 100)
        errors[i] = max(own, MIN_ERROR_RATIO * errors[i - 1])
    return errors


def _memory(scene: SceneInfo, count: Int) -> Int:
    """(C,) bytes of cells of so many vertices, without their parts; with links, about."""
    nbytes = count * BYTES_PER_ROW + BYTES_PER_CELL
    if not scene.by_object:
        return nbytes
    width = scene.link_width
    link = 4 * width + OPEN_SHARE * (3 * 8 * width + 4)
    rows = count * (4 + scene.links_per_vertex * link)
    around = BYTES_PER_LINKS + GROUPS_PER_CELL * BYTES_PER_GROUP
    return np.asarray(nbytes + np.ceil(rows).astype(np.int64) + around)


@dataclass(frozen=True, eq=False, slots=True)
class _Rows:
    """Cells of one level: (N, D) index in the level's grid, and what they hold."""

    index: Int
    count: Int
    spacing: Float
    chunk_start: Int
    chunk: Int


def _cell_shapes(scene: SceneInfo) -> tuple[Float, Int, Int]:
    """Cell sizes (L, D), and how many chunks, and next finer cells, one spans (0: all of them)."""
    n, ndim = len(scene.levels), scene.ndim
    shapes = np.empty((n, ndim))
    per_cell = np.zeros((n, ndim), np.int64)
    per_finer = np.zeros((n, ndim), np.int64)
    for axis in range(ndim):
        finer = None
        for i, level in enumerate(scene.levels):
            parts = [level.chunk_shape[axis], level.bin_shape[axis]]
            if i + 1 < n:
                parts.append(scene.levels[i + 1].bin_shape[axis])
            if finer is not None:
                parts.append(finer)
            size = _common_multiple([float(part) for part in parts])
            shapes[i, axis] = size
            if np.isfinite(size):
                per_cell[i, axis] = round(size / float(level.chunk_shape[axis]))
                per_finer[i, axis] = 1 if finer is None else round(size / finer)
            finer = size
    return shapes, per_cell, per_finer


def _common_multiple(sizes: list[float]) -> float:
    """Smallest whole multiple of every size, inf where there is none; 0 and NaN are left out."""
    result = sizes[0]
    for size in sizes[1:]:
        if not size > 0:
            continue
        if not (np.isfinite(size) and np.isfinite(result)):
            return float("inf")
        small, large = min(result, size), max(result, size)
        ratio = Fraction(large / small).limit_denominator(_LARGEST_DENOMINATOR)
        if abs(float(ratio) - large / small) > _SAME * (large / small):
            return float("inf")
        result = large * ratio.denominator
    return result


def _covering_bounds(scene: SceneInfo) -> Float:
    """The scene's bounds, widened on axes where a chunk lies outside them altogether."""
    bounds = np.array(scene.bounds, np.float64)
    stated = bounds.copy()
    for level in scene.levels:
        if len(level.chunks):
            lo = level.chunks[:, -scene.ndim :] * level.chunk_shape
            hi = lo + level.chunk_shape
            bounds[0] = np.where(
                (hi < stated[0]).any(axis=0), np.minimum(bounds[0], lo.min(0)), bounds[0]
            )
            bounds[1] = np.where(
                (lo > stated[1]).any(axis=0), np.maximum(bounds[1], hi.max(0)), bounds[1]
            )
    return bounds


def _extent(bounds: Float) -> tuple[float, npt.NDArray[np.bool_]]:
    """Longest edge, and the axes along which the data has any extent."""
    size = bounds[1] - bounds[0]
    return float(size.max()), size > 0


def _volumes(
    chunks: Int, shape: Float, bounds: Float, length: float, axes: npt.NDArray[np.bool_]
) -> Float:
    """(M,) volume of each chunk inside the bounds, with ``length`` as the unit of length."""
    if not axes.any():
        return np.zeros(len(chunks))
    lo = np.maximum(chunks * shape, bounds[0])
    hi = np.minimum((chunks + 1) * shape, bounds[1])
    return np.asarray(np.prod(np.maximum(hi - lo, 0)[:, axes] / length, axis=1))


def _spacing(volume: Float, count: Int | int, length: float, axes: npt.NDArray[np.bool_]) -> Float:
    """Edge of the cube one vertex has to itself; relative first: powers of two stay exact."""
    if not axes.any():
        return np.zeros_like(volume)
    return np.asarray(length * (volume / np.maximum(count, 1)) ** (1.0 / int(axes.sum())))


def _group(
    level: LevelInfo,
    per_cell: Int,
    bounds: Float,
    length: float,
    axes: npt.NDArray[np.bool_],
    *,
    capped: bool,
) -> _Rows:
    """Gather a level's chunks into cells; a coarser level's spacing is at most its bin."""
    spatial = level.chunks[:, -len(per_cell) :].astype(np.int64)
    index = np.where(per_cell > 0, spatial // np.maximum(per_cell, 1), 0)
    cells, owner = np.unique(index, axis=0, return_inverse=True)
    owner = owner.reshape(-1).astype(np.int64)
    count = np.bincount(owner, weights=level.counts, minlength=len(cells)).astype(np.int64)
    boxes, first = np.unique(spatial, axis=0, return_index=True)
    shares = _volumes(boxes, level.chunk_shape, bounds, length, axes)
    volume = np.asarray(np.bincount(owner[first], shares, len(cells)), np.float64)
    spacing = _spacing(volume, count, length, axes)
    if capped and level.bin_shape.max() > 0:
        spacing = np.minimum(spacing, level.bin_shape.max())
    return _Rows(
        index=cells.reshape(-1, len(per_cell)),
        count=count,
        spacing=spacing,
        chunk_start=offsets(owner, len(cells)),
        chunk=np.argsort(owner, kind="stable").astype(np.int64),
    )


def _boxes(index: Int, shape: Float, bounds: Float) -> tuple[Float, Float]:
    """Boxes of cells, cut to the bounds."""
    spans = np.isinf(shape)
    size = np.where(spans, 0.0, shape)
    lo = np.where(spans, bounds[0], np.clip(index * size, bounds[0], bounds[1]))
    hi = np.where(spans, bounds[1], np.clip((index + 1) * size, bounds[0], bounds[1]))
    return lo, hi


def _parents(rows: list[_Rows], per_finer: Int, first: list[int]) -> list[Int]:
    """Per level the id of each cell's nearest coarser cell that holds data, -1 if there is none."""
    result = []
    for i, row in enumerate(rows):
        parent = np.full(len(row.count), -1, np.int64)
        index = row.index
        for j in range(i + 1, len(rows)):
            index = np.where(per_finer[j] > 0, index // np.maximum(per_finer[j], 1), 0)
            found = _find(rows[j].index, index)
            parent = np.where((parent < 0) & (found >= 0), found + first[j], parent)
            if (parent >= 0).all():
                break
        result.append(parent)
    return result


def _find(table: Int, wanted: Int) -> Int:
    """(N,) place of each wanted row in a table of sorted unique rows, -1 where it is not there."""
    if not len(table) or not len(wanted):
        return np.full(len(wanted), -1, np.int64)
    both, place = np.unique(np.concatenate([table, wanted]), axis=0, return_inverse=True)
    place = place.reshape(-1)
    where = np.full(len(both), -1, np.int64)
    where[place[: len(table)]] = np.arange(len(table))
    return np.asarray(where[place[len(table) :]])

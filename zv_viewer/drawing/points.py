"""Rows as a store has them -> rows as a layer draws them, ordered by the child cell they lie in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.scene import SceneInfo

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Packed:
    """A cell ready to draw, and the rows left out because their position is not finite."""

    arrays: CellArrays
    not_finite: int


def cell_arrays(
    tree: CellTree,
    scene: SceneInfo,
    cell: int,
    positions: npt.NDArray[np.floating],
    *,
    values: npt.NDArray[np.float32] | None = None,
    attribute: str | None = None,
    fetched_bytes: int = 0,
    requests: int = 0,
) -> Packed:
    """The arrays a layer takes.

    Args:
        tree: The cells.
        scene: The store; positions become relative to its origin, in float64, then float32.
        cell: Whose rows they are.
        positions: (N, D), store order, world units.
        values: (N,) of the attribute coloured by, store order.
        attribute: Its name.
        fetched_bytes: What reading it cost.
        requests: Likewise.

    Returns:
        The cell. Rows whose position is not finite, or too far away for float32, are left out.
    """
    world = np.asarray(positions, np.float64)
    ndim = world.shape[1]
    rows = np.zeros((len(world), 4), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        rows[:, :ndim] = world - scene.origin
    good = np.isfinite(rows[:, :ndim]).all(axis=1)
    kept = np.flatnonzero(good)
    part = part_of(tree, cell, world if len(kept) == len(world) else world[kept])
    children = len(tree.children(cell))
    order = kept[np.argsort(part, kind="stable")] if children > 1 else kept
    start = np.zeros(children + 1, np.int64)
    if children:
        np.cumsum(np.bincount(part, minlength=children), out=start[1:])
    else:
        start[0] = len(kept)
    arrays = CellArrays(
        cell=cell,
        positions=rows[order],
        values=None if values is None else np.ascontiguousarray(values[order]),
        attribute=attribute,
        part_start=start,
        spacing=float(tree.spacing[cell]),
        order=order.astype(np.uint32),
        fetched_bytes=fetched_bytes,
        requests=requests,
    )
    return Packed(arrays, len(world) - len(kept))


def part_of(tree: CellTree, cell: int, world: Float) -> Int:
    """Place of the child each row lies in.

    Args:
        tree: The cells.
        cell: The parent.
        world: (N, D) finite positions.

    Returns:
        (N,) places in ``tree.children(cell)``; a row in none of them belongs to the nearest.
    """
    children = tree.children(cell)
    part = np.zeros(len(world), np.int64)
    if len(children) < 2 or not len(world):
        return part
    part[:] = -1
    for level in np.unique(tree.level[children]).tolist():
        places = np.flatnonzero(tree.level[children] == level)
        left = np.flatnonzero(part < 0)
        part[left] = _grid_lookup(tree, children, places, level, world[left])
    lost = np.flatnonzero(part < 0)
    if len(lost):
        part[lost] = _nearest(tree.lo[children], tree.hi[children], world[lost])
    return part


def _grid_lookup(tree: CellTree, children: Int, places: Int, level: int, world: Float) -> Int:
    """Places of the children of one level that hold each row, -1 where none does."""
    shape = tree.cell_shape[level]
    size = np.where(np.isfinite(shape), shape, 1.0)
    whole = ~np.isfinite(shape)
    middle = (tree.lo[children[places]] + tree.hi[children[places]]) * 0.5
    index = np.where(whole, 0.0, np.floor(middle / size))
    low, span = index.min(axis=0), np.ptp(index, axis=0) + 1
    steps = np.concatenate([np.cumprod(span[::-1])[::-1][1:], [1.0]])
    codes = (index - low) @ steps
    order = np.argsort(codes, kind="stable")
    at = np.where(whole, 0.0, np.floor(world / size)) - low
    inside = ((at >= 0) & (at < span)).all(axis=1)
    code = np.where(inside[:, None], at, 0.0) @ steps
    slot = np.minimum(np.searchsorted(codes[order], code), len(order) - 1)
    found = order[slot]
    return np.where(inside & (codes[found] == code), places[found], -1)


def _nearest(lo: Float, hi: Float, world: Float) -> Int:
    """(N,) the box each row is nearest to."""
    best = np.full(len(world), np.inf)
    place = np.zeros(len(world), np.int64)
    for i in range(len(lo)):
        away = np.maximum(np.maximum(lo[i] - world, world - hi[i]), 0)
        distance = (away * away).sum(axis=1)
        nearer = distance < best
        best[nearer], place[nearer] = distance[nearer], i
    return place

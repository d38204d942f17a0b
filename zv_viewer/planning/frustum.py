"""Which boxes meet the canvas, and which cells of a tree do, tested from coarse to fine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.planning.ragged import gather
from zv_viewer.planning.slab import slab_test

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


def planes(camera: Camera, margin_px: float = 0.0) -> Float:
    """The faces of what a camera sees: left, right, bottom, top, and in front.

    Args:
        camera: The view.
        margin_px: Canvas grown by this on every side.

    Returns:
        (5, n + 1) rows ``[normal, offset]`` over the n displayed axes; seen where all are >= 0.
    """
    n = len(camera.displayed)
    x, y, w = (camera.matrix[i, [*range(n), 3]] for i in (0, 1, 3))
    grow_x = 1 + 2 * margin_px / camera.viewport[0]
    grow_y = 1 + 2 * margin_px / camera.viewport[1]
    return np.stack([grow_x * w + x, grow_x * w - x, grow_y * w + y, grow_y * w - y, w])


def frustum_test(faces: Float, lo: Float, hi: Float) -> tuple[Bool, Bool]:
    """Boxes against planes; a box near a corner may pass though it lies outside, never the reverse.

    Args:
        faces: From :func:`planes`.
        lo: (N, n) lower corners on the displayed axes.
        hi: (N, n) upper corners.

    Returns:
        (N,) the box meets the view, and (N,) the box lies wholly in it.
    """
    normal, offset = faces[:, :-1], faces[:, -1]
    middle = (lo + hi) @ normal.T * 0.5 + offset
    reach = (hi - lo) @ np.abs(normal).T * 0.5
    meets = np.asarray((middle + reach >= 0).all(axis=1))
    return meets, np.asarray((middle - reach >= 0).all(axis=1))


def visible_cells(
    tree: CellTree, camera: Camera, margin_px: float = 0.0, *, cells_beyond: float = 0.0
) -> Bool:
    """The cells a view meets: their box does, and so does a child's, down to the finest.

    Children are tested only below visible parents, and not at all below parents that lie wholly in
    view.

    Args:
        tree: The cells.
        camera: The view.
        margin_px: Canvas grown by this on every side.
        cells_beyond: Slab grown by this on either side, in cells of the level looked at.

    Returns:
        (C,) bool; the parent of a visible cell is visible.
    """
    faces = planes(camera, margin_px)
    axes = list(camera.displayed)
    shape = np.where(np.isfinite(tree.cell_shape), tree.cell_shape, 0.0)
    visible = np.zeros(len(tree), bool)
    cells = np.flatnonzero(tree.parent < 0)
    known = np.zeros(len(cells), bool)
    generations = []
    while len(cells):
        asked = np.flatnonzero(~known)
        meets, inside = np.ones(len(cells), bool), known.copy()
        if len(asked):
            lo, hi = tree.lo[cells[asked]], tree.hi[cells[asked]]
            in_view, whole = frustum_test(faces, lo[:, axes], hi[:, axes])
            more = cells_beyond * shape[tree.level[cells[asked]]]
            in_slab, in_whole_slab = slab_test(camera, lo - more, hi + more)
            meets[asked] = in_view & in_slab
            inside[asked] = whole & in_whole_slab
        cells, inside = cells[meets], inside[meets]
        generations.append(cells)
        cells, owner = gather(tree.child_start, tree.child, cells)
        known = inside[owner]
    for cells in reversed(generations):
        leaf = tree.child_start[cells + 1] == tree.child_start[cells]
        visible[cells] |= leaf
        seen = cells[visible[cells]]
        above = tree.parent[seen]
        visible[above[above >= 0]] = True
    return visible

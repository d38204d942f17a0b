"""Who makes room: what is not needed first, stand-ins only where something coarser is held."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.tree_marks import nearest_above
from zv_viewer.loading.cache import victims
from zv_viewer.model.cells import CellTree

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]


def make_room(
    tree: CellTree,
    held: Bool,
    needed: Bool,
    drawn: Bool,
    visible: Bool,
    age: Float,
    sizes: Callable[[Int], Int],
    wanted: int,
    *,
    by_force: bool = False,
) -> list[int] | None:
    """Cells to let go of so that ``wanted`` is free.

    Never a needed cell, and never a cell's only drawable level: what is drawn in place of something
    else goes last, and only if a needed coarser cell is held that can be drawn there.

    Args:
        tree: The cells.
        held: (C,) cells there are.
        needed: (C,) what the plan shows or keeps.
        drawn: (C,) what is drawn.
        visible: (C,) what is in view.
        age: (C,) seconds since each was of use.
        sizes: What letting go of cells frees.
        wanted: How much must be freed.
        by_force: Stand-ins may go though nothing can be drawn in their place.

    Returns:
        The cells, or None when all that may go is not enough.
    """
    free = np.flatnonzero(held & ~needed & ~drawn)
    stand_ins = np.flatnonzero(held & ~needed & drawn)
    if not by_force:
        stand_ins = stand_ins[nearest_above(tree, stand_ins, held & needed) >= 0]
    gone: list[int] = []
    for candidates in (free, stand_ins):
        chosen = victims(tree, candidates, sizes(candidates), age[candidates], visible, wanted)
        wanted -= int(sizes(np.array(chosen, np.int64)).sum())
        gone += chosen
        if wanted <= 0:
            return gone
    return None

"""Marks handed up and down a tree of cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


def below(tree: CellTree, marked: Bool) -> Bool:
    """(C,) the marked cells and all cells under them."""
    result = marked.copy()
    for i in range(1, len(tree.level_start) - 1):
        ids = slice(int(tree.level_start[i]), int(tree.level_start[i + 1]))
        parent = tree.parent[ids]
        result[ids] |= (parent >= 0) & result[parent]
    return result


def nearest_above(tree: CellTree, cells: Int, marked: Bool) -> Int:
    """(N,) the nearest marked cell above each cell, -1 where there is none."""
    above = tree.parent[cells]
    while True:
        go = (above >= 0) & ~marked[above]
        if not go.any():
            return above
        above = np.where(go, tree.parent[above], above)

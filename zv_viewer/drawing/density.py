"""How many vertices of level 0 one of a coarser level stands for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree

MOST = 10_000.0
"""Nothing is taken to stand for more."""


def stands_for(tree: CellTree) -> npt.NDArray[np.float64]:
    """(C,) vertices of level 0 below each cell for each of its own, from 1 to :data:`MOST`."""
    finest = np.where(tree.level == 0, tree.count, 0).astype(np.float64)
    for level in range(int(tree.level.max(initial=0))):
        cells = np.arange(len(tree))[tree.ids_of_level(level)]
        cells = cells[tree.parent[cells] >= 0]
        np.add.at(finest, tree.parent[cells], finest[cells])
    return np.clip(finest / np.maximum(tree.count, 1), 1.0, MOST)

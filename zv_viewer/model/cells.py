"""The tree of cells that planning walks: boxes that nest, whatever the chunk grids do.

A cell of level ``l`` is the smallest box, aligned at the world's origin, that holds whole chunks
and whole bins of level ``l``, whole bins of level ``l + 1`` and whole cells of level ``l - 1``. So
a cell's children tile it, and every vertex below a cell is represented inside that cell at every
coarser level. Cells are numbered coarsest level first; the numbers are the identity used
everywhere in the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class CellTree:
    """C cells over L levels, as flat arrays.

    Args:
        level: (C,) position in ``SceneInfo.levels``; descending, so ids run from coarse to fine.
        level_start: (L + 1,) ids of level ``l`` are ``level_start[L - 1 - l] : level_start[L -
            l]``.
        lo, hi: (C, D) box of each cell, world units, clipped to the store's bounds.
        count: (C,) vertices. nbytes: (C,) bytes held in memory for them (geometry and one value).
        fetch_bytes: (C,) bytes to read from the store for the geometry.
        error: (C,) world error of the cell's level, not increasing from parent to child.
        spacing: (C,) typical distance between neighbouring vertices, world units.
        parent: (C,) id, or -1 for a root (a cell no coarser level covers).
        child_start, child: children of ``c`` are ``child[child_start[c]:child_start[c + 1]]``,
            ascending.
        chunk_start, chunk: rows of ``LevelInfo.chunks`` that lie in ``c``, same scheme.
        cell_shape: (L, D) size of a cell per level.
    """

    level: Int
    level_start: Int
    lo: Float
    hi: Float
    count: Int
    nbytes: Int
    fetch_bytes: Int
    error: Float
    spacing: Float
    parent: Int
    child_start: Int
    child: Int
    chunk_start: Int
    chunk: Int
    cell_shape: Float

    def __len__(self) -> int:
        return len(self.level)

    def children(self, cell: int) -> Int:
        """Ids of the cells that tile ``cell`` one level finer and hold data."""
        return self.child[self.child_start[cell] : self.child_start[cell + 1]]

    def chunks(self, cell: int) -> Int:
        """Rows of the level's chunk table that lie in ``cell``."""
        return self.chunk[self.chunk_start[cell] : self.chunk_start[cell + 1]]

    def ids_of_level(self, level: int) -> slice:
        """The ids of level ``level`` (position in ``SceneInfo.levels``)."""
        i = len(self.level_start) - 2 - level
        return slice(int(self.level_start[i]), int(self.level_start[i + 1]))

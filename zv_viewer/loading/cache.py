"""Decoded cells in memory, within a number of bytes that is never exceeded."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]


class CellCache:
    """Cells, and room promised to cells that are being loaded; exact to the byte.

    Args:
        max_bytes: Cap on both together.
        cells: Number of cells of the tree.
    """

    def __init__(self, max_bytes: int, cells: int) -> None:
        self.max_bytes = max_bytes
        self.held: Bool = np.zeros(cells, bool)
        self.last_used: Float = np.zeros(cells)
        self._sizes: Int = np.zeros(cells, np.int64)
        self._arrays: dict[int, CellArrays] = {}
        self._promised: dict[Hashable, int] = {}
        self._used = 0

    @property
    def used(self) -> int:
        """Bytes of the cells."""
        return self._used

    @property
    def promised(self) -> int:
        """Bytes promised to loads under way."""
        return sum(self._promised.values())

    @property
    def room(self) -> int:
        """Bytes left; negative only after the cap was lowered."""
        return self.max_bytes - self._used - self.promised

    def __contains__(self, cell: int) -> bool:
        return cell in self._arrays

    def __getitem__(self, cell: int) -> CellArrays:
        return self._arrays[cell]

    def __len__(self) -> int:
        return len(self._arrays)

    def promise(self, load: Hashable, nbytes: int) -> bool:
        """Set room aside for a load; False when there is none."""
        if nbytes > self.room:
            return False
        self._promised[load] = nbytes
        return True

    def withdraw(self, load: Hashable) -> None:
        """Give back what was promised to a load."""
        self._promised.pop(load, None)

    def put(self, arrays: CellArrays, beside: int = 0) -> bool:
        """Hold a cell in place of what was held of it; False when it does not fit.

        Args:
            arrays: The cell.
            beside: Bytes that are kept elsewhere for as long as it is held.
        """
        cell, nbytes = arrays.cell, arrays.nbytes + beside
        more = nbytes - int(self._sizes[cell])
        if more > self.room:
            return False
        self._arrays[cell] = arrays
        self._used += more
        self._sizes[cell] = nbytes
        self.held[cell] = True
        return True

    def remove(self, cells: Iterable[int]) -> None:
        """Let go of cells."""
        for cell in cells:
            del self._arrays[cell]
            self._used -= int(self._sizes[cell])
            self._sizes[cell] = 0
            self.held[cell] = False

    def touch(self, cells: Int, now: float) -> None:
        """These were of use now."""
        self.last_used[cells] = now

    def sizes(self, cells: Int) -> Int:
        """(N,) bytes each cell holds."""
        return self._sizes[cells]


def victims(
    tree: CellTree,
    candidates: Int,
    sizes: Int,
    age: Float,
    visible: Bool,
    wanted: int,
) -> list[int]:
    """Which cells to let go of.

    Not visible before visible, then by age times what is freed over bytes to fetch again, the
    finest first where that is equal.

    Args:
        tree: The cells.
        candidates: (N,) cells that may go.
        sizes: (N,) what each frees.
        age: (N,) seconds since each was of use.
        visible: (C,) cells in view.
        wanted: To be freed.

    Returns:
        The cells to let go of; all candidates when that is not enough.
    """
    if wanted <= 0:
        return []
    worth = age * sizes / np.maximum(tree.fetch_bytes[candidates], 1)
    order = np.lexsort((tree.level[candidates], -worth, visible[candidates]))
    enough = int(np.searchsorted(np.cumsum(sizes[order]), wanted)) + 1
    return [int(cell) for cell in candidates[order[:enough]]]

"""Objects that are to be drawn at the finest level, and the cells of it they run through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class SelectedObjects:
    """S objects.

    Args:
        ranks: (S,) ascending places in ``SceneInfo.objects``.
        start: (S + 1,) object ``i`` runs through ``cells[start[i]:start[i + 1]]``.
        cells: (T,) ids of cells of the finest level.
    """

    ranks: Int
    start: Int
    cells: Int

    def __len__(self) -> int:
        return len(self.ranks)

    @property
    def owner(self) -> Int:
        """(T,) the place in ``ranks`` each entry of ``cells`` belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def within(self, marked: Bool) -> SelectedObjects:
        """The same objects with only those of their cells that are marked; (C,) bool."""
        keep = marked[self.cells]
        kept = np.concatenate([np.zeros(1, np.int64), np.cumsum(keep)])
        return SelectedObjects(self.ranks, kept[self.start], self.cells[keep])

    def taken(self, which: Bool) -> SelectedObjects:
        """Some of the objects; (S,) bool."""
        sizes = np.diff(self.start)[which]
        start = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        return SelectedObjects(self.ranks[which], start, self.cells[which[self.owner]])

    def all_of(self, marked: Bool) -> Bool:
        """(S,) objects with cells, all of which are marked; (C,) bool."""
        sizes = np.diff(self.start)
        short = np.bincount(self.owner[~marked[self.cells]], minlength=len(self))
        return np.asarray((sizes > 0) & (short == 0))

"""What could not be read, and what was wrong with what could."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.reading import Loaded
from zv_viewer.controller.stats import Failure
from zv_viewer.model.cells import CellTree
from zv_viewer.model.scene import SceneInfo

Bool = npt.NDArray[np.bool_]


class Troubles:
    """Cells that are lost, cells that are there in part, and the sentences about them.

    Args:
        scene: For the numbers levels have in the store.
        tree: The cells.
    """

    def __init__(self, scene: SceneInfo, tree: CellTree) -> None:
        self.failures: list[Failure] = []
        """All that was reported, the oldest first."""
        self.lost: Bool = np.zeros(len(tree), bool)
        """(C,) cells of which nothing could be read."""
        self._scene = scene
        self._tree = tree
        self._partial: dict[int, tuple[int, ...]] = {}
        self._not_finite: dict[int, int] = {}

    @property
    def count(self) -> int:
        """Cells that could not be read in whole or part, or came without some of their values."""
        return int(self.lost.sum()) + len(self._partial)

    @property
    def not_finite(self) -> int:
        """Vertices left out because their position is not a number."""
        return sum(self._not_finite.values())

    def unread(self, cell: int) -> tuple[int, ...]:
        """Places among the chunks of a cell that could not be read."""
        return self._partial.get(cell, ())

    def report(self, cell: int, message: str) -> None:
        """Tell the user, in a sentence."""
        self.failures.append(Failure(cell, self._level(cell), message))

    def found(self, cell: int, loaded: Loaded) -> None:
        """A cell was read; note and report what was wrong with it."""
        self._partial.pop(cell, None)
        if loaded.problems:
            self._partial[cell] = loaded.unread
        for problem in loaded.problems:
            self.report(cell, problem)
        if loaded.not_finite and cell not in self._not_finite:
            self.report(
                cell,
                f"{loaded.not_finite} vertices of level {self._level(cell)} of {self._scene.url} "
                "have positions that are not finite; they are not drawn",
            )
        self._not_finite[cell] = loaded.not_finite

    def forgive(self) -> list[int]:
        """Forget what is lost or there in part; returns the cells there in part."""
        self.lost[:] = False
        partial = list(self._partial)
        self._partial.clear()
        return partial

    def _level(self, cell: int) -> int:
        return self._scene.levels[int(self._tree.level[cell])].index

"""The attribute coloured by: which cells have its values, and the limits of its colours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.card import NO_VALUES
from zv_viewer.drawing.colours import range_of
from zv_viewer.loading.cache import CellCache
from zv_viewer.model.scene import SceneInfo

Int = npt.NDArray[np.int64]


class Values:
    """Attributes have codes, in the order they were first chosen, so that cells compare at once.

    Args:
        scene: The store's attributes.
        cells: Number of cells of the tree.
    """

    def __init__(self, scene: SceneInfo, cells: int) -> None:
        self.name: str | None = None
        """The attribute coloured by."""
        self.held: Int = np.full(cells, NO_VALUES)
        """(C,) code of the attribute whose values a cell in memory has."""
        self.lost: set[tuple[int, str]] = set()
        """Cells and attributes whose values could not be read."""
        self._scene = scene
        self._codes: dict[str, int] = {}
        self._limits: dict[str, tuple[float, float] | None] = {}

    @property
    def code(self) -> int:
        """Of the attribute coloured by; ``NO_VALUES`` when there is none."""
        return NO_VALUES if self.name is None else self._codes[self.name]

    def choose(self, name: str | None) -> bool:
        """Colour by another attribute; False when it is the same.

        Raises:
            KeyError: The store has no such attribute.
        """
        if name is not None:
            self._scene.attribute(name)
            self._codes.setdefault(name, len(self._codes))
        if name == self.name:
            return False
        self.name = name
        return True

    def hold(self, cell: int, name: str | None) -> None:
        """A cell in memory has the values of this attribute, or of none."""
        self.held[cell] = NO_VALUES if name is None else self._codes[name]
        if name is not None:
            self.lost.discard((cell, name))

    def forget(self, cells: list[int]) -> None:
        """These cells are in memory no more."""
        self.held[cells] = NO_VALUES

    def lacks(self, cell: int) -> bool:
        """Whether a cell has other values than those coloured by."""
        return self.name is not None and int(self.held[cell]) != self.code

    def pending(self, cells: Int) -> list[int]:
        """Those of the cells in memory whose values are to come."""
        name = self.name
        if name is None:
            return []
        lacking = cells[self.held[cells] != self.code]
        return [cell for cell in lacking.tolist() if (cell, name) not in self.lost]

    @property
    def limits(self) -> tuple[float, float] | None:
        """Recorded ones, else those that were learned; None until known."""
        if self.name is None:
            return None
        info = self._scene.attribute(self.name)
        if info.limits is not None and info.columns == 1:
            return info.limits
        return self._limits.get(self.name)

    def learn_limits(self, cells: Int, cache: CellCache) -> None:
        """Limits from these cells, once all their values are there; fixed from then on."""
        name = self.name
        if name is None or name in self._limits or not len(cells):
            return
        if not cache.held[cells].all() or self.pending(cells):
            return
        values = [cache[cell].values for cell in cells.tolist()]
        self._limits[name] = range_of([part for part in values if part is not None])

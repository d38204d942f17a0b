"""Which cells have the values coloured by, and know which of their rows are drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.card import NO_VALUES
from zv_viewer.controller.jobs import Wanted
from zv_viewer.drawing.colours import range_of
from zv_viewer.loading.cache import CellCache
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.scene import SceneInfo
from zv_viewer.rows import RowFilter

Bool = npt.NDArray[np.bool_]
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
        self.kept_by: RowFilter | None = None
        """The filter of rows; None: all are drawn."""
        self.possible: Bool | None = None
        """(C,) cells that may hold a row to be drawn; None: all."""
        self.left_out: Bool = np.zeros(cells, bool)
        """(C,) cells in memory that were not read, as they hold no row to be drawn."""
        self.kept: Int = np.zeros(cells, np.int64)
        """(C,) by which filter a cell in memory knows its rows, by its number; 0: by none."""
        self._filters: dict[RowFilter, int] = {}
        self.lost: set[tuple[int, str]] = set()
        """Cells and attributes whose values could not be read."""
        self._scene = scene
        self._codes: dict[str, int] = {}
        self._limits: dict[str, tuple[float, float] | None] = {}

    @property
    def code(self) -> int:
        """Of the attribute coloured by; ``NO_VALUES`` when there is none."""
        return NO_VALUES if self.name is None else self._codes[self.name]

    @property
    def kept_code(self) -> int:
        """Number of the filter; 0 when there is none."""
        return 0 if self.kept_by is None else self._filters[self.kept_by]

    @property
    def wanted(self) -> Wanted:
        """What cells are to come with."""
        return Wanted(self.name, self.kept_by, self.possible)

    def keep(self, kept_by: RowFilter | None, possible: Bool | None) -> list[int]:
        """Draw other rows, and read other cells for them.

        Returns:
            Cells in memory that were left out and are not any more.
        """
        if kept_by is not None:
            self._filters.setdefault(kept_by, len(self._filters) + 1)
        self.kept_by, self.possible = kept_by, possible
        return np.flatnonzero(self.left_out & (True if possible is None else possible)).tolist()

    def choose(self, name: str | None) -> bool:
        """Colour by another attribute; False when it is the same.

        Raises:
            KeyError: The store has no such attribute.
        """
        if name is not None:
            self._scene.attribute(name)
            self._code_of(name)
        if name == self.name:
            return False
        self.name = name
        return True

    def follow(self, other: Values) -> None:
        """Colour as another does that knew the same store earlier, within the same limits."""
        names = {info.name for info in self._scene.attributes}
        self._limits.update(
            (name, limits) for name, limits in other._limits.items() if name in names
        )
        if other.name in names:
            self.choose(other.name)

    def fits(self, arrays: CellArrays) -> bool:
        """Whether a cell knows its rows by the filter in force."""
        return arrays.kept_by == self.kept_by

    def _code_of(self, name: str) -> int:
        return self._codes.setdefault(name, len(self._codes))

    def hold(self, arrays: CellArrays, *, left_out: bool = False) -> None:
        """A cell is in memory, with the values it has; ``left_out``: it was not read."""
        cell, name, by = arrays.cell, arrays.attribute, arrays.kept_by
        self.held[cell] = NO_VALUES if name is None else self._code_of(name)
        self.kept[cell] = self._filters[by] if isinstance(by, RowFilter) else 0
        self.left_out[cell] = left_out
        if name is not None:
            self.lost.discard((cell, name))

    def forget(self, cells: list[int]) -> None:
        """These cells are in memory no more."""
        self.held[cells] = NO_VALUES
        self.kept[cells] = 0
        self.left_out[cells] = False

    def lacks(self, cell: int) -> bool:
        """Whether a cell has other values than those coloured by."""
        return (
            self.name is not None
            and int(self.held[cell]) != self.code
            and not bool(self.left_out[cell])
        )

    def lacks_some(self, cell: int) -> bool:
        """Whether it has, or knows its rows by another filter."""
        other = int(self.kept[cell]) != self.kept_code and not bool(self.left_out[cell])
        return self.lacks(cell) or other

    def lacking(self, cells: Int) -> list[tuple[int, bool]]:
        """Those of the cells in memory that lack something, and whether that is values."""
        values = set(self.pending(cells))
        others = cells[(self.kept[cells] != self.kept_code) & ~self.left_out[cells]].tolist()
        return [(cell, cell in values) for cell in sorted(values.union(others))]

    def pending(self, cells: Int) -> list[int]:
        """Those of the cells in memory whose values are to come."""
        name = self.name
        if name is None:
            return []
        lacking = cells[(self.held[cells] != self.code) & ~self.left_out[cells]]
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

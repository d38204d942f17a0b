"""Which cells have the values coloured by, and what their rows are to come with beside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zv_viewer.controller.card import NO_VALUES
from zv_viewer.controller.jobs import Wanted
from zv_viewer.drawing.colours import range_of
from zv_viewer.loading.cache import CellCache
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.extras import PLAIN_ROWS, Extras
from zv_viewer.model.scene import SceneInfo
from zv_viewer.rows import RowFilter

Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]


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
        self.extras = PLAIN_ROWS
        """What rows come with beside values."""
        self.possible: Bool | None = None
        """(C,) cells that may hold a row to be drawn; None: all."""
        self.left_out: Bool = np.zeros(cells, bool)
        """(C,) cells in memory that were not read, as they hold no row to be drawn."""
        self.beside: Int = np.zeros(cells, np.int64)
        """(C,) number of the extras a cell in memory has."""
        self._numbers: dict[Extras, int] = {PLAIN_ROWS: 0}
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
    def kept_by(self) -> RowFilter | None:
        """The filter of rows; None: all are drawn."""
        return self.extras.kept_by if isinstance(self.extras.kept_by, RowFilter) else None

    @property
    def number(self) -> int:
        """Of the extras."""
        return self._number_of(self.extras)

    @property
    def wanted(self) -> Wanted:
        """What cells are to come with."""
        return Wanted(self.name, self.extras, self.possible)

    def keep(self, kept_by: RowFilter | None, possible: Bool | None) -> list[int]:
        """Draw other rows, and read other cells for them.

        Returns:
            Cells in memory that were left out and are not any more.
        """
        self.extras, self.possible = replace(self.extras, kept_by=kept_by), possible
        return np.flatnonzero(self.left_out & (True if possible is None else possible)).tolist()

    def size_by(self, name: str | None) -> bool:
        """Have rows come with another attribute for their sizes; False when it is the same.

        Raises:
            KeyError: The store has no such attribute.
        """
        if name is not None:
            self._scene.attribute(name)
        return self._ask(replace(self.extras, sized_by=name))

    def tell_objects(self) -> bool:
        """Have rows tell which object they belong to; False when they do."""
        return self._ask(replace(self.extras, of_objects=True))

    def _ask(self, extras: Extras) -> bool:
        before, self.extras = self.extras, extras
        return extras != before

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
        extras = other.extras
        if extras.sized_by in names:
            self.size_by(extras.sized_by)
        if extras.of_objects:
            self.tell_objects()

    def fits(self, arrays: CellArrays) -> bool:
        """Whether a cell of the store as it was earlier has the extras wanted.

        What they were read from may be other since then.
        """
        return arrays.extras == self.extras and self.extras.sized_by is None

    def _number_of(self, extras: Extras) -> int:
        return self._numbers.setdefault(extras, len(self._numbers))

    def _code_of(self, name: str) -> int:
        return self._codes.setdefault(name, len(self._codes))

    def hold(self, arrays: CellArrays, *, left_out: bool = False) -> None:
        """A cell is in memory, with the values it has; ``left_out``: it was not read."""
        cell, name = arrays.cell, arrays.attribute
        self.held[cell] = NO_VALUES if name is None else self._code_of(name)
        self.beside[cell] = self._number_of(arrays.extras)
        self.left_out[cell] = left_out
        if name is not None:
            self.lost.discard((cell, name))

    def forget(self, cells: list[int]) -> None:
        """These cells are in memory no more."""
        self.held[cells] = NO_VALUES
        self.beside[cells] = 0
        self.left_out[cells] = False

    def lacks(self, cell: int) -> bool:
        """Whether a cell has other values than those coloured by."""
        return (
            self.name is not None
            and int(self.held[cell]) != self.code
            and not bool(self.left_out[cell])
        )

    def lacks_some(self, cell: int) -> bool:
        """Whether it has, or has other extras than those wanted."""
        other = int(self.beside[cell]) != self.number and not bool(self.left_out[cell])
        return self.lacks(cell) or other

    def lacking(self, cells: Int) -> list[tuple[int, bool]]:
        """Those of the cells in memory that lack something, and whether that is values."""
        values = set(self.pending(cells))
        others = cells[(self.beside[cells] != self.number) & ~self.left_out[cells]].tolist()
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
        return self._limits_of(self.name)

    @property
    def size_limits(self) -> tuple[float, float] | None:
        """Likewise, of the attribute that says how large rows are drawn."""
        return self._limits_of(self.extras.sized_by)

    def _limits_of(self, name: str | None) -> tuple[float, float] | None:
        if name is None:
            return None
        info = self._scene.attribute(name)
        if info.limits is not None and info.columns == 1:
            return info.limits
        return self._limits.get(name)

    def learn_limits(self, cells: Int, cache: CellCache) -> None:
        """Limits from these cells, once all their values are there; fixed from then on."""
        if not len(cells) or not cache.held[cells].all():
            return
        name, sized_by = self.name, self.extras.sized_by
        held = [cache[cell] for cell in cells.tolist()] if self._unknown(name, sized_by) else []
        if held and self._unknown(name) and not self.pending(cells):
            self._learn(name, [arrays.values for arrays in held])
        if held and self._unknown(sized_by) and all(one.extras == self.extras for one in held):
            self._learn(sized_by, [arrays.sizes for arrays in held])

    def _unknown(self, *names: str | None) -> bool:
        return any(name is not None and name not in self._limits for name in names)

    def _learn(self, name: str | None, values: list[Float32 | None]) -> None:
        if name is not None:
            self._limits[name] = range_of([part for part in values if part is not None])

"""Colours of objects by a column of their table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from zv_viewer.model.objects import ObjectTable
from zv_viewer.objects import ID, colours_by, group_colours
from zv_viewer.session.drawn_objects import DrawnObjects
from zv_viewer.session.latest import Latest


class ObjectColours:
    """What a user chose, worked out again when the table is another one.

    Args:
        drawn: Shows them.
        changed: Called when something else is chosen.
        failed: Called with the error when they cannot be worked out.

    Attributes:
        key: Of the column chosen; None: rows have colours of their own.
        along: Colormap and limits asked for with it; None for the usual ones.
        groups: (G, 3) uint8, of the groups of objects.
    """

    def __init__(
        self,
        drawn: DrawnObjects,
        changed: Callable[[], object],
        failed: Callable[[Exception], None],
    ) -> None:
        self._drawn, self._changed, self._failed = drawn, changed, failed
        self._lane = Latest("zv-objects-colours")
        self._table: ObjectTable | None = None
        self.key: str | None = None
        self.along: tuple[str | None, tuple[float, float] | None] = (None, None)
        self.groups: npt.NDArray[np.uint8] = np.zeros((0, 3), np.uint8)

    @property
    def busy(self) -> bool:
        """Whether colours are being worked out."""
        return self._lane.busy

    def use_table(self, table: ObjectTable) -> None:
        """Colour by the columns of this table from now on."""
        self._table = table
        if len(table.groups) != len(self.groups):
            self.groups = group_colours(table.groups)

    def choose(
        self,
        key: str | None,
        colormap: str | None = None,
        limits: tuple[float, float] | None = None,
    ) -> None:
        """Colour by a column, or give colours back to the rows (None)."""
        self.key, self.along = key, (colormap, limits)
        self._changed()
        if not self._drawn.one_by_one:
            return
        if key is None:
            self._drawn.show_no_colours()
        elif key == ID:
            self._drawn.show_ids()
        else:
            self._by_column(key)

    def choose_again(self) -> None:
        """There is something else to colour, or a column says something else."""
        if self.key is not None:
            self.choose(self.key, *self.along)

    def set_group(self, group: int, colour: tuple[int, int, int]) -> None:
        """Another colour for a group, each part 0 to 255."""
        self.groups = self.groups.copy()
        self.groups[group] = colour
        self.choose_again()

    def close(self) -> None:
        """Give up what is under way."""
        self._lane.close()

    def _by_column(self, key: str) -> None:
        table = self._table
        if table is None:
            raise RuntimeError("the objects are not read yet; wait for the `loaded` signal")
        colormap, limits = self.along
        task = partial(
            colours_by, table, key, colormap=colormap, limits=limits, of_groups=self.groups
        )

        def show(colours: npt.NDArray[np.uint8]) -> None:
            if key == self.key and table is self._table:
                self._drawn.show_colours(colours)

        self._lane.ask(task, show, self._failed, rows=len(table))

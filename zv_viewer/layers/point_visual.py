"""What makes the visual of cells draw points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from vispy.scene.visuals import create_visual_node

from zv_viewer.layers import shader
from zv_viewer.layers.buffers import OBJECT, POINT_COLUMNS, STANDS_FOR, DrawnRows, Int
from zv_viewer.layers.row_looks import SizedVisual
from zv_viewer.layers.screen import Screen
from zv_viewer.layers.visual import Float


class PointsVisual(SizedVisual):
    """Points of cells.

    Args:
        capacity: Rows that fit.
        page: Rows a cell's last page may leave unused.
        bounds: (2, D) of the store, layer coordinates; positions are relative to their middle.
        on_screen: Called from inside a draw whose view is another one than the last.
    """

    _round = False

    def __init__(
        self, capacity: int, page: int, bounds: Float, on_screen: Callable[[Screen], None]
    ) -> None:
        room = (capacity, page)
        needs = shader.Needs()
        pixels = needs.point_pixels(is_round=False)
        super().__init__(needs.points(), pixels, POINT_COLUMNS, room, bounds, on_screen)
        self.set_opacity(1.0)
        self.set_adds(False)

    @property
    def rows_drawn(self) -> int:
        """Rows in the picture."""
        return self._drawn.size

    def _compile(self) -> None:
        program = self.shared_program
        program.vert = self._needs.points(weighed=STANDS_FOR in self._names)
        program.frag = self._needs.point_pixels(is_round=self._round)

    def allocate(self, capacity: int) -> None:
        """Start over with room for ``capacity`` rows, none of them drawn."""
        super().allocate(capacity)
        for block in self.blocks:
            block.delete()
        self._drawn = DrawnRows(capacity)
        self.blocks = self._drawn.blocks

    def show(self, runs: Int) -> None:
        """Draw these rows; see :meth:`DrawnRows.show`."""
        self._drawn.show(runs)
        self.update()

    def tell_objects(self, objects: tuple[int, int]) -> None:
        """Have the object of each row, none known yet; the size of their table."""
        self.use_objects(objects)
        self._need(replace(self._needs, objects=True))
        self.add_column(OBJECT, -1.0)

    def set_opacity(self, opacity: float) -> None:
        """Opacity of the layer, which rows that stand for others exceed."""
        self.shared_program["u_opacity"] = max(opacity, 1e-3)
        self.update()

    def set_adds(self, adds: bool) -> None:
        """Whether colours of rows over one another are added up; else the last covers the rest."""
        self.shared_program["u_adds"] = float(adds)
        self.update()

    def weigh(self, runs: Sequence[tuple[int, int, float]] | None) -> None:
        """Draw rows as opaque as those they stand for together; None: all alike.

        Args:
            runs: First row, rows, and how many of level 0 each of them stands for.
        """
        if runs is None:
            self.drop_column(STANDS_FOR)
            return
        self.add_column(STANDS_FOR)
        column = self._rows.columns[STANDS_FOR]
        for start, rows, stands_for in runs:
            column.set_subdata(np.full(rows, stands_for, np.float32), offset=start)

    def set_round(self, is_round: bool) -> None:
        """Draw discs instead of squares."""
        self._round = is_round
        self.shared_program.frag = self._needs.point_pixels(is_round=is_round)
        self.update()

    def free(self) -> None:
        """Give the card its memory back."""
        super().free()
        self._drawn.delete()


PointCells = create_visual_node(PointsVisual)
"""The visual as a node of a scene."""

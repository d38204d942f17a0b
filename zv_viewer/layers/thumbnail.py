"""A small picture of what a layer draws, from a few rows of every cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem

Float = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

ROWS = 64
"""Rows kept of one cell."""

PICTURED = 4096
"""Rows in a picture of as many cells as there may be, about."""


@dataclass(frozen=True, eq=False, slots=True)
class Sample:
    """Some rows.

    Args:
        positions: (N, 4). values: (N,), NaN where missing.
        objects: (N,) rank of the object. levels: (N,) position of the level; 0 for points, both.
    """

    positions: Float32
    values: Float32
    objects: npt.NDArray[np.uint32]
    levels: npt.NDArray[np.uint8]


Paint = Callable[[Sample], tuple[Float32, Bool]]
"""(N, 3) colours of rows, and (N,) which of them are drawn."""


class Samples:
    """Up to :data:`ROWS` rows of every cell a layer holds.

    Args:
        origin: (D,) point that positions are relative to.
    """

    def __init__(self, origin: Float) -> None:
        self.origin = origin
        self._rows: dict[int, Sample] = {}
        self._seen = 0

    def put(self, arrays: CellArrays) -> None:
        """Remember some rows of a cell."""
        rows: slice | Int = slice(0, None, max(1, len(arrays) // ROWS))
        if arrays.kept is not None:
            kept = np.flatnonzero(arrays.kept)
            rows = kept[:: max(1, len(kept) // ROWS)]
        positions = arrays.positions[rows].copy()
        values = np.full(len(positions), np.nan, np.float32)
        if arrays.values is not None:
            values[:] = arrays.values[rows]
        objects, level = np.zeros(len(positions), np.uint32), 0
        if arrays.objects is not None:
            objects[:] = arrays.objects[rows]
        if arrays.links is not None:
            objects[:], level = arrays.links.objects[rows], arrays.links.level
        levels = np.full(len(positions), level, np.uint8)
        self._rows[arrays.cell] = Sample(positions, values, objects, levels)

    def drop(self, cell: int) -> None:
        """Forget a cell."""
        self._rows.pop(cell, None)

    def clear(self) -> None:
        """Forget everything."""
        self._rows.clear()
        self._seen = 0

    def worth_a_look(self, items: Sequence[DrawItem]) -> bool:
        """Whether the cells drawn have at least doubled or halved since the last picture."""
        n = len(items)
        return n != self._seen and not self._seen / 2 < n < self._seen * 2

    def picture(
        self,
        items: Sequence[DrawItem],
        paint: Paint,
        bounds: Float,
        axes: Sequence[int],
        shape: tuple[int, int],
    ) -> Float:
        """(height, width, 4) colours in 0 to 1 of the cells drawn, seen along the hidden axes."""
        self._seen = len(items)
        image = np.zeros((*shape, 4))
        image[..., 3] = 1.0
        kept = [self._rows[item.cell] for item in items if item.cell in self._rows]
        if not kept:
            return image
        step = 1 + sum(len(one.values) for one in kept) // PICTURED
        rows = Sample(
            np.concatenate([one.positions[::step] for one in kept]),
            np.concatenate([one.values[::step] for one in kept]),
            np.concatenate([one.objects[::step] for one in kept]),
            np.concatenate([one.levels[::step] for one in kept]),
        )
        colours, drawn = paint(rows)
        positions, colours = rows.positions[drawn], colours[drawn]
        low, high = bounds[0][list(axes)], bounds[1][list(axes)]
        room = np.array(shape) - 1
        per_unit = np.min(room / np.maximum(high - low, np.finfo(float).tiny))
        middle = (low + high) / 2 - self.origin[list(axes)]
        at = np.rint((positions[:, list(axes)] - middle) * per_unit + room / 2)
        row, column = np.clip(at, 0, room).astype(np.int64).T
        image[row, column, :3] = colours
        return image

"""Values of the table's rows as values of the objects a layer knows."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from zv_viewer.model.objects import Int

T = TypeVar("T", bound=np.generic)


class Ranks:
    """Which row of a table each object of a layer is.

    Args:
        known: (R,) int64 ascending ids of the objects the layer knows.
        ids: (O,) int64 ascending ids of the table.
    """

    def __init__(self, known: Int, ids: Int) -> None:
        self._rows: Int | None = None
        if not np.array_equal(known, ids):
            self._rows = np.full(len(known), -1, np.int64)
            if len(ids):
                at = np.minimum(np.searchsorted(ids, known), len(ids) - 1)
                self._rows = np.where(ids[at] == known, at, -1)

    def spread(self, values: npt.NDArray[T], other: npt.ArrayLike) -> npt.NDArray[T]:
        """(R,) or (R, C) values of the objects the layer knows.

        Args:
            values: (O,) or (O, C), of the table.
            other: For objects that the table does not have.
        """
        if self._rows is None:
            return values
        spread = np.empty((len(self._rows), *values.shape[1:]), values.dtype)
        spread[:] = other
        there = self._rows >= 0
        spread[there] = values[self._rows[there]]
        return spread

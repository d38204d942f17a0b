"""What of each cell is on the graphics card already, so that only what changed goes there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import ReferenceType, ref

import numpy as np
import numpy.typing as npt

from zv_viewer.layers.buffers import OBJECT, SIZE
from zv_viewer.model.chunks import CellArrays

Int = npt.NDArray[np.int64]
Array = npt.NDArray[np.generic]
Seen = ReferenceType[Array] | None

_OF_KEPT = ("a_spacing", "a_level")


@dataclass(frozen=True, slots=True)
class _Place:
    runs: Int
    arrays: Mapping[str, Seen]


class PlacedCells:
    """Remembers which arrays of which cells were written, without holding them."""

    def __init__(self) -> None:
        self._cells: dict[int, _Place] = {}

    def place(self, arrays: CellArrays, runs: Int) -> frozenset[str] | None:
        """The columns that a cell's rows at ``runs`` lack; None: all. They count as written."""
        before, now = self._cells.get(arrays.cell), _sources(arrays)
        seen = {name: None if array is None else ref(array) for name, array in now.items()}
        self._cells[arrays.cell] = _Place(runs, seen)
        if before is None or not np.array_equal(before.runs, runs):
            return None
        changed = {name for name, array in now.items() if not _same(before.arrays.get(name), array)}
        if "a_position" in changed:
            return None
        if "kept" in changed:
            changed.update(_OF_KEPT)
        return frozenset(changed - {"kept"})

    def forget(self, name: str) -> None:
        """What was written of a column is not there any more."""
        for cell, place in self._cells.items():
            arrays = {own: seen for own, seen in place.arrays.items() if own != name}
            self._cells[cell] = _Place(place.runs, arrays)

    def drop(self, cell: int) -> None:
        """The rows of a cell are another's."""
        self._cells.pop(cell, None)

    def clear(self) -> None:
        """Nothing is there."""
        self._cells.clear()


def _sources(arrays: CellArrays) -> dict[str, Array | None]:
    """The arrays that columns are made from."""
    links = arrays.links
    return {
        "a_position": arrays.positions,
        "a_value": arrays.values,
        "kept": arrays.kept,
        SIZE: arrays.sizes,
        OBJECT: arrays.objects if links is None else links.objects,
    }


def _same(before: Seen, now: Array | None) -> bool:
    return (before is None) == (now is None) and (before is None or before() is now)

"""One change of what a layer holds and draws, carried out whole between two frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem

NOT_DRAWN = 255
"""Level of an object that is drawn at none."""


@dataclass(frozen=True, eq=False, slots=True)
class LayerUpdate:
    """Cells to free, cells to upload (or replace), and what is then drawn (None: as before).

    ``object_levels``, (O,) uint8, is the position of the level each object is drawn at, where rows
    belong to objects; ``NOT_DRAWN`` for none. None: as before.
    """

    drop: tuple[int, ...] = ()
    put: tuple[CellArrays, ...] = ()
    draw: tuple[DrawItem, ...] | None = None
    object_levels: npt.NDArray[np.uint8] | None = None


@runtime_checkable
class ObjectSink(Protocol):
    """A sink of points that may tell them apart by their objects."""

    @property
    def tells_objects(self) -> bool:
        """Whether it matters to the picture which object a row belongs to."""
        ...


class LayerSink(Protocol):
    """Something that draws cells; touched on the GUI thread only."""

    @property
    def capacity(self) -> int:
        """Rows that fit, in whole pages of ``zv_viewer.drawing.slots.PAGE`` rows per cell."""
        ...

    def apply(self, update: LayerUpdate) -> None:
        """Carry out one update; everything in it appears in the same frame."""
        ...

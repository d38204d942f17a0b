"""A layer that draws objects, told what they look like in rows of their table."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.palette import colours_of_ids
from zv_viewer.model.objects import Int, ObjectTable
from zv_viewer.objects import Ranks

WHITE = (255, 255, 255)


@runtime_checkable
class ObjectLayer(Protocol):
    """What draws objects."""

    def set_object_looks(self, looks: npt.NDArray[np.uint8]) -> None:
        """(R,) uint8, a look for each object the layer knows."""
        ...

    def set_object_colours(self, colours: npt.NDArray[np.float32] | None) -> None:
        """(R, 3) in 0 to 1, or None: rows have colours of their own."""
        ...


class DrawnObjects:
    """The objects a layer knows, which need not be those of the table.

    Args:
        ids: (R,) int64 ascending, the objects the layer knows.
        layer: What draws them; None where it cannot tell objects apart.
    """

    def __init__(self, ids: Int, layer: ObjectLayer | None) -> None:
        self._ids, self._layer = ids, layer
        self._ranks: Ranks | None = None

    @property
    def one_by_one(self) -> bool:
        """Whether the layer draws objects one by one."""
        return self._layer is not None

    def use_layer(self, layer: object) -> None:
        """Another layer, which looks as the one before."""
        if self._layer is not None and isinstance(layer, ObjectLayer):
            self._layer = layer

    def use_store(self, ids: Int, layer: ObjectLayer | None, table: ObjectTable | None) -> None:
        """The store was read anew; ``table`` is of before."""
        self._ids, self._layer = ids, layer
        if table is not None:
            self.use_table(table)

    def use_table(self, table: ObjectTable) -> None:
        """Values are of the rows of this table from now on."""
        self._ranks = Ranks(self._ids, table.ids)

    def spread(
        self, table: ObjectTable, values: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """(R,) of the objects the layer knows, from (O,) of a table's rows; NaN for others."""
        return Ranks(self._ids, table.ids).spread(values, np.nan)

    def show_looks(self, looks: npt.NDArray[np.uint8], others: int) -> None:
        """Looks of the table's rows, (O,) uint8, and that of objects it does not have."""
        if self._layer is not None and self._ranks is not None:
            self._layer.set_object_looks(self._ranks.spread(looks, others))

    def show_colours(self, colours: npt.NDArray[np.uint8]) -> None:
        """Colours of the table's rows, (O, 3) uint8; objects it does not have are white."""
        if self._layer is not None and self._ranks is not None:
            self._layer.set_object_colours(_parts(self._ranks.spread(colours, WHITE)))

    def show_no_colours(self) -> None:
        """Rows have colours of their own."""
        if self._layer is not None:
            self._layer.set_object_colours(None)

    def show_ids(self) -> None:
        """A colour by each object's id, whatever else is in the store."""
        if self._layer is not None:
            self._layer.set_object_colours(_parts(colours_of_ids(self._ids)))

    def close(self) -> None:
        """Tell the layer nothing any more."""
        self._layer = None


def _parts(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return colours.astype(np.float32) / np.float32(255)

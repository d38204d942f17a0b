"""Links as they lie in their cells: where ends are is told once per cell, not once per link."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.layouts.base import LinkRecords
from zarr_vectors.typing import AnyArray, IntArray


class PlacedLinks(LinkRecords):
    """Links of cells; ``chunks`` are put together where somebody asks for them.

    Args:
        places: (K, W, R) int64, chunk of every end of the links of a cell, as stored.
        at: (M,) int64 cell of every link.
        order: (M, W) int64, stored place of every end of a link; None where ends lie in order.
        rows: (M, W) int64, row of every end among all rows of its chunk.
        attributes: name -> (M,) or (M, C).
    """

    __slots__ = ("_chunks", "at", "order", "places")

    places: IntArray
    at: IntArray
    order: IntArray | None
    _chunks: IntArray | None

    def __init__(
        self,
        places: IntArray,
        at: IntArray,
        order: IntArray | None,
        rows: IntArray,
        attributes: Mapping[str, AnyArray] | None = None,
    ) -> None:
        values = {"places": places, "at": at, "order": order, "rows": rows, "_chunks": None}
        for name, value in (values | {"attributes": attributes or {}}).items():
            object.__setattr__(self, name, value)

    @property
    def chunks(self) -> IntArray:
        """(M, W, R) int64, chunk of every end."""
        found: IntArray | None = self._chunks
        if found is None:
            found = self.spread(self.places)
            object.__setattr__(self, "_chunks", found)
        return found

    def spread(self, of_places: IntArray) -> IntArray:
        """(M, W, ...) of every end, from (K, W, ...) of every place."""
        at = self.at if self.order is None else (self.at[:, None], self.order)
        found: IntArray = of_places[at]
        return found

    def starting(self, of_places: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """(M,) of the first end of every link, from (K, W) of every place."""
        found: npt.NDArray[np.bool_] = of_places[
            self.at, 0 if self.order is None else self.order[:, 0]
        ]
        return found

    def kept(self, keep: npt.NDArray[np.bool_]) -> PlacedLinks:
        """Some of the links."""
        order = None if self.order is None else self.order[keep]
        values = {name: column[keep] for name, column in self.attributes.items()}
        return PlacedLinks(self.places, self.at[keep], order, self.rows[keep], values)

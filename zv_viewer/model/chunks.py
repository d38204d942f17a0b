"""A cell's decoded content, ready for a layer: arrays of their final type, made in a worker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.extras import PLAIN_ROWS, Extras
from zv_viewer.model.links import LinkArrays

BYTES_PER_CELL = 768
"""Memory of a cell beside its rows and parts: the objects that hold its arrays (CPython 3.11)."""


@dataclass(frozen=True, eq=False, slots=True)
class CellArrays:
    """The vertices of one cell, rows ordered by the child cell they lie in.

    Args:
        cell: Id in the CellTree.
        positions: (N, 4) float32, store axes relative to ``SceneInfo.origin``, zero beyond the
            store's D.
        values: (N,) float32 of the attribute coloured by (NaN: missing), or None while it is not
            loaded.
        attribute: Its name, or None for plain.
        part_start: (children + 1,) int64 row offsets; rows of child ``i`` are
            ``part_start[i]:part_start[i + 1]``; the last offset is N, for a cell without children
            too.
        spacing: Typical distance between neighbouring vertices, world units.
        order: (N,) row order in the store, so that a value fetched later finds its row:
            ``stored[order]``.
        fetched_bytes, requests: What reading it cost.
        links: What joins the rows; None for points.
        kept: (N,) whether each row is drawn; None: all are.
        sizes: (N,) float32 of the attribute that says how large rows are drawn (NaN: missing), or
            None where none does.
        objects: (N,) rank of the object of each row, of points that tell; None: they do not, or
            ``links`` does.
        extras: What the last three were asked for by.
    """

    cell: int
    positions: npt.NDArray[np.float32]
    values: npt.NDArray[np.float32] | None
    attribute: str | None
    part_start: npt.NDArray[np.int64]
    spacing: float
    order: npt.NDArray[np.uint32]
    fetched_bytes: int
    requests: int
    links: LinkArrays | None = None
    kept: npt.NDArray[np.bool_] | None = None
    sizes: npt.NDArray[np.float32] | None = None
    objects: npt.NDArray[np.uint32] | None = None
    extras: Extras = PLAIN_ROWS

    @property
    def nbytes(self) -> int:
        """Memory the cell takes: its arrays, and what holds them."""
        values = 0 if self.values is None else self.values.nbytes
        links = 0 if self.links is None else self.links.nbytes
        rows = self.positions.nbytes + values + self.order.nbytes
        beside = sum(0 if one is None else one.nbytes for one in self._beside)
        return rows + beside + links + self.part_start.nbytes + BYTES_PER_CELL

    @property
    def _beside(self) -> tuple[npt.NDArray[np.generic] | None, ...]:
        return self.kept, self.sizes, self.objects

    def __len__(self) -> int:
        return len(self.positions)

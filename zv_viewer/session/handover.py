"""A picture changes hands: the old one stays on the canvas until the new one is there."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.slots import page_rows
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.update import LayerSink, LayerUpdate

PATIENCE_S = 3.0
"""How long a new picture may take to settle before it is shown as far as it is."""


class Handover:
    """A sink that keeps what it is given until a layer takes it, and hands on from then on.

    Args:
        capacity: Rows of the layer to be.
        ready: Readies the layer, which is empty then.
        clock: Seconds.
        patience_s: How long a picture may take to settle before it is shown as far as it is.
    """

    def __init__(
        self,
        capacity: int,
        ready: Callable[[], LayerSink],
        clock: Callable[[], float] = time.perf_counter,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._capacity = page_rows(capacity)
        self._ready = ready
        self._clock = clock
        self._patience_s = patience_s
        self._since = clock()
        self._layer: LayerSink | None = None
        self._puts: dict[int, CellArrays] = {}
        self._items: tuple[DrawItem, ...] | None = None
        self._levels: npt.NDArray[np.uint8] | None = None

    @property
    def capacity(self) -> int:
        """Rows that fit."""
        return self._capacity if self._layer is None else self._layer.capacity

    def apply(self, update: LayerUpdate) -> None:
        """Take in an update."""
        if self._layer is not None:
            self._layer.apply(update)
            return
        for cell in update.drop:
            self._puts.pop(cell, None)
        self._puts.update((arrays.cell, arrays) for arrays in update.put)
        if update.draw is not None:
            self._items = update.draw
        if update.object_levels is not None:
            self._levels = update.object_levels

    def is_due(self, *, settled: bool) -> bool:
        """Whether the layer should change hands: a picture is there, or nothing to wait for."""
        late = self._clock() - self._since > self._patience_s
        return settled or (late and bool(self._items))

    def land(self) -> None:
        """Give the layer all there is, in one update, in the order of the cells."""
        self._layer = self._ready()
        puts = tuple(self._puts[cell] for cell in sorted(self._puts))
        self._layer.apply(LayerUpdate((), puts, self._items, self._levels))
        self._puts, self._items, self._levels = {}, None, None

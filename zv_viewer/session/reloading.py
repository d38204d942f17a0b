"""A picture changes hands: the old one stays on the canvas until the new one is there."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.slots import page_rows
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.update import LayerSink, LayerUpdate
from zv_viewer.sources.base import KnowsChanges

Int = npt.NDArray[np.int64]

PATIENCE_S = 3.0
"""How long a new picture may take to settle before it is shown as far as it is."""


class Handover:
    """A sink that keeps what it is given until a layer takes it, and hands on from then on.

    Args:
        capacity: Rows of the layer to be.
        ready: Readies the layer, which is empty then.
        clock: Seconds.
    """

    def __init__(
        self,
        capacity: int,
        ready: Callable[[], LayerSink],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._capacity = page_rows(capacity)
        self._ready = ready
        self._clock = clock
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
        late = self._clock() - self._since > PATIENCE_S
        return settled or (late and bool(self._items))

    def land(self) -> None:
        """Give the layer all there is, in one update."""
        self._layer = self._ready()
        puts = tuple(self._puts.values())
        self._layer.apply(LayerUpdate((), puts, self._items, self._levels))
        self._puts, self._items, self._levels = {}, None, None


def is_like(old: SceneInfo, new: SceneInfo) -> bool:
    """Whether one layer can show both."""
    return (old.geometry, old.axis_names, old.axis_units, old.link_width) == (
        new.geometry,
        new.axis_names,
        new.axis_units,
        new.link_width,
    )


def same_cells(
    old: SceneInfo,
    old_tree: CellTree,
    new: SceneInfo,
    new_tree: CellTree,
    source: object,
    attribute: str | None,
) -> Int:
    """Cells that are surely the same in a store read anew.

    Args:
        old: The store as it was.
        old_tree: Its cells.
        new: The store as it is.
        new_tree: Its cells.
        source: Where it is read, which may know what has changed.
        attribute: The attribute coloured by.
    """
    none = np.zeros(0, np.int64)
    if not isinstance(source, KnowsChanges) or not _same_tree(old_tree, new_tree):
        return none
    same_frame = np.array_equal(old.bounds, new.bounds) and is_like(old, new)
    if not same_frame or not np.array_equal(old.objects, new.objects):
        return none
    kept = np.zeros(len(new_tree), bool)
    for place, (was, level) in enumerate(zip(old.levels, new.levels, strict=True)):
        same = was.index == level.index and np.array_equal(was.chunks, level.chunks)
        if same and np.array_equal(was.counts, level.counts):
            kept[new_tree.ids_of_level(place)] = source.unchanged(level.index, attribute)
    return np.flatnonzero(kept)


def _same_tree(old: CellTree, new: CellTree) -> bool:
    names = ("level_start", "level", "lo", "hi", "parent", "child", "chunk_start", "chunk")
    return all(np.array_equal(getattr(old, name), getattr(new, name)) for name in names)

"""Which links are drawn, and where their indices lie: pages given to cells and to joints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.joints import Joint, Joints
from zv_viewer.drawing.slots import SlotTable
from zv_viewer.model.links import LinkArrays

Int = npt.NDArray[np.int64]
UInt = npt.NDArray[np.uint32]

PAGE = 32
"""Links are given room in pages of this many: what joins two cells is often a few."""

BLOCK = 1 << 15
"""Links of one draw call; room grows by as many."""

SMALL = 4096
"""Writes of fewer links than this are gathered with their neighbours into one upload."""


@dataclass(frozen=True, eq=False, slots=True)
class LinkWrite:
    """Consecutive links to fill: (M, W) rows of the layer's buffers, from link ``start`` on."""

    start: int
    links: UInt

    @property
    def stop(self) -> int:
        """One past the last link."""
        return self.start + len(self.links)


class LinkTable:
    """Room for links in whole pages; what is free joins a row with itself, so draws nothing.

    Args:
        width: Ends of a link.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._slots = SlotTable(0, PAGE)
        self._writes: dict[int, UInt] = {}
        self._freed: list[Int] = []

    @property
    def blocks(self) -> int:
        """Blocks there is room in."""
        return self._slots.capacity // BLOCK

    @property
    def links(self) -> int:
        """Links there is room for, those of free pages left out."""
        return self._slots.capacity - self._slots.free_rows

    def put(self, key: int, links: UInt) -> None:
        """Hold links, (M, W) rows of the layer's buffers, in place of those held for ``key``."""
        need = -(-len(links) // PAGE) * PAGE
        self.drop(key)
        self._room_for(need)
        self._slots.put(key, np.array([0, need]))
        self._writes[key] = links

    def put_all(self, keys: Sequence[int], links: Sequence[UInt]) -> None:
        """Hold links for several keys that hold none; (M, W) each, in whole pages."""
        rooms = np.array([len(own) for own in links], np.int64)
        self._room_for(int(rooms.sum()))
        self._slots.put_all(keys, rooms)
        self._writes.update(zip(keys, links, strict=True))

    def drop(self, key: int) -> None:
        """Let go of links; nothing happens when there are none."""
        if key in self._slots:
            self._freed.append(self._slots.rows(key))
            self._slots.drop(key)
            self._writes.pop(key, None)

    def changes(self) -> list[LinkWrite]:
        """What is to be written since the last call, ascending."""
        if not self._writes and not self._freed:
            return []
        writes = [write for key, links in self._writes.items() for write in self._pages(key, links)]
        for start, stop in self._emptied().tolist():
            writes.append(LinkWrite(start, np.zeros((stop - start, self.width), np.uint32)))
        self._writes, self._freed = {}, []
        return gathered(writes)

    def used(self) -> Int:
        """(B,) links of each block up to the last that is held."""
        taken = self._slots.taken.reshape(self.blocks, BLOCK // PAGE)
        last = taken.shape[1] - np.argmax(taken[:, ::-1], axis=1)
        return np.where(taken.any(axis=1), last * PAGE, 0)

    def _room_for(self, links: int) -> None:
        lacking = links - self._slots.free_rows
        if lacking > 0:
            self._slots.grow(self._slots.capacity + -(-lacking // BLOCK) * BLOCK)

    def _pages(self, key: int, links: UInt) -> list[LinkWrite]:
        """The links of one key on its pages, the rest of the last page filled."""
        runs, at, writes = self._slots.rows(key).tolist(), 0, []
        if len(runs) == 1 and len(links) == runs[0][1]:
            return [LinkWrite(runs[0][0], links)]
        for start, room in runs:
            part = links[at : at + room]
            if len(part) < room:
                part = np.concatenate([part, np.zeros((room - len(part), self.width), np.uint32)])
            writes.append(LinkWrite(start, part))
            at += room
        return writes

    def _emptied(self) -> Int:
        """(R, 2) first link and end of stretches given back that nobody took again."""
        empty = np.zeros(self._slots.capacity // PAGE, bool)
        for start, links in (run for runs in self._freed for run in runs.tolist()):
            empty[start // PAGE : (start + links) // PAGE] = True
        empty &= ~self._slots.taken
        return np.flatnonzero(np.diff(empty, prepend=False, append=False)).reshape(-1, 2) * PAGE


def gathered(writes: Sequence[LinkWrite]) -> list[LinkWrite]:
    """The same writes, ascending, small ones joined with the neighbours they touch."""
    groups: list[list[LinkWrite]] = []
    for write in sorted(writes, key=lambda one: one.start):
        last = groups[-1][-1] if groups else None
        small = last is not None and max(len(write.links), len(last.links)) < SMALL
        if last is not None and small and write.start == last.stop:
            groups[-1].append(write)
        else:
            groups.append([write])
    return [
        one[0]
        if len(one) == 1
        else LinkWrite(one[0].start, np.concatenate([write.links for write in one]))
        for one in groups
    ]


RowsOf = Callable[[int], Int]
"""(R, 2) first row and number of rows of a cell in the layer's buffers."""


class DrawnLinks:
    """The links of the cells that are drawn, and those that join them.

    Args:
        width: Ends of a link.
    """

    def __init__(self, width: int) -> None:
        self.table = LinkTable(width)
        self._held: dict[int, LinkArrays] = {}
        self._drawn: set[int] = set()
        self._joints = Joints()

    def put(self, cell: int, links: LinkArrays, *, moved: bool) -> None:
        """Hold the links of a cell; ``moved``: its rows lie elsewhere than before."""
        if not moved and self._held.get(cell) is links:
            return
        self.drop(cell)
        self._held[cell] = links
        self._joints.put(cell, links.open)

    def drop(self, cell: int) -> None:
        """Let go of the links of a cell."""
        if self._held.pop(cell, None) is not None:
            self._joints.drop(cell)
            self._undraw(cell)

    def draw(self, cells: Iterable[int], rows_of: RowsOf) -> None:
        """Draw the links of these cells, and what joins them."""
        wanted = set(cells)
        for cell in self._drawn - wanted:
            self._undraw(cell)
        joints = self._joints.update(wanted)
        for number in joints.removed:
            self.table.drop(-number)
        for cell in sorted(wanted - self._drawn):
            inner = self._held[cell].inner
            if len(inner):
                room = np.zeros((-(-len(inner) // PAGE) * PAGE, self.table.width), np.uint32)
                rows_on_card(inner, rows_of(cell), out=room[: len(inner)])
                self.table.put(cell, room)
        self._drawn = wanted
        numbers = [-joint.number for joint in joints.added]
        self.table.put_all(numbers, joints_on_card(joints.added, rows_of))

    def lone(self, cells: Iterable[int], rows_of: RowsOf) -> Int:
        """(L, 2) runs of single rows, in the layer's buffers, that no edge joins to another."""
        held = [(cell, self._held[cell].lone) for cell in cells]
        rows = [rows_on_card(lone, rows_of(cell)) for cell, lone in held if len(lone)]
        found = np.concatenate([np.zeros(0, np.int64), *rows])
        return np.stack([found, np.ones_like(found)], axis=1)

    def _undraw(self, cell: int) -> None:
        self.table.drop(cell)
        self._drawn.discard(cell)


def rows_on_card(rows: npt.NDArray[np.integer], runs: Int, out: UInt | None = None) -> UInt:
    """Rows of a cell, any shape, as rows of the layer's buffers.

    Args:
        rows: Places in the cell.
        runs: (R, 2) where the cell lies.
        out: Where they are put; an array of their own by default.
    """
    found = np.empty(rows.shape, np.uint32) if out is None else out
    if len(runs) == 1:
        np.add(rows, np.uint32(runs[0, 0]), out=found, casting="unsafe")
    else:
        places = np.concatenate([np.arange(start, start + n) for start, n in runs.tolist()])
        found[...] = places[rows]
    return found


def joints_on_card(joints: Sequence[Joint], rows_of: RowsOf) -> list[UInt]:
    """The links of each joint as rows of the layer's buffers, in whole pages, (M, W) each.

    What is left of a page joins row 0 with itself.
    """
    if not joints:
        return []
    owner = np.concatenate([joint.owner for joint in joints])
    rows = np.concatenate([joint.rows for joint in joints])
    counts = np.array([len(joint) for joint in joints])
    rooms = -(-counts // PAGE) * PAGE
    ends = np.cumsum(rooms)
    shift = np.repeat(ends - rooms - np.cumsum(counts) + counts, counts)
    padded = np.zeros((int(ends[-1]), rows.shape[1]), np.uint32)
    padded[np.arange(len(rows)) + shift] = _of_cells(owner, rows, rows_of)
    return [padded[start:end] for start, end in pairwise([0, *ends.tolist()])]


def _of_cells(owner: Int, rows: Int, rows_of: RowsOf) -> Int:
    """Rows, any shape, each of its own cell, as rows of the layer's buffers."""
    cells, place = np.unique(owner, return_inverse=True)
    found = [rows_of(cell) for cell in cells.tolist()]
    runs = np.concatenate(found)
    stop = np.cumsum(runs[:, 1])
    before = stop - runs[:, 1]
    first = np.cumsum([0, *(len(own) for own in found[:-1])])
    at = before[first][place.reshape(rows.shape)] + rows
    run = np.searchsorted(stop, at, side="right")
    return np.asarray(at + (runs[:, 0] - before)[run])

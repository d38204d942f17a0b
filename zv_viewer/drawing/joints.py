"""Links between cells: drawn where all the cells they join are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.links import changes, repeats
from zv_viewer.model.links import OpenLinks

Int = npt.NDArray[np.int64]
UInt = npt.NDArray[np.uint32]

Cells = tuple[int, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Joint:
    """Links that join two or more cells; there is at least one.

    Args:
        number: Never given twice.
        cells: Ascending ids.
        owner: (K, W) the cell each end lies in.
        rows: (K, W) its row of that cell.
        objects: (K,) rank of the object.
    """

    number: int
    cells: Cells
    owner: Int
    rows: Int
    objects: UInt

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False, slots=True)
class JointChanges:
    """Numbers of joints that are drawn no more, and joints that are drawn now."""

    removed: tuple[int, ...]
    added: tuple[Joint, ...]


class Joints:
    """Which joints are drawn, as cells come and go; touched on the GUI thread only."""

    def __init__(self) -> None:
        self._cells: dict[int, _Cell] = {}
        self._drawn: set[int] = set()
        self._numbers: dict[Cells, int] = {}
        self._removed: list[int] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def put(self, cell: int, links: OpenLinks) -> None:
        """Hold the open links of a cell in place of those held of it."""
        self.drop(cell)
        start = links.start.tolist()
        places = dict(zip(links.groups, map(slice, start, start[1:]), strict=False))
        self._cells[cell] = _Cell(links, places)

    def drop(self, cell: int) -> None:
        """Let go of a cell's links; nothing happens when there are none."""
        if cell in self._cells:
            self._take_back(cell)
            del self._cells[cell]

    def update(self, drawn: Iterable[int]) -> JointChanges:
        """Draw the joints of these cells and no others.

        Args:
            drawn: Cells that are held, those drawn before among them where they still are.

        Returns:
            What changed since the last update, dropped and replaced cells included.
        """
        now = set(drawn)
        for cell in self._drawn - now:
            self._take_back(cell)
        new: dict[Cells, None] = {}
        for cell in sorted(now - self._drawn):
            for name in self._cells[cell].places:
                if name not in self._numbers and now.issuperset(name):
                    new[name] = None
        added = tuple(joint for joint in self._made(list(new)) if len(joint))
        self._numbers.update((joint.cells, joint.number) for joint in added)
        self._drawn = now
        removed, self._removed = tuple(self._removed), []
        return JointChanges(removed, added)

    def _take_back(self, cell: int) -> None:
        """A cell is drawn no more, nor what joins it to others."""
        if cell in self._drawn:
            self._drawn.discard(cell)
            for name in self._cells[cell].places:
                number = self._numbers.pop(name, None)
                if number is not None:
                    self._removed.append(number)

    def _made(self, names: list[Cells]) -> Iterator[Joint]:
        """The joints of these names; those of two cells that know the same links all at once."""
        twins = {name: twin for name in names if (twin := self._twin(name)) is not None}
        rows = dict(zip(twins, _joined(list(twins.values())), strict=True))
        for name in names:
            joined = rows.get(name)
            if joined is None:
                yield self._joint(name)
            else:
                links, part = twins[name][0]
                self._next += 1
                yield Joint(self._next, name, links.owner[part], joined, links.objects[part])

    def _twin(self, name: Cells) -> tuple[_Part, _Part] | None:
        """Where two cells know the links of a joint, if it is theirs and each knows as many."""
        if len(name) != 2:
            return None
        first, second = (self._cells[cell].part(name) for cell in name)
        if first is None or second is None or _length(first) != _length(second):
            return None
        return first, second

    def _joint(self, name: Cells) -> Joint:
        found = [self._cells[cell].side(name) for cell in name]
        sides = [side for side in found if side is not None]
        if len(sides) < len(name):
            sides = [sides[0].among(np.zeros(0, np.int64))]
        elif not all(sides[0].same_as(other) for other in sides[1:]):
            sides = _common(sides)
        self._next += 1
        rows = reduce(np.maximum, [side.rows for side in sides])
        return Joint(self._next, name, sides[0].owner, rows, sides[0].objects)


@dataclass(frozen=True, eq=False, slots=True)
class _Side:
    """The links of one joint as one of its cells knows them."""

    rows: Int
    ends: Int
    owner: Int
    objects: UInt

    def same_as(self, other: _Side) -> bool:
        return np.array_equal(self.ends, other.ends) and np.array_equal(self.objects, other.objects)

    def among(self, kept: Int) -> _Side:
        return _Side(self.rows[kept], self.ends[kept], self.owner[kept], self.objects[kept])


@dataclass(frozen=True, eq=False, slots=True)
class _Cell:
    """A cell's open links, and where its joints lie among their groups."""

    links: OpenLinks
    places: dict[Cells, slice]

    def part(self, name: Cells) -> _Part | None:
        place = self.places.get(name)
        return None if place is None else (self.links, place)

    def side(self, name: Cells) -> _Side | None:
        found = self.part(name)
        if found is None:
            return None
        links, part = found
        return _Side(links.rows[part], links.ends[part], links.owner[part], links.objects[part])


_Part = tuple[OpenLinks, slice]
"""Some of a cell's open links, one after the other."""


def _length(part: _Part) -> int:
    return int(part[1].stop - part[1].start)


def _joined(twins: list[tuple[_Part, _Part]]) -> list[Int | None]:
    """The rows of joints whose two sides have as many links; None where these are not the same."""
    if not twins:
        return []
    ends, objects, rows = (
        [np.concatenate([getattr(twin[i][0], name)[twin[i][1]] for twin in twins]) for i in (0, 1)]
        for name in ("ends", "objects", "rows")
    )
    stop = np.cumsum([_length(first) for first, _ in twins])
    differ = np.flatnonzero((ends[0] != ends[1]).any(axis=1) | (objects[0] != objects[1]))
    wrong = set(np.searchsorted(stop, differ, side="right").tolist())
    whole = np.maximum(*rows)
    return [
        None if number in wrong else whole[start:end]
        for number, (start, end) in enumerate(pairwise([0, *stop.tolist()]))
    ]


def _common(sides: list[_Side]) -> list[_Side]:
    """The links that all sides know, in one order; of equal ones as many as each knows."""
    known = [_known(side) for side in sides]
    every, times = np.unique(np.concatenate(known), axis=0, return_counts=True)
    shared = every[times == len(sides)]
    return [
        side.among(np.flatnonzero(_among(keys, shared)))
        for side, keys in zip(sides, known, strict=True)
    ]


def _known(side: _Side) -> Int:
    """(K, W + 2) what names each link, and which of equal ones it is."""
    nth = repeats(changes(side.objects, side.ends))
    return np.column_stack([side.objects.astype(np.int64), side.ends, nth])


def _among(keys: Int, shared: Int) -> npt.NDArray[np.bool_]:
    """(K,) whether each row is one of ``shared``, where no row is twice in either."""
    both = np.concatenate([shared, keys])
    _, place, times = np.unique(both, axis=0, return_inverse=True, return_counts=True)
    return np.asarray(times[place.reshape(-1)[len(shared) :]] == 2)

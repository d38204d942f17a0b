"""Edges -> curves: runs of rows, each joined to the next, that pass over every edge once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Paths:
    """P runs of rows.

    Args:
        rows: (K,) rows, path after path; where paths meet, a row is in each of them.
        start: (P + 1,) rows of path ``p`` are ``rows[start[p]:start[p + 1]]``, at least two.
    """

    rows: Int
    start: Int

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def number(self) -> Int:
        """(K,) which path each of the rows is in."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))


def paths_of(links: npt.NDArray[np.integer]) -> Paths:
    """The fewest paths that go through a row as often as edges allow.

    Where two edges meet, the path runs on; of several, two by two. A closed curve begins and ends
    at the same row.

    Args:
        links: (M, 2) rows that are joined.
    """
    half = np.asarray(links, np.int64).reshape(-1)
    if not len(half):
        return Paths(np.zeros(0, np.int64), np.zeros(1, np.int64))
    onward = _onward(half)
    first, steps = _back_to_start(onward)
    if (first < 0).any():
        _cut_cycles(onward, first < 0)
        first, steps = _back_to_start(onward)
    # each path is found in both directions; the one with the smaller first half is kept
    last = np.empty(len(half), np.int64)
    ends = np.flatnonzero(onward < 0)
    last[first[ends]] = ends ^ 1
    kept = np.flatnonzero(first < last[first])
    order = kept[np.lexsort((steps[kept], first[kept]))]
    begins = np.flatnonzero(steps[order] == 0)
    length = np.diff(np.append(begins, len(order)))
    start = np.concatenate([[0], np.cumsum(length + 1)])
    rows = np.empty(start[-1], np.int64)
    inside = np.ones(len(rows), bool)
    inside[start[1:] - 1] = False
    rows[inside] = half[order]
    rows[~inside] = half[order[begins + length - 1] ^ 1]
    return Paths(rows, start)


def _onward(half: Int) -> Int:
    """(2M,) which half edge is entered after each, -1 where a path ends.

    Half edge ``h`` leaves the row ``half[h]`` for the row of ``h ^ 1``.
    """
    order = np.argsort(half, kind="stable")
    row = half[order]
    nth = np.arange(len(row)) - np.searchsorted(row, row)
    left = np.flatnonzero((nth[:-1] % 2 == 0) & (row[1:] == row[:-1]))
    one, other = order[left], order[left + 1]
    onward = np.full(len(half), -1)
    onward[one ^ 1] = other
    onward[other ^ 1] = one
    return onward


def _back_to_start(onward: Int) -> tuple[Int, Int]:
    """(2M,) the first half edge of each one's path, -1 in a closed one, and the steps from it."""
    back = np.arange(len(onward))
    steps = np.zeros(len(onward), np.int64)
    there = onward >= 0
    back[onward[there]] = np.flatnonzero(there)
    steps[onward[there]] = 1
    is_first = steps == 0
    for _ in range(len(onward).bit_length()):
        going = ~is_first[back]
        if not going.any():
            return back, steps
        steps[going] += steps[back[going]]
        back[going] = back[back[going]]
    return np.where(is_first[back], back, -1), steps


def _cut_cycles(onward: Int, closed: npt.NDArray[np.bool_]) -> None:
    """Open each closed path, in both directions, where its lowest edge is entered."""
    lowest = np.arange(len(onward)) >> 1
    jump = onward.copy()
    at = np.flatnonzero(closed)
    for _ in range(len(onward).bit_length()):
        lowest[at] = np.minimum(lowest[at], lowest[jump[at]])
        jump[at] = jump[jump[at]]
    entered = onward[at]
    cut = at[((entered >> 1) == lowest[at]) & (entered % 2 == 0)]
    mate = onward[cut] ^ 1
    onward[mate] = -1
    onward[cut] = -1

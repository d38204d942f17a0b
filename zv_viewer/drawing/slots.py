"""Which rows of a layer's buffer hold which cell: whole pages, given out and taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from zv_viewer.model.plan import DrawItem

Int = npt.NDArray[np.int64]

PAGE = 128
"""Rows are given out in pages of this many."""

_SWAP_SHARE = 1.25
_NO_RUNS = np.zeros((0, 2), np.int64)


def page_rows(rows: int) -> int:
    """Rows that a cell of ``rows`` rows takes, in whole pages."""
    return -(-rows // PAGE) * PAGE


def pages_of(counts: Int) -> int:
    """Rows that cells of ``counts`` rows, (C,), take together, in whole pages each."""
    return int((-(-counts // PAGE) * PAGE).sum())


def rows_for(vertices: int, counts: Int) -> int:
    """Rows a buffer needs so that a budget of vertices fits, with room for swaps.

    Args:
        vertices: The budget.
        counts: (C,) vertices of the store's cells (or chunks).

    Returns:
        Rows in whole pages: never more than the whole store takes, nor than two and a half times
        the budget when cells are much smaller than a page.
    """
    counts = counts[counts > 0]
    if not len(counts):
        return PAGE
    everything = pages_of(counts)
    waste = min(PAGE / float(np.median(counts)), 1.0)
    return min(page_rows(int(vertices * (1 + waste) * _SWAP_SHARE) + PAGE), everything)


class SlotTable:
    """Gives pages of rows to cells. A cell's rows may lie in several runs of pages.

    Args:
        capacity: Rows, rounded up to whole pages.
        page: Rows of a page.
    """

    def __init__(self, capacity: int, page: int = PAGE) -> None:
        self.page = page
        self.capacity = -(-capacity // page) * page
        self._free = np.ones(self.capacity // page, bool)
        self._free_pages = len(self._free)
        self._stretches: tuple[Int, Int] | None = None  # first page and length, while known
        self._pages: dict[int, Int] = {}
        self._runs: dict[int, Int] = {}
        self._ends: dict[int, Int] = {}

    def __contains__(self, cell: int) -> bool:
        return cell in self._runs

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def free_rows(self) -> int:
        """Rows nobody has."""
        return self._free_pages * self.page

    @property
    def taken(self) -> npt.NDArray[np.bool_]:
        """(pages,) whether somebody has each page."""
        return ~self._free

    def grow(self, capacity: int) -> None:
        """Make room for more rows, rounded up to whole pages; nobody moves."""
        more = -(-capacity // self.page) - len(self._free)
        if more > 0:
            self._free = np.concatenate([self._free, np.ones(more, bool)])
            self._free_pages += more
            self._stretches = None
            self.capacity = len(self._free) * self.page

    def put(self, cell: int, part_start: Int) -> Int:
        """Give a cell its rows; a cell that has as many pages already keeps them.

        Args:
            cell: Id.
            part_start: (parts + 1,) row offsets of its parts; the last is its number of rows.

        Returns:
            (R, 2) int64 runs, as :meth:`rows`.

        Raises:
            ValueError: The table is full.
        """
        rows = int(part_start[-1])
        need = -(-rows // self.page)
        pages: Int | None = self._pages.get(cell)
        if pages is None or len(pages) != need:
            self.drop(cell)
            pages = self._find(need)
            if pages is None:
                raise ValueError(
                    f"no room for cell {cell}: {rows} rows, {self.free_rows} rows free"
                )
            self._take(pages)
        self._pages[cell] = pages
        self._runs[cell] = _runs_of(pages, rows, self.page)
        self._ends[cell] = part_start
        return self._runs[cell]

    def put_all(self, cells: Sequence[int], rows: Int) -> None:
        """Give cells that have none their rows, (N,) one part each, one after the other.

        Raises:
            ValueError: The table is full; nobody is given any.
        """
        need = -(-rows // self.page)
        pages = self._find(int(need.sum()))
        if pages is None:
            raise ValueError(
                f"no room for {len(cells)} cells: {rows.sum()} rows, {self.free_rows} rows free"
            )
        self._take(pages)
        stop = np.cumsum(need)
        start = stop - need
        ends = np.stack([np.zeros_like(rows), rows], axis=1)
        first = pages[np.minimum(start, len(pages) - 1)] if len(pages) else start
        runs = np.stack([first * self.page, rows], axis=1)
        whole = np.ones(len(cells), bool)
        whole[need > 0] = pages[stop[need > 0] - 1] - first[need > 0] == need[need > 0] - 1
        for number, (cell, begin, end) in enumerate(
            zip(cells, start.tolist(), stop.tolist(), strict=True)
        ):
            own = self._pages[cell] = pages[begin:end]
            self._ends[cell] = ends[number]
            if begin < end and whole[number]:
                self._runs[cell] = runs[number : number + 1]
            else:
                self._runs[cell] = _runs_of(own, int(rows[number]), self.page)

    def drop(self, cell: int) -> None:
        """Take a cell's rows back; nothing happens when it has none."""
        pages = self._pages.pop(cell, None)
        if pages is not None:
            self._free[pages] = True
            self._free_pages += len(pages)
            self._stretches = None
            del self._runs[cell], self._ends[cell]

    def cells(self) -> tuple[int, ...]:
        """The cells that have rows."""
        return tuple(self._runs)

    def pages(self, cell: int) -> Int:
        """(P,) the pages of a cell, in the order of its rows."""
        return self._pages[cell]

    def rows(self, cell: int) -> Int:
        """(R, 2) int64 first row and number of rows, in the order of the cell's rows."""
        return self._runs[cell]

    def runs(self, items: Iterable[DrawItem]) -> Int:
        """(R, 2) int64 runs of rows that draw ``items``; no row twice."""
        found: list[Int] = [_NO_RUNS]
        for item in items:
            if item.parts is None:
                found.append(self._runs[item.cell])
            else:
                found.append(_cut(self._runs[item.cell], self._ends[item.cell], item.parts))
        return np.concatenate(found)

    def _take(self, pages: Int) -> None:
        self._free[pages] = False
        self._free_pages -= len(pages)

    def _find(self, need: int) -> Int | None:
        """``need`` free pages: the shortest stretch that holds them, else as few as possible."""
        if not need:
            return np.zeros(0, np.int64)
        if self._stretches is None:
            self._stretches = _stretches_of(self._free)
        first, lengths = self._stretches
        enough = np.flatnonzero(lengths >= need)
        if len(enough):
            which = enough[np.argmin(lengths[enough])]
            pages = np.arange(first[which], first[which] + need)
            first[which] += need
            lengths[which] -= need
            return pages
        if self._free_pages < need:
            return None
        longest = np.argsort(-lengths, kind="stable")
        taken = longest[: int(np.searchsorted(np.cumsum(lengths[longest]), need)) + 1]
        self._stretches = None
        pages = np.concatenate([np.arange(first[i], first[i] + lengths[i]) for i in taken])
        return np.sort(pages[:need])


def _stretches_of(free: npt.NDArray[np.bool_]) -> tuple[Int, Int]:
    """First page and length of every stretch of free pages, ascending."""
    edges = np.flatnonzero(np.diff(free, prepend=False, append=False))
    return edges[::2].copy(), edges[1::2] - edges[::2]


def _runs_of(pages: Int, rows: int, page: int) -> Int:
    """(R, 2) runs of the first ``rows`` rows on these ascending pages."""
    if not rows:
        return _NO_RUNS
    if pages[-1] - pages[0] == len(pages) - 1:
        return np.array([[pages[0] * page, rows]], np.int64)
    first = np.concatenate([[0], np.flatnonzero(np.diff(pages) != 1) + 1])
    count = np.diff(np.concatenate([first, [len(pages)]])) * page
    count[-1] -= len(pages) * page - rows
    return np.stack([pages[first] * page, count], axis=1)


def _cut(runs: Int, ends: Int, parts: Sequence[int]) -> Int:
    """The stretches of ``runs`` that hold these ascending parts, neighbours joined."""
    places = np.asarray(parts, np.int64)
    low, high = ends[places], ends[places + 1]
    low, high = low[high > low], high[high > low]
    if not len(low) or not len(runs):
        return _NO_RUNS
    fresh = np.concatenate([[True], low[1:] != high[:-1]])
    low, high = low[fresh], high[np.append(np.flatnonzero(fresh)[1:] - 1, len(high) - 1)]
    stop = np.cumsum(runs[:, 1])
    start = stop - runs[:, 1]
    # Every stretch of rows against every run of pages; both lists are short.
    begin = np.maximum(low[:, None], start[None])
    end = np.minimum(high[:, None], stop[None])
    which, run = np.nonzero(end > begin)
    first = begin[which, run] - start[run] + runs[run, 0]
    return np.stack([first, end[which, run] - begin[which, run]], axis=1)

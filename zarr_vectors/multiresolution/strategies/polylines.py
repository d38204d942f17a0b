"""Lines made coarser: each run of consecutive vertices in one bin becomes one vertex. Pure.

A line's vertices lie one after the other, lines one after the other: ``starts`` (P + 1,) int64 is
the first row of every line, and the end.

A line that lies in one bin keeps two vertices, its ends: a line of one vertex has no length and is
not drawn, so short lines would vanish from the levels that are looked at from afar. Longer lines
have an end in the first and the last bin they touch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zarr_vectors.typing import FloatArray, IntArray


@dataclass(frozen=True, eq=False, slots=True)
class MergedRuns:
    """Lines of the target level, in the order and with the numbers of the source's.

    Attributes:
        parents: (N,) int64 target row of every source row; never falls along the rows.
        starts: (P + 1,) int64 first target row of every line, and the end.
        exact: (K,) int64 source row that target rows take their place from, -1 for the mean.
    """

    parents: IntArray
    starts: IntArray
    exact: IntArray

    @property
    def count(self) -> int:
        """K, the target rows."""
        return len(self.exact)


def merge_runs(
    positions: FloatArray, cells: IntArray, starts: IntArray, *, always_two: bool = False
) -> MergedRuns:
    """Merge consecutive vertices of a line that lie in one bin.

    Args:
        positions: (N, D) float, world units.
        cells: (N,) int64, equal for rows of one bin.
        starts: (P + 1,) int64.
        always_two: Keep both ends also of lines whose ends are in one place.
    """
    count = len(cells)
    lengths = np.diff(starts)
    first = np.zeros(count, np.bool_)
    first[starts[:-1][lengths > 0]] = True
    new = first.copy()
    new[1:] |= cells[1:] != cells[:-1]
    runs = np.cumsum(new)
    run_of = np.concatenate([np.zeros(1, np.int64), runs])
    in_one = (run_of[starts[1:]] - run_of[starts[:-1]] == 1) & (lengths > 1)
    heads, tails = starts[:-1][in_one], starts[1:][in_one] - 1
    if not always_two:
        apart = (positions[heads] != positions[tails]).any(axis=1)
        heads, tails = heads[apart], tails[apart]
    new[heads + (tails - heads + 2) // 2] = True
    parents = np.cumsum(new) - 1
    total = int(parents[-1]) + 1 if count else 0
    exact = np.full(total, -1, np.int64)
    exact[parents[heads]] = heads
    exact[parents[tails]] = tails
    ends = np.concatenate([np.zeros(1, np.int64), parents + 1])
    return MergedRuns(parents, ends[starts], exact)

"""Lists of different lengths kept as one flat array and its offsets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]


def gather(start: Int, flat: Int, rows: Int) -> tuple[Int, Int]:
    """The lists of several rows, one after the other.

    Args:
        start: (N + 1,) offsets; list ``i`` is ``flat[start[i]:start[i + 1]]``.
        flat: (T,) all lists.
        rows: (R,) the lists wanted.

    Returns:
        (S,) the entries, and (S,) the place in ``rows`` each belongs to.
    """
    first = start[rows]
    length = start[rows + 1] - first
    owner = np.repeat(np.arange(len(rows), dtype=np.int64), length)
    before = np.cumsum(length) - length
    return flat[np.arange(len(owner), dtype=np.int64) + (first - before)[owner]], owner


def offsets(owner: Int, rows: int) -> Int:
    """(rows + 1,) offsets of lists whose entries belong to ``owner``, once sorted by it."""
    start = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(owner, minlength=rows), out=start[1:])
    return start

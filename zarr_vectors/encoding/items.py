"""Rows as items that are moved whole, which is several times as fast as number by number."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def as_items(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(N,) items, each a row; a view.

    Args:
        rows: (N,) or (N, C) numbers, C not 0, row after row without gaps.
    """
    if rows.ndim == 1:
        return rows
    size = rows.dtype.itemsize * rows.shape[1]
    return rows.view(np.dtype((np.void, size))).reshape(-1)


def move_rows(
    source: npt.NDArray[Any],
    taken: npt.NDArray[np.integer],
    room: npt.NDArray[Any],
    into: npt.NDArray[np.integer],
) -> None:
    """Copy some rows to where they are to be.

    Args:
        source: (N,) or (N, C).
        taken: (n,) rows of it.
        room: (M,) or (M, C), filled.
        into: (n,) rows of the room.
    """
    items = as_items(np.ascontiguousarray(source, room.dtype))
    np.put(as_items(room), into, items.take(taken))

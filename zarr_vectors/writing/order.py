"""Sorting many rows by small integer keys: stable, and in linear time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import IntArray

_DIGIT = 16
_BLOCK = 1 << 17


def stable_order(keys: npt.NDArray[np.integer], limit: int) -> IntArray:
    """Rows in ascending key, equal keys in ascending row.

    NumPy sorts 16-bit integers by counting; wider keys take one such pass per 16 bits.

    Args:
        keys: (N,) non-negative integers below ``limit``.
        limit: Upper end of the keys.
    """
    order = np.argsort((keys & 0xFFFF).astype(np.uint16), kind="stable")
    shift = _DIGIT
    while limit - 1 >> shift > 0:
        digit = (keys >> shift & 0xFFFF).astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
        shift += _DIGIT
    return order


def counted_order(
    keys: npt.NDArray[np.integer], limit: int
) -> tuple[npt.NDArray[np.integer], IntArray]:
    """:func:`stable_order` block by block, where keys are few, and the rows of each key.

    Args:
        keys: (N,) non-negative integers below ``limit``.
        limit: Upper end of the keys, at least 1.

    Returns:
        (N,) rows, int32 where they fit, and (limit,) int64 counts.
    """
    count, step = len(keys), max(_BLOCK, limit)
    if count <= step:
        return (
            stable_order(keys, limit).astype(row_dtype(count)),
            np.bincount(keys, minlength=limit),
        )
    blocks = [slice(start, start + step) for start in range(0, count, step)]
    order = np.empty(count, row_dtype(count))
    counts = np.zeros(limit, np.int64)
    for block in blocks:
        counts += np.bincount(keys[block], minlength=limit)
    places = np.cumsum(counts) - counts
    for block in blocks:
        part = keys[block]
        rows = stable_order(part, limit)
        found = np.bincount(part, minlength=limit)
        into = np.repeat(places - (np.cumsum(found) - found), found)
        into += np.arange(len(part))
        rows += block.start
        order[into] = rows
        places += found
    return order, counts


def row_dtype(count: int) -> npt.DTypeLike:
    """The integers that number so many rows."""
    return np.int32 if count < 1 << 31 else np.int64


def distinct(ascending: npt.NDArray[np.integer]) -> IntArray:
    """The distinct values of (N,) integers that ascend, without sorting or hashing them."""
    new = np.ones(len(ascending), np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=new[1:])
    return np.asarray(ascending[new], np.int64)


def dense_ranks(
    keys: npt.NDArray[np.integer], limit: int, dtype: npt.DTypeLike = np.int64
) -> tuple[IntArray, npt.NDArray[Any]]:
    """The distinct keys in ascending order, and the rank of every row's key among them.

    Args:
        keys: (N,) non-negative integers below ``limit``.
        limit: Upper end of the keys.
        dtype: Of the ranks.

    Returns:
        (K,) int64 distinct keys and (N,) ranks.
    """
    if limit <= max(4 * len(keys), 1 << 20):
        present = np.zeros(limit, np.bool_)
        present[keys] = True
        found = np.flatnonzero(present)
        rank_of = np.empty(limit, dtype)
        rank_of[found] = np.arange(len(found))
        return found, rank_of[keys]
    order = stable_order(keys, limit)
    ordered = keys[order]
    new = np.empty(len(ordered), np.bool_)
    new[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    ranks = np.empty(len(keys), dtype)
    ranks[order] = np.cumsum(new) - 1
    return ordered[new].astype(np.int64), ranks

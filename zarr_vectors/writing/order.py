"""Sorting many rows by small integer keys: stable, and in linear time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import IntArray

_DIGIT = 16


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


def distinct(ascending: npt.NDArray[np.integer]) -> IntArray:
    """The distinct values of (N,) integers that ascend, without sorting or hashing them."""
    new = np.ones(len(ascending), np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=new[1:])
    return np.asarray(ascending[new], np.int64)


def dense_ranks(keys: npt.NDArray[np.integer], limit: int) -> tuple[IntArray, IntArray]:
    """The distinct keys in ascending order, and the rank of every row's key among them.

    Args:
        keys: (N,) non-negative integers below ``limit``.
        limit: Upper end of the keys.

    Returns:
        (K,) distinct keys and (N,) ranks, both int64.
    """
    if limit <= max(4 * len(keys), 1 << 20):
        present = np.zeros(limit, np.bool_)
        present[keys] = True
        found = np.flatnonzero(present)
        rank_of = np.empty(limit, np.int64)
        rank_of[found] = np.arange(len(found))
        return found, rank_of[keys]
    order = stable_order(keys, limit)
    ordered = keys[order]
    new = np.empty(len(ordered), np.bool_)
    new[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    ranks = np.empty(len(keys), np.int64)
    ranks[order] = np.cumsum(new) - 1
    return ordered[new].astype(np.int64), ranks

"""Numbers in array metadata, checked before they size anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zarr_vectors.exceptions import ArrayError

_MOST_ROWS = 2**31
_MOST_AXES = 16


def count_of(meta: Mapping[str, object], key: str) -> int:
    """A row count.

    Raises:
        ArrayError: Missing, negative or absurd.
    """
    found = meta.get(key)
    if type(found) is not int or not 0 <= found <= _MOST_ROWS:
        raise ArrayError(f"its {key} is {str(found)[:60]!r}, expected a count")
    return found


def rank_of(meta: Mapping[str, object], key: str = "sid_ndim") -> int:
    """Components of a chunk coordinate.

    Raises:
        ArrayError: Missing or absurd.
    """
    found = meta.get(key)
    if type(found) is not int or not 1 <= found <= _MOST_AXES:
        raise ArrayError(f"its {key} is {str(found)[:60]!r}, expected 1 to {_MOST_AXES}")
    return found


def absent_value(dtype: np.dtype[Any]) -> float:
    """What an absent row holds: NaN, the least signed or the largest unsigned number."""
    if dtype.kind == "f":
        return float("nan")
    if dtype.kind == "b":
        return False
    info = np.iinfo(dtype)
    return int(info.min if dtype.kind == "i" else info.max)

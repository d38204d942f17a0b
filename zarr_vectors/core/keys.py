"""Chunk keys: ``"0.1.2"`` <-> ``(0, 1, 2)``. The only parser and the only formatter."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import ChunkCoords

_NUMBER = r"(?:0|-?[1-9][0-9]{0,17})"
_KEY = re.compile(rf"{_NUMBER}(?:\.{_NUMBER})*", re.ASCII)
_MAX_RANK = 16


def format_key(coords: Iterable[int]) -> str:
    """Key of chunk coordinates: decimal integers joined by ``.``."""
    return ".".join(map(str, coords))


def try_parse_key(key: str) -> ChunkCoords | None:
    """Coordinates of a key, or None where the text is not a chunk key."""
    if len(key) > _MAX_RANK * 20 or _KEY.fullmatch(key) is None:
        return None
    return tuple(map(int, key.split(".")))


def parse_key(key: str) -> ChunkCoords:
    """Coordinates of a key.

    Raises:
        ArrayError: The text is not a chunk key.
    """
    coords = try_parse_key(key)
    if coords is None:
        raise ArrayError(f"{key[:80]!r} is not a chunk key such as '0.1.-2'")
    return coords


def parse_keys(keys: list[str]) -> list[ChunkCoords]:
    """Coordinates of many keys of one rank, at a fraction of the cost of one by one.

    Raises:
        ArrayError: A text is not a chunk key, or ranks differ.
    """
    if not keys:
        return []
    try:
        joined = ",".join(keys)
    except TypeError:
        raise ArrayError("chunk keys must be strings such as '0.1.-2'") from None
    rank = keys[0].count(".") + 1
    pattern = rf"{_NUMBER}(?:\.{_NUMBER}){{{rank - 1}}}"
    if rank > _MAX_RANK or re.fullmatch(f"(?:{pattern},)*{pattern}", joined, re.ASCII) is None:
        bad = next((key for key in keys if _wrong_rank(key, rank)), keys[0])
        raise ArrayError(f"{bad[:80]!r} is not a chunk key of {rank} numbers such as '0.1.-2'")
    if len(keys) != joined.count(",") + 1:
        raise ArrayError("a chunk key holds a comma")
    numbers = np.array(joined.replace(".", ",").split(","), dtype=np.int64)
    return list(map(tuple, numbers.reshape(len(keys), rank).tolist()))


def _wrong_rank(key: str, rank: int) -> bool:
    coords = try_parse_key(key)
    return coords is None or len(coords) != rank

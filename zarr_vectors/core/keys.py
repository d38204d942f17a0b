"""Chunk keys: ``"0.1.2"`` <-> ``(0, 1, 2)``. The only parser and the only formatter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import repeat

from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import ChunkCoords

_NUMBER = r"(?:0|-?[1-9][0-9]{0,17})"
_KEY = re.compile(rf"{_NUMBER}(?:\.{_NUMBER})*", re.ASCII)
_LETTERS = re.compile(r"[0-9.,-]+", re.ASCII)
_MAX_RANK = 16
_DIGITS = 18
_LIMIT = 10**_DIGITS


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
        dots = set(map(str.count, keys, repeat(".")))
    except TypeError:
        raise ArrayError("chunk keys must be strings such as '0.1.-2'") from None
    rank = keys[0].count(".") + 1
    numbers = _numbers(",".join(keys)) if len(dots) == 1 and rank <= _MAX_RANK else None
    if numbers is not None and max(map(len, keys)) > _DIGITS:
        numbers = numbers if all(-_LIMIT < n < _LIMIT for n in numbers) else None
    if numbers is None:
        bad = next((key for key in keys if _wrong_rank(key, rank)), keys[0])
        raise ArrayError(f"{bad[:80]!r} is not a chunk key of {rank} numbers such as '0.1.-2'")
    if len(numbers) != rank * len(keys):
        raise ArrayError("a chunk key holds a comma")
    each = iter(numbers)
    return list(zip(*(each,) * rank, strict=True))


def _numbers(keys: str) -> list[int] | None:
    """Numbers of keys joined by commas, or None where one has no or another spelling.

    A list of whole numbers in JSON has one spelling but for spaces, exponents and a negative zero.
    """
    if _LETTERS.fullmatch(keys) is None or "-0" in keys:
        return None
    try:
        found: list[int] = json.loads(f"[{keys.replace('.', ',')}]")
    except ValueError:
        return None
    return found


def _wrong_rank(key: str, rank: int) -> bool:
    coords = try_parse_key(key)
    return coords is None or len(coords) != rank

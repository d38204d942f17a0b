"""The blobs of both formats, decoded a value at a time."""

from __future__ import annotations

import itertools
import math
import struct
from typing import Any

import numpy as np

from zarr_vectors.testing.reference.zarr_bytes import Key


def fragments(blob: bytes) -> list[list[int]]:
    """Rows of every fragment of a fragment index."""
    magic, version, _, count, ranges = struct.unpack_from("<IHHII", blob)
    if (magic, version) != (0x5A564647, 1):
        raise ValueError("no fragment index")
    if not count:
        return []
    bits = math.ceil(count / 8)
    at = 16 + math.ceil(bits / 8) * 8
    table = [struct.unpack_from("<qq", blob, at + 16 * k) for k in range(ranges)]
    at += 16 * ranges
    offsets = [struct.unpack_from("<I", blob, at + 4 * k)[0] for k in range(count - ranges + 1)]
    at += 4 * len(offsets)
    found: list[list[int]] = []
    lists, spans = iter(itertools.pairwise(offsets)), iter(table)
    for number in range(count):
        if blob[16 + number // 8] >> (number % 8) & 1:
            start, length = next(spans)
            found.append(list(range(start, start + length)))
        else:
            low, high = next(lists)
            found.append([struct.unpack_from("<q", blob, at + 8 * k)[0] for k in range(low, high)])
    return found


def manifest(blob: bytes, rank: int) -> list[tuple[Key, int]]:
    """(chunk, fragment) pairs of an object."""
    (blocks,) = struct.unpack_from("<I", blob)
    found, at = [], 4
    for _ in range(blocks):
        key = struct.unpack_from(f"<{rank}q", blob, at)
        mode = blob[at + 8 * rank]
        at += 8 * rank + 1
        if mode == 0:
            numbers, size = list(struct.unpack_from("<q", blob, at)), 8
        elif mode == 1:
            start, count = struct.unpack_from("<qq", blob, at)
            numbers, size = list(range(start, start + count)), 16
        else:
            (count,) = struct.unpack_from("<I", blob, at)
            numbers, size = list(struct.unpack_from(f"<{count}q", blob, at + 4)), 4 + 8 * count
        at += size
        found += [(key, number) for number in numbers]
    if at != len(blob):
        raise ValueError("bytes after a manifest")
    return found


def headless(blob: bytes) -> bytes:
    """Rows after the header that says where each of K runs starts."""
    (count,) = struct.unpack_from("<q", blob)
    return blob[8 + 8 * count :]


def places(code: int, width: int) -> list[int]:
    """Where each sorted end of a link was before it was sorted."""
    left, found = list(range(width)), []
    for k in range(width):
        step, code = divmod(code, math.factorial(width - 1 - k))
        found.append(left.pop(step))
    return found


def lowest(dtype: np.dtype[Any]) -> float:
    """The value that stands for none."""
    if dtype.kind == "f":
        return math.nan
    if dtype.kind == "b":
        return math.inf
    return int(np.iinfo(dtype).max if dtype.kind == "u" else np.iinfo(dtype).min)


def same(value: float, other: float) -> bool:
    """Equal, and no number equal to itself."""
    return value == other or (value != value and other != other)

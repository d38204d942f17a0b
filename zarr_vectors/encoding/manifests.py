"""Object manifests: an object's ordered (chunk, fragment) pairs as bytes.

The common form, one block per fragment, is encoded and decoded as one record array; the other two
forms are decoded block by block and never written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.encoding.elements import Elements
from zarr_vectors.encoding.ragged import Buffer, values_at
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import IntArray, ObjectManifest

EMPTY_MANIFEST = bytes(4)
"""Manifest of an object without rows."""

_MAX_RANK = 16
_MAX_PAIRS = 2**22
_MAX_SPREAD = 24 * 2**20
"""Bytes that runs of fragments, short to write down, may spread to beyond what is stored."""


@dataclass(frozen=True, slots=True, eq=False)
class ManifestTable:
    """Manifests of many objects as arrays.

    Pair ``i`` is ``(chunks[i], fragments[i])``; object ``k`` owns pairs
    ``offsets[k] : offsets[k + 1]``.
    """

    chunks: IntArray
    """(P, D') int64 chunk coordinates."""
    fragments: IntArray
    """(P,) int64 fragment numbers."""
    offsets: IntArray
    """(n + 1,) int64."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> ObjectManifest:
        part = slice(int(self.offsets[row]), int(self.offsets[row + 1]))
        chunks = map(tuple, self.chunks[part].tolist())
        return list(zip(chunks, self.fragments[part].tolist(), strict=True))


def _block(rank: int) -> np.dtype[Any]:
    return np.dtype([("chunk", "<i8", (rank,)), ("mode", "u1"), ("fragment", "<i8")])


def encode_manifest(manifest: ObjectManifest, rank: int | None = None) -> bytes:
    """Bytes of one manifest.

    Args:
        manifest: Ordered ``(chunk, fragment)`` pairs.
        rank: Components of a chunk coordinate; taken from the pairs by default.
    """
    if not manifest:
        return EMPTY_MANIFEST
    chunks = np.array([chunk for chunk, _ in manifest], dtype=np.int64)
    fragments = np.array([fragment for _, fragment in manifest], dtype=np.int64)
    if rank is not None and chunks.shape[1] != rank:
        raise ArrayError(f"manifest has chunks of rank {chunks.shape[1]}, expected {rank}")
    return encode_manifests(chunks, fragments, [0, len(manifest)])[0]


def encode_manifests(
    chunks: npt.ArrayLike, fragments: npt.ArrayLike, offsets: npt.ArrayLike
) -> list[bytes]:
    """Bytes of many manifests.

    Args:
        chunks: (P, D') chunk coordinates.
        fragments: (P,) fragment numbers.
        offsets: (n + 1,); object ``k`` owns pairs ``offsets[k] : offsets[k + 1]``.
    """
    where = np.asarray(chunks, dtype=np.int64)
    cuts = np.asarray(offsets, dtype=np.int64)
    blocks = np.zeros(len(where), dtype=_block(where.shape[1]))
    blocks["chunk"] = where
    blocks["fragment"] = fragments
    raw = blocks.view(np.uint8).data
    size = blocks.dtype.itemsize
    heads = np.diff(cuts).astype("<u4").tobytes()
    ends = (cuts * size).tolist()
    return [heads[4 * k : 4 * k + 4] + raw[ends[k] : ends[k + 1]] for k in range(len(cuts) - 1)]


def decode_manifest(blob: Buffer, rank: int) -> ObjectManifest:
    """Ordered ``(chunk, fragment)`` pairs of one manifest.

    Args:
        blob: The stored bytes.
        rank: Components of a chunk coordinate.

    Raises:
        ArrayError: The bytes are not a whole manifest.
    """
    return decode_manifests([blob], rank)[0]


def decode_manifests(blobs: Sequence[Buffer], rank: int) -> ManifestTable:
    """Manifests of many objects.

    Args:
        blobs: The stored bytes, one per object.
        rank: Components of a chunk coordinate.

    Raises:
        ArrayError: Some bytes are not a whole manifest.
    """
    if not 1 <= rank <= _MAX_RANK:
        raise ArrayError(f"manifests of chunk rank {rank} are not supported")
    dtype = _block(rank)
    elements = Elements.of(blobs)
    data, begins, sizes = elements.data, elements.begins, elements.sizes
    if len(sizes) and sizes.min() < 4:
        raise ArrayError(f"manifest {int(sizes.argmin())} is cut short: {sizes.min()} bytes")
    claimed = values_at(data, begins, np.dtype("<u4")).astype(np.int64)
    offsets = np.zeros(len(blobs) + 1, dtype=np.int64)
    if np.array_equal(sizes, 4 + claimed * dtype.itemsize):
        np.cumsum(claimed, out=offsets[1:])
        # blocks lie one after the other but for what is between the manifests
        places = np.repeat(begins + 4 - offsets[:-1] * dtype.itemsize, claimed)
        places += np.arange(len(places)) * dtype.itemsize
        if not np.frombuffer(data, np.uint8)[places + 8 * rank].any():
            chunks = values_at(data, places, np.dtype(f"V{8 * rank}")).view("<i8")
            fragments = values_at(data, places + 8 * rank + 1, np.dtype("<i8"))
            _check_fragments(fragments)
            return ManifestTable(_i64(chunks).reshape(-1, rank), _i64(fragments), offsets)
        offsets[:] = 0
    return _decode_each(blobs, rank, offsets)


def _i64(numbers: npt.NDArray[np.integer]) -> IntArray:
    return numbers.astype(np.int64, copy=False)


def _decode_each(blobs: Sequence[Buffer], rank: int, offsets: IntArray) -> ManifestTable:
    chunks: list[IntArray] = []
    fragments: list[IntArray] = []
    total = 0
    most = (_MAX_SPREAD + 3 * sum(map(len, blobs))) // (8 * (rank + 1))
    for row, blob in enumerate(blobs):
        for chunk, numbers in _blocks(memoryview(blob), rank):
            total += len(numbers)
            if total > most:  # runs are short to write down: stop before they add up
                raise ArrayError(f"manifests claim more than {most} fragments")
            chunks.append(np.broadcast_to(chunk, (len(numbers), rank)))
            fragments.append(numbers)
        offsets[row + 1] = total
    if not chunks:
        return ManifestTable(np.zeros((0, rank), np.int64), np.zeros(0, np.int64), offsets)
    return ManifestTable(np.concatenate(chunks), np.concatenate(fragments), offsets)


def _blocks(view: memoryview, rank: int) -> Iterator[tuple[IntArray, IntArray]]:
    count = int(np.frombuffer(view, "<u4", 1)[0])
    at = 4
    if count > (len(view) - at) // (8 * rank + 1 + 4):
        raise ArrayError(f"manifest claims {count} blocks in {len(view)} bytes")
    for _ in range(count):
        chunk = _take(view, at, rank)
        at += 8 * rank
        mode = view[at] if at < len(view) else -1
        at += 1
        if mode == 0:
            numbers = _take(view, at, 1)
            at += 8
        elif mode == 1:
            start, length = _take(view, at, 2).tolist()
            at += 16
            if not 0 <= length <= _MAX_PAIRS or not 0 <= start < 2**62:
                raise ArrayError(f"manifest claims {length} fragments from {start}")
            numbers = np.arange(start, start + length, dtype=np.int64)
        elif mode == 2 and at + 4 <= len(view):
            length = int(np.frombuffer(view, "<u4", 1, at)[0])
            numbers = _take(view, at + 4, length)
            at += 4 + 8 * length
        else:
            raise ArrayError(f"manifest block is cut short or of unknown mode {mode}")
        _check_fragments(numbers)
        yield chunk, numbers
    if at != len(view):
        raise ArrayError(f"{len(view) - at} bytes follow the last block of a manifest")


def _take(view: memoryview, at: int, count: int) -> IntArray:
    if at + 8 * count > len(view):
        raise ArrayError(f"manifest is cut short: {len(view)} bytes, more expected at {at}")
    return np.frombuffer(view[at : at + 8 * count], "<i8").astype(np.int64)


def _check_fragments(numbers: npt.NDArray[Any]) -> None:
    if len(numbers) and numbers.min() < 0:
        raise ArrayError(f"manifest names fragment {int(numbers.min())}")

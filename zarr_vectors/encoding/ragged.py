"""Rows <-> bytes: flat little-endian rows, groups of rows, and the inline-header blob."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import IntArray

Buffer = bytes | bytearray | memoryview

_KINDS = "iufb"
_NAME = re.compile(
    r"[<>|=]?(?:[iu][1248]|f[248]|b1|\?)|bool|u?int(?:8|16|32|64)?|float(?:16|32|64)?"
)


def is_number_name(text: str) -> bool:
    """Whether a dtype's name is one of a number; NumPy itself takes far more than that."""
    return _NAME.fullmatch(text) is not None


def stored_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Little-endian dtype of stored rows.

    Raises:
        ArrayError: Not an integer, float or bool dtype.
    """
    try:
        found = None if isinstance(dtype, str) and not is_number_name(dtype) else np.dtype(dtype)
    except (TypeError, ValueError):
        found = None
    if found is None or found.kind not in _KINDS or found.itemsize > 8:
        raise ArrayError(f"dtype {str(dtype)[:60]!r} cannot be stored: expected numbers")
    return found.newbyteorder("<")


def encode_rows(rows: npt.ArrayLike, dtype: npt.DTypeLike | None = None) -> memoryview:
    """Bytes of rows, C order, little-endian; no copy where the array already is so.

    Args:
        rows: (n,) or (n, C) numbers.
        dtype: Stored dtype; that of ``rows`` by default.
    """
    array = np.asarray(rows)
    array = np.ascontiguousarray(array, dtype=stored_dtype(array.dtype if dtype is None else dtype))
    return array.reshape(-1).view(np.uint8).data


def decode_rows(blob: Buffer, dtype: npt.DTypeLike, columns: int | None = None) -> npt.NDArray[Any]:
    """Rows of a blob, without a copy (read-only where the blob is).

    Args:
        blob: Bytes of whole rows.
        dtype: Stored dtype.
        columns: Values per row; None for a flat (n,) answer.

    Returns:
        (n,) or (n, columns).

    Raises:
        ArrayError: The bytes are not a whole number of rows.
    """
    kind = stored_dtype(dtype)
    width = kind.itemsize * (1 if columns is None else columns)
    size = len(blob)
    if width <= 0 or size % width:
        raise ArrayError(f"{size} bytes are not whole rows of {width} bytes")
    values = np.frombuffer(blob, dtype=kind)
    if kind.isnative:
        values = values.view(kind.newbyteorder("="))
    return values if columns is None else values.reshape(-1, columns)


def encode_ragged_floats(
    groups: Sequence[npt.ArrayLike], dtype: npt.DTypeLike = np.float32
) -> tuple[bytes, IntArray]:
    """Groups of rows back to back.

    Args:
        groups: Arrays (n_k, C) of one width.
        dtype: Stored dtype.

    Returns:
        The bytes, and (K + 1,) int64 row offsets of the groups.
    """
    arrays = [np.asarray(group) for group in groups]
    offsets = np.zeros(len(arrays) + 1, dtype=np.int64)
    np.cumsum([len(array) for array in arrays], out=offsets[1:])
    widths = {array.shape[1:] for array in arrays}
    if len(widths) > 1:
        raise ArrayError(f"groups have rows of different shapes: {sorted(widths)}")
    return b"".join(encode_rows(array, dtype) for array in arrays), offsets


def decode_ragged_floats(
    blob: Buffer, offsets: npt.ArrayLike, columns: int, dtype: npt.DTypeLike = np.float32
) -> list[npt.NDArray[Any]]:
    """Groups of rows cut at row offsets: the inverse of :func:`encode_ragged_floats`.

    Raises:
        ArrayError: The bytes are not whole rows or the offsets do not fit them.
    """
    rows = decode_rows(blob, dtype, columns)
    cuts = np.asarray(offsets, dtype=np.int64)
    if cuts.ndim != 1 or not len(cuts) or cuts[0] != 0 or cuts[-1] != len(rows):
        raise ArrayError(f"group offsets do not run from 0 to {len(rows)} rows")
    if np.any(cuts[1:] < cuts[:-1]):  # compared, not subtracted: differences may not fit
        raise ArrayError("group offsets descend")
    return np.split(rows, cuts[1:-1]) if len(cuts) > 1 else []


def encode_inline(groups: Sequence[Buffer]) -> bytes:
    """Blob with an inline header: group count, byte offsets, then the groups back to back."""
    sizes = [len(group) for group in groups]
    head = np.zeros(len(sizes) + 1, dtype="<i8")
    head[0] = len(sizes)
    head[1:] = np.cumsum([0, *sizes])[:-1]
    return b"".join((head.tobytes(), *groups))


def decode_inline(blob: Buffer) -> list[memoryview]:
    """Groups of a blob with an inline header.

    Raises:
        ArrayError: The header does not fit the bytes.
    """
    view = memoryview(blob)
    if len(view) < 8:
        raise ArrayError(f"inline header needs 8 bytes, got {len(view)}")
    count = int(np.frombuffer(view[:8], "<i8")[0])
    if not 0 <= count <= (len(view) - 8) // 8:
        raise ArrayError(f"inline header claims {count} groups in {len(view)} bytes")
    offsets = np.frombuffer(view[8 : 8 + 8 * count], "<i8")
    data = view[8 + 8 * count :]
    if count == 0:
        if len(data):
            raise ArrayError(f"{len(data)} bytes follow an inline header of no groups")
        return []
    if offsets[0] != 0 or offsets[-1] > len(data) or np.any(offsets[1:] < offsets[:-1]):
        raise ArrayError(f"inline offsets do not run from 0 to {len(data)} bytes")
    ends = [*offsets[1:].tolist(), len(data)]
    return [data[start:end] for start, end in zip(offsets.tolist(), ends, strict=True)]


def values_at(
    data: bytes | npt.NDArray[np.uint8], begins: IntArray, dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    """(n,) values of ``dtype`` at these bytes of ``data``, wherever they lie."""
    if not len(begins):
        return np.zeros(0, dtype)
    size = dtype.itemsize
    places = np.ndarray((len(data) - size + 1,), f"V{size}", buffer=data, strides=(1,))
    return places[begins].view(dtype)

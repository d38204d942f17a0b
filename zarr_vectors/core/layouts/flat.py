"""Ordinary Zarr arrays cut along their first axis alone: manifests, ids, dense attributes.

Every declared number is compared with a limit or with the bytes before it sizes anything.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import MAX_CELL_BYTES, MAX_DENSE_BYTES
from zarr_vectors.core import codecs, paths
from zarr_vectors.core.codecs import Pipeline, decode_vlen, parse_codecs
from zarr_vectors.core.documents import ArrayNode, array_document
from zarr_vectors.core.layouts.ahead import ReadsValues
from zarr_vectors.encoding.elements import Elements
from zarr_vectors.encoding.ragged import encode_rows, stored_dtype
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import AnyArray, IntArray

VLEN = "variable_length_bytes"
WHOLE = "zarr_vectors_every_chunk"
"""Attribute of ours: true where every chunk has a file, also one of fill values alone."""

_MAX_ROWS = 2**27
_MAX_CHUNKS = 2**16
_MAX_UNSTORED = 2**22
_DTYPES = frozenset(
    f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64)
) - {"float8"} | {"bool"}


def row_count(node: ArrayNode) -> int:
    """Rows of an array, limited.

    Raises:
        ArrayError: It has no axis, or claims an absurd number of rows.
    """
    if not node.shape or node.shape[0] > _MAX_ROWS:
        raise ArrayError(f"it claims shape {node.shape}")
    return node.shape[0]


def read_vlen(
    backend: ReadsValues,
    path: str,
    node: ArrayNode,
    rows: IntArray | None = None,
    *,
    sparse: bool = False,
) -> Sequence[bytes]:
    """Elements of a one-dimensional array of elements of any length.

    Args:
        backend: Where the array is.
        path: Its path.
        node: Its document.
        rows: Row numbers wanted; all when None.
        sparse: Whether a chunk of fill values may be left out; else one that is missing is damage.

    Raises:
        ArrayError: Damaged, or a row is out of range.
    """
    pipeline = _checked(node, VLEN)
    if len(node.shape) != 1:
        raise ArrayError(f"it has {len(node.shape)} axes, expected 1")
    length, step = node.shape[0], node.chunk_shape[0]
    if rows is None:
        wanted = list(range(_chunk_count(length, step)))
    elif len(rows) and not 0 <= rows.min() <= rows.max() < length:
        raise ArrayError(f"rows must be within 0..{length - 1}")
    else:
        wanted = np.unique(rows // step).tolist()
    keys = {number: paths.join(path, node.chunk_key((number,))) for number in wanted}
    found = backend.get_many(keys.values())
    fill = _fill_bytes(node)
    chunks: dict[int, Elements | None] = {}
    for number, key in keys.items():
        data = found.get(key)
        if data is None and not sparse:
            raise ArrayError(f"{key} is missing")
        used = length - number * step
        chunks[number] = None if data is None else decode_vlen(pipeline.unpack(data), step, used)
    if rows is None:
        return _whole(list(chunks.values()), length, step, fill)
    out = []
    for row in rows.tolist():
        chunk = chunks[row // step]
        out.append(fill if chunk is None else chunk[row % step])
    return out


def _whole(
    chunks: Sequence[Elements | None], length: int, step: int, fill: bytes
) -> Sequence[bytes]:
    sizes = [min(step, length - number * step) for number in range(len(chunks))]
    unstored = sum(n for n, chunk in zip(sizes, chunks, strict=True) if chunk is None)
    if unstored > _MAX_UNSTORED:
        raise ArrayError(f"{unstored} of the {length} rows it claims are not stored")
    parts = zip(sizes, chunks, strict=True)
    if not unstored:
        return Elements.joined([chunk[:n] for n, chunk in parts if chunk is not None])
    out: list[bytes] = []
    for n, chunk in parts:
        out += [fill] * n if chunk is None else chunk[:n]
    return out


def without_gaps(elements: Sequence[bytes], fill: bytes) -> Sequence[bytes]:
    """Elements with something else in place of those of no bytes."""
    if isinstance(elements, Elements) and elements.sizes.all():
        return elements
    return [element or fill for element in elements]


def vlen_items(
    path: str,
    elements: Sequence[bytes],
    *,
    chunk_rows: int,
    compressors: Sequence[Mapping[str, Any]] = (codecs.ZSTD_0,),
    attributes: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """Keys and values that make a one-dimensional array of elements of any length."""
    chain = [dict(codecs.VLEN_BYTES), *map(dict, compressors)]
    pipeline = _pipeline(chain)
    step = max(min(chunk_rows, len(elements)), 1)
    items = {
        paths.node(path): array_document(
            [len(elements)],
            VLEN,
            chain,
            chunk_shape=[step],
            fill_value="",
            attributes=attributes,
        )
    }
    for number in range(math.ceil(len(elements) / step)):
        part = list(elements[number * step : (number + 1) * step])
        part += [b""] * (step - len(part))
        items[paths.join(path, "c", str(number))] = bytes(pipeline.pack(codecs.encode_vlen(part)))
    return items


def read_numbers(backend: ReadsValues, path: str, node: ArrayNode) -> npt.NDArray[Any]:
    """Values of an array of numbers, cut along its first axis alone.

    A chunk of fill values need not be stored, unless the array says :data:`WHOLE`.

    Raises:
        ArrayError: Damaged, or not such an array.
    """
    pipeline = _checked(node, node.data_type)
    dtype = _dtype(node)
    row_shape = node.shape[1:]
    row = math.prod(row_shape) * dtype.itemsize
    if (
        not node.shape
        or len(node.shape) > 2
        or any(chunk < whole for chunk, whole in zip(node.chunk_shape[1:], row_shape, strict=True))
    ):
        raise ArrayError(f"its shape {node.shape} in chunks {node.chunk_shape} is not supported")
    size = node.shape[0] * row
    step = node.chunk_shape[0]
    stored = math.prod(node.chunk_shape) * dtype.itemsize
    n_chunks = _chunk_count(node.shape[0], step)
    if size > MAX_DENSE_BYTES or stored > MAX_CELL_BYTES:
        raise ArrayError(f"it claims {size} bytes in {n_chunks} chunks of {stored}")
    keys = [paths.join(path, node.chunk_key((n, *(0 for _ in row_shape)))) for n in range(n_chunks)]
    found = backend.get_many(keys)
    native = dtype.newbyteorder("=")
    values = np.full(node.shape, _fill_number(node, native), dtype=native)
    for number, key in enumerate(keys):
        data = found.get(key)
        if data is None:
            if node.attributes.get(WHOLE) is True:
                raise ArrayError(f"{key} is missing")
            continue
        flat = np.frombuffer(pipeline.unpack(data, size=stored), dtype)
        begin = number * step
        part = flat.reshape(node.chunk_shape)[tuple(slice(n) for n in (step, *row_shape))]
        values[begin : begin + step] = part[: node.shape[0] - begin]
    return values


def number_items(
    path: str,
    values: AnyArray,
    *,
    chunk_rows: int,
    fill_value: float = 0,
    compressors: Sequence[Mapping[str, Any]] = (),
    attributes: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """Keys and values that make an array of numbers, cut along its first axis."""
    array = np.asarray(values)
    dtype = stored_dtype(array.dtype)
    chain = [dict(codecs.BYTES_LITTLE), *map(dict, compressors)]
    pipeline = _pipeline(chain)
    step = max(chunk_rows, 1)
    shown = fill_value
    if dtype.kind == "b":
        shown = bool(fill_value)
    elif dtype.kind in "iu":
        shown = int(fill_value)
    items = {
        paths.node(path): array_document(
            array.shape,
            dtype.name,
            chain,
            chunk_shape=[step, *array.shape[1:]],
            fill_value="NaN" if shown != shown else shown,
            attributes=attributes,
        )
    }
    zeros = ("0",) * (array.ndim - 1)
    for number in range(math.ceil(len(array) / step)):
        part = array[number * step : (number + 1) * step]
        whole = np.full((step, *array.shape[1:]), fill_value, dtype=dtype)
        whole[: len(part)] = part
        key = paths.join(path, "c", str(number), *zeros)
        items[key] = bytes(pipeline.pack(encode_rows(whole)))
    return items


def _chunk_count(length: int, step: int) -> int:
    count = -(-length // step)
    if count > _MAX_CHUNKS:
        raise ArrayError(f"it claims {count} chunks of {step} rows")
    return count


def _checked(node: ArrayNode, data_type: str) -> Pipeline:
    serializer = "vlen-bytes" if data_type == VLEN else "bytes"
    if node.data_type != data_type or not isinstance(node.codecs, Pipeline):
        raise ArrayError(f"it holds {node.data_type[:60]!r}, expected {data_type} in plain chunks")
    if node.codecs.serializer != serializer:
        raise ArrayError(f"it holds {data_type} behind codec {node.codecs.serializer}")
    row_count(node)
    return node.codecs


def _pipeline(chain: list[dict[str, Any]]) -> Pipeline:
    found = parse_codecs(chain)
    if not isinstance(found, Pipeline):
        raise TypeError("flat arrays are not sharded")
    return found


def _dtype(node: ArrayNode) -> np.dtype[Any]:
    if node.data_type not in _DTYPES or not isinstance(node.codecs, Pipeline):
        raise ArrayError(f"its data type {node.data_type[:60]!r} is not supported")
    return np.dtype(node.data_type).newbyteorder(node.codecs.byte_order)


def _fill_number(node: ArrayNode, dtype: np.dtype[Any]) -> np.generic:
    named = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}
    value = node.fill_value
    if isinstance(value, str):
        value = named.get(value)
    if type(value) not in {int, float, bool}:
        raise ArrayError(f"its fill value {str(node.fill_value)[:60]!r} is not a number")
    try:
        fill: np.generic = dtype.type(value)
        exact = dtype.kind == "f" or value == fill
    except (OverflowError, ValueError, TypeError):
        exact = False
    if not exact:
        raise ArrayError(f"its fill value {value!r} is not a {dtype}")
    return fill


def _fill_bytes(node: ArrayNode) -> bytes:
    if not isinstance(node.fill_value, str) or len(node.fill_value) > 2**20:
        raise ArrayError("its fill value is malformed")
    try:
        return base64.b64decode(node.fill_value, validate=True)
    except ValueError:
        raise ArrayError("its fill value is malformed") from None

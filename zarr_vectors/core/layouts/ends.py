"""Ends of links as numbers: which chunks they are in and in what order they are stored; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.layouts.base import LinkRecords, NumberedLinks
from zarr_vectors.encoding.ragged import stored_dtype
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import AnyArray, ChunkCoords, IntArray

MOST_WIDTH = 16
"""Ends a link may have: the codes of their orders fit 64 bits."""
_MOST_RANK = 16
_FARTHEST = 10**17
_LARGEST_RATIO = 2**20
_FARTHEST_SCALED = 2**42
_TABLED_WIDTH = 6
_MOST_CODE = 2**62


def checked(records: LinkRecords, path: str) -> tuple[IntArray, IntArray, dict[str, AnyArray]]:
    """(M, W, R) chunks, (M, W) rows and the attributes of links about to be stored.

    Raises:
        ArrayError: Shapes or dtypes do not fit one another, or a chunk cannot be numbered.
    """
    chunks, rows = np.asarray(records.chunks), np.asarray(records.rows)
    if chunks.ndim != 3 or rows.shape != chunks.shape[:2]:
        raise ArrayError(
            f"links of {path} have chunks of shape {chunks.shape} and rows of shape {rows.shape}, "
            "expected (M, W, R) and (M, W)",
            array=path,
        )
    if chunks.dtype.kind not in "iu" or rows.dtype.kind not in "iu":
        raise ArrayError(f"chunks and rows of links of {path} must be whole numbers", array=path)
    if not 1 <= chunks.shape[1] <= MOST_WIDTH or not 1 <= chunks.shape[2] <= _MOST_RANK:
        raise ArrayError(
            f"links of {path} have {chunks.shape[1]} ends in chunks of {chunks.shape[2]} "
            f"components, expected 1 to {MOST_WIDTH} and 1 to {_MOST_RANK}",
            array=path,
        )
    if chunks.size and not -_FARTHEST < chunks.min() <= chunks.max() < _FARTHEST:
        raise ArrayError(f"links of {path} name chunks that cannot be numbered", array=path)
    attributes = {}
    for name, given in records.attributes.items():
        values = np.asarray(given)
        stored_dtype(values.dtype)
        if values.ndim not in {1, 2} or len(values) != len(rows) or 0 in values.shape[1:]:
            raise ArrayError(
                f"attribute {name!r} of {len(rows)} links of {path} has the shape {values.shape}",
                array=path,
            )
        attributes[name] = values
    return (
        chunks.astype(np.int64, copy=False),
        rows.astype(np.int64, copy=False),
        attributes,
    )


def numbered(
    records: LinkRecords | NumberedLinks, path: str
) -> tuple[IntArray, IntArray, IntArray, dict[str, AnyArray]]:
    """(K, R) chunks ascending, (M, W) numbers of them, (M, W) rows and attributes of links.

    Raises:
        ArrayError: As :func:`checked`.
    """
    if isinstance(records, NumberedLinks):
        coords, numbers = records.coords, records.numbers
        none = np.zeros((0, numbers.shape[1], coords.shape[1]), np.int64)
        checked(LinkRecords(none, none[:, :, 0]), path)
        blank = np.broadcast_to(np.zeros((1, 1, 1), np.int64), (*numbers.shape, 1))
        _, rows, attributes = checked(LinkRecords(blank, records.rows, records.attributes), path)
        return coords, numbers, rows, attributes
    chunks, rows, attributes = checked(records, path)
    coords, number = number_rows(chunks.reshape(-1, chunks.shape[2]))
    return coords, number.reshape(rows.shape), rows, attributes


def number_rows(rows: IntArray) -> tuple[IntArray, IntArray]:
    """Distinct rows in ascending order, and the number of every row's among them.

    Args:
        rows: (N, K) int64.

    Returns:
        (U, K) and (N,) int64.
    """
    count, columns = rows.shape
    if not count or not columns:
        return rows[:1], np.zeros(count, np.int64)
    low, spans = _box(rows)
    limit = math.prod(spans)
    if limit > _MOST_CODE:
        found, number = np.unique(rows, axis=0, return_inverse=True)
        return found, number.reshape(-1)
    codes = _packed(rows, low, spans)
    if limit <= max(4 * count, 1 << 16):
        present = np.zeros(limit, np.bool_)
        present[codes] = True
        distinct = np.flatnonzero(present)
        rank = np.empty(limit, np.int64)
        rank[distinct] = np.arange(len(distinct))
        number = rank[codes]
    else:
        distinct, number = np.unique(codes, return_inverse=True)
        number = number.reshape(-1)
    found = np.empty((len(distinct), columns), np.int64)
    for column in range(columns - 1, -1, -1):
        distinct, found[:, column] = np.divmod(distinct, spans[column])
    return found + np.array(low), number


def stable_order(keys: IntArray, limit: int) -> IntArray:
    """Rows in ascending key, equal keys in ascending row; keys are from 0 to below ``limit``."""
    # NumPy sorts 16-bit integers by counting
    narrow = keys.astype(np.uint16) if limit <= 1 << 16 else keys
    return np.argsort(narrow, kind="stable")


def equal_runs(rows: IntArray) -> tuple[IntArray, IntArray]:
    """First row and length of every run of equal rows that follow one another.

    Args:
        rows: (N, K) int64.

    Returns:
        (U,) and (U,) int64.
    """
    new = np.ones(len(rows), np.bool_)
    if len(rows) > 1:
        new[1:] = rows[1:, 0] != rows[:-1, 0]
        for column in range(1, rows.shape[1]):
            new[1:] |= rows[1:, column] != rows[:-1, column]
    heads = np.flatnonzero(new)
    return heads, np.diff(heads, append=len(rows))


def order_of_runs(keys: IntArray, heads: IntArray, lengths: IntArray, limit: int) -> IntArray:
    """:func:`stable_order` of rows whose keys are equal along runs.

    Args:
        keys: (U,) int64 key of every run.
        heads: (U,) int64 its first row.
        lengths: (U,) int64 its rows.
        limit: Upper end of the keys.
    """
    runs = stable_order(keys, limit)
    sizes = lengths[runs]
    places = np.cumsum(sizes) - sizes
    order: IntArray = np.repeat(heads[runs] - places, sizes)
    order += np.arange(len(order))
    return order


class ChunkSet:
    """Chunks to ask for membership by the array.

    Args:
        chunks: The chunks.
        rank: Components of a chunk.
    """

    def __init__(self, chunks: Iterable[ChunkCoords], rank: int) -> None:
        self.keys = frozenset(chunks)
        wrong = next((key for key in self.keys if len(key) != rank), None)
        if wrong is not None:
            raise ArrayError(f"chunk {wrong} has {len(wrong)} components, expected {rank}")
        self._rows = np.array(sorted(self.keys), np.int64).reshape(-1, rank)

    def rows(self, rank: int) -> IntArray:
        """(n, R) the chunks, ascending."""
        return self._rows.reshape(-1, rank)

    def holds(self, coords: IntArray) -> npt.NDArray[np.bool_]:
        """(N,) bool: which of (N, R) chunks are in the set."""
        found = np.zeros(len(coords), np.bool_)
        if not len(self._rows) or not len(coords):
            return found
        low, spans = _box(self._rows)
        if math.prod(spans) > _MOST_CODE:
            found[:] = [tuple(row) in self.keys for row in coords.tolist()]
            return found
        high = np.array(low) + np.array(spans)
        inside = ((coords >= np.array(low)) & (coords < high)).all(axis=1)
        own = _packed(self._rows, low, spans)
        codes = _packed(coords[inside], low, spans)
        places = np.searchsorted(own, codes)
        found[inside] = own[np.minimum(places, len(own) - 1)] == codes
        return found


def anchors(chunks: IntArray, ratio: Sequence[Sequence[int]] | None) -> IntArray:
    """(N, R) chunks of another level that hold the lower corners of chunks of this level.

    Args:
        chunks: (N, R) int64.
        ratio: Per axis the chunk shapes of both levels as multiples of the root's; None where
            they are the same.

    Raises:
        ArrayError: The ratio is of another rank, or not of positive whole numbers.
    """
    if ratio is None:
        return chunks
    own, other = check_ratio(ratio, chunks.shape[1])
    if chunks.size and not -_FARTHEST_SCALED < chunks.min() <= chunks.max() < _FARTHEST_SCALED:
        raise ArrayError("a chunk is too far from 0 for a chunk of another level to be named")
    found: IntArray = chunks * own // other
    return found


def check_ratio(ratio: Sequence[Sequence[int]], rank: int) -> tuple[IntArray, IntArray]:
    """Both columns of a chunk ratio, (R,) int64 each; a leading attribute bin has the ratio 1.

    Raises:
        ArrayError: The ratio is of another rank, or not of positive whole numbers.
    """
    pairs = [tuple(pair) for pair in ratio]
    flat = [n for pair in pairs for n in pair]
    if any(len(pair) != 2 for pair in pairs) or not all(
        type(n) is int and 0 < n <= _LARGEST_RATIO for n in flat
    ):
        raise ArrayError(f"chunk ratio {str(pairs)[:80]} is not of positive whole numbers")
    if not rank - 1 <= len(pairs) <= rank:
        raise ArrayError(f"chunk ratio of {len(pairs)} axes for chunks of {rank} components")
    table = np.ones((rank, 2), np.int64)
    table[rank - len(pairs) :] = pairs
    return table[:, 0], table[:, 1]


def ascending(chunk: IntArray, rows: IntArray) -> IntArray:
    """(M, W) int64: for every link, its ends in ascending (chunk number, row)."""
    if chunk.shape[1] == 2:
        first, second = chunk.T
        swapped = (first > second) | ((first == second) & (rows[:, 0] > rows[:, 1]))
        return np.stack([swapped, ~swapped], axis=1).astype(np.int64)
    order = np.argsort(rows, axis=1, kind="stable")
    by_chunk = np.argsort(np.take_along_axis(chunk, order, axis=1), axis=1, kind="stable")
    return np.take_along_axis(order, by_chunk, axis=1)


def encode_orders(orders: IntArray) -> IntArray:
    """(M,) int64 Lehmer codes of (M, W) permutations."""
    width = orders.shape[1]
    codes = np.zeros(len(orders), np.int64)
    for column in range(width - 1):
        smaller = (orders[:, column + 1 :] < orders[:, column : column + 1]).sum(axis=1)
        codes += smaller * math.factorial(width - 1 - column)
    return codes


def decode_places(codes: IntArray, width: int) -> IntArray:
    """(M, W) int64: of every link, the stored place of its first end, of its second ...

    Args:
        codes: (M,) Lehmer codes of the order ends are stored in.
        width: Ends of a link.

    Raises:
        ArrayError: A code is of no order.
    """
    if len(codes) and not 0 <= codes.min() <= codes.max() < math.factorial(width):
        raise ArrayError(f"a link has an order out of range for {width} ends")
    if width <= _TABLED_WIDTH:
        return _table(width)[codes]
    return _decoded(codes, width)


@cache
def _table(width: int) -> IntArray:
    return _decoded(np.arange(math.factorial(width)), width)


def _decoded(codes: IntArray, width: int) -> IntArray:
    left = np.tile(np.arange(width), (len(codes), 1))
    orders = np.empty((len(codes), width), np.int64)
    for column in range(width):
        digit, codes = np.divmod(codes, math.factorial(width - 1 - column))
        orders[:, column] = left[np.arange(len(left)), digit]
        left = left[left != orders[:, column : column + 1]].reshape(len(left), width - column - 1)
    return np.argsort(orders, axis=1)


def _box(rows: IntArray) -> tuple[list[int], list[int]]:
    columns = [rows[:, column] for column in range(rows.shape[1])]
    low = [int(column.min()) for column in columns]
    return low, [int(column.max()) - a + 1 for column, a in zip(columns, low, strict=True)]


def _packed(rows: IntArray, low: Sequence[int], spans: Sequence[int]) -> IntArray:
    codes = np.zeros(len(rows), np.int64)
    for column, (start, span) in enumerate(zip(low, spans, strict=True)):
        codes *= span
        codes += rows[:, column]
        codes -= start
    return codes

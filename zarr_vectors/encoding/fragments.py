"""Fragment tables: which rows of a chunk belong to which fragment.

A table is held as arrays; nothing is looped over. Stored numbers are checked against the bytes
they come in before anything is sliced or allocated.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import FRAGMENT_MAGIC, FRAGMENT_VERSION
from zarr_vectors.encoding.manifests import decode_manifest, encode_manifest
from zarr_vectors.encoding.ragged import Buffer, values_at
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import IntArray

__all__ = [
    "ChunkFragmentIndex",
    "FragmentIndex",
    "decode_fragments",
    "decode_manifest",
    "decode_range_table",
    "encode_fragments",
    "encode_manifest",
    "encode_range_tables",
    "encode_ranges",
]

_HEADER = struct.Struct("<IHHII")
_HEADS = np.dtype(
    [("magic", "<u4"), ("version", "<u2"), ("flags", "<u2"), ("n", "<u4"), ("ranges", "<u4")]
)
_RANGE = np.dtype([("start", "<i8"), ("count", "<i8")])
_MOST_ROWS = (2**61, 2**32)
"""First row and row count of a range: more than a cell holds, too small for a sum to wrap."""


@dataclass(frozen=True, slots=True, eq=False)
class FragmentIndex:
    """Fragments of one chunk, numbered 0..F-1.

    A range fragment is ``starts[f] : starts[f] + counts[f]``; an explicit one lists its rows,
    ``rows[starts[f] : starts[f] + counts[f]]``.
    """

    starts: IntArray
    """(F,) int64."""
    counts: IntArray
    """(F,) int64, rows of each fragment."""
    explicit: npt.NDArray[np.bool_]
    """(F,) True where the fragment lists its rows."""
    rows: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    """(T,) int64 row numbers of the explicit fragments, back to back."""

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def num_fragments(self) -> int:
        """Fragments in the chunk."""
        return len(self.counts)

    @property
    def num_range_fragments(self) -> int:
        """Fragments stored as one range."""
        return len(self.counts) - self.num_explicit_fragments

    @property
    def num_explicit_fragments(self) -> int:
        """Fragments stored as lists of rows."""
        return int(np.count_nonzero(self.explicit))

    @property
    def all_ranges(self) -> bool:
        """No fragment lists its rows."""
        return not self.explicit.any()

    @property
    def num_rows(self) -> int:
        """Rows over all fragments; shared rows count once per fragment."""
        return int(self.counts.sum())

    def tiles(self, n_rows: int) -> bool:
        """Fragments, in order, cover rows ``0 .. n_rows - 1`` exactly once."""
        if not self.all_ranges:
            return False
        ends = np.cumsum(self.counts)
        begins = ends - self.counts
        full = self.counts > 0
        return bool(
            (ends[-1] if len(ends) else 0) == n_rows
            and np.array_equal(self.starts[full], begins[full])
        )

    def is_range(self, fragment: int) -> bool:
        """The fragment is one range.

        Raises:
            IndexError: No such fragment.
        """
        return not self.explicit[self._checked(fragment)]

    def range(self, fragment: int) -> tuple[int, int]:
        """(first row, row count) of a range fragment.

        Raises:
            IndexError: No such fragment.
            ArrayError: The fragment lists its rows.
        """
        if not self.is_range(fragment):
            raise ArrayError(f"fragment {fragment} lists its rows: it is no range")
        return int(self.starts[fragment]), int(self.counts[fragment])

    def indices(self, fragment: int) -> IntArray:
        """(n,) int64 rows of a fragment.

        Raises:
            IndexError: No such fragment.
        """
        if self.is_range(fragment):
            start, count = self.range(fragment)
            return np.arange(start, start + count, dtype=np.int64)
        return self.indices_view(fragment).copy()

    def indices_view(self, fragment: int) -> IntArray:
        """(n,) int64 rows of an explicit fragment, without a copy.

        Raises:
            IndexError: No such fragment.
            ArrayError: The fragment is a range.
        """
        if self.is_range(fragment):
            raise ArrayError(f"fragment {fragment} is a range: it lists no rows")
        start = int(self.starts[fragment])
        return self.rows[start : start + int(self.counts[fragment])]

    def gather(self, fragments: npt.ArrayLike | None = None) -> IntArray:
        """(n,) int64 rows of the given fragments (all by default), concatenated in that order.

        Raises:
            IndexError: No such fragment.
        """
        chosen = (
            np.arange(len(self), dtype=np.int64)
            if fragments is None
            else np.asarray(fragments, dtype=np.int64)
        )
        if len(chosen) and not 0 <= chosen.min() <= chosen.max() < len(self):
            raise IndexError(f"fragment numbers must be within 0..{len(self) - 1}")
        counts = self.counts[chosen]
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        rows = np.arange(total, dtype=np.int64)
        rows += np.repeat(self.starts[chosen] - (ends - counts), counts)
        listed = np.repeat(self.explicit[chosen], counts)
        if listed.any():
            rows[listed] = self.rows[rows[listed]]
        return rows

    def fragment_of_rows(self, n_rows: int) -> IntArray:
        """(n_rows,) int64 first fragment holding each row, -1 where none does."""
        owner = np.full(n_rows, -1, dtype=np.int64)
        owner[self.gather()[::-1]] = np.repeat(np.arange(len(self)), self.counts)[::-1]
        return owner

    def check(self, n_rows: int) -> None:
        """Compare every row number with the rows of the chunk.

        Raises:
            ArrayError: A fragment reaches beyond ``n_rows``.
        """
        ranges = ~self.explicit & (self.counts > 0)
        if ranges.any():
            last = int((self.starts[ranges] + self.counts[ranges]).max())
            if last > n_rows:
                raise ArrayError(f"fragments reach row {last} of a chunk of {n_rows} rows")
        if len(self.rows) and int(self.rows.max()) >= n_rows:
            raise ArrayError(f"a fragment lists row {int(self.rows.max())} of {n_rows} rows")

    def __iter__(self) -> Iterator[IntArray]:
        return (self.indices(fragment) for fragment in range(len(self)))

    def _checked(self, fragment: int) -> int:
        if not 0 <= fragment < len(self.counts):
            raise IndexError(f"fragment {fragment} is out of range: the chunk has {len(self)}")
        return fragment


ChunkFragmentIndex = FragmentIndex
"""Name of :class:`FragmentIndex` in the format's documentation."""


def encode_ranges(starts: npt.ArrayLike, counts: npt.ArrayLike) -> bytes:
    """Table of range fragments.

    Args:
        starts: (F,) first rows.
        counts: (F,) row counts.
    """
    table = np.stack([np.asarray(starts, "<i8"), np.asarray(counts, "<i8")], axis=1)
    head, end = _around_ranges(len(table))
    return b"".join((head, table.tobytes(), end))


def encode_range_tables(sizes: IntArray, starts: IntArray, counts: IntArray) -> list[bytes]:
    """Tables of range fragments of many chunks.

    Args:
        sizes: (M,) fragments of every table.
        starts: (F,) first rows, table after table.
        counts: (F,) row counts.
    """
    rows = memoryview(np.stack([starts, counts], axis=1).astype("<i8").tobytes())
    tables = []
    at = 0
    for n in sizes.tolist():
        head, end = _around_ranges(n)
        tables.append(b"".join((head, rows[at : at + 16 * n], end)))
        at += 16 * n
    return tables


@functools.lru_cache(maxsize=1024)
def _around_ranges(n: int) -> tuple[bytes, bytes]:
    """What stands before and after the rows of a table of ranges alone."""
    head = _HEADER.pack(FRAGMENT_MAGIC, FRAGMENT_VERSION, 0, n, n)
    if n == 0:
        return head, b""
    bitmap = bytearray(b"\xff" * (n // 8))
    if n % 8:
        bitmap.append((1 << n % 8) - 1)
    bitmap.extend(bytes(-len(bitmap) % 8))
    return head + bitmap, b"\0\0\0\0"


def encode_fragments(fragments: Sequence[tuple[int, int] | npt.NDArray[np.integer]]) -> bytes:
    """Table of fragments, each ``(start, count)`` or an array of row numbers."""
    is_range = np.array([isinstance(f, tuple) for f in fragments], dtype=bool)
    ranges = np.array([f for f in fragments if isinstance(f, tuple)], "<i8").reshape(-1, 2)
    lists = [np.asarray(f, "<i8").reshape(-1) for f in fragments if not isinstance(f, tuple)]
    if not lists:
        return encode_ranges(ranges[:, 0], ranges[:, 1])
    offsets = np.zeros(len(lists) + 1, dtype="<u4")
    offsets[1:] = np.cumsum([len(rows) for rows in lists])
    bits = np.packbits(is_range, bitorder="little")
    head = _HEADER.pack(FRAGMENT_MAGIC, FRAGMENT_VERSION, 0, len(fragments), len(ranges))
    padding = bytes(-len(bits) % 8)
    return b"".join(
        (head, bits.tobytes(), padding, ranges.tobytes(), offsets.tobytes(), *map(bytes, lists))
    )


def decode_fragments(blob: Buffer) -> FragmentIndex:
    """Fragments of a table.

    Raises:
        ArrayError: The bytes are not a whole, well-formed table.
    """
    view = memoryview(blob)
    if len(view) < _HEADER.size:
        raise ArrayError(f"fragment table needs {_HEADER.size} bytes, got {len(view)}")
    magic, version, flags, n, n_ranges = _HEADER.unpack_from(view)
    if magic != FRAGMENT_MAGIC:
        raise ArrayError(f"fragment table starts with 0x{magic:08x}, not 0x{FRAGMENT_MAGIC:08x}")
    if version != FRAGMENT_VERSION or flags:
        raise ArrayError(f"fragment table is of unknown version {version}, flags {flags}")
    if n == 0:
        if n_ranges or len(view) not in {_HEADER.size, _HEADER.size + 4}:
            raise ArrayError(f"fragment table of no fragments has {len(view)} bytes")
        return FragmentIndex(*_empty())
    bits_size = (n + 63) // 64 * 8
    n_lists = n - n_ranges
    table_at = _HEADER.size + bits_size
    offsets_at = table_at + 16 * n_ranges
    rows_at = offsets_at + 4 * (n_lists + 1)
    if n_lists < 0 or rows_at > len(view):
        raise ArrayError(
            f"fragment table claims {n} fragments, {n_ranges} of them ranges, in {len(view)} bytes"
        )
    offsets = np.frombuffer(view, "<u4", n_lists + 1, offsets_at).astype(np.int64)
    if len(view) != rows_at + 8 * int(offsets[-1]):
        raise ArrayError(
            f"fragment table has {len(view)} bytes, expected {rows_at + 8 * int(offsets[-1])}"
        )
    table = np.frombuffer(view, "<i8", 2 * n_ranges, table_at).reshape(-1, 2)
    # a negative number is a huge one without its sign: mostly one look at all of them is enough
    huge = n_ranges > 0 and int(table.view("<u8").max()) > _MOST_ROWS[1]
    if huge and (table.min() < 0 or (table.max(axis=0) > _MOST_ROWS).any()):
        raise ArrayError("fragment table has a range with a negative or absurd row number")
    if n_lists == 0:
        return FragmentIndex(table[:, 0], table[:, 1], np.zeros(n, dtype=bool))
    bits = np.frombuffer(view, np.uint8, (n + 7) // 8, _HEADER.size)
    is_range = np.unpackbits(bits, bitorder="little", count=n).astype(bool)
    if np.count_nonzero(is_range) != n_ranges:
        raise ArrayError(f"fragment bitmap does not mark {n_ranges} of {n} fragments as ranges")
    rows = np.frombuffer(view[rows_at:], "<i8")
    if offsets[0] or np.any(np.diff(offsets) < 0) or (len(rows) and rows.min() < 0):
        raise ArrayError("fragment table lists rows out of order or below zero")
    starts = np.empty(n, dtype=np.int64)
    counts = np.empty(n, dtype=np.int64)
    starts[is_range], counts[is_range] = table[:, 0], table[:, 1]
    starts[~is_range], counts[~is_range] = offsets[:-1], np.diff(offsets)
    return FragmentIndex(starts, counts, ~is_range, rows)


def decode_range_table(
    data: npt.NDArray[np.uint8], sizes: IntArray
) -> tuple[IntArray, IntArray, IntArray] | None:
    """Many tables at once, where all are sound and hold ranges alone; None where one is not.

    Args:
        data: (N,) the tables one after the other.
        sizes: (M,) bytes of each.

    Returns:
        (M,) int64 fragments of each, (F,) int64 first rows and (F,) int64 row counts of all.
    """
    if not len(sizes) or sizes.min() < _HEADER.size + 4:
        return None
    begins = np.cumsum(sizes) - sizes
    heads = values_at(data, begins, _HEADS)
    n = heads["n"].astype(np.int64)
    first = _HEADER.size + (n + 63) // 64 * 8
    usual = (
        (heads["magic"] == FRAGMENT_MAGIC)
        & (heads["version"] == FRAGMENT_VERSION)
        & (heads["flags"] == 0)
        & (n > 0)
        & (heads["ranges"] == n)
        & (sizes == first + 16 * n + 4)
    )
    if not usual.all() or values_at(data, begins + sizes - 4, np.dtype("<u4")).any():
        return None
    ends = np.cumsum(n)
    places = 16 * np.arange(ends[-1]) + np.repeat(begins + first - 16 * (ends - n), n)
    table = values_at(data, places, _RANGE)
    starts, counts = table["start"].astype(np.int64), table["count"].astype(np.int64)
    if min(starts.min(), counts.min()) < 0:
        return None
    if starts.max() > _MOST_ROWS[0] or counts.max() > _MOST_ROWS[1]:
        return None
    return n, starts, counts


def _empty() -> tuple[IntArray, IntArray, npt.NDArray[np.bool_]]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, dtype=bool)

"""Cell bytes to positions, attribute rows and object pieces. Pure, and suspicious of every byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.metadata import AttributeSpec, VertexSpec
from zarr_vectors.core.paths import format_chunk
from zarr_vectors.encoding.categorical import decode_categories
from zarr_vectors.encoding.fragments import FragmentIndex
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading.plan import Pieces
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray

Blobs = Mapping[ChunkCoords, bytes]

_MOST_SHARED = 2**22
_MOST_SHARES = 64
"""Objects may share rows: so many times those there are, and a few more. Manifests and fragment
tables of some bytes could ask for more than any memory holds."""


def row_counts(
    blobs: Blobs, keys: Sequence[ChunkCoords], row_bytes: int, array: str, url: str
) -> IntArray:
    """(M,) rows of each chunk's blob; an absent blob has none.

    Raises:
        ArrayError: A blob is not a whole number of rows.
    """
    sizes = np.fromiter((len(blobs.get(key, b"")) for key in keys), np.int64, len(keys))
    if (sizes % row_bytes).any():
        bad = int(np.flatnonzero(sizes % row_bytes)[0])
        raise damaged(
            array, keys[bad], url, f"{sizes[bad]} bytes are not whole rows of {row_bytes}"
        )
    return sizes // row_bytes


def same_counts(
    expected: IntArray, found: IntArray, keys: Sequence[ChunkCoords], array: str, url: str
) -> None:
    """Compare rows per chunk with what they must be.

    Raises:
        ArrayError: The first chunk that differs.
    """
    wrong = np.flatnonzero(expected != found)
    if len(wrong):
        row = int(wrong[0])
        raise damaged(array, keys[row], url, f"{found[row]} rows, expected {expected[row]}")


def joined(
    blobs: Blobs, keys: Sequence[ChunkCoords], dtype: np.dtype[Any], row_shape: tuple[int, ...]
) -> AnyArray:
    """All blobs one after the other as one new array (n, *row_shape)."""
    data = bytearray().join([blobs[key] for key in keys if key in blobs])
    flat = np.frombuffer(data, dtype)
    return flat.reshape(-1, *row_shape) if row_shape else flat


def one(blob: bytes, dtype: np.dtype[Any], row_shape: tuple[int, ...]) -> AnyArray:
    """One blob as an array (n, *row_shape) that cannot be written to."""
    flat = np.frombuffer(blob, dtype)
    return flat.reshape(-1, *row_shape) if row_shape else flat


def check_zeros(
    blobs: Blobs, keys: Sequence[ChunkCoords], spec: VertexSpec, ndim: int, array: str, url: str
) -> None:
    """Refuse vertices that are all zero in a chunk that does not hold the origin.

    A compressed 0.7 blob of zeros has no file: what comes back for a lost file looks like this.

    Raises:
        ArrayError: The first such chunk.
    """
    row = bytes(spec.dtype.itemsize * ndim)
    for key in keys:
        blob = blobs.get(key, b"")
        if blob and any(key[-ndim:]) and blob[: len(row)] == row and not any(blob):
            raise damaged(
                array, key, url, "all vertices are at the origin, which is outside the chunk"
            )


def categories_as_text(values: AnyArray, spec: AttributeSpec, array: str, url: str) -> AnyArray:
    """(n,) strings of category codes.

    Raises:
        ArrayError: A code without a category.
    """
    try:
        return decode_categories(values, spec.categories or ())  # type: ignore[arg-type]  # ints
    except ArrayError as error:
        raise ArrayError(f"{array} of {url}: {error}", array=array) from error


def piece_rows(
    pieces: Pieces,
    indexes: Mapping[ChunkCoords, FragmentIndex],
    keys: Sequence[ChunkCoords],
    first_rows: IntArray,
    array: str,
    url: str,
) -> tuple[IntArray, IntArray]:
    """Rows of the fragments asked for, in the order asked.

    Args:
        pieces: The fragments.
        indexes: Fragment table of every chunk in ``keys``.
        keys: Chunks whose rows lie one after the other.
        first_rows: (M + 1,) int64, first row of every chunk, and the end.
        array: Name of the fragments array, for messages.
        url: The store, for messages.

    Returns:
        (n,) int64 rows and (n,) int64 objects they belong to.

    Raises:
        ArrayError: A chunk without a table, a fragment that is not there, or rows beyond the chunk.
    """
    coords = np.array(keys, np.int64).reshape(len(keys), pieces.chunks.shape[1])
    owner = chunk_ranks(pieces.chunks, coords)
    for piece in np.flatnonzero(owner < 0)[:1].tolist():
        chunk = tuple(pieces.chunks[piece].tolist())
        raise damaged(array, chunk, url, "an object has vertices in it and it is not there")
    none = FragmentIndex(*(np.zeros(0, np.int64),) * 2, np.zeros(0, np.bool_))
    tables = [indexes.get(key, none) for key in keys]
    sizes = np.fromiter(map(len, tables), np.int64, len(tables))
    for piece in np.flatnonzero(pieces.fragments >= sizes[owner])[:1].tolist():
        key, number = keys[owner[piece]], pieces.fragments[piece]
        what = "there is no fragment table"
        if key in indexes:
            what = f"fragment {number} is asked for, {len(indexes[key])} are there"
        raise damaged(array, key, url, what)
    _check_tables(tables, sizes, np.diff(first_rows), owner, keys, array, url)
    # fragments of all chunks as one table
    numbers = np.cumsum(sizes)[owner] - sizes[owner] + pieces.fragments
    counts = _concatenated([table.counts for table in tables])[numbers]
    most = _MOST_SHARED + _MOST_SHARES * int(first_rows[-1])
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    if total > most:
        key = keys[owner[np.searchsorted(ends, most, side="right")]]
        raise damaged(array, key, url, f"objects claim {total} rows in all")
    starts = _concatenated([table.starts for table in tables])[numbers] - (ends - counts)
    objects = np.repeat(pieces.objects, counts)
    if not any(len(table.rows) for table in tables):
        return np.arange(total) + np.repeat(starts + first_rows[owner], counts), objects
    rows = np.arange(total) + np.repeat(starts, counts)
    # explicit fragments begin at a place among the rows their chunk's table lists
    lists = np.fromiter((len(table.rows) for table in tables), np.int64, len(tables))
    listed = np.repeat(_concatenated([t.explicit for t in tables])[numbers], counts)
    shift = np.repeat((np.cumsum(lists) - lists)[owner], counts)
    rows[listed] = _concatenated([table.rows for table in tables])[(rows + shift)[listed]]
    return rows + np.repeat(first_rows[owner], counts), objects


def _check_tables(
    tables: Sequence[FragmentIndex],
    sizes: IntArray,
    rows: IntArray,
    owner: IntArray,
    keys: Sequence[ChunkCoords],
    array: str,
    url: str,
) -> None:
    """Compare the tables of the chunks that pieces lie in with the rows of those chunks."""
    chunk = np.repeat(np.arange(len(tables)), sizes)
    counts = _concatenated([table.counts for table in tables])
    beyond = _concatenated([table.starts for table in tables]) + counts > rows[chunk]
    doubtful = np.zeros(len(tables), np.bool_)
    doubtful[chunk[beyond]] = True
    doubtful |= np.fromiter((len(table.rows) > 0 for table in tables), np.bool_, len(tables))
    asked = np.zeros(len(tables), np.bool_)
    asked[owner] = True
    for i in np.flatnonzero(doubtful & asked).tolist():
        try:
            tables[i].check(int(rows[i]))
        except ArrayError as error:
            raise damaged(array, keys[i], url, str(error)) from error


def _concatenated(parts: list[Any]) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def empty_positions(spec: VertexSpec, ndim: int) -> FloatArray:
    """(0, D) positions of the stored dtype."""
    return np.zeros((0, ndim), spec.dtype)


def damaged(array: str, chunk: ChunkCoords, url: str, what: str) -> ArrayError:
    """The error for a chunk whose bytes are not what they must be."""
    name = format_chunk(chunk)
    text = f"chunk {name} of {array} in {url} is damaged: {what}"
    return ArrayError(text, array=array, chunk=chunk)


def mask_rows(values: npt.NDArray[Any], keep: npt.NDArray[np.bool_] | None) -> npt.NDArray[Any]:
    """The rows to keep; all of them, uncopied, where there is no mask."""
    return values if keep is None else values[keep]

"""Cell bytes to positions, attribute rows and object pieces. Pure, and suspicious of every byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.backends.joined import ByteArray
from zarr_vectors.core.layouts.columns import Column
from zarr_vectors.core.metadata import AttributeSpec, VertexSpec
from zarr_vectors.core.paths import format_chunk
from zarr_vectors.encoding.categorical import decode_categories
from zarr_vectors.encoding.fragment_tables import FragmentTables
from zarr_vectors.encoding.fragments import FragmentIndex
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading.plan import Pieces
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray

_MOST_SHARED = 2**22
_MOST_SHARES = 64
"""Objects may share rows: so many times those there are, and a few more. Manifests and fragment
tables of some bytes could ask for more than any memory holds."""


def row_counts(column: Column, row_bytes: int, array: str, url: str) -> IntArray:
    """(M,) rows of each chunk's blob; an absent blob has none.

    Raises:
        ArrayError: A blob is not a whole number of rows.
    """
    sizes = column.sizes
    uneven = sizes % row_bytes != 0
    if uneven.any():
        bad = int(uneven.argmax())
        raise damaged(
            array, column.keys[bad], url, f"{sizes[bad]} bytes are not whole rows of {row_bytes}"
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


def rows_of(data: ByteArray, dtype: np.dtype[Any], row_shape: tuple[int, ...]) -> AnyArray:
    """Bytes as an array (n, *row_shape)."""
    flat = data.view(dtype)
    return flat.reshape(-1, *row_shape) if row_shape else flat


def check_zeros(
    column: Column, counts: IntArray, spec: VertexSpec, ndim: int, array: str, url: str
) -> None:
    """Refuse vertices that are all zero in a chunk that does not hold the origin.

    A compressed 0.7 blob of zeros has no file: what comes back for a lost file looks like this.

    Args:
        column: The vertices.
        counts: (M,) rows of every chunk.
        spec: How they are stored.
        ndim: Number of axes.
        array: Their name, for messages.
        url: The store, for messages.

    Raises:
        ArrayError: The first such chunk.
    """
    first = rows_of(column.data, spec.dtype, (ndim,))[(np.cumsum(counts) - counts)[counts > 0]]
    if first.all(axis=None):
        return
    starts = column.starts()
    for number in np.flatnonzero(counts)[~first.any(axis=1)].tolist():
        key = column.keys[number]
        start = int(starts[number])
        if any(key[-ndim:]) and not column.data[start : start + int(column.sizes[number])].any():
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
    indexes: Mapping[ChunkCoords, FragmentIndex] | FragmentTables,
    keys: Sequence[ChunkCoords],
    first_rows: IntArray,
    array: str,
    url: str,
) -> tuple[IntArray, IntArray]:
    """Rows of the fragments asked for, in the order asked.

    Args:
        pieces: The fragments.
        indexes: Fragment tables by chunk, or those of ``keys`` in their order.
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
    if len(owner) and owner.min() < 0:
        chunk = tuple(pieces.chunks[int(owner.argmin())].tolist())
        raise damaged(array, chunk, url, "an object has vertices in it and it is not there")
    tables = FragmentTables.among(indexes, keys)
    rows, counts = fragment_rows(owner, pieces.fragments, tables, keys, first_rows, array, url)
    return rows, np.repeat(pieces.objects, counts)


def fragment_rows(
    owner: IntArray,
    fragments: IntArray,
    tables: FragmentTables,
    keys: Sequence[ChunkCoords],
    first_rows: IntArray,
    array: str,
    url: str,
) -> tuple[IntArray, IntArray]:
    """Rows of fragments, in the order asked.

    Args:
        owner: (P,) chunk of every fragment among ``keys``.
        fragments: (P,) their numbers.
        tables: Tables of the chunks.
        keys: Chunks whose rows lie one after the other.
        first_rows: (M + 1,) int64, first row of every chunk, and the end.
        array: Name of the fragments array, for messages.
        url: The store, for messages.

    Returns:
        (n,) int64 rows, and (P,) int64 how many each fragment has.

    Raises:
        ArrayError: A chunk without a table, a fragment that is not there, or rows beyond the chunk.
    """
    check_pieces(owner, fragments, tables, np.diff(first_rows), keys, array, url)
    sizes = np.maximum(tables.sizes, 0)
    numbers = (np.cumsum(sizes) - sizes)[owner] + fragments
    counts = tables.counts[numbers]
    most = most_rows(int(first_rows[-1]))
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    if total > most:
        key = keys[owner[np.searchsorted(ends, most, side="right")]]
        raise damaged(array, key, url, f"objects claim {total} rows in all")
    starts = tables.starts[numbers] - (ends - counts)
    if not len(tables.rows):
        rows = np.repeat(starts + first_rows[owner], counts)
        rows += np.arange(total)
        return rows, counts
    rows = np.arange(total) + np.repeat(starts, counts)
    # explicit fragments begin at a place among the rows their chunk's table lists
    listed = np.repeat(tables.explicit[numbers], counts)
    shift = np.repeat((np.cumsum(tables.lists) - tables.lists)[owner], counts)
    rows[listed] = tables.rows[(rows + shift)[listed]]
    return rows + np.repeat(first_rows[owner], counts), counts


def most_rows(stored: int) -> int:
    """Rows that pieces of chunks with so many rows may have together."""
    return _MOST_SHARED + _MOST_SHARES * stored


def check_pieces(
    owner: IntArray,
    fragments: IntArray,
    tables: FragmentTables,
    rows: IntArray,
    keys: Sequence[ChunkCoords],
    array: str,
    url: str,
) -> None:
    """Compare pieces with the tables of their chunks, and those with the rows of the chunks.

    Args:
        owner: (P,) chunk of every piece.
        fragments: (P,) fragment of every piece.
        tables: Tables of the chunks.
        rows: (M,) rows of every chunk.
        keys: The chunks, for messages.
        array: Name of the fragments array, for messages.
        url: The store, for messages.

    Raises:
        ArrayError: A chunk without a table, a fragment that is not there, or rows beyond the chunk.
    """
    missing = fragments >= tables.sizes[owner]
    if missing.any():
        piece = int(missing.argmax())
        place, number = owner[piece], fragments[piece]
        what = "there is no fragment table"
        if tables.sizes[place] >= 0:
            what = f"fragment {number} is asked for, {tables.sizes[place]} are there"
        raise damaged(array, keys[place], url, what)
    sizes = np.maximum(tables.sizes, 0)
    beyond = tables.starts + tables.counts > np.repeat(rows, sizes)
    if not beyond.any() and not len(tables.rows):
        return
    doubtful = tables.lists > 0
    doubtful[np.repeat(np.arange(len(tables)), sizes)[beyond]] = True
    asked = np.zeros(len(tables), np.bool_)
    asked[owner] = True
    for i in np.flatnonzero(doubtful & asked).tolist():
        try:
            tables[i].check(int(rows[i]))
        except ArrayError as error:
            raise damaged(array, keys[i], url, str(error)) from error


def empty_positions(spec: VertexSpec, ndim: int) -> FloatArray:
    """(0, D) positions of the stored dtype."""
    return np.zeros((0, ndim), spec.dtype)


def damaged(array: str, chunk: ChunkCoords, url: str, what: str) -> ArrayError:
    """The error for a chunk whose bytes are not what they must be."""
    name = format_chunk(chunk)
    text = f"chunk {name} of {array} in {url} is damaged: {what}"
    return ArrayError(text, array=array, chunk=chunk)


def rows_kept(values: npt.NDArray[Any], rows: IntArray | None) -> npt.NDArray[Any]:
    """The rows to keep; all of them, uncopied, where None."""
    return values if rows is None else values.take(rows, axis=0)

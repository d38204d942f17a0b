"""Fragment tables of chunks, and rows cut by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import VERTEX_FRAGMENTS
from zarr_vectors.core.arrays.listing import key_of, path_of
from zarr_vectors.core.group import Group
from zarr_vectors.encoding.fragments import FragmentIndex, decode_fragments
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import IntArray


def read_fragment_index(level_group: Group, array: str, chunk: Sequence[int]) -> FragmentIndex:
    """The fragment table of one chunk.

    Args:
        level_group: The level.
        array: ``vertex_fragments``.
        chunk: Chunk coordinates.

    Raises:
        ArrayError: There is none, or it is damaged.
    """
    path, key = path_of(level_group, array), key_of(chunk)
    blob = level_group.layout.get_cells({path: [key]})[path].get(key)
    if blob is None:
        raise ArrayError(
            f"{path} in {level_group.backend.url} has no chunk {key}", array=path, chunk=key
        )
    return decode_at(blob, path, key, level_group)


def read_vertex_fragment_index(level_group: Group, chunk: Sequence[int]) -> FragmentIndex:
    """The fragment table over the vertices of one chunk."""
    return read_fragment_index(level_group, VERTEX_FRAGMENTS, chunk)


def decode_at(blob: bytes, path: str, key: tuple[int, ...], level_group: Group) -> FragmentIndex:
    """A table decoded; an error names where it is."""
    try:
        return decode_fragments(blob)
    except ArrayError as error:
        text = f"chunk {key} of {path} in {level_group.backend.url} is damaged: {error}"
        raise ArrayError(text, array=path, chunk=key) from error


def cut(rows: npt.NDArray[Any], index: FragmentIndex) -> list[npt.NDArray[Any]]:
    """Rows of each fragment.

    Raises:
        ArrayError: A fragment reaches beyond the rows.
    """
    index.check(len(rows))
    return [
        rows[slice(start, start + count)] if index.is_range(f) else rows[index.indices(f)]
        for f, (start, count) in enumerate(
            zip(index.starts.tolist(), index.counts.tolist(), strict=True)
        )
    ]


def starts_of(groups: Sequence[npt.NDArray[Any]]) -> tuple[IntArray, IntArray]:
    """First row and row count of groups that lie back to back."""
    counts = np.array([len(group) for group in groups], np.int64)
    return np.cumsum(counts) - counts, counts

"""Links of one chunk, group by group, and links between chunks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.arrays.listing import key_of, new_grid
from zarr_vectors.core.attrs import forget_outline
from zarr_vectors.core.group import Group
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import ChunkCoords, IntArray

LinkEnd = tuple[ChunkCoords, int]
"""Chunk of an endpoint, and its row among all rows of the chunk."""


def read_chunk_links(
    level_group: Group,
    chunk: Sequence[int],
    dtype: npt.DTypeLike = np.int64,
    link_width: int | None = None,
    *,
    delta: int = 0,
) -> list[npt.NDArray[np.integer]]:
    """Links inside a chunk, one (M_k, W) array of rows per group; ``[]`` where there are none.

    Args:
        level_group: The level.
        chunk: Chunk coordinates.
        dtype: Dtype to return.
        link_width: Must be the stored number of endpoints where given.
        delta: Levels up that endpoints after the first are.

    Raises:
        ArrayError: The chunk is damaged, or its links have another width.
    """
    groups = level_group.layout.get_chunk_links(level_group.prefix, key_of(chunk), delta=delta)
    wrong = next((g.shape[1] for g in groups or () if g.shape[1] != (link_width or g.shape[1])), 0)
    if wrong:
        raise ArrayError(f"links of {level_group.url} have {wrong} endpoints, not {link_width}")
    return [group.astype(dtype) for group in groups or ()]


def count_link_groups(level_group: Group, chunk: Sequence[int], *, delta: int = 0) -> int:
    """Groups the links inside a chunk are stored in; 0 where there are none.

    Raises:
        ArrayError: The chunk is damaged.
    """
    groups = level_group.layout.get_chunk_links(level_group.prefix, key_of(chunk), delta=delta)
    return len(groups or ())


def write_chunk_links(
    level_group: Group,
    chunk: Sequence[int],
    link_groups: Sequence[npt.NDArray[np.integer]],
    *,
    delta: int = 0,
) -> IntArray:
    """Store the links inside a chunk, replacing those there; links between chunks stay.

    Args:
        level_group: The level.
        chunk: Chunk coordinates.
        link_groups: (M_k, W) rows of the chunk, one array per group; W as in other chunks.
        delta: Levels up that endpoints after the first are.

    Returns:
        (K,) int64 first link of every group.

    Raises:
        ArrayError: Another width, or a number of links that their attributes do not fit.
    """
    groups = [np.asarray(group) for group in link_groups]
    level_group.layout.put_chunk_links(
        level_group.prefix, key_of(chunk), groups, new_grid(level_group), delta=delta
    )
    forget_outline(level_group.layout)
    counts = np.array([len(group) for group in groups], np.int64)
    return np.cumsum(counts) - counts


def read_cross_chunk_links(level_group: Group, *, delta: int = 0) -> list[tuple[LinkEnd, ...]]:
    """Links whose endpoints are not all in chunks of one coordinate, each a tuple of endpoints.

    Args:
        level_group: The level.
        delta: Levels up that endpoints after the first are.

    Raises:
        ArrayError: Links are damaged.
    """
    found = level_group.layout.get_links(level_group.prefix, delta=delta)
    if found is None:
        return []
    across = (found.chunks != found.chunks[:, :1]).any(axis=(1, 2))
    return [
        tuple((tuple(chunk), row) for chunk, row in zip(chunks, rows, strict=True))
        for chunks, rows in zip(
            found.chunks[across].tolist(), found.rows[across].tolist(), strict=True
        )
    ]

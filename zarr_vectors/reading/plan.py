"""Filters to the exact chunks, fragments and masks a read needs. Pure; filters intersect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ArrayError
from zarr_vectors.spatial.chunking import chunks_in_box
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import BoundingBox, ChunkCoords, IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Pieces:
    """Fragments asked for, in the order they are to be returned.

    Attributes:
        chunks: (P, R) int64 chunk of every piece.
        fragments: (P,) int64 fragment of every piece.
        objects: (P,) int64 object every piece belongs to.
    """

    chunks: IntArray
    fragments: IntArray
    objects: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class ReadPlan:
    """What to fetch and what to keep of it.

    Attributes:
        coords: (M, R) int64 chunks to fetch, ascending in tuple order.
        box: Box that positions must lie in, or None.
        partial: (M,) bool, chunks the box does not hold entirely; only these need a test per row.
        pieces: Fragments to keep, or None for whole chunks.
    """

    coords: IntArray
    box: BoundingBox | None
    partial: npt.NDArray[np.bool_]
    pieces: Pieces | None = None

    def keys(self) -> list[ChunkCoords]:
        """Chunks to fetch as tuples of ints."""
        return [tuple(row) for row in self.coords.tolist()]


def check_box(box: BoundingBox, ndim: int) -> BoundingBox:
    """The box as two lists of floats.

    Raises:
        ArrayError: Wrong shape, not numbers, or inverted.
    """
    corners = tuple(np.asarray(corner, np.float64) for corner in box)
    if len(corners) != 2 or any(corner.shape != (ndim,) for corner in corners):
        raise ArrayError(f"bbox must be two corners of {ndim} numbers each")
    low, high = corners
    if np.isnan(low).any() or np.isnan(high).any() or (low > high).any():
        raise ArrayError(f"bbox is inverted or not a number: {low.tolist()} to {high.tolist()}")
    return low.tolist(), high.tolist()


def intersect_boxes(first: BoundingBox | None, second: BoundingBox | None) -> BoundingBox | None:
    """The box both boxes hold; may be inverted, which nothing lies in."""
    if first is None or second is None:
        return second if first is None else first
    low = np.maximum(first[0], second[0])
    high = np.minimum(first[1], second[1])
    return low.tolist(), high.tolist()


def plan_read(
    occupied: IntArray,
    chunk_shape: Sequence[float],
    *,
    box: BoundingBox | None = None,
    chunks: Iterable[ChunkCoords] | None = None,
    lead: int | None = None,
    pieces: Pieces | None = None,
) -> ReadPlan:
    """The chunks that all filters leave.

    Args:
        occupied: (M, R) int64 chunks that exist, ascending.
        chunk_shape: D floats, world units.
        box: Only positions inside, both ends inclusive.
        chunks: Only these chunks; an empty list leaves nothing.
        lead: Only chunks of this attribute bin; -1 leaves nothing.
        pieces: Only these fragments.
    """
    keep = np.ones(len(occupied), np.bool_)
    if box is not None:
        keep &= chunks_in_box(occupied, chunk_shape, box)
    if chunks is not None:
        keep &= _named(occupied, np.array(list(chunks), np.int64).reshape(-1, occupied.shape[1]))
    if lead is not None:
        keep &= occupied[:, 0] == lead
    if pieces is not None:
        keep &= _named(occupied, pieces.chunks)
    coords = occupied[keep]
    return ReadPlan(
        coords,
        box,
        _partial(coords, chunk_shape, box),
        None if pieces is None else pieces_in(pieces, coords),
    )


def _partial(
    coords: IntArray, chunk_shape: Sequence[float], box: BoundingBox | None
) -> npt.NDArray[np.bool_]:
    if box is None:
        return np.zeros(len(coords), np.bool_)
    size = np.asarray(chunk_shape, np.float64)
    spatial = coords[:, coords.shape[1] - len(size) :]
    low, high = np.asarray(box[0]), np.asarray(box[1])
    # a margin of a chunk's last digits: floor() and the edge product may round apart
    slack = size * 1e-9
    inside = (spatial * size - slack >= low) & ((spatial + 1) * size + slack <= high)
    return np.asarray(~inside.all(axis=1))


def pieces_in(pieces: Pieces, coords: IntArray) -> Pieces:
    """The pieces that lie in the chunks ``coords``, in the order they are in."""
    keep = chunk_ranks(pieces.chunks, coords) >= 0
    return replace(
        pieces,
        chunks=pieces.chunks[keep],
        fragments=pieces.fragments[keep],
        objects=pieces.objects[keep],
    )


def _named(occupied: IntArray, wanted: IntArray) -> npt.NDArray[np.bool_]:
    """(M,) bool: which occupied chunks are among the wanted ones."""
    ranks = chunk_ranks(wanted, occupied)
    found = np.zeros(len(occupied), np.bool_)
    found[ranks[ranks >= 0]] = True
    return found

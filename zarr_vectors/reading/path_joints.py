"""Paths through some chunks: manifests tell which row follows which, also in other chunks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.reading.linked_chunks import ELSEWHERE, Asked, Joined
from zarr_vectors.reading.object_pieces import ObjectPieces
from zarr_vectors.typing import IntArray


def join_paths(
    pieces: ObjectPieces,
    asked: Asked,
    own: IntArray,
    rows: IntArray,
    counts: IntArray,
    arrays: LevelArrays,
) -> Joined:
    """Consecutive rows of every path are joined, earlier first.

    The place of an end in its chunk is twice its fragment, one more for the fragment's last row:
    both sides know it without reading the other chunk.

    Args:
        pieces: The level's object index.
        asked: The chunks read.
        own: (n,) int64 the pieces in them.
        rows: (N,) int64 stored rows of the pieces.
        counts: (n,) int64 how many each has.
        arrays: The level.

    Raises:
        ArrayError: A path goes on in a chunk that is not there.
    """
    ends = np.cumsum(counts)
    heads, tails, full = ends - counts, ends - 1, counts > 0
    owners = pieces.owners(own)
    within = np.ones(len(rows), np.bool_)
    within[tails[full]] = False
    at = np.flatnonzero(within)
    after = _other(own, 1, pieces.offsets[owners + 1] - 1 > own)
    before = _other(own, -1, pieces.offsets[owners] < own)
    here = np.flatnonzero((after >= 0) & full)
    here = here[full[after[here]]]
    links = [
        np.stack([at, at + 1], axis=1),
        np.stack([tails[here], heads[after[here]]], axis=1),
    ]
    out = np.flatnonzero((after == _AWAY) & full)
    back = np.flatnonzero((before == _AWAY) & full)
    first = np.concatenate([own[out], own[back] - 1])
    open_rows = np.full((len(first), 2), ELSEWHERE, np.int64)
    open_rows[: len(out), 0] = tails[out]
    open_rows[len(out) :, 1] = heads[back]
    ids = pieces.ids[owners]
    return Joined(
        rows=rows,
        objects=np.repeat(ids, counts),
        links=np.concatenate(links),
        open_rows=open_rows,
        open_ends=_ends(pieces, first, arrays),
        open_objects=np.concatenate([ids[out], ids[back]]),
    )


_NONE, _AWAY = -1, -2


def _other(own: IntArray, step: int, there: npt.NDArray[np.bool_]) -> IntArray:
    """(n,) int64 which of the pieces comes next: none, or one in another chunk, below zero.

    Args:
        own: (n,) int64 pieces.
        step: 1 for the one after, -1 for the one before.
        there: (n,) bool, their path has one.
    """
    found = np.full(len(own), _NONE, np.int64)
    if not len(own):
        return found
    order = np.argsort(own)
    ascending = own[order]
    wanted = own[there] + step
    at = np.minimum(np.searchsorted(ascending, wanted), len(own) - 1)
    found[there] = np.where(ascending[at] == wanted, order[at], _AWAY)
    return found


def _ends(pieces: ObjectPieces, first: IntArray, arrays: LevelArrays) -> IntArray:
    """(K, 2) int64 ends of the links from pieces to those after them."""
    both = np.stack([first, first + 1], axis=1)
    ranks = pieces.ranks[both].astype(np.int64)
    if len(first) and ranks.min() < 0:
        raise pieces.stray(int(both.flat[int(ranks.argmin())]), arrays)
    places = 2 * pieces.fragments[both].astype(np.int64)
    places[:, 0] += 1
    ends: IntArray = ranks << 32 | (places & 0xFFFFFFFF)
    return ends

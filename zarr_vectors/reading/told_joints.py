"""Stored links of some chunks: which rows they join there, and which vertices elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.layouts.placed import PlacedLinks
from zarr_vectors.reading.assemble import damaged
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.linked_chunks import ELSEWHERE, Asked
from zarr_vectors.typing import IntArray

_MOST_ROW = 2**32


@dataclass(frozen=True, eq=False, slots=True)
class ToldLinks:
    """Links with an end in the chunks read.

    Attributes:
        ranks: (M, W) int64 chunk of every end among those of the level, -1 where that has none.
        rows: (M, W) int64 row of every end among those of its chunk.
        local: (M, W) int64 stored row of every end, -1 outside the chunks read.
    """

    ranks: IntArray
    rows: IntArray
    local: IntArray

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """(M,) bool, every end is in the chunks read."""
        return np.asarray((self.local >= 0).all(axis=1))

    def take(self, keep: npt.NDArray[Any]) -> ToldLinks:
        """Some of them."""
        return ToldLinks(self.ranks[keep], self.rows[keep], self.local[keep])

    def joined(self, other: ToldLinks) -> ToldLinks:
        """These and then others of as many ends."""
        return ToldLinks(
            np.concatenate([self.ranks, other.ranks]),
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.local, other.local]),
        )

    def ends(self, columns: IntArray) -> ToldLinks:
        """Links between some of the ends of each: (k, w) columns make k links of each."""
        width = columns.shape[1]
        parts = (a[:, columns].reshape(-1, width) for a in (self.ranks, self.rows, self.local))
        return ToldLinks(*parts)


def told_links(
    records: PlacedLinks,
    asked: Asked,
    reader: LevelReader,
    array: str,
    *,
    roots: bool = False,
) -> ToldLinks:
    """Where the ends of links are.

    Args:
        records: The links.
        asked: The chunks read.
        reader: Of the level.
        array: Name of the links, for messages.
        roots: A row below zero stands for no row.

    Raises:
        ArrayError: A link names a row that its chunk does not have.
    """
    cells, width, rank = records.places.shape
    arrays, rows = reader.arrays, records.rows
    if rank != arrays.rank:
        none = np.zeros((0, width), np.int64)
        if not len(rows):
            return ToldLinks(none, none, none)
        raise damaged(
            array, tuple(records.places[0, 0].tolist()), arrays.url, f"expected {arrays.rank} axes"
        )
    places = reader.ranks_of(records.places.reshape(-1, rank)).reshape(cells, width)
    ranks = records.spread(places)
    chunks = asked.local(ranks)
    inside = chunks >= 0
    sizes = np.append(np.diff(asked.starts), 0)[chunks]
    wrong = inside & ((rows >= sizes) | ((rows < 0) & (not roots)))
    wrong |= ~inside & ((rows >= _MOST_ROW) | ((rows < 0) & (not roots)))
    if wrong.any():
        at = int(wrong.argmax())
        chunk = tuple(records.chunks.reshape(-1, rank)[at].tolist())
        of = f" of {sizes.flat[at]}" if inside.flat[at] else ""
        raise damaged(array, chunk, arrays.url, f"a link names row {rows.flat[at]}{of}")
    local = np.where(inside & (rows >= 0), asked.starts[chunks] + rows, ELSEWHERE)
    return ToldLinks(ranks, rows, local)


def tree_links(
    told: ToldLinks, first: npt.NDArray[np.bool_], asked: Asked, roots: IntArray
) -> ToldLinks:
    """(child, parent) links of a skeleton, with those that are implied.

    The row before is the parent, unless a row is the first of its fragment or a link says
    otherwise.

    Args:
        told: Links that are stored; a parent below zero is none.
        first: (S,) bool, the stored rows that are the first of a fragment; overwritten.
        asked: The chunks read.
        roots: Stored rows that have no parent unless a link says so.
    """
    implied = np.logical_not(first, out=first)
    implied[asked.starts[:-1][np.diff(asked.starts) > 0]] = False
    implied[roots] = False
    here = np.flatnonzero(told.local[:, 0] >= 0)
    children = told.local[here, 0]
    implied[children] = False
    # of several parents of a child, the last that is told counts
    last = np.full(len(implied), -1, np.int64)
    last[children] = here
    keep = told.local[:, 0] < 0
    keep[last[last >= 0]] = True
    keep &= (told.rows >= 0).all(axis=1)
    kept, rows = told.take(np.flatnonzero(keep)), np.flatnonzero(implied)
    return inner_links(np.stack([rows, rows - 1], axis=1), asked).joined(kept)


def inner_links(ends: IntArray, asked: Asked) -> ToldLinks:
    """Links between (L, W) stored rows of the chunks read."""
    chunks = np.searchsorted(asked.starts, ends, side="right") - 1
    return ToldLinks(asked.ranks[chunks], ends - asked.starts[chunks], ends)


def triangles(told: ToldLinks) -> ToldLinks:
    """Faces of four corners cut in two, each with the first corner; of three, as they are."""
    if told.rows.shape[1] != 4:
        return told
    return told.ends(np.array([[0, 1, 2], [0, 2, 3]]))

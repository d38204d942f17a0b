"""Edges and faces as bins they join: those level 0 has against those a level does. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import FloatArray, IntArray
from zv_viewer.qa.bins import grouped, packed

_UNKNOWN = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False, slots=True)
class LinkKeys:
    """Links between different bins, each once.

    Attributes:
        ends: (M, W, 1 + D) int64 object and bin of their ends, in a fixed order.
    """

    ends: IntArray

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def objects(self) -> IntArray:
        """(M,) int64 object of the first end."""
        return self.ends[:, 0, 0]

    @property
    def bins(self) -> IntArray:
        """(M, W, D) int64."""
        return self.ends[..., 1:]

    @property
    def rows(self) -> IntArray:
        """(M, W (1 + D)) int64."""
        return self.ends.reshape(len(self.ends), self.ends.shape[1] * self.ends.shape[2])

    def take(self, rows: npt.NDArray[np.generic]) -> LinkKeys:
        """Some of them."""
        return LinkKeys(self.ends[rows])


@dataclass(frozen=True, eq=False, slots=True)
class HalfLinks:
    """Links of which not every end was read.

    Attributes:
        names: (K, 1 + W) int64 their object and which vertices they join.
        ends: (K, W, 1 + D) int64 object and bin, the smallest integer where not known.
    """

    names: IntArray
    ends: IntArray


def keys_of(links: IntArray, keys: IntArray) -> LinkKeys:
    """Links as what they join, without those that stay inside a bin of one object.

    Args:
        links: (M, W) int64 rows.
        keys: (N, 1 + D) int64 object and bin of every row.
    """
    codes = packed(keys)[0]
    ends = codes[links]
    turn = np.argsort(ends, axis=1, kind="stable")
    ends = np.take_along_axis(ends, turn, axis=1)
    apart = np.flatnonzero((ends[:, 1:] != ends[:, :-1]).all(axis=1))
    rows = np.take_along_axis(links[apart], turn[apart], axis=1)
    if not len(apart):
        return LinkKeys(np.zeros((0, links.shape[1], keys.shape[1]), np.int64))
    order, first = grouped(packed(ends[apart])[0])
    return LinkKeys(keys[rows[order[first]]])


def half_of(ends: IntArray, rows: IntArray, objects: IntArray, keys: IntArray) -> HalfLinks:
    """Open links with what is known of their ends.

    Args:
        ends: (K, W) int64 identity of each end.
        rows: (K, W) int64 rows, -1 where not known.
        objects: (K,) int64.
        keys: (N, 1 + D) int64 object and bin of every row.
    """
    known = np.where((rows >= 0)[..., None], keys[np.maximum(rows, 0)], _UNKNOWN)
    return HalfLinks(np.concatenate([objects[:, None], ends], axis=1), known)


def whole_of(parts: Sequence[HalfLinks]) -> LinkKeys:
    """What several looks at open links tell together; links with an end never read are left out."""
    names = np.concatenate([part.names for part in parts])
    ends = np.concatenate([part.ends for part in parts])
    width, size = ends.shape[1:]
    if not len(names):
        return LinkKeys(ends)
    order, first = grouped(packed(names)[0])
    found = np.maximum.reduceat(ends[order], first, axis=0)
    found = found[(found != _UNKNOWN).all(axis=(1, 2))]
    rows = np.arange(len(found) * width).reshape(-1, width)
    return keys_of(rows, found.reshape(-1, size))


def distinct(parts: Sequence[LinkKeys]) -> LinkKeys:
    """Several lists as one, each link once."""
    whole = LinkKeys(np.concatenate([part.ends for part in parts]))
    if not len(whole):
        return whole
    order, first = grouped(packed(whole.rows)[0])
    return whole.take(order[first])


def lost_links(expected: LinkKeys, actual: LinkKeys) -> LinkKeys:
    """Links expected that are not there."""
    first, second = packed(expected.rows, actual.rows)
    return expected.take(~np.isin(first, second))


def beside_lost(links: LinkKeys, lost: IntArray) -> npt.NDArray[np.bool_]:
    """(M,) bool, whether an end is in a lost bin of its object, or in one next to it.

    Args:
        links: Links that are missing.
        lost: (n, 1 + D) int64 object and bin.
    """
    width, size = links.ends.shape[1:]
    steps = np.array(list(itertools.product((-1, 0, 1), repeat=size - 1)), np.int64)
    around = np.unique(
        (lost[:, None] + np.insert(steps, 0, 0, axis=1)[None]).reshape(-1, size), axis=0
    )
    near, gone = packed(links.ends.reshape(-1, size), around)
    return np.asarray(np.isin(near, gone).reshape(-1, width).any(axis=1))


def walls_crossed(
    links: LinkKeys, bin_shape: Sequence[float], chunk_shape: Sequence[float]
) -> tuple[npt.NDArray[np.bool_], IntArray, FloatArray]:
    """Which links cross a wall between chunks.

    Returns:
        (M,) bool; (M, D) int64 chunk of the first end; (M, D) float64 middle of the ends' bins.
    """
    centres = (links.bins + 0.5) * np.asarray(bin_shape)
    chunks = np.floor(centres / np.asarray(chunk_shape)).astype(np.int64)
    across = (chunks != chunks[:, :1]).any(axis=(1, 2))
    return across, chunks[:, 0], centres.mean(axis=1)


def degenerate(faces: IntArray, positions: FloatArray, *, by_place: bool) -> IntArray:
    """(n,) int64 faces with a corner twice.

    Args:
        faces: (M, W) int64 rows.
        positions: (N, D) float.
        by_place: Corners in one place count as one corner.
    """
    width = faces.shape[1]
    found = np.zeros(len(faces), np.bool_)
    for a in range(width):
        for b in range(a + 1, width):
            same = faces[:, a] == faces[:, b]
            if by_place:
                same |= (positions[faces[:, a]] == positions[faces[:, b]]).all(axis=1)
            found |= same
    return np.flatnonzero(found)

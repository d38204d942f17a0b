"""Edges and faces as bins they join: those level 0 has against those a level does. Pure."""

from __future__ import annotations

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
        objects: (M,) int64 object of each.
        bins: (M, W, D) int64 bins of its ends, ascending.
    """

    objects: IntArray
    bins: IntArray

    def __len__(self) -> int:
        return len(self.objects)

    @property
    def rows(self) -> IntArray:
        """(M, 1 + W D) int64."""
        flat = self.bins.reshape(len(self.bins), self.bins.shape[1] * self.bins.shape[2])
        return np.concatenate([self.objects[:, None], flat], axis=1)

    def take(self, rows: npt.NDArray[np.generic]) -> LinkKeys:
        """Some of them."""
        return LinkKeys(self.objects[rows], self.bins[rows])


@dataclass(frozen=True, eq=False, slots=True)
class HalfLinks:
    """Links of which not every end was read.

    Attributes:
        ends: (K, W) int64 which vertices they join.
        objects: (K,) int64.
        bins: (K, W, D) int64, the smallest integer where not known.
    """

    ends: IntArray
    objects: IntArray
    bins: IntArray


def keys_of(links: IntArray, objects: IntArray, bins: IntArray) -> LinkKeys:
    """Links as the bins they join, without those that stay inside a bin.

    Args:
        links: (M, W) int64 rows.
        objects: (M,) int64 objects of the links.
        bins: (N, D) int64 bin of every row.
    """
    width, ndim = links.shape[1], bins.shape[1]
    codes = packed(bins)[0]
    ends = np.sort(codes[links], axis=1)
    apart = np.flatnonzero((ends[:, 1:] != ends[:, :-1]).all(axis=1))
    turn = np.argsort(codes[links[apart]], axis=1, kind="stable")
    rows = np.take_along_axis(links[apart], turn, axis=1)
    ends, own = ends[apart], objects[apart]
    if not len(own):
        return LinkKeys(own, np.zeros((0, width, ndim), np.int64))
    order, first = grouped(packed(np.concatenate([own[:, None], ends], axis=1))[0])
    heads = order[first]
    return LinkKeys(own[heads], bins[rows[heads]])


def half_of(ends: IntArray, rows: IntArray, objects: IntArray, bins: IntArray) -> HalfLinks:
    """Open links with the bins of the ends that are known.

    Args:
        ends: (K, W) int64 identity of each end.
        rows: (K, W) int64 rows, -1 where not known.
        objects: (K,) int64.
        bins: (N, D) int64 bin of every row.
    """
    known = np.where((rows >= 0)[..., None], bins[np.maximum(rows, 0)], _UNKNOWN)
    return HalfLinks(ends, objects, known)


def whole_of(parts: Sequence[HalfLinks]) -> LinkKeys:
    """What several looks at open links tell together; links with an end never read are left out."""
    ends = np.concatenate([part.ends for part in parts])
    own = np.concatenate([part.objects for part in parts])
    bins = np.concatenate([part.bins for part in parts])
    width, ndim = bins.shape[1:]
    if not len(own):
        return LinkKeys(own, bins)
    order, first = grouped(packed(np.concatenate([own[:, None], ends], axis=1))[0])
    found = np.maximum.reduceat(bins[order], first, axis=0)
    own = own[order[first]]
    known = (found != _UNKNOWN).all(axis=(1, 2))
    found, own = found[known], own[known]
    rows = np.arange(len(found) * width).reshape(-1, width)
    return keys_of(rows, own, found.reshape(-1, ndim))


def distinct(parts: Sequence[LinkKeys]) -> LinkKeys:
    """Several lists as one, each link once."""
    objects = np.concatenate([part.objects for part in parts])
    bins = np.concatenate([part.bins for part in parts])
    whole = LinkKeys(objects, bins)
    if not len(whole):
        return whole
    order, first = grouped(packed(whole.rows)[0])
    return whole.take(order[first])


def lost_links(expected: LinkKeys, actual: LinkKeys) -> LinkKeys:
    """Links expected that are not there."""
    first, second = packed(expected.rows, actual.rows)
    return expected.take(~np.isin(first, second))


def between_lost(links: LinkKeys, lost: IntArray) -> npt.NDArray[np.bool_]:
    """(M,) bool, whether an end is in one of the bins ``lost`` (n, 1 + D), object and bin."""
    width, ndim = links.bins.shape[1:]
    own = np.repeat(links.objects, width)
    ends = np.concatenate([own[:, None], links.bins.reshape(-1, ndim)], axis=1)
    near, gone = packed(ends, lost)
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

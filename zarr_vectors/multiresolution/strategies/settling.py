"""One vertex for each bin, moved to where it is nearest to as much as can be. Pure.

The mean of a bin is nearest to the vertices of its own bin; some of them are nearer to the mean of
the bin beside it. Here every vertex counts for the nearest, and each mean is taken again, a few
times. No vertex leaves its bin, so that every bin keeps one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zarr_vectors.spatial.bins import cells_along
from zarr_vectors.spatial.ranks import chunk_ranks
from zarr_vectors.typing import FloatArray, IntArray

ROUNDS = 4
"""How often means are taken again."""
_BLOCK = 1 << 17


def settled(
    means: FloatArray,
    positions: FloatArray,
    ranks: IntArray,
    weights: FloatArray | None,
    bin_shape: Sequence[float],
    chunk_shape: Sequence[float],
) -> FloatArray:
    """Places of the vertices of bins, in the dtype of ``means``.

    Vertices of other chunks are not looked at: a chunk comes out the same whatever is beside it.

    Args:
        means: (K, D) mean position of every bin, bins ascending.
        positions: (N, D) float, world units.
        ranks: (N,) int64 bin of every position.
        weights: (N,) level-0 vertices behind every position, or None for one each.
        bin_shape: D floats, world units.
        chunk_shape: D floats, world units.
    """
    edges, count = np.asarray(bin_shape), len(means)
    bins = np.stack([cells_along(means[:, a], edge) for a, edge in enumerate(bin_shape)], axis=1)
    beside = _beside(bins, np.floor((bins + 0.5) * edges / np.asarray(chunk_shape)))
    low = bins * edges
    origin = low.min(axis=0, initial=0.0)
    low = low - origin
    places = np.clip(means.astype(np.float64) - origin, low, low + edges)
    for _ in range(ROUNDS):
        sums, totals = np.zeros_like(places), np.zeros(count)
        for start in range(0, len(positions), _BLOCK):
            part = slice(start, start + _BLOCK)
            own = positions[part].astype(np.float64) - origin
            near = _nearest(own, ranks[part], places, low + edges / 2, beside)
            share = np.ones(len(own)) if weights is None else np.asarray(weights[part], np.float64)
            totals += np.bincount(near, share, minlength=count)
            for axis in range(own.shape[1]):
                sums[:, axis] += np.bincount(near, own[:, axis] * share, minlength=count)
        there = totals > 0  # the others are nearest to nothing, and stay
        places[there] = sums[there] / totals[there, None]
        np.clip(places, low, low + edges, out=places)
    return np.asarray((places + origin).astype(means.dtype))


def _nearest(
    positions: FloatArray,
    ranks: IntArray,
    places: FloatArray,
    middles: FloatArray,
    beside: npt.NDArray[np.int32],
) -> IntArray:
    """(n,) int64 nearest of the places of a position's bin and of those on its side of it."""
    ndim = positions.shape[1]
    side = np.where(positions >= middles[ranks], 2, 0)
    powers = 3 ** np.arange(ndim)
    best = ranks.astype(np.int64)
    least = _squares(positions, places[best])
    for chosen in itertools.product((False, True), repeat=ndim):
        if not any(chosen):
            continue
        other = beside[ranks, np.where(chosen, side, 1) @ powers]
        away = _squares(positions, places[other])
        better = (other >= 0) & (away < least)
        best[better], least[better] = other[better], away[better]
    return best


def _squares(first: FloatArray, second: FloatArray) -> FloatArray:
    apart = first - second
    return np.asarray(np.einsum("ni,ni->n", apart, apart))


def _beside(bins: IntArray, chunks: FloatArray) -> npt.NDArray[np.int32]:
    """(K, 3 ** D) bins around every bin that are in its chunk, -1 for none."""
    count, ndim = bins.shape
    found = np.full((count, 3**ndim), -1, np.int32)  # a tile has fewer than 2 ** 31
    powers = 3 ** np.arange(ndim)
    order = np.lexsort(bins.T[::-1])
    known = bins[order]
    for steps in itertools.product((-1, 0, 1), repeat=ndim):
        if not any(steps):
            continue
        at = chunk_ranks(bins + np.array(steps), known)
        rows = np.where(at >= 0, order[at], -1)
        same = (chunks[rows] == chunks).all(axis=1)
        found[:, (np.array(steps) + 1) @ powers] = np.where((at >= 0) & same, rows, -1)
    return found

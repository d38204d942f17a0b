"""How closely the vertices of a level lie: what a viewer needs to choose levels and sizes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final

import numpy as np

from zarr_vectors.typing import FloatArray, IntArray
from zarr_vectors.writing.route import cell_ranks

DENSITY_KEY: Final = "zarr_vectors_density"
"""Level group attribute that holds a level's density."""


def density_of(
    positions: FloatArray, bin_shape: Sequence[float], links: IntArray | None = None
) -> dict[str, Any]:
    """The density of a level, as stored.

    Args:
        positions: (N, D) float, world units.
        bin_shape: D floats, the level's bins, world units.
        links: (M, 2) int64 rows that are joined, or None for points.

    Returns:
        ``version``; ``occupied_bins``, the bins that hold a vertex; ``vertices_per_bin``, their
        mean number; ``spacing``, world units: the mean length of links, or where there are none
        the edge of the cube (of D axes) that each vertex has of the occupied bins to itself.
    """
    bins, _ = cell_ranks(positions, bin_shape)
    found = density_of_bins(len(positions), bins, bin_shape)
    if links is not None and len(links):
        ends = positions[links].astype(np.float64)
        sizes = np.sqrt(((ends[:, 1] - ends[:, 0]) ** 2).sum(axis=1))
        found["spacing"] = float(sizes.mean())
    return found


def density_of_bins(count: int, bins: int, bin_shape: Sequence[float]) -> dict[str, Any]:
    """The density of points, as :func:`density_of` has it.

    Args:
        count: Vertices.
        bins: Bins that hold one.
        bin_shape: D floats, the level's bins, world units.
    """
    volume = bins * prod(bin_shape)
    return {
        "version": 1,
        "occupied_bins": bins,
        "vertices_per_bin": count / bins if bins else 0.0,
        "spacing": (volume / count) ** (1 / len(bin_shape)) if count else 0.0,
    }

"""How closely the vertices of a level lie: what a viewer needs to choose levels and sizes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final

DENSITY_KEY: Final = "zarr_vectors_density"
"""Level group attribute that holds a level's density."""


def density_of_bins(
    count: int, bins: int, bin_shape: Sequence[float], length: float | None = None
) -> dict[str, Any]:
    """The density of a level, as stored.

    Args:
        count: Vertices.
        bins: Bins that hold one.
        bin_shape: D floats, the level's bins, world units.
        length: Mean length of links, world units, or None where there are none.

    Returns:
        ``version``; ``occupied_bins``, the bins that hold a vertex; ``vertices_per_bin``, their
        mean number; ``spacing``, world units: the mean length of links, or where there are none
        the edge of the cube (of D axes) that each vertex has of the occupied bins to itself.
    """
    volume = bins * prod(bin_shape)
    spacing = (volume / count) ** (1 / len(bin_shape)) if count else 0.0
    return {
        "version": 1,
        "occupied_bins": bins,
        "vertices_per_bin": count / bins if bins else 0.0,
        "spacing": spacing if length is None else length,
    }

"""Small stores, one call each; the same bytes from the same arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zarr_vectors.constants import DEFAULT_VERSION
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.points import write_points
from zarr_vectors.typing import AnyArray, FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class Cloud:
    """A point cloud in memory.

    Attributes:
        positions: (N, D) float64, world units.
        attributes: name -> (N,) or (N, C); numbers of several dtypes, and strings.
    """

    positions: FloatArray
    attributes: Mapping[str, AnyArray]


def cloud(
    count: int = 50, ndim: int = 3, *, low: float = -50.0, high: float = 50.0, seed: int = 0
) -> Cloud:
    """Uniform positions; attributes ``row`` (int32, input row), ``value``, ``rgb``, ``kind``."""
    rng = np.random.default_rng(seed)
    kinds = np.array(["astrocyte", "glia", "neuron"])
    return Cloud(
        rng.uniform(low, high, (count, ndim)),
        {
            "row": np.arange(count, dtype=np.int32),
            "value": rng.standard_normal(count).astype(np.float32),
            "rgb": rng.integers(0, 256, (count, 3)).astype(np.uint8),
            "kind": kinds[rng.integers(0, len(kinds), count)],
        },
    )


def points_store(
    place: StoreLike,
    data: Cloud | None = None,
    *,
    format_version: str = DEFAULT_VERSION,
    chunk: float = 20.0,
    bins: int = 4,
    levels: int = 1,
    **options: Any,  # noqa: ANN401  passed on to write_points
) -> Cloud:
    """Write a small store of points.

    Args:
        place: Where to.
        data: What to; :func:`cloud` by default.
        format_version: ``0.7.0`` or ``0.9.2``.
        chunk: Edge of a chunk.
        bins: Bins per chunk along each axis.
        levels: Levels in all.
        options: Passed on to :func:`~zarr_vectors.types.points.write_points`.

    Returns:
        What was written.
    """
    data = cloud() if data is None else data
    ndim = data.positions.shape[1]
    write_points(
        place,
        data.positions,
        chunk_shape=(chunk,) * ndim,
        bin_shape=(chunk / bins,) * ndim,
        vertex_attributes=dict(data.attributes),
        format_version=format_version,
        **options,
    )
    if levels > 1:
        steps = [(2.0, 1.0)] * (levels - 1)
        build_pyramid(place, factors=steps, cross_level_storage="none")
    return data


def empty_store(place: StoreLike, *, format_version: str = DEFAULT_VERSION, ndim: int = 3) -> None:
    """Write a store of no points that still has bounds, chunks and an attribute."""
    write_points(
        place,
        np.zeros((0, ndim)),
        chunk_shape=(10.0,) * ndim,
        bounds=([0.0] * ndim, [100.0] * ndim),
        vertex_attributes={"value": np.zeros(0, np.float32)},
        format_version=format_version,
    )

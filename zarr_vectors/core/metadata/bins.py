"""Bin shapes of levels and their ratios."""

from __future__ import annotations

from collections.abc import Sequence

from zarr_vectors.exceptions import ChunkingError, MetadataError
from zarr_vectors.spatial.bins import bins_per_chunk


def compute_bin_shape(
    base_bin_shape: Sequence[float], bin_ratio: Sequence[float]
) -> tuple[float, ...]:
    """Bin shape of a level whose bins are ``bin_ratio`` times the base bins."""
    return tuple(float(b) * float(r) for b, r in zip(base_bin_shape, bin_ratio, strict=True))


def compute_bin_ratio(
    base_bin_shape: Sequence[float], level_bin_shape: Sequence[float]
) -> tuple[float, ...]:
    """How many base bins a level's bin spans along each axis."""
    return tuple(float(b) / float(a) for a, b in zip(base_bin_shape, level_bin_shape, strict=True))


def validate_bin_shape_divides_chunk(
    chunk_shape: Sequence[float], bin_shape: Sequence[float]
) -> None:
    """Check that chunks hold a whole number of bins.

    Raises:
        MetadataError: They do not.
    """
    try:
        bins_per_chunk(chunk_shape, bin_shape)
    except ChunkingError as error:
        raise MetadataError(str(error)) from error

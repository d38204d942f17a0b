"""The NGFF ``multiscales`` block of a store: axes, and the only record of levels' bins."""

from __future__ import annotations

from collections.abc import Sequence

from zarr_vectors.constants import MULTISCALES_KEY
from zarr_vectors.core.group import Group
from zarr_vectors.core.metadata.bins import compute_bin_ratio
from zarr_vectors.core.metadata.multiscales import LevelTransform, transforms_of, with_transform

__all__ = [
    "LevelTransform",
    "compute_bin_ratio",
    "read_level_transform",
    "transforms_of",
    "upsert_level_transform",
    "with_transform",
]


def read_level_transform(root: Group, level: int) -> tuple[list[float] | None, list[float] | None]:
    """Scale and translation of a level as stored; None where they are not."""
    found = transforms_of(root.attrs.to_dict()).get(level)
    if found is None:
        return None, None
    half = found.translation
    return list(found.scale), None if half is None else list(half)


def upsert_level_transform(
    root: Group,
    level: int,
    *,
    scale: Sequence[float],
    translation: Sequence[float] | None = None,
) -> None:
    """Write a level's scale and translation, replacing those there."""
    half = None if translation is None else tuple(float(x) for x in translation)
    transform = LevelTransform(tuple(float(x) for x in scale), half)
    attributes = with_transform(root.attrs.to_dict(), level, transform)
    root.attrs.update({MULTISCALES_KEY: attributes[MULTISCALES_KEY]})

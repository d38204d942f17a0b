"""The words the format allows in metadata fields that choose between conventions."""

from __future__ import annotations

from typing import Final

from zarr_vectors.exceptions import MetadataError

GEOMETRY_TYPES: Final = (
    "point_cloud",
    "line",
    "polyline",
    "streamline",
    "skeleton",
    "graph",
    "mesh",
)
LINKS: Final = ("implicit_sequential", "explicit", "implicit_sequential_with_branches")
OBJECT_INDEX: Final = ("standard", "identity")
CROSS_CHUNK: Final = ("explicit_links", "boundary_deduplication", "both")
CROSS_LEVEL_STORAGE: Final = ("none", "implicit", "explicit")


def one_of(value: str, allowed: tuple[str, ...], what: str) -> str:
    """``value``, which must be one of the allowed words.

    Raises:
        MetadataError: It is not.
    """
    if value not in allowed:
        raise MetadataError(f"{what} is {value!r}; it must be one of {', '.join(allowed)}")
    return value

"""The root metadata of a store as a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zarr_vectors.core.metadata import conventions as words
from zarr_vectors.core.metadata.axes import NgffAxis, default_axes, validate_axes
from zarr_vectors.core.metadata.bins import validate_bin_shape_divides_chunk
from zarr_vectors.core.metadata.fields import (
    integer_of,
    items_of,
    mapping_of,
    numbers_of,
    required,
    text_of,
    texts_of,
)
from zarr_vectors.exceptions import MetadataError

BLOCK = "zarr_vectors"
"""Key of the root attributes that hold this metadata."""

Bounds = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class RootMetadata:
    """What a store says of itself; ``from_dict`` takes all root attributes, axes stand beside."""

    axes: tuple[NgffAxis, ...]
    chunk_shape: tuple[float, ...]
    """Level-0 chunk shape, world units."""
    bounds: Bounds
    """(min corner, max corner), both ends inclusive."""
    geometry_types: tuple[str, ...] = ()
    zv_version: str = "0.7.0"
    base_bin_shape: tuple[float, ...] | None = None
    """Level-0 bin shape; None: one bin per chunk."""
    format_capabilities: tuple[str, ...] = ()
    links_convention: str = "implicit_sequential"
    object_index_convention: str = "standard"
    cross_chunk_strategy: str = "explicit_links"
    cross_level_depth: int = 1
    cross_level_storage: str = "explicit"
    reduction_factor: int = 8
    crs: Mapping[str, Any] | None = None

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.chunk_shape)

    @property
    def bin_shape(self) -> tuple[float, ...]:
        """Level-0 bin shape."""
        return self.base_bin_shape or self.chunk_shape

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RootMetadata:
        """Parse root attributes: ``zarr_vectors``, and axes from ``multiscales`` where there.

        Raises:
            MetadataError: A field is missing or wrong.
        """
        attributes = mapping_of(data, "the root attributes")
        block = mapping_of(required(attributes, BLOCK, "the root"), f"root {BLOCK}")
        what = f"root {BLOCK}"
        chunk = numbers_of(required(block, "chunk_shape", what), "chunk_shape", positive=True)
        bins = block.get("base_bin_shape")
        crs = block.get("crs")
        root = cls(
            axes=_axes(attributes, len(chunk)),
            chunk_shape=chunk,
            bounds=_bounds(required(block, "bounds", what), len(chunk)),
            geometry_types=texts_of(required(block, "geometry_types", what), "geometry_types"),
            zv_version=text_of(required(block, "zv_version", what), "zv_version"),
            base_bin_shape=None
            if bins is None
            else numbers_of(bins, "base_bin_shape", count=len(chunk), positive=True),
            format_capabilities=texts_of(
                block.get("format_capabilities") or (), "format_capabilities"
            ),
            links_convention=block.get("links_convention") or "implicit_sequential",
            object_index_convention=block.get("object_index_convention") or "standard",
            cross_chunk_strategy=block.get("cross_chunk_strategy") or "explicit_links",
            cross_level_depth=integer_of(
                block.get("cross_level_depth", 1), "cross_level_depth", least=-1
            ),
            cross_level_storage=block.get("cross_level_storage") or "explicit",
            reduction_factor=integer_of(block.get("reduction_factor", 8), "reduction_factor"),
            crs=None if crs is None else mapping_of(crs, "crs"),
        )
        root.validate()
        return root

    def to_dict(self) -> dict[str, Any]:
        """As stored, under ``zarr_vectors``; axes are written with the multiscales block."""
        block: dict[str, Any] = {
            "zv_version": self.zv_version,
            "format_capabilities": list(self.format_capabilities),
            "chunk_shape": list(self.chunk_shape),
            "bounds": [list(corner) for corner in self.bounds],
            "geometry_types": list(self.geometry_types),
        }
        if self.base_bin_shape is not None and self.base_bin_shape != self.chunk_shape:
            block["base_bin_shape"] = list(self.base_bin_shape)
        block |= {
            "links_convention": self.links_convention,
            "object_index_convention": self.object_index_convention,
            "cross_chunk_strategy": self.cross_chunk_strategy,
            "cross_level_depth": self.cross_level_depth,
            "cross_level_storage": self.cross_level_storage,
            "reduction_factor": self.reduction_factor,
            "crs": None if self.crs is None else dict(self.crs),
        }
        return {BLOCK: block}

    def validate(self) -> None:
        """Check every field against the others.

        Raises:
            MetadataError: One sentence on the first thing wrong.
        """
        ndim = len(self.chunk_shape)
        if len(self.axes) != ndim:
            raise MetadataError(f"{len(self.axes)} axes are named, chunk_shape has {ndim} entries")
        validate_axes(self.axes)
        low, high = self.bounds
        if len(low) != ndim or len(high) != ndim:
            raise MetadataError(f"bounds {self.bounds} must have {ndim} entries in each corner")
        if any(a > b for a, b in zip(low, high, strict=True)):
            raise MetadataError(f"bounds are inverted: min {list(low)}, max {list(high)}")
        if self.base_bin_shape is not None:
            validate_bin_shape_divides_chunk(self.chunk_shape, self.base_bin_shape)
        for kind in self.geometry_types:
            words.one_of(kind, words.GEOMETRY_TYPES, "a geometry type")
        words.one_of(self.links_convention, words.LINKS, "links_convention")
        words.one_of(self.object_index_convention, words.OBJECT_INDEX, "object_index_convention")
        words.one_of(self.cross_chunk_strategy, words.CROSS_CHUNK, "cross_chunk_strategy")
        words.one_of(self.cross_level_storage, words.CROSS_LEVEL_STORAGE, "cross_level_storage")


def _bounds(value: object, ndim: int) -> Bounds:
    corners = items_of(value, "bounds")
    if len(corners) != 2:
        raise MetadataError(f"bounds must be two corners, not {len(corners)}")
    low, high = (numbers_of(corner, "a corner of bounds", count=ndim) for corner in corners)
    return low, high


def _axes(attributes: Mapping[str, Any], ndim: int) -> tuple[NgffAxis, ...]:
    entries = attributes.get("multiscales")
    if not entries:
        return default_axes(ndim)
    first = mapping_of(items_of(entries, "multiscales")[0], "multiscales[0]")
    if "axes" not in first:
        return default_axes(ndim)
    return tuple(NgffAxis.from_dict(axis) for axis in items_of(first["axes"], "multiscales axes"))

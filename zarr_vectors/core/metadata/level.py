"""The metadata of one resolution level as a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zarr_vectors.core.metadata.fields import (
    integer_of,
    items_of,
    mapping_of,
    number_of,
    numbers_of,
    required,
    text_of,
    texts_of,
)
from zarr_vectors.exceptions import MetadataError

BLOCK = "zarr_vectors_level"
"""Key of a level group's attributes that hold this metadata."""


@dataclass(frozen=True, slots=True)
class LevelMetadata:
    """What a level says of itself. Bin shape and ratio are stored in the root's multiscales."""

    level: int
    vertex_count: int = 0
    arrays_present: tuple[str, ...] = ("vertices",)
    bin_shape: tuple[float, ...] | None = None
    bin_ratio: tuple[float, ...] | None = None
    chunk_shape: tuple[float, ...] | None = None
    """None: the root's."""
    object_sparsity: float = 1.0
    coarsening_method: str = "none"
    parent_level: int | None = None
    chunk_dims: tuple[str, ...] | None = None
    chunk_attribute_name: str | None = None
    chunk_attribute_values: tuple[Any, ...] | None = None
    preserves_object_ids: bool = False
    inherited_num_objects: int | None = None
    shared_fragments: bool = False
    fragments_tile: bool = False

    @property
    def chunked_by_attribute(self) -> bool:
        """Whether chunk coordinates lead with a bin: of an attribute, or of what is not named."""
        return self.chunk_attribute_name is not None or self.chunk_dims is not None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LevelMetadata:
        """Parse a level group's attributes.

        Raises:
            MetadataError: A field is missing or wrong.
        """
        block = mapping_of(required(data, BLOCK, "the level"), BLOCK)
        number = integer_of(required(block, "level", BLOCK), "level", least=0)
        what = f"level {number}"
        parent, inherited = block.get("parent_level"), block.get("inherited_num_objects")
        dims, name = block.get("chunk_dims"), block.get("chunk_attribute_name")
        values = block.get("chunk_attribute_values")
        level = cls(
            level=number,
            vertex_count=integer_of(
                required(block, "vertex_count", what), f"vertex_count of {what}", least=0
            ),
            arrays_present=texts_of(block.get("arrays_present") or (), "arrays_present"),
            bin_shape=_shape(block.get("bin_shape", block.get("bin_size")), "bin_shape"),
            bin_ratio=_shape(block.get("bin_ratio"), "bin_ratio"),
            chunk_shape=_shape(block.get("chunk_shape"), "chunk_shape"),
            object_sparsity=number_of(block.get("object_sparsity", 1.0), "object_sparsity"),
            coarsening_method=text_of(block.get("coarsening_method", "none"), "coarsening_method"),
            parent_level=None if parent is None else integer_of(parent, "parent_level", least=0),
            chunk_dims=None if dims is None else texts_of(dims, "chunk_dims"),
            chunk_attribute_name=None if name is None else text_of(name, "chunk_attribute_name"),
            chunk_attribute_values=None
            if values is None
            else tuple(items_of(values, "chunk_attribute_values")),
            preserves_object_ids=bool(block.get("preserves_object_ids", False)),
            inherited_num_objects=None
            if inherited is None
            else integer_of(inherited, "inherited_num_objects", least=0),
            shared_fragments=bool(block.get("shared_fragments", False)),
            fragments_tile=bool(block.get("fragments_tile", False)),
        )
        level.validate()
        return level

    def to_dict(self) -> dict[str, Any]:
        """As stored; fields that say nothing are left out."""
        block: dict[str, Any] = {
            "level": self.level,
            "object_sparsity": self.object_sparsity,
            "vertex_count": self.vertex_count,
            "coarsening_method": self.coarsening_method,
            "parent_level": self.parent_level,
            "arrays_present": list(self.arrays_present),
        }
        if self.chunk_shape is not None:
            block["chunk_shape"] = list(self.chunk_shape)
        if self.chunk_attribute_name is not None:
            block["chunk_dims"] = list(self.chunk_dims or ())
            block["chunk_attribute_name"] = self.chunk_attribute_name
            block["chunk_attribute_values"] = list(self.chunk_attribute_values or ())
        if self.inherited_num_objects is not None:
            block["inherited_num_objects"] = self.inherited_num_objects
        for flag in ("preserves_object_ids", "shared_fragments", "fragments_tile"):
            if getattr(self, flag):
                block[flag] = True
        return {BLOCK: block}

    def validate(self) -> None:
        """Check the fields against each other.

        Raises:
            MetadataError: One sentence on the first thing wrong.
        """
        what = f"level {self.level}"
        if not 0 < self.object_sparsity <= 1:
            raise MetadataError(f"object_sparsity of {what} must be in (0, 1]")
        if self.preserves_object_ids and self.inherited_num_objects is None:
            raise MetadataError(f"{what} preserves object ids and lacks inherited_num_objects")
        if self.chunk_attribute_name is not None and self.chunk_attribute_values is None:
            raise MetadataError(
                f"{what} is chunked by {self.chunk_attribute_name!r} and lacks its values"
            )


def _shape(value: object, what: str) -> tuple[float, ...] | None:
    return None if value is None else numbers_of(value, what, positive=True)

"""What a level holds, gathered once from metadata so that reads need none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from zarr_vectors.constants import (
    CHUNK_ATTRIBUTE_KEY,
    VERTEX_ATTRIBUTES,
    VERTEX_FRAGMENTS,
    VERTICES,
)
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.metadata import (
    AttributeSpec,
    ChunkTable,
    LevelError,
    LevelMetadata,
    RootMetadata,
    VertexSpec,
)
from zarr_vectors.core.metadata.array import dtype_of
from zarr_vectors.core.paths import check_name
from zarr_vectors.core.root_meta import LevelDocument, parse_attributes
from zarr_vectors.encoding.categorical import code_dtype
from zarr_vectors.exceptions import ConventionError, MetadataError, StoreError
from zarr_vectors.typing import AnyArray

ENCODINGS = ("raw", "draco")
"""Encodings of vertices that can be read; draco only in 3-D."""


@dataclass(frozen=True, eq=False, slots=True)
class LevelArrays:
    """The arrays of one level: element types, chunks and where they are."""

    url: str
    path: str
    """The level's path, e.g. ``0``."""
    ndim: int
    meta: LevelMetadata
    chunk_shape: tuple[float, ...]
    vertices: VertexSpec
    attributes: dict[str, AttributeSpec]
    table: ChunkTable
    error: LevelError | None = None
    lead_values: AnyArray | None = None
    """(B,) value of every attribute bin of an attribute-chunked level; codes of strings."""

    local: bool = False
    """The level is on a disk, where a batch of requests is no faster than one after the other."""

    find: Callable[[str], AttributeSpec | None] | None = None
    """Looks for an attribute that no record names, where the level was not listed: another program
    may have added it."""

    @property
    def rank(self) -> int:
        """Components of a chunk coordinate."""
        return self.ndim + self.meta.chunked_by_attribute

    @property
    def lead_name(self) -> str | None:
        """The attribute the level is chunked by: known from the chunk, stored nowhere else."""
        return self.meta.chunk_attribute_name

    @property
    def vertices_path(self) -> str:
        """Logical path of the positions."""
        return f"{self.path}/{VERTICES}"

    @property
    def fragments_path(self) -> str:
        """Logical path of the fragment tables."""
        return f"{self.path}/{VERTEX_FRAGMENTS}"

    def attribute_path(self, name: str) -> str:
        """Logical path of an attribute."""
        return f"{self.path}/{VERTEX_ATTRIBUTES}/{name}"

    def attribute(self, name: str) -> AttributeSpec:
        """The attribute ``name``.

        Raises:
            StoreError: The level does not hold it.
        """
        spec = self.attributes.get(name)
        if spec is None and self.find is not None:
            spec = self.find(name)
            if spec is not None:
                self.attributes[name] = spec
        if spec is None:
            known = ", ".join(map(repr, self.attributes)) or "none"
            raise StoreError(
                f"level {self.path} of {self.url} has no attribute {name!r}; it has {known}"
            )
        return spec


def describe_level(
    layout: Layout,
    root: RootMetadata,
    document: LevelDocument,
    attributes: Iterable[str] | None = None,
) -> LevelArrays:
    """Read the metadata of a level's arrays in one batch; list chunks where none are recorded.

    Args:
        layout: Where the level is.
        root: The store's metadata.
        document: The level group's attributes; those the root records are compared with the
            level's own, which are taken where they differ.
        attributes: The only attributes that are needed, where each costs a request; others are
            looked for when they are asked for.

    Raises:
        MetadataError: An array's metadata is damaged.
        ConventionError: Vertices are encoded in a way points are not.
    """
    meta = document.meta
    path = str(meta.level)
    rank = root.ndim + meta.chunked_by_attribute
    trusted = _recorded_table(document, rank) is not None and not document.doubtful
    names = _attribute_names(layout, meta, trusted=trusted)
    if attributes is not None and trusted and layout.backend.local_path is None:
        needed = set(attributes) - {meta.chunk_attribute_name}
        names = sorted(needed) if needed.issubset(names) else names
    own = [path] if document.recorded else []
    paths = [f"{path}/{VERTEX_ATTRIBUTES}/{name}" for name in names]
    metas = layout.array_metas([*own, f"{path}/{VERTICES}", *paths])
    if document.recorded:
        own_attributes = metas.pop(path, {})
        if own_attributes != document.attributes:
            layout.recorded = layout.recorded.without(path)
            return describe_level(layout, root, changed_level(document, own_attributes))
    arrays = _described(layout, root, document, metas)
    if trusted and layout.backend.local_path is None:
        return replace(arrays, find=partial(_find, layout, path))
    return arrays


def _find(layout: Layout, path: str, name: str) -> AttributeSpec | None:
    where = f"{path}/{VERTEX_ATTRIBUTES}/{check_name(name, 'attribute name')}"
    meta = layout.array_metas([where]).get(where)
    return None if meta is None else AttributeSpec.from_meta(name, meta)


def describe_recorded(
    layout: Layout, root: RootMetadata, document: LevelDocument
) -> LevelArrays | None:
    """What the root records of a level's arrays, without a request; None where it does not.

    Raises:
        MetadataError: The record is damaged.
    """
    rank = root.ndim + document.meta.chunked_by_attribute
    if document.arrays is None or _recorded_table(document, rank) is None:
        return None
    path = str(document.meta.level)
    metas = {f"{path}/{name}": dict(meta) for name, meta in document.arrays.items()}
    return _described(layout, root, document, metas)


def changed_level(document: LevelDocument, attributes: Mapping[str, Any]) -> LevelDocument:
    """A level whose own attributes are not those the root records."""
    number, bins = document.meta.level, document.meta.bin_shape
    level = parse_attributes(number, attributes)
    meta = replace(level.meta, bin_shape=bins, bin_ratio=document.meta.bin_ratio)
    return replace(level, meta=meta, doubtful=True)


def _described(
    layout: Layout,
    root: RootMetadata,
    document: LevelDocument,
    metas: Mapping[str, Mapping[str, Any]],
) -> LevelArrays:
    meta, url = document.meta, layout.backend.url
    path = str(meta.level)
    rank = root.ndim + meta.chunked_by_attribute
    table = _recorded_table(document, rank)
    family = f"{path}/{VERTEX_ATTRIBUTES}/"
    paths = {where.removeprefix(family): where for where in metas if where.startswith(family)}
    vertices = VertexSpec.from_meta(metas.get(f"{path}/{VERTICES}", {}))
    if vertices.encoding not in ENCODINGS or (vertices.encoding != "raw" and root.ndim != 3):
        raise ConventionError(
            f"vertices of level {path} in {url} are {root.ndim}-D and encoded as "
            f"{vertices.encoding[:60]!r}, which is not known here"
        )
    specs = {
        name: AttributeSpec.from_meta(name, metas[where]) for name, where in sorted(paths.items())
    }
    lead, lead_spec = _lead(meta, document.attributes)
    if lead_spec is not None:
        specs[lead_spec.name] = lead_spec
    if table is None:
        cells = layout.list_cells(f"{path}/{VERTICES}")
        if not set(map(len, cells)) <= {rank}:
            wrong = next(cell for cell in cells if len(cell) != rank)
            raise MetadataError(
                f"level {path} of {url} has chunk {wrong}, expected {rank} components"
            )
        table = ChunkTable.estimated(cells, rank, meta.vertex_count)
    return LevelArrays(
        url=url,
        path=path,
        ndim=root.ndim,
        meta=meta,
        chunk_shape=meta.chunk_shape or root.chunk_shape,
        vertices=vertices,
        attributes=specs,
        table=table,
        local=layout.backend.local_path is not None,
        error=document.error,
        lead_values=lead,
    )


def _recorded_table(document: LevelDocument, rank: int) -> ChunkTable | None:
    """The stored table where it speaks of the level as it is now."""
    table = document.table
    if table is None or table.coords.shape[1] != rank:
        return None
    return table if int(table.counts.sum()) == document.meta.vertex_count else None


def _attribute_names(layout: Layout, meta: LevelMetadata, *, trusted: bool) -> list[str]:
    """Attributes by the root's record; by listing on a disk, and where there is no record."""
    family = f"{meta.level}/{VERTEX_ATTRIBUTES}"
    known = layout.recorded.names(family) if trusted else None
    if known is not None:
        return known
    try:
        return layout.array_names(family)
    except StoreError:
        start = f"{VERTEX_ATTRIBUTES}/"
        present = [name for name in meta.arrays_present if name.startswith(start)]
        if present or trusted:
            return sorted(name.removeprefix(start) for name in present)
        raise


def _lead(
    meta: LevelMetadata, attributes: Mapping[str, Any]
) -> tuple[AnyArray | None, AttributeSpec | None]:
    """Values of the attribute bins, and the attribute as if it were stored."""
    name, values = meta.chunk_attribute_name, meta.chunk_attribute_values
    if name is None or values is None:
        return None, None
    if all(isinstance(value, str) for value in values):
        dtype = code_dtype(len(values))
        codes = np.arange(len(values)).astype(dtype)
        return codes, AttributeSpec(name, dtype, categories=values)
    record = attributes.get(LEAD_KEY)
    try:
        numbers = np.asarray(values)
    except ValueError:  # lists among the values
        numbers = np.zeros((0, 0))
    if numbers.dtype.kind not in "biuf" or numbers.ndim != 1:
        raise MetadataError(f"level {meta.level} is chunked by {name!r} into bins of no one type")
    if isinstance(record, Mapping):
        dtype = dtype_of(record.get("dtype"), f"attribute {name!r}")
        with np.errstate(invalid="ignore", over="ignore"):
            stored = numbers.astype(dtype)
        if dtype.kind in "iu" and not np.array_equal(stored, numbers):
            raise MetadataError(
                f"level {meta.level} is chunked by {name!r} into bins that are no {dtype.name}"
            )
        numbers = stored
    return numbers, AttributeSpec(name, numbers.dtype)


LEAD_KEY = CHUNK_ATTRIBUTE_KEY
"""Level attribute of ours with the dtype of the attribute a level is chunked by."""

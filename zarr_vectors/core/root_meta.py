"""Attribute documents of the root and of levels <-> frozen metadata: one batch for all levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from zarr_vectors.constants import (
    CHUNKS_KEY,
    ERROR_KEY,
    KNOWN_VERSIONS,
    MULTISCALES_KEY,
    NODE,
    ROOT_KEY,
    VERSION_09,
)
from zarr_vectors.core.backends import StorageBackend
from zarr_vectors.core.documents import attributes_of, parse_document
from zarr_vectors.core.layouts.recorded import LevelNames
from zarr_vectors.core.metadata import ChunkTable, LevelError, LevelMetadata, RootMetadata
from zarr_vectors.core.metadata.multiscales import (
    LevelTransform,
    new_block,
    transforms_of,
    with_transform,
)
from zarr_vectors.core.metadata.tables import TABLE_VERSION
from zarr_vectors.exceptions import MetadataError, StoreError


@dataclass(frozen=True, eq=False)
class RootDocument:
    """The root group's attributes, raw and parsed."""

    attributes: Mapping[str, Any]
    meta: RootMetadata

    @cached_property
    def transforms(self) -> dict[int, LevelTransform]:
        """What the root says of the bins of levels.

        Raises:
            MetadataError: An entry is not what it must be.
        """
        return transforms_of(self.attributes)


@dataclass(frozen=True, eq=False, slots=True)
class LevelDocument:
    """A level group's attributes, raw and parsed, with the bins its root records."""

    meta: LevelMetadata
    attributes: Mapping[str, Any] = field(default_factory=dict)
    table: ChunkTable | None = None
    error: LevelError | None = None
    arrays: Mapping[str, Mapping[str, Any]] | None = None
    """Metadata of ``vertices`` and ``vertex_attributes/<name>`` as the root records it."""
    names: LevelNames | None = None
    """Names below the level as the root records them."""
    recorded: bool = False
    """The attributes are those the root records; the level's own were not read."""
    doubtful: bool = False
    """The root's record says otherwise: another program changed the level."""

    @property
    def unchanged(self) -> bool:
        """The attributes say what the other fields say."""
        block = self.meta.to_dict()
        return all(self.attributes.get(key) == value for key, value in block.items())


def read_root(backend: StorageBackend) -> RootDocument:
    """The root's metadata.

    Raises:
        StoreError: Nothing there, not a Zarr Vectors store, or of an unknown version.
        MetadataError: Damaged metadata.
    """
    return parse_root(backend.get_many([NODE]).get(NODE), backend.url)


def parse_root(data: bytes | None, url: str) -> RootDocument:
    """The root's metadata from its document.

    Raises:
        StoreError: Nothing there, not a Zarr Vectors store, or of an unknown version.
        MetadataError: Damaged metadata.
    """
    if data is None:
        raise StoreError(f"{url} is not a Zarr Vectors store: it has no {NODE}")
    where = f"{NODE} of {url}"
    attributes = attributes_of(parse_document(data, where), where)
    if ROOT_KEY not in attributes:
        raise StoreError(f"{url} is a Zarr group, but not a Zarr Vectors store")
    try:
        meta = RootMetadata.from_dict(attributes)
    except MetadataError as error:
        raise MetadataError(f"{url}: {error}") from error
    return RootDocument(attributes, meta)


def parse_level(
    root: RootDocument, number: int, attributes: Mapping[str, Any], url: str
) -> LevelDocument:
    """A level's attributes parsed, bins filled in from the root.

    Raises:
        MetadataError: Damaged, or not this level's.
    """
    try:
        return _parsed(root, number, attributes)
    except MetadataError as problem:
        raise MetadataError(f"level {number} of {url}: {problem}") from problem


def _parsed(root: RootDocument, number: int, attributes: Mapping[str, Any]) -> LevelDocument:
    meta = _level_meta(number, attributes)
    shape = meta.chunk_shape
    if shape is not None and len(shape) != root.meta.ndim:
        raise MetadataError(f"its chunk_shape has {len(shape)} entries")
    return _document(with_bins(meta, root), attributes)


def parse_attributes(number: int, attributes: Mapping[str, Any]) -> LevelDocument:
    """A level's attributes parsed, without the bins that only the root records.

    Raises:
        MetadataError: Damaged, or not this level's.
    """
    return _document(_level_meta(number, attributes), attributes)


def _level_meta(number: int, attributes: Mapping[str, Any]) -> LevelMetadata:
    meta = LevelMetadata.from_dict(attributes)
    if meta.level != number:
        raise MetadataError(f"it says that it is level {meta.level}")
    return meta


def _document(meta: LevelMetadata, attributes: Mapping[str, Any]) -> LevelDocument:
    error = attributes.get(ERROR_KEY)
    return LevelDocument(
        meta,
        attributes,
        _table(attributes.get(CHUNKS_KEY)),
        None if error is None else LevelError.from_dict(error),
    )


def with_bins(meta: LevelMetadata, root: RootDocument) -> LevelMetadata:
    """Level metadata with bin shape and ratio as the root records them."""
    transform = root.transforms.get(meta.level)
    if transform is None:
        return meta
    bins = transform.bin_shape or meta.bin_shape
    if bins is None and meta.level == 0:
        bins = root.meta.bin_shape
    return replace(meta, bin_shape=bins, bin_ratio=transform.scale)


def root_attributes(meta: RootMetadata, name: str) -> dict[str, Any]:
    """Attributes of a new root: metadata, axes, and level 0's bins."""
    attributes: dict[str, Any] = {**meta.to_dict(), MULTISCALES_KEY: new_block(meta.axes)}
    half = tuple(edge / 2 for edge in meta.bin_shape)
    attributes = with_transform(attributes, 0, LevelTransform((1.0,) * meta.ndim, half))
    return with_collection(attributes, meta, name, [0])


def with_collection(
    attributes: Mapping[str, Any], meta: RootMetadata, name: str, levels: Iterable[int]
) -> dict[str, Any]:
    """Root attributes with the informative ``ome`` block that 0.9 stores carry."""
    if meta.zv_version != VERSION_09:
        return dict(attributes)
    axes = [axis.to_dict() for axis in meta.axes]
    scene = {
        "coordinateSystems": [{"name": "world", "axes": axes}],
        "coordinateTransformations": [],
    }
    nodes = [{"type": "zv:level", "name": str(level)} for level in sorted(levels)]
    ome = {
        "version": "0.6",
        "type": "collection",
        "name": store_name(name),
        "attributes": {"scene": scene},
        "nodes": nodes,
    }
    return {**attributes, "ome": ome}


def store_name(url: str) -> str:
    """Last segment of an address without the endings stores carry."""
    name = url.rstrip("/").rsplit("/", 1)[-1]
    for ending in (".zarrvectors", ".zv", ".zarr"):
        name = name.removesuffix(ending)
    return name


def level_attributes(
    meta: LevelMetadata,
    table: ChunkTable | None = None,
    error: LevelError | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Attributes of a level group."""
    attributes: dict[str, Any] = {**meta.to_dict(), **(extra or {})}
    packed = None if table is None else table.to_dict()
    if packed is not None:
        attributes[CHUNKS_KEY] = packed
    if error is not None:
        attributes[ERROR_KEY] = error.to_dict()
    return attributes


def check_version(version: str, url: str) -> str:
    """The version, which must be one this library knows.

    Raises:
        StoreError: It is not.
    """
    if version not in KNOWN_VERSIONS:
        raise StoreError(
            f"{url} has the format version {version!r}; known are {', '.join(KNOWN_VERSIONS)}"
        )
    return version


def _table(data: object) -> ChunkTable | None:
    """The chunk table, where there is one of a version known here."""
    if not isinstance(data, Mapping) or data.get("version") != TABLE_VERSION:
        return None
    return ChunkTable.from_dict(data)

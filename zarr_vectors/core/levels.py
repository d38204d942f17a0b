"""Creating, reading, listing and removing the resolution levels of a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zarr_vectors.constants import LEVEL_KEY, STALE_KEY
from zarr_vectors.core.group import Group
from zarr_vectors.core.handle import StoreHandle, finish, handle_at
from zarr_vectors.core.metadata import LevelMetadata, RootMetadata, compute_bin_shape
from zarr_vectors.core.metadata.multiscales import LevelTransform, with_transform
from zarr_vectors.core.root_meta import LevelDocument, RootDocument
from zarr_vectors.exceptions import MetadataError, StoreError


def read_root_metadata(root: Group) -> RootMetadata:
    """Metadata of the store."""
    return handle_at(root.layout).meta


def read_level_metadata(root: Group, level: int) -> LevelMetadata:
    """Metadata of a level, bins filled in.

    Raises:
        StoreError: There is no such level.
    """
    return handle_at(root.layout).level(level).meta


def list_resolution_levels(root: Group) -> list[int]:
    """Level numbers, ascending."""
    return sorted(handle_at(root.layout).levels)


def get_resolution_level(root: Group, level: int) -> Group:
    """The group of a level.

    Raises:
        StoreError: There is no such level.
    """
    path = str(level)
    attributes = root.layout.get_attrs([path]).get(path, {}) if level >= 0 else {}
    if LEVEL_KEY not in attributes:
        handle_at(root.layout).level(level)
    return root.child(path)


def create_resolution_level(root: Group, level: int, level_metadata: LevelMetadata) -> Group:
    """Make the group of a level with its metadata.

    Raises:
        StoreError: The level is there already.
        MetadataError: The metadata is another level's.
    """
    handle = handle_at(root.layout)
    if level_metadata.level != level:
        raise MetadataError(
            f"the metadata is of level {level_metadata.level}, the level to make is {level}"
        )
    _put_level(handle, level_metadata)
    return root[str(level)]


def add_resolution_level(
    root: Group,
    level_index: int,
    bin_ratio: Sequence[float],
    *,
    object_sparsity: float = 1.0,
    coarsening_method: str = "manual",
    parent_level: int | None = None,
) -> Group:
    """Make an empty level whose bins are ``bin_ratio`` times the base bins.

    Raises:
        StoreError: The level is there already.
        MetadataError: Wrong ratio or sparsity.
    """
    handle = handle_at(root.layout)
    if len(bin_ratio) != handle.meta.ndim or not all(ratio > 0 for ratio in bin_ratio):
        raise MetadataError(
            f"bin_ratio must be {handle.meta.ndim} positive numbers, not {bin_ratio}"
        )
    meta = LevelMetadata(
        level=level_index,
        arrays_present=(),
        bin_shape=compute_bin_shape(handle.meta.bin_shape, bin_ratio),
        bin_ratio=tuple(float(ratio) for ratio in bin_ratio),
        object_sparsity=object_sparsity,
        coarsening_method=coarsening_method,
        parent_level=max(level_index - 1, 0) if parent_level is None else parent_level,
    )
    meta.validate()
    _put_level(handle, meta)
    return root[str(level_index)]


def remove_resolution_level(root: Group, level_index: int) -> None:
    """Remove a level and everything in it.

    Raises:
        StoreError: There is no such level, or it is level 0.
    """
    if level_index == 0:
        raise StoreError("level 0 cannot be removed: it is what the store holds")
    with handle_at(root.layout).transaction(f"remove level {level_index}") as writing:
        writing.level(level_index)
        rest = {number: level for number, level in writing.levels.items() if number != level_index}
        attributes = with_transform(writing.root.attributes, level_index, None)
        # the record goes first: a reader never meets a level that is half gone
        finish(replace(writing, root=RootDocument(attributes, writing.meta), levels=rest))
        writing.remove_at_commit(str(level_index))


def list_available_ratios(root: Group) -> list[tuple[float, ...]]:
    """Bin ratio of every level to level 0, in ascending level."""
    handle = handle_at(root.layout)
    one = (1.0,) * handle.meta.ndim
    return [level.meta.bin_ratio or one for _, level in sorted(handle.levels.items())]


def outdate(handle: StoreHandle, level: int, reason: str) -> tuple[StoreHandle, list[int]]:
    """Say of every level made from a level that it no longer describes it.

    Args:
        handle: The store, in a transaction whose end writes the levels' documents.
        level: The level that changed.
        reason: What was done to it, a sentence.

    Returns:
        The store with the levels marked, and their numbers.
    """
    outdated: list[int] = []
    for number, document in sorted(handle.levels.items()):
        parent = document.meta.parent_level
        if number != level and parent is not None and parent in {level, *outdated}:
            attributes = {**document.attributes, STALE_KEY: reason}
            handle = handle.with_level(replace(document, attributes=attributes))
            outdated.append(number)
    return handle, outdated


def stale(document: LevelDocument) -> str | None:
    """Why a level no longer describes the level it was made from; None where it does."""
    found = document.attributes.get(STALE_KEY)
    return None if found is None else str(found)


def _put_level(handle: StoreHandle, meta: LevelMetadata) -> None:
    with handle.transaction(f"add level {meta.level}", fresh=[str(meta.level)]) as writing:
        if meta.level in writing.levels:
            raise StoreError(f"{handle.backend.url} has a level {meta.level} already")
        base = writing.meta.bin_shape
        bins = meta.bin_shape or base
        ratio = meta.bin_ratio or tuple(a / b for a, b in zip(bins, base, strict=True))
        transform = LevelTransform(tuple(ratio), tuple(edge / 2 for edge in bins))
        attributes = with_transform(writing.root.attributes, meta.level, transform)
        root = RootDocument(attributes, writing.meta)
        finish(writing.with_level(LevelDocument(meta), root), meta.level)

"""An open store: its layout and its metadata, read in as few requests as the place allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from zarr_vectors.core.backends import StorageBackend, StoreLike, open_backend
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.core.metadata import RootMetadata
from zarr_vectors.core.root_meta import (
    LevelDocument,
    RootDocument,
    level_attributes,
    read_levels,
    read_root,
    root_attributes,
    with_collection,
)
from zarr_vectors.exceptions import StoreError


@dataclass(frozen=True, eq=False, slots=True)
class StoreHandle:
    """What every read and write needs: where, how laid out, and what the metadata says."""

    backend: StorageBackend
    layout: Layout
    root: RootDocument
    levels: dict[int, LevelDocument]
    reopen: Callable[[], StoreHandle] | None = None
    """Opens the same place for writing; None where it is open for writing."""

    @property
    def meta(self) -> RootMetadata:
        """The root's metadata."""
        return self.root.meta

    def level(self, number: int) -> LevelDocument:
        """A level's metadata.

        Raises:
            StoreError: There is no such level.
        """
        found = self.levels.get(number)
        if found is None:
            known = ", ".join(map(str, sorted(self.levels))) or "none"
            raise StoreError(f"{self.backend.url} has no level {number}; it has {known}")
        return found

    def for_writing(self) -> StoreHandle:
        """The same store open for writing.

        Raises:
            StoreError: It cannot be written to.
        """
        return self if self.reopen is None else self.reopen()

    def with_level(self, document: LevelDocument, root: RootDocument | None = None) -> StoreHandle:
        """The same store with a level added or replaced."""
        levels = {**self.levels, document.meta.level: document}
        return replace(self, root=root or self.root, levels=dict(sorted(levels.items())))


def open_handle(
    place: StoreLike,
    mode: str = "r",
    *,
    backend: str | None = None,
    **options: Any,  # noqa: ANN401  each backend has options of its own
) -> StoreHandle:
    """Open a store.

    Raises:
        StoreError: Missing, not a Zarr Vectors store, of an unknown version, or not writable.
        MetadataError: Damaged metadata.
    """
    opened = open_backend(place, mode=mode, backend=backend, **options)
    if mode != "r" and opened.read_only:
        raise StoreError(f"{opened.url} cannot be written to")
    root = read_root(opened)
    layout = layout_for(root.meta.zv_version, opened)
    reopen = None
    if mode == "r":
        reopen = partial(open_handle, place, "r+", backend=backend, **options)
    return StoreHandle(opened, layout, root, read_levels(layout, root), reopen)


def handle_at(layout: Layout) -> StoreHandle:
    """The store a layout is of, its metadata read anew."""
    root = read_root(layout.backend)
    return StoreHandle(layout.backend, layout, root, read_levels(layout, root))


def new_handle(
    place: StoreLike,
    meta: RootMetadata,
    *,
    backend: str | None = None,
    **options: Any,  # noqa: ANN401  each backend has options of its own
) -> StoreHandle:
    """A store to be filled, not yet there for readers: its root is written by :func:`finish`.

    Raises:
        StoreError: Something is there already, or the place cannot be written to.
    """
    place = open_backend(place, mode="a", backend=backend, **options)
    if place.read_only:
        raise StoreError(f"{place.url} cannot be written to")
    if not _is_empty(place):
        raise StoreError(f"{place.url} is not empty: a new store needs an empty place")
    attributes = root_attributes(meta, place.url)
    layout = layout_for(meta.zv_version, place)
    return StoreHandle(place, layout, RootDocument(attributes, meta), {})


def finish(handle: StoreHandle, *changed: int) -> None:
    """Write the metadata of changed levels, then the root: readers see a level when it is whole."""
    documents = {}
    for number in changed:
        level = handle.levels[number]
        documents[str(number)] = {
            **level.attributes,
            **level_attributes(level.meta, level.table, level.error),
        }
    if documents:
        handle.layout.put_attrs(documents)
    root = {**handle.root.attributes, **handle.meta.to_dict()}
    root = with_collection(root, handle.meta, handle.backend.url, handle.levels)
    handle.layout.put_attrs({"": root})


def _is_empty(place: StorageBackend) -> bool:
    """Whether nothing is there; where the place cannot list, whether no group is."""
    try:
        return not place.list_dir("")
    except StoreError:
        return not place.get_many(["zarr.json"])

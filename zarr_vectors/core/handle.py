"""An open store: its layout and its metadata, read in as few requests as the place allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from zarr_vectors.constants import NODE, OUTLINE_KEY
from zarr_vectors.core.backends import StorageBackend, StoreLike, forget_kept, open_backend
from zarr_vectors.core.backends.local import LocalBackend
from zarr_vectors.core.journal import ReadThrough, Writing, check_vacant, transaction
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.core.metadata import RootMetadata
from zarr_vectors.core.opening import first_look, look_past, read_documents, root_look
from zarr_vectors.core.outline import fingerprint, outline_of, recorded_names
from zarr_vectors.core.promised import PromisedNames
from zarr_vectors.core.root_meta import (
    LevelDocument,
    RootDocument,
    level_attributes,
    parse_root,
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

    @contextmanager
    def transaction(self, operation: str, fresh: Iterable[str] = ()) -> Iterator[StoreHandle]:
        """Write such that all of it is there at the end of the block, or none.

        The handle given is the one to write through, its metadata read anew. An exception undoes
        what was written; so does, after a kill, the next one to open the store for writing. Until
        the end of the block everybody else reads the store as it was, and nobody else writes.
        A transaction begun on the handle given is part of this one; to have a function that takes
        a path take part, give it ``handle.backend`` instead of the path.

        Args:
            operation: What is done, in words such as ``"add attribute 'x' to level 0"``.
            fresh: Prefixes below which nothing is yet, such as ``0/vertex_attributes/x`` or ``2``:
                what is written there costs nothing extra. Old bytes of all other keys are saved
                before they change. A prefix that is not empty after all is treated as those are.

        Raises:
            StoreError: Another writer is at work (it says who and since when), or the store is
                open for reading.
        """
        with transaction(self.backend, operation, fresh) as place:
            if place is self.backend and isinstance(place, Writing):
                yield self
                return
            layout = layout_for(self.meta.zv_version, place)
            try:
                yield handle_at(layout)
            finally:
                self.layout.forget()

    def remove_at_commit(self, path: str) -> None:
        """Remove a group or array when the transaction commits, without saving what it holds.

        Outside a transaction it is removed at once.
        """
        if isinstance(self.backend, Writing):
            self.backend.remove_at_commit(path)
            self.layout.promises = None
        else:
            self.layout.delete(path)

    def with_level(self, document: LevelDocument, root: RootDocument | None = None) -> StoreHandle:
        """The same store with a level added or replaced."""
        document = replace(document, arrays=None, names=None, recorded=False)
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
    opened = _open_place(place, mode, backend, options)
    opened, look = look_past(opened, first_look(opened), writing=mode != "r")
    root, levels = read_documents(opened, look)
    layout = layout_for(root.meta.zv_version, opened)
    _tell_names(layout, root, levels)
    reopen = None
    if mode == "r":
        reopen = partial(open_handle, place, "r+", backend=backend, **options)
    return StoreHandle(opened, layout, root, levels, reopen)


def open_root(
    place: StoreLike,
    mode: str = "r",
    *,
    backend: str | None = None,
    **options: Any,  # noqa: ANN401  each backend has options of its own
) -> Layout:
    """Open a store without a look at its levels.

    Raises:
        StoreError: Missing, not a Zarr Vectors store, of an unknown version, or not writable.
        MetadataError: The root's metadata is damaged.
    """
    opened = _open_place(place, mode, backend, options)
    writing = mode != "r"
    opened, look = look_past(opened, root_look(opened), writing=writing, again=root_look)
    return layout_for(parse_root(look.found.get(NODE), opened.url).meta.zv_version, opened)


def handle_at(layout: Layout) -> StoreHandle:
    """The store a layout is of, its metadata read anew."""
    root, levels = read_documents(layout.backend, first_look(layout.backend))
    _tell_names(layout, root, levels)
    return StoreHandle(layout.backend, layout, root, levels)


def handle_again(handle: StoreHandle) -> StoreHandle:
    """The same place through the same connection, its metadata read anew.

    Raises:
        StoreError: It holds no store any more, or cannot be reached.
        MetadataError: Its metadata is damaged.
    """
    place = beneath_journal(handle.backend)
    if isinstance(place, LocalBackend):
        place = place.again()
    forget_kept(place)
    place, look = look_past(place, first_look(place), writing=False)
    root, levels = read_documents(place, look)
    layout = layout_for(root.meta.zv_version, place)
    _tell_names(layout, root, levels)
    return StoreHandle(place, layout, root, levels, handle.reopen)


def beneath_journal(place: StorageBackend) -> StorageBackend:
    """A store as it is, of one that is read as it was before a transaction."""
    return place.place if isinstance(place, ReadThrough) else place


def state_of(handle: StoreHandle, root_version: str) -> str:
    """Digest of a store's metadata, of its root's version, and whether it is read as it was."""
    levels = {str(number): level.attributes for number, level in sorted(handle.levels.items())}
    as_it_was = isinstance(handle.backend, ReadThrough)
    return fingerprint([handle.root.attributes, levels, root_version, as_it_was])


def root_version(place: StorageBackend) -> str:
    """Tag or time of the root's document; empty where the place tells neither."""
    inner: Any = beneath_journal(place)
    if inner.local_path is not None:
        with suppress(OSError):
            found = (inner.local_path / NODE).stat()
            return f"{found.st_mtime_ns} {found.st_ino}"
        return ""
    while inner is not None:
        versions = getattr(inner, "versions", None)
        if versions is not None:
            return str(versions.of(NODE))
        inner = getattr(inner, "place", None)
    return ""


def _tell_names(layout: Layout, root: RootDocument, levels: dict[int, LevelDocument]) -> None:
    if layout.backend.local_path is None:  # a disk is listed
        layout.recorded = recorded_names(root, levels)
    layout.promises = PromisedNames(layout, root, levels)


@contextmanager
def creating(
    place: StoreLike,
    meta: RootMetadata,
    *,
    backend: str | None = None,
    **options: Any,  # noqa: ANN401  each backend has options of its own
) -> Iterator[StoreHandle]:
    """A new store to be filled inside the block, there for others when the block ends.

    End the block with :func:`finish`. After an exception the place is empty again; what a killed
    process left of a new store is cleared first.

    Raises:
        StoreError: Something is there already, another process is at work there, or the place
            cannot be written to.
    """
    opened = open_backend(place, mode="a", backend=backend, **options)
    if opened.read_only:
        raise StoreError(f"{opened.url} cannot be written to")
    with transaction(opened, "create a store", whole=True) as writing:
        if writing is opened:
            check_vacant(opened)
        attributes = root_attributes(meta, opened.url)
        layout = layout_for(meta.zv_version, writing)
        yield StoreHandle(writing, layout, RootDocument(attributes, meta), {})


def finish(handle: StoreHandle, *changed: int) -> None:
    """Write the metadata of changed levels, then the root: readers see a level when it is whole."""
    written = {
        number: {**level.attributes, **level_attributes(level.meta, level.table, level.error)}
        for number, level in handle.levels.items()
        if number in changed
    }
    if written:
        handle.layout.put_attrs({str(number): attrs for number, attrs in written.items()})
    root = {**handle.root.attributes, **handle.meta.to_dict()}
    root = with_collection(root, handle.meta, handle.backend.url, handle.levels)
    root.pop(OUTLINE_KEY, None)
    outline = outline_of(handle.layout, root, handle.levels, written)
    if outline is not None:
        root[OUTLINE_KEY] = outline
    handle.layout.put_attrs({"": root})


def _open_place(
    place: StoreLike, mode: str, backend: str | None, options: Mapping[str, Any]
) -> StorageBackend:
    opened = open_backend(place, mode=mode, backend=backend, **options)
    if mode != "r" and opened.read_only:
        raise StoreError(f"{opened.url} cannot be written to")
    return opened

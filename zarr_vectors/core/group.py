"""Groups: navigation and attributes; every byte read or written is delegated to the layout."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zarr

from zarr_vectors.constants import DEFAULT_VERSION, ROOT_KEY
from zarr_vectors.core import paths
from zarr_vectors.core.attrs import GroupAttributes, forget_outline
from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.backends.registry import open_backend
from zarr_vectors.core.backends.urls import join_url
from zarr_vectors.core.batching import Batch, ReadPlan, coords_of
from zarr_vectors.core.keys import format_key, try_parse_key
from zarr_vectors.core.layouts.base import ChunkGrid, Layout
from zarr_vectors.core.layouts.detect import layout_for, open_layout
from zarr_vectors.exceptions import StoreError


class Group:
    """One group of a store.

    Use :func:`group_at`, :func:`zarr_vectors.core.store.open_store` or ``group[name]`` to get one.
    """

    layout: Layout
    """The store's layout."""
    prefix: str
    """Path of the group below the root; ``""`` is the root."""
    _batch: Batch

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    @property
    def attrs(self) -> GroupAttributes:
        """The group's attributes, read and written through."""
        return GroupAttributes(self.layout, self.prefix)

    @property
    def backend(self) -> StorageBackend:
        """The place that holds the store."""
        return self.layout.backend

    @property
    def url(self) -> str:
        """Address of the group, without user info or query."""
        return join_url(self.backend.url, self.prefix) if self.prefix else self.backend.url

    @property
    def path(self) -> Path:
        """Folder of the group.

        Raises:
            StoreError: The store is not local.
        """
        root = self.backend.local_path
        if root is None:
            raise StoreError(f"{self.url} is not a local store: it has no path")
        return root / self.prefix

    @property
    def zarr_group(self) -> zarr.Group:
        """The group as zarr knows it."""
        return zarr.open_group(
            self.backend.zarr_store(),
            path=self.prefix or None,
            mode="r" if self.backend.read_only else "r+",
            zarr_format=3,
        )

    def __getitem__(self, name: str) -> Group:
        """Child group.

        Raises:
            StoreError: Missing, or an array.
        """
        path = self._below(name)
        document = self.layout.documents([path]).get(path)
        if document is None:
            raise StoreError(f"there is no group {name!r} in {self.url}")
        if document.get("node_type") != "group":
            raise StoreError(f"{name!r} in {self.url} is an array, not a group")
        return self.child(path)

    def __contains__(self, name: object) -> bool:
        """A node of that name exists."""
        if not isinstance(name, str):
            return False
        path = self._below(name)
        return path in self.layout.documents([path])

    def __iter__(self) -> Iterator[str]:
        """Sorted names of child groups."""
        found = {self._below(name): name for name in self.layout.children(self.prefix)}
        documents = self.layout.documents(found)
        groups = (p for p, document in documents.items() if document.get("node_type") == "group")
        return iter(sorted(found[path] for path in groups))

    def create_group(self, name: str) -> Group:
        """New child group.

        Raises:
            StoreError: Something of that name exists.
        """
        if name in self:
            raise StoreError(f"{name!r} exists in {self.url}")
        self.layout.put_attrs({self._below(name): {}})
        return self.child(self._below(name))

    def require_group(self, name: str) -> Group:
        """Child group, made where it is missing."""
        return self[name] if name in self else self.create_group(name)

    def write_bytes(self, array: str, key: str, data: bytes | bytearray | memoryview) -> None:
        """Store the blob of a chunk, now or when the batch ends.

        Args:
            array: Array name below the group, e.g. ``vertices``.
            key: Chunk key such as ``0.1.2``, or a slot such as ``data`` where the format has them.
            data: The blob; an empty one removes the chunk.
        """
        chunk = try_parse_key(key)
        if chunk is None:
            self.layout.put_slot(self._below(array), key, bytes(data))
        else:
            self._batch.put(self.layout, self._below(array), chunk, bytes(data))

    def read_bytes(self, array: str, key: str) -> bytes:
        """Blob of a chunk or slot, packed ones included.

        Raises:
            StoreError: There is none.
            ArrayError: It is damaged.
        """
        found = self._find(array, key)
        if found is None:
            raise StoreError(f"there is no chunk {key!r} of {array!r} in {self.url}")
        return found

    def chunk_exists(self, array: str, key: str) -> bool:
        """The array holds that chunk or slot."""
        return self._find(array, key) is not None

    def list_chunks(self, array: str) -> list[str]:
        """Sorted keys of an array's chunks, packed ones included."""
        return sorted(map(format_key, self.layout.list_cells(self._below(array))))

    def array_exists(self, array: str) -> bool:
        """There is a logical array of that name."""
        path = self._below(array)
        return path in self.layout.array_metas([path])

    def read_array_meta(self, array: str) -> dict[str, Any]:
        """Logical metadata of an array, ``{}`` where it is missing."""
        path = self._below(array)
        return self.layout.array_metas([path]).get(path, {})

    def write_array_meta(self, array: str, meta: Mapping[str, Any]) -> None:
        """Merge into the metadata of an array, made where the format can do so without a grid."""
        path = self._below(array)
        if self.array_exists(array):
            self.layout.set_array_meta(path, meta)
        else:
            self.layout.create_cells(path, meta, ChunkGrid((), ()))
        forget_outline(self.layout)

    def delete_subtree(self, name: str) -> None:
        """Remove a child and all below it."""
        self.layout.delete(self._below(name))
        forget_outline(self.layout)

    @contextmanager
    def batched_writes(self) -> Iterator[None]:
        """Queue the writes of the block and do them together at its end; drop them on an error.

        Raises:
            StoreError: Batches are nested.
        """
        self._batch.start_writes()
        try:
            yield
        except BaseException:  # whatever it is, queued writes are dropped; raised again
            self._batch.writes = None
            raise
        self._batch.flush(self.layout)

    @contextmanager
    def batched_reads(self, plan: ReadPlan) -> Iterator[None]:
        """Fetch chunks together; ``read_bytes`` answers from them inside the block.

        Args:
            plan: Array name -> chunk keys or coordinates.

        Raises:
            StoreError: Batches are nested.
        """
        wanted = {self._below(array): list(map(coords_of, plan[array])) for array in plan}
        self._batch.start_reads(self.layout, wanted)
        try:
            yield
        finally:
            self._batch.end_reads()

    def _find(self, array: str, key: str) -> bytes | None:
        chunk = try_parse_key(key)
        if chunk is None:
            return self.layout.get_slot(self._below(array), key)
        return self._batch.cell(self.layout, self._below(array), chunk)

    def _below(self, name: str) -> str:
        return paths.join(self.prefix, name)

    def child(self, path: str) -> Group:
        """The group at a path below the root, which is known to be there."""
        return group_at(self.layout, path, batch=self._batch)


class FsGroup(Group):
    """A group of a local store.

    Groups of local stores are instances; making one by hand is deprecated.

    Args:
        path: Folder of the store.
        create: Make the folder, and a root group in it, where they are missing.

    Raises:
        StoreError: There is no such store and ``create`` is false.
    """

    def __init__(self, path: str | os.PathLike[str], *, create: bool = False) -> None:
        warnings.warn(
            "FsGroup(path) is deprecated: use open_store or create_store",
            DeprecationWarning,
            stacklevel=2,
        )
        backend = open_backend(path, mode="a" if create else "r+", backend="local")
        layout = layout_for(DEFAULT_VERSION, backend)
        root = layout.get_attrs([""]).get("")
        if root is not None and ROOT_KEY in root:
            layout = open_layout(backend)
        elif root is None and create:
            layout.put_attrs({"": {}})
        _fill(self, layout, "", Batch())


def group_at(layout: Layout, path: str = "", *, batch: Batch | None = None) -> Group:
    """Handle of a group.

    Args:
        layout: The store's layout.
        path: The group's path; ``""`` is the root.
        batch: Batch shared with related handles; a new one when None.
    """
    kind = Group if layout.backend.local_path is None else FsGroup
    group = kind.__new__(kind)
    _fill(group, layout, path, batch or Batch())
    return group


def _fill(group: Group, layout: Layout, prefix: str, batch: Batch) -> None:
    group.layout = layout
    group.prefix = prefix
    group._batch = batch  # noqa: SLF001 - set here alone, for both ways to make a group

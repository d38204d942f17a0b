"""Adding, reading and removing the headers kept in a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zarr_vectors.constants import HEADERS
from zarr_vectors.core.attrs import to_json
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.group import Group
from zarr_vectors.core.handle import StoreHandle, handle_at, open_handle
from zarr_vectors.core.headers import RECORD, header_names
from zarr_vectors.core.paths import check_name
from zarr_vectors.exceptions import MetadataError


class HeaderRegistry:
    """Headers of imported files (``trk``, ``swc`` ...), one JSON object per file format.

    Args:
        store: A store's path, URL, Zarr Store or obstore store, or its root group.

    Raises:
        StoreError: There is no such store.
    """

    def __init__(self, store: StoreLike | Group) -> None:
        group = store if isinstance(store, Group) else None
        self._handle: StoreHandle = open_handle(store) if group is None else handle_at(group.layout)

    def __repr__(self) -> str:
        return f"HeaderRegistry({self._handle.backend.url!r})"

    @property
    def available_formats(self) -> list[str]:
        """Sorted names of the formats a header is kept of.

        Raises:
            StoreError: The place cannot list, and the store does not record them.
        """
        return header_names(self._handle.layout)

    def get(self, format_name: str) -> dict[str, Any]:
        """The header of a format.

        Raises:
            KeyError: There is none.
        """
        path = _path(format_name)
        found = self._handle.layout.get_attrs([path])
        if path not in found:
            raise KeyError(f"{self._handle.backend.url} keeps no header of format {format_name!r}")
        return found[path]

    def has(self, format_name: str) -> bool:
        """Whether a header of the format is kept."""
        path = _path(format_name)
        return path in self._handle.layout.get_attrs([path])

    def add(self, format_name: str, header: Mapping[str, Any]) -> None:
        """Keep a header, in place of one of that format.

        Args:
            format_name: Name of the file format.
            header: What JSON can hold; NumPy values become plain ones.

        Raises:
            StoreError: The store cannot be written to, or the name is not allowed.
            MetadataError: A value has no JSON form.
        """
        path = _path(format_name)
        plain = to_json(dict(header))
        if not isinstance(plain, dict):
            raise MetadataError(f"the header of {format_name!r} is no mapping")
        with self._handle.for_writing().transaction(f"keep a {format_name} header") as writing:
            names = {*header_names(writing.layout), format_name}
            writing.layout.put_attrs({HEADERS: _recorded(writing, names), path: plain})
        self._handle.layout.forget()

    def remove(self, format_name: str) -> None:
        """Drop the header of a format.

        Raises:
            KeyError: There is none.
            StoreError: The store cannot be written to.
        """
        self.get(format_name)
        with self._handle.for_writing().transaction(f"drop a {format_name} header") as writing:
            writing.layout.delete(_path(format_name))
            names = {*header_names(writing.layout)} - {format_name}
            writing.layout.put_attrs({HEADERS: _recorded(writing, names)})
        self._handle.layout.forget()


def _recorded(handle: StoreHandle, names: set[str]) -> dict[str, Any]:
    known = handle.layout.get_attrs([HEADERS]).get(HEADERS, {})
    return {**known, RECORD: sorted(names)}


def _path(format_name: str) -> str:
    return f"{HEADERS}/{check_name(format_name, 'format name')}"

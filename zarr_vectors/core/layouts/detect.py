"""Stored version to layout: the one place where a version is asked for."""

from __future__ import annotations

import re

from zarr_vectors.constants import KNOWN_VERSIONS, ROOT_KEY
from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.layouts.tree import Tree
from zarr_vectors.core.layouts.v07 import V07Layout
from zarr_vectors.core.layouts.v09 import V09Layout
from zarr_vectors.exceptions import MetadataError, StoreError

_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?", re.ASCII)
_LAYOUTS: dict[tuple[int, int], type[V07Layout] | type[V09Layout]] = {
    (0, 7): V07Layout,
    (0, 9): V09Layout,
}


def layout_for(version: object, backend: StorageBackend) -> Layout:
    """Layout of a format version.

    Raises:
        StoreError: The version is unknown.
    """
    found = _VERSION.fullmatch(version) if isinstance(version, str) else None
    kind = _LAYOUTS.get((int(found[1]), int(found[2]))) if found else None
    if kind is None:
        known = " and ".join(KNOWN_VERSIONS)
        raise StoreError(
            f"{backend.url} is in format {str(version)[:40]!r}; this library knows {known}"
        )
    return kind(backend)


def open_layout(backend: StorageBackend) -> Layout:
    """Layout of an existing store.

    Raises:
        StoreError: No Zarr Vectors store, or of an unknown version.
        MetadataError: The root's metadata is malformed.
    """
    attrs = Tree(backend).get_attrs([""]).get("")
    if attrs is None:
        raise StoreError(f"{backend.url} is not a Zarr Vectors store: it has no zarr.json")
    meta = attrs.get(ROOT_KEY)
    if meta is None:
        raise StoreError(f"{backend.url} is not a Zarr Vectors store: it has no {ROOT_KEY!r}")
    if not isinstance(meta, dict) or "zv_version" not in meta:
        raise MetadataError(f"{ROOT_KEY!r} of {backend.url} has no zv_version")
    return layout_for(meta["zv_version"], backend)

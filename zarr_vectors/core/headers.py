"""Headers of imported files, kept as they are: one group of attributes per file format."""

from __future__ import annotations

from typing import Any

from zarr_vectors.constants import HEADERS
from zarr_vectors.core.layouts.base import KeepsGroups
from zarr_vectors.exceptions import StoreError

RECORD = "formats"
"""Attribute of ours on the group of headers: names, for places that cannot list."""


def header_names(layout: KeepsGroups) -> list[str]:
    """Sorted names of the formats a header is kept of.

    Raises:
        StoreError: The place cannot list, and nothing is recorded.
    """
    found = layout.get_attrs([HEADERS]).get(HEADERS)
    if found is None:
        return []
    try:
        return layout.children(HEADERS)
    except StoreError:
        recorded = found.get(RECORD)
        if isinstance(recorded, list) and all(isinstance(name, str) for name in recorded):
            return sorted(recorded)
        raise


def read_headers(layout: KeepsGroups) -> dict[str, dict[str, Any]]:
    """Format name -> header; ``{}`` where the store keeps none."""
    paths = {f"{HEADERS}/{name}": name for name in header_names(layout)}
    found = layout.get_attrs(paths)
    return {name: found[path] for path, name in paths.items() if path in found}

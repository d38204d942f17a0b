"""What the root records of its levels, so that a store is opened in few requests.

The record is :data:`~zarr_vectors.constants.OUTLINE_KEY` among the root's attributes: the
attributes of every level but the finest, the metadata of every level's vertices and vertex
attributes, and fingerprints of the root's own metadata and of the finest level's attributes. Other
programs keep the key and do not know it, so it is believed only where it agrees with what it can be
compared with; data is always read by the documents of the arrays themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from zarr_vectors.constants import (
    MULTISCALES_KEY,
    OUTLINE_KEY,
    ROOT_KEY,
    VERTEX_ATTRIBUTES,
    VERTICES,
)
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.root_meta import LevelDocument, RootDocument, level_attributes
from zarr_vectors.exceptions import StoreError

VERSION = 1
_MOST_BYTES = 2**20

Metas = dict[str, dict[str, Any]]


def outline_of(
    layout: Layout,
    root: Mapping[str, Any],
    levels: Mapping[int, LevelDocument],
    written: Mapping[int, Mapping[str, Any]],
) -> dict[str, Any] | None:
    """The record of a store as it is being written, or None where it would be too large.

    Args:
        layout: The store.
        root: The root's attributes.
        levels: Its levels.
        written: Attributes of the levels that were just written.
    """
    if not levels:
        return None
    finest = min(levels)
    entries: dict[str, Any] = {}
    for number, level in levels.items():
        arrays = level.arrays
        if number in written or arrays is None:
            arrays = _metas(layout, number, level)
        entries[str(number)] = {"arrays": arrays}
        if number != finest:
            entries[str(number)]["attributes"] = written.get(number, attributes_of_level(level))
    found = {
        "version": VERSION,
        "root": fingerprint(_own(root)),
        "finest": fingerprint(written.get(finest, attributes_of_level(levels[finest]))),
        "levels": entries,
    }
    return found if len(json.dumps(found)) <= _MOST_BYTES else None


def recorded_levels(root: RootDocument, finest: Mapping[str, Any] | None) -> dict[int, Any] | None:
    """Entries of the record by level, where nothing speaks against it; else None.

    Args:
        root: The root.
        finest: Attributes of level 0 as they are.
    """
    found = entries_of(root)
    if found is None or finest is None or 0 not in found:
        return None
    record = root.attributes[OUTLINE_KEY]
    if record.get("root") != fingerprint(_own(root.attributes)):
        return None
    return found if record.get("finest") == fingerprint(finest) else None


def entries_of(root: RootDocument) -> dict[int, Any] | None:
    """Entries of the record by level, true or not; None where there is no record."""
    record = root.attributes.get(OUTLINE_KEY)
    if not isinstance(record, Mapping) or record.get("version") != VERSION:
        return None
    levels = record.get("levels")
    if not isinstance(levels, Mapping):
        return None
    found: dict[int, Any] = {}
    for name, entry in levels.items():
        known = isinstance(entry, Mapping) and isinstance(entry.get("arrays"), Mapping)
        if not known or not name.isdecimal() or len(name) > 9:
            return None
        if int(name) and not isinstance(entry.get("attributes"), Mapping):
            return None
        found[int(name)] = entry
    return found


def agrees(root: RootDocument, number: int, attributes: Mapping[str, Any]) -> bool | None:
    """Whether a level's attributes are those recorded; None where nothing is recorded."""
    entries = entries_of(root)
    if entries is None:
        return None
    entry = entries.get(number)
    if entry is None:
        return False
    if number:
        return fingerprint(entry["attributes"]) == fingerprint(attributes)
    return bool(root.attributes[OUTLINE_KEY].get("finest") == fingerprint(attributes))


def fingerprint(value: object) -> str:
    """Digest of a JSON value; of equal values, whatever the order of their keys, the same."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def attributes_of_level(level: LevelDocument) -> dict[str, Any]:
    """Attributes of a level's group: as read, or as :func:`finish` wrote them."""
    if level.attributes and level.unchanged:
        return dict(level.attributes)
    return {
        **level.attributes,
        **level_attributes(level.meta, level.table, level.error),
    }


def _metas(layout: Layout, number: int, level: LevelDocument) -> Metas:
    family = f"{number}/{VERTEX_ATTRIBUTES}"
    try:
        names = layout.array_names(family)
    except StoreError:
        if _can_list(layout):
            raise
        own = f"{VERTEX_ATTRIBUTES}/"
        names = [n.removeprefix(own) for n in level.meta.arrays_present if n.startswith(own)]
    paths = [f"{number}/{VERTICES}", *(f"{family}/{name}" for name in names)]
    found = layout.array_metas(paths)
    return {path.partition("/")[2]: meta for path, meta in found.items()}


def _can_list(layout: Layout) -> bool:
    try:
        layout.backend.list_dir("")
    except StoreError:
        return False
    return True


def _own(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: attributes.get(key) for key in (ROOT_KEY, MULTISCALES_KEY)}

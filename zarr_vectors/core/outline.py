"""What the root records of its levels, so that a store is opened in few requests.

The record is :data:`~zarr_vectors.constants.OUTLINE_KEY` among the root's attributes: the
attributes of every level but the finest, the metadata of every level's vertices and vertex
attributes, the names of all its arrays, and fingerprints of the root's own metadata and of the
finest level's attributes. Other programs keep the key and do not know it, so it is believed only
where it agrees with what it can be compared with; data is always read by the documents of the
arrays themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zarr_vectors.constants import (
    MULTISCALES_KEY,
    OUTLINE_KEY,
    ROOT_KEY,
    SHARD_KEYS,
    VERTEX_ATTRIBUTES,
    VERTICES,
)
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.layouts.recorded import LevelNames, Recorded, chunk_numbers
from zarr_vectors.core.root_meta import LevelDocument, RootDocument, level_attributes
from zarr_vectors.exceptions import MetadataError, StoreUnlistable

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
    sharded = any(key in root for key in SHARD_KEYS)
    entries: dict[str, Any] = {}
    for number, level in levels.items():
        arrays, names = level.arrays, level.names
        if number in written or names is None:
            names = names_of(layout, level, sharded=sharded)
        if number in written or arrays is None:
            arrays = _metas(layout, number, level, names)
        entries[str(number)] = {"arrays": arrays}
        if names is not None:
            entries[str(number)]["names"] = names.to_dict()
        if number != finest:
            entries[str(number)]["attributes"] = written.get(number, attributes_of_level(level))
    found = {
        "version": VERSION,
        "root": fingerprint(_own(root)),
        "finest": fingerprint(written.get(finest, attributes_of_level(levels[finest]))),
        "levels": entries,
    }
    if len(json.dumps(found)) <= _MOST_BYTES:
        return found
    for entry in entries.values():
        entry.pop("names", None)
    return found if len(json.dumps(found)) <= _MOST_BYTES else None


def names_of(layout: Layout, level: LevelDocument, *, sharded: bool) -> LevelNames | None:
    """Names below a level as they are, None where the place cannot list.

    Args:
        layout: The store.
        level: The level; its chunks are named too where its table does not tell them.
        sharded: Some of its arrays may be packed into shards.
    """
    path = str(level.meta.level)
    try:
        names = layout.names_below(path, sharded=sharded)
        if counted(level):
            return names
        chunks = dict.fromkeys(layout.list_cells(f"{path}/{VERTICES}"), 0)
    except StoreUnlistable:
        return None
    return replace(names, cells={**names.cells, VERTICES: chunk_numbers(chunks)})


def counted(level: LevelDocument) -> bool:
    """The level's chunk table counts all of its vertices."""
    return level.table is not None and int(level.table.counts.sum()) == level.meta.vertex_count


def names_in(entry: Mapping[str, Any]) -> LevelNames | None:
    """Names below a level as an entry of the record says, None where it does not or is odd."""
    if "names" not in entry:
        return None
    try:
        return LevelNames.from_dict(entry["names"])
    except MetadataError:  # as for the rest of the record: passed over, and listed instead
        return None


def recorded_names(root: RootDocument, levels: Mapping[int, LevelDocument]) -> Recorded:
    """What is recorded of the names in a store, for its layout."""
    named = {str(n): level.names for n, level in levels.items() if level.names is not None}
    tables = {str(n): level.table for n, level in levels.items() if counted(level)}
    sharded = any(key in root.attributes for key in SHARD_KEYS)
    return Recorded(named, {n: t for n, t in tables.items() if t is not None}, sharded)


def recorded_levels(root: RootDocument, finest: Mapping[str, Any] | None) -> dict[int, Any] | None:
    """Entries of the record by level, where nothing speaks against it; else None.

    Args:
        root: The root.
        finest: Attributes of level 0 as they are.
    """
    found = entries_of(root)
    if found is None or finest is None or 0 not in found:
        return None
    if not is_of(root):
        return None
    recorded = root.attributes[OUTLINE_KEY].get("finest")
    return found if recorded == fingerprint(finest) else None


def is_of(root: RootDocument) -> bool:
    """Whether the record was made of the root's own metadata as it is now."""
    record = root.attributes.get(OUTLINE_KEY)
    own = fingerprint(_own(root.attributes))
    return isinstance(record, Mapping) and record.get("root") == own


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


def _metas(layout: Layout, number: int, level: LevelDocument, names: LevelNames | None) -> Metas:
    family = f"{number}/{VERTEX_ATTRIBUTES}"
    if names is None:
        own = f"{VERTEX_ATTRIBUTES}/"
        known = [n.removeprefix(own) for n in level.meta.arrays_present if n.startswith(own)]
    else:
        known = list(names.below.get(VERTEX_ATTRIBUTES, ()))
    paths = [f"{number}/{VERTICES}", *(f"{family}/{name}" for name in known)]
    found = layout.array_metas(paths)
    return {path.partition("/")[2]: meta for path, meta in found.items()}


def _own(attributes: Mapping[str, Any]) -> dict[str, Any]:
    packed = {key: attributes[key] for key in SHARD_KEYS if key in attributes}
    return packed | {key: attributes.get(key) for key in (ROOT_KEY, MULTISCALES_KEY)}

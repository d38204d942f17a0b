"""Adding to a store what lets it be read in few requests and where nothing can be listed.

Writers of this library record it as they write. A store of the published releases gets it here:
keys beside the format's own, which those releases pass over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from zarr_vectors.constants import (
    CHUNKS_KEY,
    GROUP_ATTRIBUTES,
    HEADERS,
    OBJECT_ATTRIBUTES,
    OUTLINE_KEY,
    PARAMETRIC,
)
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import StoreHandle, open_handle
from zarr_vectors.core.headers import RECORD
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.metadata import ChunkTable
from zarr_vectors.core.outline import counted, outline_of
from zarr_vectors.core.root_meta import LevelDocument
from zarr_vectors.exceptions import StoreUnlistable
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level
from zarr_vectors.types.parametric import ARRAYS_KEY, table_names

_AT_ONCE = 64
"""Chunks whose vertices are counted together."""


@dataclass(frozen=True, eq=False, slots=True)
class _Work:
    """What a store lacks."""

    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Group -> its attributes with what is added."""
    words: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def index_store(
    store_path: StoreLike,
    *,
    check: bool = False,
    backend: str | None = None,
    **options: Any,  # noqa: ANN401  each backend has options of its own
) -> dict[str, Any]:
    """Record in a store what readers would otherwise have to list or to ask for one by one.

    That is the vertices of every chunk, the names of all arrays, the shards of every packed chunk,
    and the metadata of all levels in the root. Positions are read once where they are not counted
    yet. All of it is written or nothing; what is there is kept.

    Args:
        store_path: The store.
        check: Write nothing.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        options: Passed to the backend.

    Returns:
        ``url``; ``added``: what was added, or with ``check`` what would be, one phrase each;
        ``notes``: sentences about what cannot be recorded.

    Raises:
        StoreError: No such store; it cannot be listed; or, without ``check``, not be written to.
        ArrayError: A chunk is damaged.
    """
    opened = open_handle(store_path, "r" if check else "r+", backend=backend, **options)
    work = _missing(opened)
    if work.groups and not check:
        with opened.transaction("index the store") as writing:
            work = _missing(writing)
            writing.layout.put_attrs(work.groups)
    return {"url": opened.backend.url, "added": work.words, "notes": work.notes}


def _missing(handle: StoreHandle) -> _Work:
    work, layout = _Work(), handle.layout
    levels: dict[int, LevelDocument] = {}
    for number, level in handle.levels.items():
        known = replace(level, arrays=None, names=None)
        levels[number] = known if counted(level) else _with_table(handle, known, work)
    written = {number: work.groups[str(number)] for number in levels if str(number) in work.groups}
    root = handle.root.attributes
    outline = outline_of(layout, root, levels, written)
    if outline is None:
        work.notes.append("there is too much to record of its levels: they are asked for each")
    elif not all("names" in entry for entry in outline["levels"].values()):
        if layout.backend.local_path is None and not _can_list(layout):
            raise StoreUnlistable(f"{layout.backend.url} cannot list its keys: index it elsewhere")
        work.notes.append("there are too many arrays, chunks or shards to record: they are listed")
    if outline is not None and root.get(OUTLINE_KEY) != outline:
        work.groups[""] = {**root, OUTLINE_KEY: outline}
        work.words.append("the metadata of all levels and the names of their arrays")
    for path, key, found in _beside(handle):
        own = layout.get_attrs([path])[path]
        if own.get(key) != found:
            work.groups[path] = {**own, key: found}
            work.words.append(f"the names below {path}")
    return work


def _with_table(handle: StoreHandle, level: LevelDocument, work: _Work) -> LevelDocument:
    """The level with a table of its chunks, where it can have one that is believed."""
    number = level.meta.level
    table = _count(handle, level)
    rows, packed = int(table.counts.sum()), table.to_dict()
    if rows != level.meta.vertex_count:
        work.notes.append(
            f"level {number} records {level.meta.vertex_count} vertices and holds {rows}: how "
            "many each chunk holds cannot be recorded"
        )
        return level
    if packed is None:
        work.notes.append(f"level {number} has too many chunks to record how many each holds")
        return level
    attributes = {**level.attributes, CHUNKS_KEY: packed}
    work.groups[str(number)] = attributes
    work.words.append(f"the vertices of {len(table.coords)} chunks of level {number}")
    return replace(level, table=table, attributes=attributes)


def _can_list(layout: Layout) -> bool:
    try:
        layout.backend.list_dir("")
    except StoreUnlistable:
        return False
    return True


def _beside(handle: StoreHandle) -> list[tuple[str, str, list[str]]]:
    """(group, key, names) of the groups beside the levels that record what they hold."""
    layout = handle.layout
    there = layout.get_attrs([HEADERS, PARAMETRIC])
    found: list[tuple[str, str, list[str]]] = []
    if HEADERS in there:
        found.append((HEADERS, RECORD, layout.children(HEADERS)))
    if PARAMETRIC in there:
        families = (OBJECT_ATTRIBUTES, GROUP_ATTRIBUTES)
        names = [f"{family}/{name}" for family in families for name in table_names(layout, family)]
        found.append((PARAMETRIC, ARRAYS_KEY, sorted(names)))
    return found


def _count(handle: StoreHandle, level: LevelDocument) -> ChunkTable:
    """The chunks of a level and how many vertices each holds, by reading them."""
    arrays = describe_level(handle.layout, handle.meta, level)
    reader = LevelReader(handle.layout, arrays)
    keys = arrays.table.keys()
    counts: list[int] = []
    for start in range(0, len(keys), _AT_ONCE):
        found: Mapping[Any, Any] = reader.read_chunks(keys[start : start + _AT_ONCE])
        counts += [len(rows.positions) for rows in found.values()]
    return ChunkTable(arrays.table.coords, np.array(counts, np.int64), exact=True)

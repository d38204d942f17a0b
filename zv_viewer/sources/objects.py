"""The objects of a store as a table: ids, attributes and groups first, then where each is.

No vertex is read. Both functions take seconds for a large store far away and belong in a worker;
a scope around the call ends them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import GROUP_ATTRIBUTES, OBJECT_ATTRIBUTES
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.exceptions import Cancelled, MetadataError, StoreUnlistable, ZVError
from zarr_vectors.lazy import ZVStore
from zarr_vectors.writing.copying import family_names
from zv_viewer.model.objects import (
    Bool,
    Float,
    Int,
    ObjectColumn,
    ObjectGroups,
    ObjectTable,
    category_column,
    first_group,
)
from zv_viewer.model.texts import TextIndex
from zv_viewer.sources.at_once import at_once
from zv_viewer.sources.base import Progress

MOST_COLUMNS = 16
"""Values of one attribute that become columns each; a longer one is left out, and said so."""

LENGTHS = ("length", "path_length", "cable_length", "arc_length", "streamline_length")
COUNTS = (
    *("vertex_count", "n_vertices", "num_vertices", "vertices"),
    *("node_count", "n_nodes", "num_nodes", "point_count", "n_points", "num_points"),
)
GROUP_NAMES = ("name", "label", "group_name")


def has_objects(store: ZVStore) -> bool:
    """Whether the finest level has an object index; only metadata is read."""
    return store.n_objects > 0


def read_objects(store: ZVStore, progress: Progress = lambda _: None) -> ObjectTable:
    """Ids, object attributes and groups of the finest level.

    An attribute that cannot be read becomes a note of the table, not a column.

    Args:
        store: The store.
        progress: Told what is being read.

    Raises:
        ZVError: The object index is damaged, or the place does not answer.
        Cancelled: The scope around the call was given up.
    """
    finest = store.levels[0]
    layout = store.level_group(finest).layout
    progress("reading the ids of objects")
    ids = store.object_ids
    notes: list[str] = []
    names = _names(layout, f"{finest}/{OBJECT_ATTRIBUTES}", notes)
    progress(f"reading {len(names)} object attributes")
    family = f"{finest}/{OBJECT_ATTRIBUTES}"
    found = at_once(lambda name: _columns(layout, family, name, len(ids)), names)
    columns = [column for part, _ in found for column in part]
    notes += [note for _, note in found if note]
    progress("reading groups")
    groups = _groups(layout, finest, ids, notes)
    columns += _of_groups(layout, finest, groups, len(ids), notes)
    length = _named(columns, LENGTHS, "fiu")
    count = _named(columns, COUNTS, "iu")
    return ObjectTable(
        ids,
        tuple(columns),
        groups,
        vertices=None if count is None else count.values.astype(np.int64),
        vertices_from="" if count is None else count.name,
        length=None if length is None else _floats(length),
        length_from="" if length is None else length.name,
        level_numbers=tuple(store.levels),
        notes=tuple(notes),
        id_text=TextIndex.of(ids.tolist()),
    )


def _columns(
    layout: Layout, family: str, name: str, objects: int, of: str = "object"
) -> tuple[list[ObjectColumn], str]:
    """Columns of one attribute, and a note where there is something to say."""
    path = f"{family}/{name}"
    try:
        found = layout.get_dense(path)
        meta = layout.array_metas([path]).get(path, {})
        categories = _categories(name, meta)
    except Cancelled:
        raise
    except ZVError as error:
        return [], f"{of} attribute {name!r} cannot be read: {error}"
    if found is None:
        return [], f"{of} attribute {name!r} is recorded and not there"
    values, present = found
    if len(values) != objects or values.ndim > 2:
        shape = " x ".join(map(str, values.shape))
        return [], f"{of} attribute {name!r} has {shape} values for {objects} {of}s"
    parts = [values] if values.ndim == 1 else list(values.T)
    if len(parts) > MOST_COLUMNS:
        return [], f"{of} attribute {name!r} has {len(parts)} values for each {of}"
    missing = _missing(present, objects)
    unit = meta.get("unit")
    unit = unit if isinstance(unit, str) and unit else None
    titles = [name] if values.ndim == 1 else [f"{name}[{k}]" for k in range(len(parts))]
    columns = [
        _column(title, part, unit, categories, missing, name)
        for title, part in zip(titles, parts, strict=True)
    ]
    return columns, ""


def _column(
    title: str,
    values: npt.NDArray[Any],
    unit: str | None,
    categories: tuple[str, ...] | None,
    missing: Bool | None,
    attribute: str,
) -> ObjectColumn:
    if categories is None and values.dtype.kind == "b":
        categories = ("false", "true")
    if categories is not None:
        codes = values.astype(np.int64)
        if missing is not None:
            codes[missing] = -1
        return replace(category_column(title, codes, categories, unit), attribute=attribute)
    return ObjectColumn(title, np.ascontiguousarray(values), unit, None, missing, attribute)


def _categories(name: str, meta: dict[str, Any]) -> tuple[str, ...] | None:
    """Categories of a dictionary-encoded attribute; one outside of them is no category."""
    if meta.get("encoding") != "dictionary":
        return None
    return AttributeSpec.from_meta(name, meta).categories


def _missing(present: Int, objects: int) -> Bool | None:
    if len(present) >= objects:
        return None
    missing = np.ones(objects, np.bool_)
    missing[present] = False
    return missing


def _names(layout: Layout, family: str, notes: list[str]) -> list[str]:
    try:
        return family_names(layout, family)
    except StoreUnlistable as error:
        notes.append(f"object attributes cannot be found: {error}")
        return []


def _groups(layout: Layout, level: int, ids: Int, notes: list[str]) -> ObjectGroups:
    try:
        groups = layout.get_groups(str(level))
    except Cancelled:
        raise
    except ZVError as error:
        notes.append(f"groups cannot be read: {error}")
        return ObjectGroups()
    if not groups:
        return ObjectGroups()
    members = []
    for group in groups:
        rows = np.searchsorted(ids, group)
        rows[rows == len(ids)] = 0
        members.append(rows[ids[rows] == group] if len(ids) else rows[:0])
    strangers = sum(map(len, groups)) - sum(map(len, members))
    if strangers:
        notes.append(f"groups name {strangers:,} objects that are not in the object index")
    return ObjectGroups.of(_group_names(layout, level, len(groups), notes), members)


def _of_groups(
    layout: Layout, level: int, groups: ObjectGroups, objects: int, notes: list[str]
) -> list[ObjectColumn]:
    """Numbers of groups as columns of their objects, each with that of the first group it is in."""
    if not len(groups):
        return []
    family, first = f"{level}/{GROUP_ATTRIBUTES}", first_group(groups, objects)
    columns = []
    for name in _names(layout, family, notes):
        found, note = _columns(layout, family, name, len(groups), "group")
        notes += [note] if note else []
        for column in found:
            if column.categories is None:
                known = (first >= 0) & column.known[first]
                columns.append(
                    replace(
                        column,
                        name=f"group {column.name}",
                        values=column.values[first],
                        missing=None if known.all() else ~known,
                        attribute=f"group {column.attribute}",
                    )
                )
    return columns


def _group_names(layout: Layout, level: int, groups: int, notes: list[str]) -> list[str]:
    """Names of the groups from an attribute of text, else their numbers."""
    family = f"{level}/{GROUP_ATTRIBUTES}"
    plain = [f"group {number}" for number in range(groups)]
    for name in _names(layout, family, notes):
        if name.lower() not in GROUP_NAMES:
            continue
        try:
            found = layout.get_dense(f"{family}/{name}")
            meta = layout.array_metas([f"{family}/{name}"]).get(f"{family}/{name}", {})
            categories = _categories(name, meta)
        except MetadataError as error:
            notes.append(f"names of groups cannot be read: {error}")
            continue
        if found is not None and categories and found[0].shape == (groups,):
            codes = found[0].tolist()
            return [
                categories[code] if 0 <= code < len(categories) else plain[number]
                for number, code in enumerate(codes)
            ]
    return plain


def _named(columns: list[ObjectColumn], names: tuple[str, ...], kinds: str) -> ObjectColumn | None:
    """The first column of one of these names that holds numbers."""
    by_name = {column.name.lower(): column for column in columns if column.categories is None}
    for name in names:
        found = by_name.get(name)
        if found is not None and found.values.dtype.kind in kinds:
            return found
    return None


def _floats(column: ObjectColumn) -> Float:
    values = column.values.astype(np.float64)
    values[~column.known] = np.nan
    return values

"""What one store holds, put into another as it is: cells, tables of objects, headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zarr_vectors.constants import (
    GROUP_ATTRIBUTES,
    HEADERS,
    OBJECT_ATTRIBUTES,
    OUTLINE_KEY,
    PARAMETRIC,
    ROOT_KEY,
    SHARD_KEYS,
)
from zarr_vectors.core.headers import read_headers
from zarr_vectors.core.layouts.base import ChunkGrid, Layout
from zarr_vectors.core.root_meta import RootDocument
from zarr_vectors.exceptions import StoreUnlistable
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.commit import put_object_attribute, told_in

_CELLS_AT_ONCE = 1024


def copy_cells(
    source: Layout,
    target: Layout,
    path: str,
    grid: ChunkGrid,
    on_batch: Callable[[], None] = lambda: None,
) -> None:
    """A chunked array, cell by cell.

    Args:
        source: Where from.
        target: Where to.
        path: Logical path in both.
        grid: Box of chunks the copy may hold.
        on_batch: Called between batches; may raise to stop.
    """
    stored = source.list_cells(path)
    target.create_cells(path, source.array_metas([path]).get(path, {}), grid)
    for start in range(0, len(stored), _CELLS_AT_ONCE):
        on_batch()
        part = stored[start : start + _CELLS_AT_ONCE]
        target.put_cells(path, source.get_cells({path: part})[path])


def copy_object_tables(source: Layout, target: Layout, level: str) -> None:
    """Object attributes, groups and group attributes of a level whose object index is there."""
    rows, stored = source.get_objects(level), target.get_objects(level)
    if rows is not None and stored is not None:
        for name in family_names(source, f"{level}/{OBJECT_ATTRIBUTES}"):
            path = f"{level}/{OBJECT_ATTRIBUTES}/{name}"
            found = source.get_dense(path)
            if found is None:
                continue
            values, present = found
            present = present[present < len(rows.ids)]
            ids: IntArray = rows.ids[present]
            told = told_in(source.array_metas([path])[path])
            put_object_attribute(target, level, name, values[present], ids, stored.ids, told)
    groups = source.get_groups(level)
    if groups is not None:
        target.put_groups(level, groups)
    for name in family_names(source, f"{level}/{GROUP_ATTRIBUTES}"):
        _copy_dense(source, target, f"{level}/{GROUP_ATTRIBUTES}/{name}")


def copy_beside_levels(source: Layout, target: Layout) -> None:
    """Headers and parametric objects."""
    headers = read_headers(source)
    if headers:
        own = source.get_attrs([HEADERS]).get(HEADERS, {})
        target.put_attrs({HEADERS: own, **{f"{HEADERS}/{n}": h for n, h in headers.items()}})
    about = source.get_attrs([PARAMETRIC]).get(PARAMETRIC)
    if about is None:
        return
    target.put_attrs({PARAMETRIC: about})
    found = source.get_parametric()
    if found is not None:
        target.put_parametric(*found)
    for family in (OBJECT_ATTRIBUTES, GROUP_ATTRIBUTES):
        for name in family_names(source, f"{PARAMETRIC}/{family}"):
            _copy_dense(source, target, f"{PARAMETRIC}/{family}/{name}")
    groups = source.get_groups(PARAMETRIC)
    if groups is not None:
        target.put_groups(PARAMETRIC, groups)


def kept_attributes(root: RootDocument) -> dict[str, Any]:
    """Root attributes that a copy keeps: not those that tell format, levels, place or shards."""
    own = {ROOT_KEY, OUTLINE_KEY, "ome", *SHARD_KEYS}
    return {key: value for key, value in root.attributes.items() if key not in own}


def family_names(layout: Layout, family: str) -> list[str]:
    """Sorted names of the arrays of a family; none where there is no such family.

    Raises:
        StoreUnlistable: The place cannot list, and nothing records them.
    """
    try:
        return layout.array_names(family)
    except StoreUnlistable:
        # published 0.7 writers make no group for a family, so that nothing tells there is none
        if not layout.families_have_groups or family in layout.get_attrs([family]):
            raise
        return []


def _copy_dense(source: Layout, target: Layout, path: str) -> None:
    found = source.get_dense(path)
    if found is None:
        return
    values, present = found
    meta = source.array_metas([path]).get(path, {})
    own = {k: v for k, v in meta.items() if k not in ("has_present_mask", "num_channels")}
    target.put_dense(path, values, own, None if len(present) == len(values) else present)

"""Objects, groups and attribute values to the fragments and chunks that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from zarr_vectors.constants import OBJECT_INDEX
from zarr_vectors.core.layouts.base import KeepsObjects, ObjectRows
from zarr_vectors.encoding.manifests import ManifestTable, decode_manifests
from zarr_vectors.exceptions import ArrayError, StoreError
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.reading.plan import Pieces
from zarr_vectors.typing import IntArray


def pieces_of_objects(
    layout: KeepsObjects,
    arrays: LevelArrays,
    object_ids: Iterable[int] | None,
    group_ids: Iterable[int] | None = None,
) -> Pieces:
    """Fragments of objects, object after object in the order asked, each in manifest order.

    Args:
        layout: Where the object index is.
        arrays: The level.
        object_ids: Objects asked for, or None for any; unknown ids are passed over.
        group_ids: Groups the objects must be in, or None for any.

    Raises:
        StoreError: There is no such group.
        ArrayError: A damaged manifest.
    """
    wanted = None if object_ids is None else list(dict.fromkeys(int(i) for i in object_ids))
    if group_ids is not None:
        members = group_members(layout, arrays, group_ids)
        wanted = members if wanted is None else [i for i in wanted if i in set(members)]
    return fragments_of(layout, arrays, wanted)


def fragments_of(layout: KeepsObjects, arrays: LevelArrays, wanted: list[int] | None) -> Pieces:
    """Fragments of objects in the order given; of all objects, ascending, where None."""
    found = decoded_objects(layout, arrays, wanted)
    if found is None:
        none = np.zeros(0, np.int64)
        return Pieces(np.zeros((0, arrays.rank), np.int64), none, none)
    ids, table = found
    counts = np.diff(table.offsets)
    blocks = np.arange(len(table.fragments))
    objects = np.repeat(ids, counts)
    if wanted is not None:
        place = {oid: i for i, oid in enumerate(wanted)}
        rank = np.fromiter((place[int(i)] for i in ids), np.int64, len(ids))
        blocks = np.argsort(np.repeat(rank, counts), kind="stable")
    return Pieces(table.chunks[blocks], table.fragments[blocks], objects[blocks])


def decoded_objects(
    layout: KeepsObjects, arrays: LevelArrays, wanted: Iterable[int] | None
) -> tuple[IntArray, ManifestTable] | None:
    """Ids of objects, ascending, and their manifests; None where there are none.

    Args:
        layout: Where the object index is.
        arrays: The level.
        wanted: Objects asked for, or None for all; unknown ids are passed over.

    Raises:
        ArrayError: The index is damaged, or recorded and not there.
    """
    rows = object_rows(layout, arrays, wanted)
    if rows is None:
        return None
    try:
        return rows.ids, decode_manifests(rows.manifests, rows.sid_ndim)
    except ArrayError as error:
        path = f"{arrays.path}/{OBJECT_INDEX}"
        raise ArrayError(f"{path} of {arrays.url}: {error}", array=path) from error


def object_rows(
    layout: KeepsObjects, arrays: LevelArrays, wanted: Iterable[int] | None
) -> ObjectRows | None:
    """Objects and their manifests as stored; None where there are none.

    Arguments and errors as of :func:`decoded_objects`.
    """
    rows = layout.get_objects(arrays.path, wanted)
    path = f"{arrays.path}/{OBJECT_INDEX}"
    if rows is None and OBJECT_INDEX in arrays.meta.arrays_present:
        raise ArrayError(
            f"{path} in {arrays.url} is damaged: it is recorded and not there", array=path
        )
    if rows is None or not len(rows.ids):
        return None
    if rows.sid_ndim != arrays.rank:
        raise ArrayError(
            f"{path} of {arrays.url} has chunks of rank {rows.sid_ndim}, expected {arrays.rank}",
            array=path,
        )
    return rows


def group_members(layout: KeepsObjects, arrays: LevelArrays, group_ids: Iterable[int]) -> list[int]:
    """Objects of groups, each once, in group order.

    Raises:
        StoreError: There is no such group.
    """
    groups = layout.get_groups(arrays.path)
    found: dict[int, None] = {}
    for number in group_ids:
        if groups is None or not 0 <= number < len(groups):
            known = "no groups" if not groups else f"groups 0 to {len(groups) - 1}"
            raise StoreError(
                f"level {arrays.path} of {arrays.url} has no group {number}; it has {known}"
            )
        found.update(dict.fromkeys(groups[number].tolist()))
    return list(found)


def lead_of_value(arrays: LevelArrays, attribute_filter: Mapping[str, Any]) -> int:
    """The attribute bin of a value, -1 for an unknown value.

    Raises:
        ArrayError: Not exactly one name, or not the attribute the level is chunked by.
    """
    if len(attribute_filter) != 1:
        raise ArrayError(f"attribute_filter takes one name, not {len(attribute_filter)}")
    name, value = next(iter(attribute_filter.items()))
    if arrays.lead_name is None:
        raise ArrayError(
            f"level {arrays.path} of {arrays.url} is not chunked by an attribute, "
            f"so it cannot be filtered by {name!r}"
        )
    if name != arrays.lead_name:
        raise ArrayError(
            f"level {arrays.path} of {arrays.url} is chunked by {arrays.lead_name!r}, not {name!r}"
        )
    known = arrays.meta.chunk_attribute_values or ()
    return next((i for i, have in enumerate(known) if have == value), -1)


def all_ids(layout: KeepsObjects, arrays: LevelArrays) -> IntArray:
    """(O,) int64 ids of the objects that have vertices at the level, ascending."""
    pieces = fragments_of(layout, arrays, None)
    return np.unique(pieces.objects)

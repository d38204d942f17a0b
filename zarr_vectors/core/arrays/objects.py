"""Objects of a level: manifests, attributes, vertices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import OBJECT_ATTRIBUTES
from zarr_vectors.core.arrays.listing import axes_of, path_of
from zarr_vectors.core.arrays.vertices import read_chunk_vertices
from zarr_vectors.core.attrs import forget_outline
from zarr_vectors.core.group import Group
from zarr_vectors.core.layouts.base import ObjectRows
from zarr_vectors.core.paths import check_name
from zarr_vectors.encoding.manifests import decode_manifests, encode_manifest
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import AnyArray, FloatArray, ObjectManifest


def write_object_index(
    level_group: Group,
    manifests: Mapping[int, ObjectManifest],
    sid_ndim: int,
    *,
    total_objects: int | None = None,
) -> None:
    """Store the object index, replacing the one there.

    Args:
        level_group: The level.
        manifests: Object id -> ordered (chunk, fragment) pairs.
        sid_ndim: Components of a chunk coordinate.
        total_objects: Objects in all; ids below it without a manifest are empty.
    """
    ids = sorted({*manifests, *range(total_objects or 0)})
    blobs = [encode_manifest(manifests.get(oid, []), sid_ndim) for oid in ids]
    rows = ObjectRows(np.array(ids, np.int64), blobs, sid_ndim)
    level_group.layout.put_objects(level_group.prefix, rows)


def read_all_object_manifests(level_group: Group) -> list[ObjectManifest]:
    """Manifest of every row of the index; ``[]`` where the level has no objects."""
    rows = level_group.layout.get_objects(level_group.prefix)
    if rows is None:
        return []
    table = decode_manifests(rows.manifests, rows.sid_ndim)
    return [table[row] for row in range(len(table))]


def read_object_manifest(level_group: Group, object_id: int) -> ObjectManifest:
    """Manifest of one object.

    Raises:
        ArrayError: There is no such object.
    """
    rows = level_group.layout.get_objects(level_group.prefix, [object_id])
    if rows is None or not len(rows.ids):
        raise ArrayError(
            f"level {level_group.prefix} of {level_group.backend.url} has no object {object_id}"
        )
    return decode_manifests(rows.manifests, rows.sid_ndim)[0]


def read_object_vertices(
    level_group: Group,
    object_id: int,
    dtype: npt.DTypeLike | None = None,
    ndim: int | None = None,
) -> list[FloatArray]:
    """Vertices of one object, one (n, D) array per fragment of its manifest."""
    axes = axes_of(level_group, ndim)
    chunks: dict[tuple[int, ...], list[FloatArray]] = {}
    parts = []
    for chunk, fragment in read_object_manifest(level_group, object_id):
        if chunk not in chunks:
            chunks[chunk] = read_chunk_vertices(level_group, chunk, dtype, axes)
        if fragment >= len(chunks[chunk]):
            raise ArrayError(f"object {object_id} names fragment {fragment} of chunk {chunk}")
        parts.append(chunks[chunk][fragment])
    return parts


def create_object_attributes_array(
    level_group: Group, name: str, dtype: npt.DTypeLike = "float32", num_channels: int = 1
) -> None:
    """Make an object attribute of no rows, to be filled by :func:`write_object_attributes`."""
    shape = (0,) if num_channels == 1 else (0, num_channels)
    write_object_attributes(level_group, name, np.zeros(shape, np.dtype(dtype)))


def write_object_attributes(
    level_group: Group,
    name: str,
    data: npt.ArrayLike,
    *,
    present_mask: npt.ArrayLike | None = None,
) -> None:
    """Store an object attribute, replacing one of that name.

    Args:
        level_group: The level.
        name: Its name.
        data: (O,) or (O, C) numbers, one row per row of the object index.
        present_mask: (O,) bool, rows that have a value; all by default.
    """
    path = path_of(level_group, OBJECT_ATTRIBUTES, check_name(name, "attribute name"))
    present = None
    if present_mask is not None:
        present = np.flatnonzero(np.asarray(present_mask, np.bool_)).astype(np.int64)
    meta = {"zv_array": "object_attribute", "name": name}
    level_group.layout.put_dense(path, np.asarray(data), meta, present=present)
    forget_outline(level_group.layout)


def read_object_attributes(
    level_group: Group, name: str, dtype: npt.DTypeLike | None = None
) -> AnyArray:
    """(O,) or (O, C) values, one row per row of the object index.

    Raises:
        ArrayError: There is no such attribute.
    """
    path = path_of(level_group, OBJECT_ATTRIBUTES, name)
    found = level_group.layout.get_dense(path)
    if found is None:
        raise ArrayError(f"{level_group.backend.url} has no {path}", array=path)
    return found[0] if dtype is None else found[0].astype(dtype)

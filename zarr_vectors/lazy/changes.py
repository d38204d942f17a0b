"""What a writer does to a level inside a transaction; each gives the store as it is then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import (
    FACE_ATTRIBUTES,
    OBJECT_ATTRIBUTES,
    VERTEX_ATTRIBUTES,
    VERTICES,
)
from zarr_vectors.core.handle import StoreHandle, finish
from zarr_vectors.core.metadata.array import dtype_of
from zarr_vectors.encoding.categorical import is_text
from zarr_vectors.encoding.manifests import EMPTY_MANIFEST
from zarr_vectors.encoding.ragged import encode_rows
from zarr_vectors.exceptions import ArrayError, StoreError
from zarr_vectors.reading.faces import face_counts
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level
from zarr_vectors.typing import AnyArray, IntArray
from zarr_vectors.writing.columns import object_values, vertex_columns
from zarr_vectors.writing.commit import grid_of, put_object_attribute, write_column
from zarr_vectors.writing.route import Route


def add_vertex_attribute(
    writing: StoreHandle, level: int, name: str, values: npt.ArrayLike, dtype: npt.DTypeLike | None
) -> StoreHandle:
    """Write an attribute of a level's vertices, replacing one of that name.

    Raises:
        ArrayError: Not one row per vertex, or values that cannot be stored.
    """
    reader = reader_of(writing, level)
    arrays = reader.arrays
    if name == arrays.lead_name:
        raise ArrayError(f"level {level} is chunked by {name!r}: it cannot be replaced")
    column = vertex_columns({name: cast_to(values, dtype)}, arrays.meta.vertex_count)[name]
    route = in_place(reader)
    bins = None if arrays.lead_values is None else len(arrays.lead_values)
    grid = grid_of(writing.meta.bounds, arrays.chunk_shape, route.chunks, bins)
    write_column(writing.layout, str(level), route, column, grid)
    return record(writing, level, VERTEX_ATTRIBUTES, f"{VERTEX_ATTRIBUTES}/{name}")


def add_face_attribute(
    writing: StoreHandle, level: int, name: str, values: npt.ArrayLike, dtype: npt.DTypeLike | None
) -> StoreHandle:
    """Write an attribute of the faces that lie inside one chunk, replacing one of that name.

    Raises:
        ArrayError: Not one row per such face, or values that cannot be stored.
    """
    path = str(level)
    chunks, counts = face_counts(writing.layout, path)
    given = cast_to(values, dtype)
    if given.ndim not in (1, 2) or len(given) != int(counts.sum()):
        raise ArrayError(
            f"face attribute {name!r} has the shape {given.shape}; level {path} of "
            f"{writing.backend.url} has {int(counts.sum())} faces inside one chunk"
        )
    column = vertex_columns({name: given}, len(given))[name]
    shape = writing.level(level).meta.chunk_shape or writing.meta.chunk_shape
    grid = grid_of(writing.meta.bounds, shape, chunks)
    meta = column.spec.to_meta() | {"zv_array": "face_attribute"}
    where = f"{path}/{FACE_ATTRIBUTES}/{name}"
    writing.layout.create_cells(where, meta, grid)
    rows = np.split(column.values, np.cumsum(counts)[:-1]) if len(counts) else []
    keys = [tuple(row) for row in chunks.tolist()]
    cells = {key: bytes(encode_rows(part)) for key, part in zip(keys, rows, strict=True)}
    writing.layout.put_cells(where, cells)
    return record(writing, level, FACE_ATTRIBUTES, f"{FACE_ATTRIBUTES}/{name}")


def add_object_attribute(
    writing: StoreHandle, level: int, name: str, values: npt.ArrayLike, dtype: npt.DTypeLike | None
) -> StoreHandle:
    """Write an attribute of a level's objects, replacing one of that name.

    Raises:
        ArrayError: Rows that do not fit the objects, or values that cannot be stored.
    """
    path = str(level)
    index = writing.layout.get_objects(path)
    ids = np.zeros(0, np.int64) if index is None else index.ids
    blobs = [] if index is None else index.manifests
    there = np.array([blob != EMPTY_MANIFEST for blob in blobs], np.bool_)
    masked: npt.NDArray[np.bool_] | None = None
    given = values
    if isinstance(values, np.ma.MaskedArray):
        masked, given = np.asarray(np.ma.getmaskarray(values)), np.ma.getdata(values)
    if not is_text(np.asarray(given)):
        given = cast_to(given, dtype)
    rows, told = object_values(name, given)
    chosen = rows_of_objects(len(rows), ids, there)
    if chosen is None:
        raise ArrayError(
            f"object attribute {name!r} has {len(rows)} rows; level {path} of "
            f"{writing.backend.url} has {int(there.sum())} objects"
        )
    present = ids[there]
    if masked is not None:
        known = np.flatnonzero(masked.reshape(len(rows), -1)[chosen].sum(axis=1) == 0)
        chosen, present = chosen[known], present[known]
    put_object_attribute(writing.layout, path, name, rows[chosen], present, ids, told)
    return record(writing, level, OBJECT_ATTRIBUTES, f"{OBJECT_ATTRIBUTES}/{name}")


def rows_of_objects(count: int, ids: IntArray, there: npt.NDArray[np.bool_]) -> IntArray | None:
    """Which of some rows belong to the objects that have vertices, or None where none fit.

    Rows are one per object that has vertices, one per row of the index, or one per id from 0.
    """
    if not len(ids):
        return None
    if count == int(there.sum()):
        return np.arange(count, dtype=np.int64)
    if count == len(ids):
        return np.flatnonzero(there).astype(np.int64)
    return ids[there] if count == int(ids[-1]) + 1 else None


def record(writing: StoreHandle, level: int, *names: str) -> StoreHandle:
    """Add to the names of arrays the level says it has, and write its metadata."""
    document = writing.level(level)
    known = dict.fromkeys((*document.meta.arrays_present, *names))
    meta = replace(document.meta, arrays_present=tuple(known))
    changed = writing.with_level(replace(document, meta=meta))
    finish(changed, level)
    return changed


def reader_of(handle: StoreHandle, level: int) -> LevelReader:
    """What reads a level as it is now.

    Raises:
        StoreError: Its vertices are encoded such that rows cannot be counted.
    """
    arrays = describe_level(handle.layout, handle.meta, handle.level(level))
    return LevelReader(handle.layout, arrays)


def in_place(reader: LevelReader) -> Route:
    """A route that leaves every row where it is."""
    table = reader.arrays.table
    counts = table.counts
    if not table.exact:
        found = reader.read_chunks(table.keys())
        counts = np.array([len(part.positions) for part in found.values()], np.int64)
    return unmoved(table.coords, counts)


def unmoved(chunks: IntArray, counts: IntArray) -> Route:
    """A route of rows that are in stored order already."""
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    order = np.arange(int(starts[-1]), dtype=np.int64)
    return Route(order, chunks, starts, starts, np.arange(len(counts) + 1))


def cast_to(values: npt.ArrayLike, dtype: npt.DTypeLike | None) -> AnyArray:
    """Values in the dtype asked for, those that it cannot hold refused.

    Raises:
        ArrayError: No such dtype, or values that change.
    """
    found = np.asarray(values)
    if dtype is None or is_text(found):
        return found
    wanted = dtype_of(np.dtype(dtype).name, "the attribute")
    with np.errstate(invalid="ignore", over="ignore"):
        stored = found.astype(wanted)
    if wanted.kind in "iu" and not np.array_equal(stored, found):
        raise ArrayError(f"values of dtype {found.dtype} cannot be stored as {wanted.name}")
    return stored


def check_appendable(reader: LevelReader) -> None:
    """See that vertices can be added to a level.

    Raises:
        ArrayError: It is chunked by an attribute, or its vertices are not stored as they are.
    """
    arrays = reader.arrays
    if arrays.meta.chunked_by_attribute:
        raise ArrayError(f"level {arrays.path} is chunked by an attribute: nothing is appended")
    if arrays.vertices.encoding != "raw":
        raise ArrayError(
            f"{VERTICES} of level {arrays.path} in {arrays.url} are encoded as "
            f"{arrays.vertices.encoding}: nothing is appended"
        )


def check_unchanged(before: StoreHandle, now: StoreHandle, level: int) -> None:
    """See that nobody changed a level that a writer has open.

    Raises:
        StoreError: Somebody did.
    """
    if level not in now.levels or before.level(level).meta != now.level(level).meta:
        raise StoreError(
            f"level {level} of {now.backend.url} was changed while a writer had it open: "
            "open the store again"
        )

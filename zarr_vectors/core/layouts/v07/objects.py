"""Objects and groups of 0.7: row is the object id, every id up to the largest has a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from zarr_vectors.constants import (
    GROUPS,
    KIND_KEY,
    MANIFEST_ROWS,
    OBJECT_INDEX,
)
from zarr_vectors.core import paths
from zarr_vectors.core.documents import array_node, group_document
from zarr_vectors.core.layouts import flat
from zarr_vectors.core.layouts.base import ObjectRows
from zarr_vectors.core.layouts.meta import count_of, rank_of
from zarr_vectors.core.layouts.v07.blobs import Blobs, Buffer, Place
from zarr_vectors.encoding.manifests import EMPTY_MANIFEST
from zarr_vectors.encoding.ragged import decode_rows, encode_rows
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import IntArray

_LAYOUT = "vlen_manifests_v1"
_MOST_EMPTY = 50_000_000
_MOST_AHEAD = 4
"""Chunks of the table fetched before its document tells how it is cut."""


class Objects07(Blobs):
    """The object index and the groups of a level."""

    def get_objects(self, level: str, ids: Iterable[int] | None = None) -> ObjectRows | None:
        """All rows, or those of the given ids that exist; None where the level has no objects."""
        index = paths.join(level, OBJECT_INDEX)
        table = f"{index}/manifests"
        wanted = None if ids is None else sorted(set(ids))
        documents, reader = self.documents_ahead([index, table], _likely_chunks(table, wanted))
        if index not in documents:
            self.check_absent(index)
            return None
        meta = self._attrs(index, documents[index])
        with self.blaming(index):
            rank = rank_of(meta)
            if table not in documents:
                return self._old_objects(index, count_of(meta, "num_objects"), rank, wanted)
            node = array_node(documents[table], paths.node(table))
            count = node.shape[0] if node.shape else 0
            rows = _rows(wanted, count)
            blobs = flat.read_vlen(reader, table, node, rows)
            found = np.arange(len(blobs), dtype=np.int64) if rows is None else rows
            return ObjectRows(found, flat.without_gaps(blobs, EMPTY_MANIFEST), rank)

    def get_object_ids(self, level: str) -> IntArray | None:
        """(n,) int64 ids of all rows, ascending; None where the level has no objects."""
        index = paths.join(level, OBJECT_INDEX)
        table = f"{index}/manifests"
        documents = self.documents([index, table])
        if table not in documents:  # there are none, or they are in the older form
            rows = self.get_objects(level)
            return None if rows is None else rows.ids
        with self.blaming(index):
            count = flat.row_count(array_node(documents[table], paths.node(table)))
            return np.arange(count, dtype=np.int64)

    def put_objects(self, level: str, rows: ObjectRows) -> IntArray:
        """Create or replace the object index.

        Returns:
            (O,) int64 ids of the rows stored, ascending: all up to the largest given.

        Raises:
            ArrayError: Ids are negative, repeat, or are so sparse that the dense table explodes.
        """
        index = paths.join(level, OBJECT_INDEX)
        ids = np.asarray(rows.ids, dtype=np.int64)
        count = int(ids.max()) + 1 if len(ids) else 0
        if len(ids) and (ids.min() < 0 or len(np.unique(ids)) != len(ids)):
            raise ArrayError(f"object ids of {index} must be distinct and not negative")
        if count - len(ids) > _MOST_EMPTY:
            raise ArrayError(
                f"{index} cannot hold {len(ids)} objects with ids up to {count - 1}: "
                "format 0.7.0 stores a row for every id; number them from 0 or write 0.9.2"
            )
        blobs = [EMPTY_MANIFEST] * count
        for oid, blob in zip(ids.tolist(), rows.manifests, strict=True):
            blobs[oid] = blob
        meta = {
            KIND_KEY: "object_index",
            "num_objects": count,
            "sid_ndim": rows.sid_ndim,
            "layout": _LAYOUT,
        }
        self.backend.delete_prefix(index)
        table = flat.vlen_items(f"{index}/manifests", blobs, chunk_rows=MANIFEST_ROWS)
        self.backend.put_many(
            {**self.missing_parents([index]), **table, paths.node(index): group_document(meta)}
        )
        return np.arange(count, dtype=np.int64)

    def get_groups(self, level: str) -> list[IntArray] | None:
        """Object ids per group id 0..G-1, or None where the level has no groups."""
        path = paths.join(level, GROUPS)
        data, offsets = f"{path}/data", f"{path}/offsets"
        wanted: dict[str, Place] = {data: (path, None), offsets: (path, None)}
        blobs, documents = self.read_blobs_and_documents(wanted, [path])
        if path not in documents:
            self.check_absent(path)
            return None
        with self.blaming(path):
            count = count_of(self._attrs(path, documents[path]), "num_groups")
            starts = decode_rows(blobs.get(offsets, b""), "<i8")
            values = decode_rows(blobs.get(data, b""), "<i8")
            return _cut(values, starts, count)

    def put_groups(self, level: str, groups: Sequence[IntArray]) -> None:
        """Create or replace the groups."""
        path = paths.join(level, GROUPS)
        arrays = [np.asarray(group, dtype=np.int64) for group in groups]
        sizes = np.array([0, *(len(array) for array in arrays)], dtype=np.int64)
        starts = np.cumsum(sizes)[:-1] * 8
        data = np.concatenate([np.zeros(0, np.int64), *arrays])
        items: dict[str, Buffer] = {
            **self.missing_parents([path]),
            **self.blob_items(f"{path}/data", encode_rows(data)),
            **self.blob_items(f"{path}/offsets", encode_rows(starts)),
            paths.node(path): group_document({KIND_KEY: GROUPS, "num_groups": len(arrays)}),
        }
        self.backend.delete_prefix(path)
        self.backend.put_many(items)

    def _old_objects(
        self, index: str, count: int, rank: int, ids: Iterable[int] | None
    ) -> ObjectRows:
        """The older form: manifests back to back in ``data``, their starts in ``offsets``."""
        data, offsets = f"{index}/data", f"{index}/offsets"
        blobs = self.read_blobs({data: (index, None), offsets: (index, None)})
        if count and (data not in blobs or offsets not in blobs):
            raise ArrayError("its manifests are missing")
        starts = decode_rows(blobs.get(offsets, b""), "<i8")
        whole = blobs.get(data, b"")
        ends = [*starts[1:].tolist(), len(whole)]
        if (
            len(starts) != count
            or any(not 0 <= a <= b for a, b in zip(starts.tolist(), ends, strict=True))
            or (count and starts[-1] > len(whole))
        ):
            raise ArrayError(f"its offsets do not cut {len(whole)} bytes into {count} manifests")
        rows = _rows(ids, count)
        chosen = np.arange(count, dtype=np.int64) if rows is None else rows
        cut = [whole[int(starts[row]) : ends[row]] or EMPTY_MANIFEST for row in chosen.tolist()]
        return ObjectRows(chosen, cut, rank)

    def _attrs(self, path: str, document: dict[str, object]) -> dict[str, object]:
        found = document.get("attributes")
        if not isinstance(found, dict):
            raise self.damaged(path, "its attributes are missing")
        return found


def _likely_chunks(table: str, ids: Iterable[int] | None) -> list[str]:
    """Chunks of the table that are needed if it is cut as writers of this format do."""
    numbers = [0] if ids is None else list(dict.fromkeys(i // MANIFEST_ROWS for i in ids if i >= 0))
    return [f"{table}/c/{number}" for number in numbers[:_MOST_AHEAD]]


def _rows(ids: Iterable[int] | None, count: int) -> IntArray | None:
    if ids is None:
        return None
    wanted = np.unique(np.array(list(ids), dtype=np.int64))
    return wanted[(wanted >= 0) & (wanted < count)]


def _cut(values: IntArray, starts: IntArray, count: int) -> list[IntArray]:
    if len(starts) != count:
        raise ArrayError(f"it has {len(starts)} offsets for {count} groups")
    cuts = np.append(starts, 8 * len(values))
    if np.any(cuts % 8) or np.any(cuts[1:] < cuts[:-1]) or cuts[0] != 0:
        raise ArrayError(f"its offsets do not cut {len(values)} ids into {count} groups")
    cuts //= 8
    return [values[cuts[k] : cuts[k + 1]] for k in range(count)]

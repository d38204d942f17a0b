"""Objects and groups of 0.9: rows sorted by object id, which may be sparse."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from zarr_vectors.constants import GROUPS, KIND_KEY, MANIFEST_ROWS, OBJECT_INDEX
from zarr_vectors.core import paths
from zarr_vectors.core.documents import array_node, attributes_of, group_document
from zarr_vectors.core.layouts import flat
from zarr_vectors.core.layouts.ahead import ReadsValues
from zarr_vectors.core.layouts.base import ObjectRows
from zarr_vectors.core.layouts.meta import rank_of
from zarr_vectors.core.layouts.tree import Tree
from zarr_vectors.encoding.manifests import EMPTY_MANIFEST
from zarr_vectors.encoding.ragged import decode_rows, encode_rows
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import IntArray

_LAYOUT = "vlen_manifests_v2"
_MOST_IN_RANGES = 2**27
_DECIMAL = re.compile(r"[0-9]{1,18}", re.ASCII)


class Objects09(Tree):
    """The object index and the groups of a level."""

    def get_objects(self, level: str, ids: Iterable[int] | None = None) -> ObjectRows | None:
        """All rows, or those of the given ids that exist; None where the level has no objects."""
        index = paths.join(level, OBJECT_INDEX)
        table, names = f"{index}/manifests", f"{index}/object_ids"
        first = [f"{table}/c/0", f"{names}/c/0"]
        documents, reader = self.documents_ahead([index, table, names], first)
        if index not in documents:
            self.check_absent(index)
            return None
        with self.blaming(index):
            rank = rank_of(attributes_of(documents[index], self._named(index)))
            if table not in documents:
                raise ArrayError("its manifests are missing")
            node = array_node(documents[table], paths.node(table))
            known = self._ids(reader, names, documents.get(names), flat.row_count(node))
            rows = None
            if ids is not None:
                wanted = np.unique(np.array(list(ids), dtype=np.int64))
                rows = np.flatnonzero(np.isin(known, wanted)).astype(np.int64)
                known = known[rows]
            blobs = flat.read_vlen(reader, table, node, rows)
            return ObjectRows(known, flat.without_gaps(blobs, EMPTY_MANIFEST), rank)

    def get_object_ids(self, level: str) -> IntArray | None:
        """(n,) int64 ids of all rows, ascending; None where the level has no objects."""
        index = paths.join(level, OBJECT_INDEX)
        table, names = f"{index}/manifests", f"{index}/object_ids"
        documents, reader = self.documents_ahead([index, table, names], [f"{names}/c/0"])
        if index not in documents:
            self.check_absent(index)
            return None
        with self.blaming(index):
            if table not in documents:
                raise ArrayError("its manifests are missing")
            count = flat.row_count(array_node(documents[table], paths.node(table)))
            return self._ids(reader, names, documents.get(names), count)

    def put_objects(self, level: str, rows: ObjectRows) -> IntArray:
        """Create or replace the object index.

        Returns:
            (O,) int64 ids of the rows stored, ascending.

        Raises:
            ArrayError: Ids repeat or are negative.
        """
        index = paths.join(level, OBJECT_INDEX)
        ids = np.asarray(rows.ids, dtype=np.int64)
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        if len(ids) and (ids[0] < 0 or np.any(np.diff(ids) == 0)):
            raise ArrayError(f"object ids of {index} must be distinct and not negative")
        blobs = [rows.manifests[row] for row in order.tolist()]
        meta = {
            KIND_KEY: "object_index",
            "num_objects": len(ids),
            "num_present": sum(blob != EMPTY_MANIFEST for blob in blobs),
            "sid_ndim": rows.sid_ndim,
            "layout": _LAYOUT,
            "object_ids_sorted": True,
        }
        items = {
            **self.missing_parents([index]),
            **flat.vlen_items(f"{index}/manifests", blobs, chunk_rows=MANIFEST_ROWS),
            **flat.number_items(f"{index}/object_ids", ids, chunk_rows=len(ids)),
            paths.node(index): group_document(meta),
        }
        self.backend.delete_prefix(index)
        self.backend.put_many(items)
        return ids

    def get_groups(self, level: str) -> list[IntArray] | None:
        """Object ids per group id 0..G-1, or None where the level has no groups."""
        path = paths.join(level, GROUPS)
        documents, reader = self.documents_ahead([path], [f"{path}/c/0"])
        if path not in documents:
            self.check_absent(path)
            return None
        with self.blaming(path):
            node = array_node(documents[path], paths.node(path))
            ranges = node.attributes.get("group_ranges") or {}
            sparse = isinstance(ranges, dict) and len(ranges) >= flat.row_count(node)
            rows = flat.read_vlen(reader, path, node, sparse=sparse)
            groups = [decode_rows(row, "<i8") for row in rows]
            return _with_ranges(groups, ranges)

    def put_groups(self, level: str, groups: Sequence[IntArray]) -> None:
        """Create or replace the groups."""
        path = paths.join(level, GROUPS)
        rows = [bytes(encode_rows(np.asarray(group, dtype=np.int64))) for group in groups]
        meta = {KIND_KEY: GROUPS, "num_groups": len(rows)}
        items = flat.vlen_items(path, rows, chunk_rows=max(len(rows), 1), attributes=meta)
        parents = self.missing_parents([path])
        self.backend.delete_prefix(path)
        self.backend.put_many({**parents, **items})

    def _ids(
        self, reader: ReadsValues, path: str, document: dict[str, Any] | None, count: int
    ) -> IntArray:
        """Ids of the rows: their numbers where there is no document that says others."""
        if document is None:
            return np.arange(count, dtype=np.int64)
        node = array_node(document, paths.node(path))
        ids = flat.read_numbers(reader, path, node)
        if ids.ndim != 1 or len(ids) != count or ids.dtype.kind not in "iu":
            raise ArrayError(f"it has object ids of shape {ids.shape} for {count} manifests")
        found: IntArray = ids.astype(np.int64)
        if np.any(found[1:] <= found[:-1]):
            raise ArrayError("its object ids do not ascend")
        return found


def _with_ranges(groups: list[IntArray], ranges: object) -> list[IntArray]:
    """Groups whose ids are stored as a range instead of a row."""
    if not isinstance(ranges, dict):
        raise ArrayError("its group_ranges are malformed")
    total = 0
    for key, value in ranges.items():
        ends = value if isinstance(value, list) and len(value) == 2 else [None, None]
        start, stop = ends
        known = _DECIMAL.fullmatch(key) is not None and int(key) < len(groups)
        if not known or type(start) is not int or type(stop) is not int:
            raise ArrayError(f"its range of group {str(key)[:60]!r} is malformed")
        total += stop - start
        if not 0 <= start <= stop <= 2**62 or total > _MOST_IN_RANGES:
            raise ArrayError(f"its group {key} claims ids {start} to {stop}")
        groups[int(key)] = np.arange(start, stop, dtype=np.int64)
    return groups

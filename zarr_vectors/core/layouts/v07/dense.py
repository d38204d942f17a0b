"""Small whole arrays of 0.7: values in a blob ``data``, their shape and dtype in the group."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from zarr_vectors.constants import MAX_DENSE_BYTES
from zarr_vectors.core import paths
from zarr_vectors.core.documents import attributes_of, group_document
from zarr_vectors.core.layouts.tree import with_kind, without_old_spelling
from zarr_vectors.core.layouts.v07.blobs import Blobs, Buffer, Place
from zarr_vectors.encoding.ragged import decode_rows, encode_rows, stored_dtype
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import AnyArray, IntArray


class Dense07(Blobs):
    """Object and group attributes."""

    def get_dense(self, path: str) -> tuple[AnyArray, IntArray] | None:
        """(values, present row numbers), or None where there is no such array."""
        data, mask = f"{path}/data", f"{path}/present_mask"
        wanted: dict[str, Place] = {data: (path, None), mask: (path, None)}
        blobs, documents = self.read_blobs_and_documents(wanted, [path])
        if path not in documents:
            self.check_absent(path)
            return None
        meta = attributes_of(documents[path], self._named(path))
        with self.blaming(path):
            values = _values(without_old_spelling(meta), blobs.get(data))
            return values, _present(blobs.get(mask), len(values))

    def put_dense(
        self,
        path: str,
        values: AnyArray,
        meta: Mapping[str, Any],
        present: IntArray | None = None,
    ) -> None:
        """Create or replace a dense array; ``present`` are the rows with a value, None for all."""
        array = np.asarray(values)
        attrs = with_kind(path, meta) | {
            "dtype": stored_dtype(array.dtype).name,
            "shape": list(array.shape),
            "has_present_mask": present is not None,
        }
        mask = np.ones(len(array), dtype=np.uint8)
        if present is not None:
            mask[:] = 0
            mask[present] = 1
            keep = mask.reshape(-1, *(1,) * (array.ndim - 1)).astype(bool)
            array = np.where(keep, array, np.zeros((), array.dtype))
        items: dict[str, Buffer] = {
            **self.missing_parents([path]),
            **self.blob_items(f"{path}/data", encode_rows(array)),
            paths.node(path): group_document(attrs),
        }
        if present is not None:
            items.update(self.blob_items(f"{path}/present_mask", encode_rows(mask)))
        elif attrs_has_mask(self.get_attrs([path]).get(path)):
            self.delete_blobs([f"{path}/present_mask"])
        self.backend.put_many(items)


def attrs_has_mask(meta: Mapping[str, Any] | None) -> bool:
    """An array recorded that some of its rows are absent."""
    return bool(meta and meta.get("has_present_mask"))


def _values(meta: Mapping[str, Any], blob: bytes | None) -> AnyArray:
    dtype = stored_dtype(meta.get("dtype", ""))
    shape = meta.get("shape")
    if (
        not isinstance(shape, list)
        or not 1 <= len(shape) <= 2
        or any(type(n) is not int or n < 0 for n in shape)
    ):
        raise ArrayError(f"its shape {str(shape)[:60]} is malformed")
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_DENSE_BYTES:
        raise ArrayError(f"it claims {size} bytes")
    if blob is None:
        if size:
            raise ArrayError("its data is missing")
        blob = b""
    if len(blob) != size:
        raise ArrayError(f"it has {len(blob)} bytes, expected {size}")
    values: AnyArray = decode_rows(blob, dtype).reshape(shape)
    return values


def _present(mask: bytes | None, rows: int) -> IntArray:
    if mask is None:
        return np.arange(rows, dtype=np.int64)
    if len(mask) != rows:
        raise ArrayError(f"its mask has {len(mask)} entries for {rows} rows")
    return np.flatnonzero(np.frombuffer(mask, np.uint8)).astype(np.int64)

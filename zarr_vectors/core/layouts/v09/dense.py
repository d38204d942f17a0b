"""Small whole arrays of 0.9: ordinary arrays in which the fill value marks absent rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import DENSE_ROWS
from zarr_vectors.core import codecs, paths
from zarr_vectors.core.documents import array_node
from zarr_vectors.core.layouts import flat
from zarr_vectors.core.layouts.meta import absent_value
from zarr_vectors.core.layouts.tree import Tree, with_kind
from zarr_vectors.encoding.ragged import stored_dtype
from zarr_vectors.typing import AnyArray, IntArray


class Dense09(Tree):
    """Object and group attributes."""

    def get_dense(self, path: str) -> tuple[AnyArray, IntArray] | None:
        """(values, present row numbers), or None where there is no such array."""
        # the first chunk of one column, or of several
        documents, reader = self.documents_ahead([path], [f"{path}/c/0", f"{path}/c/0/0"])
        if path not in documents:
            self.check_absent(path)
            return None
        with self.blaming(path):
            node = array_node(documents[path], paths.node(path))
            values = flat.read_numbers(reader, path, node)
            rows = np.arange(len(values), dtype=np.int64)
            if node.attributes.get("fill_sentinel_meaning") == "absent" and len(values):
                rows = rows[_differs(values, absent_value(values.dtype))]
            return values, rows

    def put_dense(
        self,
        path: str,
        values: AnyArray,
        meta: Mapping[str, Any],
        present: IntArray | None = None,
    ) -> None:
        """Create or replace a dense array; ``present`` are the rows with a value, None for all."""
        array = np.asarray(values)
        dtype = stored_dtype(array.dtype)
        attrs = with_kind(path, meta) | {"dtype": dtype.name, "shape": list(array.shape)}
        attrs[flat.WHOLE] = True
        fill: float = 0
        chunk_rows = len(array)
        if attrs.get("zv_array") == "object_attribute":
            fill = absent_value(dtype)
            attrs["fill_sentinel_meaning"] = "absent"
            chunk_rows = DENSE_ROWS
        if present is not None:
            kept = np.zeros(len(array), dtype=bool)
            kept[present] = True
            keep = kept.reshape(-1, *(1,) * (array.ndim - 1))
            array = np.where(keep, array, np.asarray(fill).astype(dtype))
        items = flat.number_items(
            path,
            array,
            chunk_rows=chunk_rows,
            fill_value=fill,
            compressors=[codecs.ZSTD_0],
            attributes=attrs,
        )
        self.backend.delete_prefix(paths.join(path))
        self.backend.put_many({**self.missing_parents([path]), **items})


def _differs(values: AnyArray, fill: float) -> npt.NDArray[np.bool_]:
    if values.dtype.kind == "b":
        return np.ones(len(values), dtype=bool)
    rows = values.reshape(len(values), -1)
    other = ~np.isnan(rows) if fill != fill else rows != fill
    found: npt.NDArray[np.bool_] = np.any(other, axis=1)
    return found

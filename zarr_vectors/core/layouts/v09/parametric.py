"""Parametric objects of 0.9: an array of padded rows, and one of names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zarr_vectors.constants import KIND_KEY, PARAMETRIC
from zarr_vectors.core import codecs
from zarr_vectors.core.documents import array_node
from zarr_vectors.core.layouts import flat
from zarr_vectors.core.layouts.tree import Tree
from zarr_vectors.core.paths import node
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import FloatArray

_ROWS, _NAMES = f"{PARAMETRIC}/objects", f"{PARAMETRIC}/names"


class Parametric09(Tree):
    """Rows and names of parametric objects."""

    def get_parametric(self) -> tuple[FloatArray, list[str]] | None:
        """(n, L) float64 rows and n names, or None where the store has none."""
        documents = self.documents([_ROWS, _NAMES])
        if _ROWS not in documents:
            return None
        with self.blaming(_ROWS):
            table = flat.read_numbers(
                self.backend, _ROWS, array_node(documents[_ROWS], node(_ROWS))
            )
            if table.ndim != 2 or table.dtype != np.float64:
                raise ArrayError(f"it is {table.dtype} of shape {table.shape}, expected rows")
        with self.blaming(_NAMES):
            if _NAMES not in documents:
                raise ArrayError("it is missing")
            named = array_node(documents[_NAMES], node(_NAMES))
            blobs = flat.read_vlen(self.backend, _NAMES, named)
            try:
                names = [blob.decode() for blob in blobs]
            except UnicodeDecodeError as error:
                raise ArrayError(f"its names are not text: {error}") from error
            if len(names) != len(table):
                raise ArrayError(f"it has {len(names)} names for {len(table)} objects")
        return table, names

    def put_parametric(self, rows: FloatArray, names: Sequence[str]) -> None:
        """Create or replace rows and names."""
        table = np.asarray(rows, np.float64)
        count = len(table)
        meta = {
            KIND_KEY: "parametric_objects",
            "num_objects": count,
            "max_row_length": table.shape[1],
            "dtype": "float64",
            flat.WHOLE: True,
        }
        items = {
            **self.missing_parents([_ROWS, _NAMES]),
            **flat.number_items(
                _ROWS, table, chunk_rows=count, compressors=[codecs.ZSTD_0], attributes=meta
            ),
            **flat.vlen_items(
                _NAMES,
                [name.encode() for name in names],
                chunk_rows=max(count, 1),
                attributes={KIND_KEY: "parametric_names", "num_objects": count},
            ),
        }
        self.backend.delete_prefix(_ROWS)
        self.backend.delete_prefix(_NAMES)
        self.backend.put_many(items)

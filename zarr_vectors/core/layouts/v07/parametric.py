"""Parametric objects of 0.7: a blob of padded rows, and their names joined by newlines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zarr_vectors.constants import KIND_KEY, PARAMETRIC
from zarr_vectors.core import paths
from zarr_vectors.core.documents import group_document
from zarr_vectors.core.layouts.meta import count_of
from zarr_vectors.core.layouts.v07.blobs import Blobs, Buffer
from zarr_vectors.encoding.ragged import decode_rows, encode_rows
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import FloatArray

_ROWS, _NAMES = f"{PARAMETRIC}/objects", f"{PARAMETRIC}/names"


class Parametric07(Blobs):
    """Rows and names of parametric objects."""

    def get_parametric(self) -> tuple[FloatArray, list[str]] | None:
        """(n, L) float64 rows and n names, or None where the store has none."""
        metas = self.get_attrs([_ROWS, _NAMES])
        if _ROWS not in metas:
            return None
        rows, names = f"{_ROWS}/data", f"{_NAMES}/data"
        blobs = self.read_blobs({rows: (_ROWS, None), names: (_NAMES, None)})
        with self.blaming(_ROWS):
            count, width = (
                count_of(metas[_ROWS], key) for key in ("num_objects", "max_row_length")
            )
            data = blobs.get(rows, b"")
            if len(data) != 8 * count * width:
                raise ArrayError(f"it has {len(data)} bytes for {count} rows of {width} numbers")
            table: FloatArray = decode_rows(data, "<f8").reshape(count, width)
        with self.blaming(_NAMES):
            try:
                found = blobs.get(names, b"").decode().split("\n") if count else []
            except UnicodeDecodeError as error:
                raise ArrayError(f"its names are not text: {error}") from error
            if len(found) != count:
                raise ArrayError(f"it has {len(found)} names for {count} objects")
        return table, found

    def put_parametric(self, rows: FloatArray, names: Sequence[str]) -> None:
        """Create or replace rows and names.

        Raises:
            ArrayError: A name holds a newline, which is what parts names here.
        """
        table = np.asarray(rows, np.float64)
        broken = next((name for name in names if "\n" in name), None)
        if broken is not None:
            raise ArrayError(f"{broken[:60]!r} cannot be a name in format 0.7.0: it has a newline")
        count = len(table)
        meta = {
            KIND_KEY: "parametric_objects",
            "num_objects": count,
            "max_row_length": table.shape[1],
            "dtype": "float64",
        }
        named = {KIND_KEY: "parametric_names", "num_objects": count}
        items: dict[str, Buffer] = {
            **self.missing_parents([_ROWS, _NAMES]),
            **self.blob_items(f"{_ROWS}/data", encode_rows(table)),
            **self.blob_items(f"{_NAMES}/data", "\n".join(names).encode()),
            paths.node(_ROWS): group_document(meta),
            paths.node(_NAMES): group_document(named),
        }
        self.backend.delete_prefix(_ROWS)
        self.backend.delete_prefix(_NAMES)
        self.backend.put_many(items)

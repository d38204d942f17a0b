"""A column made of blocks as they are read: whole numbers, numbers or texts."""

from __future__ import annotations

from typing import Any

import numpy as np

from zarr_vectors.multiresolution.scratch import Growing, Scratch
from zv_viewer.edits.columns import Array, Values
from zv_viewer.errors import InputError

LONGEST_CELL = 1 << 20
"""Characters of a text in a table."""


class GrowingColumn:
    """A column made of blocks: whole numbers while all are, else numbers, else texts."""

    _ORDER = ("whole", "number", "text")

    def __init__(self, scratch: Scratch, what: str) -> None:
        self._scratch = scratch
        self._what = what
        self._as = 0
        self._dtype: np.dtype[Any] = np.dtype(np.int64)
        self._codes: dict[str, int] = {}
        self._rows: Growing | None = None

    def begin(self) -> None:
        """Take the rows from the first one on."""
        self._codes = {}
        kind = self._ORDER[self._as]
        self._dtype = np.dtype({"whole": "i8", "number": "f8", "text": "i4"}[kind])
        self._rows = None

    def fix(self, dtype: np.dtype[Any] | None) -> None:
        """The kind is known."""
        self._as = 2 if dtype is None else 1
        self._dtype = np.dtype(np.int32) if dtype is None else dtype

    def add(self, texts: list[str]) -> bool:
        """Take cells of a file of texts; False where they are of another kind than those before."""
        try:
            self._put(self._converted(texts))
        except (ValueError, OverflowError):
            self._as += 1
            return False
        return True

    def add_array(self, column: Any) -> None:  # noqa: ANN401  Arrow's
        """Take a part of a Parquet column; whole numbers without a value become floats."""
        if self._as == 2:
            texts = column.to_pylist()
            self._put(np.array([self._code(text) for text in texts], np.int32))
            return
        rows = column.to_numpy(zero_copy_only=False)
        if column.null_count and self._dtype.kind in "biu":
            if self._rows is not None and self._rows.count:
                held = self._rows.whole().astype(np.float64)
                self._rows = None
                self._dtype = np.dtype(np.float64)
                self._put(held)
            self._dtype = np.dtype(np.float64)
        self._put(np.asarray(rows, self._dtype))

    def whole(self) -> Values:
        """The column."""
        rows: Array = np.zeros(0, self._dtype) if self._rows is None else self._rows.whole()
        if self._as < 2:
            return Values(rows)
        names = sorted(self._codes)
        place = {name: code for code, name in enumerate(names)}
        moved = np.array([place[name] for name in self._codes] + [-1], np.int32)
        return Values(moved[rows], tuple(names))

    def _put(self, rows: Array) -> None:
        if self._rows is None:
            self._rows = self._scratch.growing(self._dtype)
        self._rows.add(rows)

    def _converted(self, texts: list[str]) -> Array:
        kind = self._ORDER[self._as]
        if kind == "whole":
            return np.array([int(text) for text in texts], np.int64)
        if kind == "number":
            return np.array([float(text) if text else np.nan for text in texts])
        return np.array([self._code(text or None) for text in texts], np.int32)

    def _code(self, text: str | None) -> int:
        if text is None:
            return -1
        if len(text) > LONGEST_CELL:
            raise InputError(f"{self._what} holds a text of {len(text)} characters")
        return self._codes.setdefault(text, len(self._codes))

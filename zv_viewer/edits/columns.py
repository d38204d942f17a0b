"""Columns of values as edits pass them on, and what kind of values they are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Values:
    """Values of some rows.

    Attributes:
        rows: (n,) or (n, C) numbers, or (n,) codes of categories, below zero for none.
        categories: Texts the codes stand for; None for numbers.
    """

    rows: Array
    categories: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Kind:
    """What kind of values a column holds.

    Attributes:
        dtype: Of its numbers, or of its codes.
        row_shape: ``()`` or ``(C,)``.
        categories: Texts the codes stand for; None for numbers.
        missing: Whether rows may have no category.
    """

    dtype: np.dtype[np.generic]
    row_shape: tuple[int, ...] = ()
    categories: tuple[str, ...] | None = None
    missing: bool = False

    @property
    def words(self) -> str:
        """Such as ``float32`` or ``3 categories``."""
        if self.categories is not None:
            return f"{len(self.categories)} categories"
        shape = "".join(f" x {n}" for n in self.row_shape)
        return f"{self.dtype.name}{shape}"


def codes_of(texts: Sequence[str], categories: Sequence[str]) -> Int:
    """Places of texts among the categories; those that are none are left out."""
    place = {category: code for code, category in enumerate(categories)}
    return np.array([place[text] for text in texts if text in place], np.int64)

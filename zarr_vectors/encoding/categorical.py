"""Dictionary encoding of string attributes: sorted categories and integer codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ArrayError, MetadataError

MISSING = -1
"""Code of a missing value."""

_WIDEST = 256


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """String values as codes: ``categories[codes]`` are the values, code -1 is missing."""

    codes: npt.NDArray[np.integer[Any]]
    """(n,) codes in the smallest dtype of the format."""
    categories: tuple[str, ...]
    """Sorted distinct values."""

    @property
    def has_missing(self) -> bool:
        """Codes are signed and -1 marks a missing value."""
        return self.codes.dtype.kind == "i"

    def meta(self) -> dict[str, Any]:
        """Metadata keys of the array that holds the codes."""
        found: dict[str, Any] = {
            "encoding": "dictionary",
            "categories": list(self.categories),
            "ordered": False,
        }
        if self.has_missing:
            found["_FillValue"] = MISSING
        return found


def code_dtype(n_categories: int, *, missing: bool = False) -> np.dtype[Any]:
    """Smallest code dtype: unsigned, or signed where -1 must mark missing values."""
    if missing:
        names = (("int8", 127), ("int16", 32767))
        return np.dtype(next((name for name, top in names if n_categories <= top), "int32"))
    sizes = (("uint8", 255), ("uint16", 65535))
    return np.dtype(next((name for name, top in sizes if n_categories <= top), "uint32"))


def is_text(values: npt.ArrayLike) -> bool:
    """The values are strings (or objects holding strings and None), to be dictionary-encoded."""
    kind = np.asarray(values).dtype.kind
    return kind in "UTO"


def encode_categories(values: npt.ArrayLike) -> Categories:
    """Categories and codes of strings.

    Args:
        values: (n,) strings; None or a float NaN marks a missing value.

    Raises:
        ArrayError: Not one column, or a value is no string.
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise ArrayError(f"string attributes have one column, got shape {array.shape}")
    absent = np.zeros(len(array), dtype=bool)
    if array.dtype.kind == "O":
        absent = np.fromiter((_is_missing(value) for value in array), bool, len(array))
        wrong = next((v for v in array[~absent] if not isinstance(v, str)), None)
        if wrong is not None:
            raise ArrayError(f"a string attribute holds {type(wrong).__name__} {wrong!r:.60}")
    elif array.dtype.kind not in "UT":
        raise ArrayError(f"a string attribute cannot have dtype {array.dtype}")
    text = array[~absent].astype(str)
    categories, inverse = np.unique(text, return_inverse=True)
    missing = bool(absent.any())
    dtype = code_dtype(len(categories), missing=missing)
    codes = np.full(len(array), MISSING if missing else 0, dtype=dtype)
    codes[~absent] = inverse
    return Categories(codes, tuple(categories.tolist()))


def decode_categories(
    codes: npt.NDArray[np.integer[Any]], categories: Sequence[str]
) -> npt.NDArray[Any]:
    """(n,) strings of codes; an object array with None where values are missing.

    It is an object array too where a category is so long that rows of its width would fill memory.

    Raises:
        ArrayError: A code has no category.
    """
    check_codes(codes, len(categories))
    if not len(codes):
        return np.array([], dtype=str)
    absent = codes == MISSING if codes.dtype.kind == "i" else np.zeros(codes.shape, dtype=bool)
    missing = bool(absent.any())
    if missing or max(map(len, categories)) > _WIDEST:
        table = np.array([*categories, None], dtype=object)
        return table[np.where(absent, len(categories), codes)]
    return np.array(list(categories), dtype=str)[codes.astype(np.intp)]


def check_codes(codes: npt.NDArray[np.integer[Any]], n_categories: int) -> None:
    """Compare codes with the number of categories.

    Raises:
        ArrayError: A code has no category.
    """
    if codes.dtype.kind not in "iu":
        raise ArrayError(f"category codes have dtype {codes.dtype}, expected integers")
    if not len(codes):
        return
    low, high = int(codes.min()), int(codes.max())
    if high >= n_categories or low < (MISSING if codes.dtype.kind == "i" else 0):
        bad = high if high >= n_categories else low
        raise ArrayError(f"category code {bad} is outside the {n_categories} categories")


def categories_of(meta: dict[str, Any]) -> tuple[str, ...] | None:
    """Categories recorded in an array's metadata, or None where it is not dictionary-encoded.

    Raises:
        MetadataError: The record is malformed.
    """
    if meta.get("encoding") != "dictionary":
        return None
    found = meta.get("categories")
    if not isinstance(found, list) or not all(isinstance(value, str) for value in found):
        raise MetadataError(f"categories of {meta.get('name')!r} must be a list of strings")
    return tuple(found)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)

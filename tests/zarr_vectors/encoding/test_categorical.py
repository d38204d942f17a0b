from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.encoding.categorical import (
    categories_of,
    code_dtype,
    decode_categories,
    encode_categories,
)
from zarr_vectors.exceptions import ArrayError, MetadataError

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)


@given(st.lists(words, max_size=30))
def test_strings_come_back(values: list[str]) -> None:
    found = encode_categories(np.array(values, dtype=object))
    assert list(found.categories) == sorted(set(values))
    assert found.codes.dtype == np.uint8
    assert decode_categories(found.codes, found.categories).tolist() == values


@given(st.lists(words | st.none() | st.just(float("nan")), min_size=1, max_size=30))
def test_missing_values_come_back_as_none(values: list[object]) -> None:
    expected = [value if isinstance(value, str) else None for value in values]
    found = encode_categories(np.array(values, dtype=object))
    assert found.has_missing == (None in expected)
    assert found.meta().get("_FillValue") == (-1 if None in expected else None)
    assert decode_categories(found.codes, found.categories).tolist() == expected


@pytest.mark.parametrize(
    ("count", "plain", "signed"),
    [
        (0, "uint8", "int8"),
        (127, "uint8", "int8"),
        (128, "uint8", "int16"),
        (255, "uint8", "int16"),
        (256, "uint16", "int16"),
        (65535, "uint16", "int32"),
        (65536, "uint32", "int32"),
    ],
)
def test_codes_are_as_small_as_the_format_says(count: int, plain: str, signed: str) -> None:
    assert code_dtype(count) == plain
    assert code_dtype(count, missing=True) == signed


def test_fixed_width_strings_are_strings() -> None:
    found = encode_categories(np.array(["b", "a", "b"]))
    assert found.codes.tolist() == [1, 0, 1]
    assert found.meta() == {
        "encoding": "dictionary",
        "categories": ["a", "b"],
        "ordered": False,
    }


@pytest.mark.parametrize(
    "values", [np.array([["a"]]), np.array([1, 2]), np.array(["a", 3], dtype=object)]
)
def test_what_is_no_column_of_strings_is_refused(values: np.ndarray) -> None:
    with pytest.raises(ArrayError, match="string attribute"):
        encode_categories(values)


@pytest.mark.parametrize(
    ("codes", "dtype"), [([0, 2], "uint8"), ([-2], "int8"), ([0, 0], "float32"), ([255], "uint8")]
)
def test_codes_without_a_category_are_refused(codes: list[int], dtype: str) -> None:
    with pytest.raises(ArrayError, match="categor"):
        decode_categories(np.array(codes, dtype=dtype), ["a", "b"])


def test_categories_recorded_in_metadata() -> None:
    assert categories_of({"encoding": "raw"}) is None
    assert categories_of({"encoding": "dictionary", "categories": ["x"]}) == ("x",)
    for bad in (None, "x", [1], {"a": 1}):
        with pytest.raises(MetadataError, match="categories"):
            categories_of({"encoding": "dictionary", "categories": bad})

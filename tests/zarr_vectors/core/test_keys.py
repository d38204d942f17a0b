from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.core.keys import format_key, parse_key, parse_keys, try_parse_key
from zarr_vectors.exceptions import ArrayError

numbers = st.integers(-(10**18) + 1, 10**18 - 1)
NO_KEYS = ["", ".", "1.", ".1", "1..2", "-", "-0", "01", "+1", "1.-", " 1", "1\n", "٣", "1e3", "a"]
NO_KEYS += ["1,2", "0x1", "9" * 19, "data", "__shard_000001", "1." * 400 + "1"]


@given(st.lists(numbers, min_size=1, max_size=5).map(tuple))
def test_keys_come_back(coords: tuple[int, ...]) -> None:
    assert parse_key(format_key(coords)) == coords


@given(st.lists(st.tuples(numbers, numbers), max_size=20))
def test_many_keys_at_once_are_the_same_as_one_by_one(coords: list[tuple[int, ...]]) -> None:
    assert parse_keys([format_key(c) for c in coords]) == coords


@pytest.mark.parametrize("text", NO_KEYS)
def test_other_text_is_no_key(text: str) -> None:
    assert try_parse_key(text) is None
    with pytest.raises(ArrayError, match="not a chunk key"):
        parse_key(text)
    for keys in ([text], ["1.2", text], [text, "1.2"]):
        with pytest.raises(ArrayError, match=r"chunk key|comma"):
            parse_keys(keys)


@given(st.text("0123456789.-,", max_size=12))
def test_a_key_has_one_spelling(text: str) -> None:
    coords = try_parse_key(text)
    assert coords is None or format_key(coords) == text


def test_keys_of_one_array_have_one_rank() -> None:
    with pytest.raises(ArrayError, match="2 numbers"):
        parse_keys(["1.2", "1.2.3"])
    with pytest.raises(ArrayError, match="strings"):
        parse_keys(["1.2", 3])  # type: ignore[list-item]

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from zarr_vectors.encoding.ragged import (
    decode_inline,
    decode_ragged_floats,
    decode_rows,
    encode_inline,
    encode_ragged_floats,
    encode_rows,
)
from zarr_vectors.exceptions import ArrayError

NAMES = "int8 uint8 int16 uint16 int32 uint32 int64 uint64 float16 float32 float64 bool".split()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("columns", [None, 3])
def test_rows_come_back_in_their_dtype(name: str, columns: int | None) -> None:
    values = np.arange(12).astype(name)
    values = values if columns is None else values.reshape(-1, columns)
    for order in ("<", ">"):
        blob = encode_rows(values.astype(values.dtype.newbyteorder(order)))
        assert bytes(blob) == values.astype(values.dtype.newbyteorder("<")).tobytes()
        found = decode_rows(blob, name, columns)
        assert found.dtype == values.dtype
        assert np.array_equal(found, values)


def test_rows_that_lie_right_are_not_copied() -> None:
    values = np.arange(6, dtype=np.float32)
    assert np.shares_memory(np.frombuffer(encode_rows(values), np.float32), values)
    assert np.array_equal(decode_rows(encode_rows(values[::2]), "float32"), values[::2])


@given(st.integers(0, 40), st.sampled_from(NAMES), st.sampled_from([None, 1, 2, 3]))
def test_bytes_that_are_no_whole_rows_are_refused(
    size: int, name: str, columns: int | None
) -> None:
    width = np.dtype(name).itemsize * (columns or 1)
    if size % width:
        with pytest.raises(ArrayError, match="whole rows"):
            decode_rows(bytes(size), name, columns)
    else:
        assert decode_rows(bytes(size), name, columns).size * np.dtype(name).itemsize == size


@pytest.mark.parametrize("dtype", ["object", "U5", "complex128", "M8[s]", "nonsense", "V8", ""])
def test_dtypes_that_are_no_numbers_are_refused(dtype: str) -> None:
    with pytest.raises(ArrayError, match="cannot be stored"):
        decode_rows(b"", dtype)


@given(st.lists(nps.arrays(np.float32, st.tuples(st.integers(0, 5), st.just(3))), max_size=6))
def test_groups_of_rows_come_back(groups: list[np.ndarray]) -> None:
    blob, offsets = encode_ragged_floats(groups)
    found = decode_ragged_floats(blob, offsets, 3)
    assert len(found) == len(groups)
    for got, given_rows in zip(found, groups, strict=True):
        assert np.array_equal(got, given_rows, equal_nan=True)


@pytest.mark.parametrize("offsets", [[], [1, 2], [0, 1], [0, 3], [0, 2, 1, 2], [[0, 2]]])
def test_offsets_that_do_not_fit_are_refused(offsets: list[int]) -> None:
    with pytest.raises(ArrayError, match="offsets"):
        decode_ragged_floats(bytes(24), offsets, 3)


def test_groups_of_different_width_are_refused() -> None:
    with pytest.raises(ArrayError, match="shapes"):
        encode_ragged_floats([np.zeros((1, 2)), np.zeros((1, 3))])


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_inline_groups_come_back(groups: list[bytes]) -> None:
    assert [bytes(group) for group in decode_inline(encode_inline(groups))] == groups


def test_the_documented_inline_header() -> None:
    assert encode_inline([b"abc"]) == b"\1" + bytes(7) + bytes(8) + b"abc"


@given(st.binary(max_size=60))
def test_inline_noise_is_a_named_error_or_groups(noise: bytes) -> None:
    try:
        groups = decode_inline(noise)
    except ArrayError:
        return
    assert sum(map(len, groups)) + 8 * len(groups) + 8 == len(noise)


@pytest.mark.parametrize("count", [-1, 2**40, 2**63 - 1])
def test_absurd_group_counts_are_refused_at_once(count: int) -> None:
    with pytest.raises(ArrayError, match="claims"):
        decode_inline(struct.pack("<q", count) + bytes(64))

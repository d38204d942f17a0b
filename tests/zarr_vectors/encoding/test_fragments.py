from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.encoding.fragment_tables import FragmentTables
from zarr_vectors.encoding.fragments import (
    FragmentIndex,
    decode_fragments,
    encode_fragments,
    encode_ranges,
)
from zarr_vectors.exceptions import ArrayError

rows = st.integers(0, 2**40)
ranges = st.tuples(rows, st.integers(0, 1000))
lists = st.lists(rows, max_size=20).map(lambda found: np.array(found, dtype=np.int64))


def test_the_documented_bytes() -> None:
    blob = encode_ranges([0, 2], [2, 2])
    assert blob == bytes.fromhex(
        "4746565a 0100 0000 02000000 02000000 0300000000000000"
        "0000000000000000 0200000000000000 0200000000000000 0200000000000000 00000000"
    )
    assert encode_ranges([0], [1])[-4:] == bytes(4)
    assert encode_ranges([], []) == bytes.fromhex("4746565a 0100 0000 00000000 00000000")


@given(st.lists(ranges | lists, max_size=150))
def test_tables_come_back(fragments: list[tuple[int, int] | np.ndarray]) -> None:
    index = decode_fragments(encode_fragments(fragments))
    assert len(index) == index.num_fragments == len(fragments)
    assert index.num_range_fragments == sum(isinstance(f, tuple) for f in fragments)
    for number, fragment in enumerate(fragments):
        if isinstance(fragment, tuple):
            assert index.range(number) == fragment
            assert index.indices(number).tolist() == list(range(fragment[0], sum(fragment)))
            with pytest.raises(ArrayError, match="range"):
                index.indices_view(number)
        else:
            assert index.indices_view(number).tolist() == fragment.tolist()
            with pytest.raises(ArrayError, match="no range"):
                index.range(number)
    whole = np.concatenate([np.zeros(0, np.int64), *index])
    assert np.array_equal(index.gather(), whole)
    assert index.num_rows == len(whole)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), min_size=1), st.data())
def test_gather_takes_fragments_in_the_order_asked(
    fragments: list[tuple[int, int]], data: st.DataObject
) -> None:
    index = decode_fragments(encode_fragments(fragments))
    chosen = data.draw(st.lists(st.integers(0, len(fragments) - 1)))
    expected = [row for f in chosen for row in index.indices(f).tolist()]
    assert index.gather(chosen).tolist() == expected


@given(st.lists(st.integers(0, 9)), st.integers(0, 3))
def test_tiling_means_every_row_once_in_order(counts: list[int], extra: int) -> None:
    starts = np.cumsum([0, *counts])[:-1]
    index = decode_fragments(encode_ranges(starts, counts))
    assert index.tiles(sum(counts))
    assert not index.tiles(sum(counts) + extra + 1)
    if len([c for c in counts if c]) > 1:
        swapped = FragmentIndex(index.starts[::-1], index.counts[::-1], index.explicit)
        assert not swapped.tiles(sum(counts))


def test_fragments_are_numbered_from_zero() -> None:
    index = decode_fragments(encode_ranges([0], [3]))
    for call in (index.is_range, index.range, index.indices, index.indices_view):
        for number in (-1, 1):
            with pytest.raises(IndexError):
                call(number)
    with pytest.raises(IndexError):
        index.gather([1])


def test_rows_know_their_first_fragment() -> None:
    index = decode_fragments(encode_fragments([(0, 2), np.array([1, 4])]))
    assert index.fragment_of_rows(6).tolist() == [0, 0, -1, -1, 1, -1]


def test_rows_beyond_the_chunk_are_refused() -> None:
    for fragments in ([(0, 3), (3, 2)], [(0, 1), np.array([4])]):
        index = decode_fragments(encode_fragments(fragments))
        index.check(5)
        with pytest.raises(ArrayError, match="4"):
            index.check(4)


@given(st.lists(ranges | lists, max_size=20), st.data())
def test_mutated_tables_are_named_errors_or_tables(
    fragments: list[tuple[int, int] | np.ndarray], data: st.DataObject
) -> None:
    blob = bytearray(encode_fragments(fragments))
    for _ in range(data.draw(st.integers(1, 4))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    try:
        index = decode_fragments(blob)
    except ArrayError:
        return
    assert len(index.starts) == len(index.counts) == len(index)
    assert (index.counts >= 0).all()
    assert (index.starts >= 0).all()
    try:
        index.check(1000)
    except ArrayError:
        return
    assert index.num_rows <= 1000 * len(index)


@given(st.binary(max_size=80))
def test_noise_is_a_named_error(noise: bytes) -> None:
    with pytest.raises(ArrayError):
        decode_fragments(noise)


@pytest.mark.parametrize("cut", range(60))
def test_a_table_cut_short_is_a_named_error(cut: int) -> None:
    with pytest.raises(ArrayError):
        decode_fragments(encode_ranges([0, 2], [2, 2])[:cut])


@pytest.mark.parametrize(("n", "n_ranges"), [(2**32 - 1, 0), (2**32 - 1, 2**32 - 1), (1, 2)])
def test_absurd_counts_are_refused_at_once(n: int, n_ranges: int) -> None:
    head = struct.pack("<IHHII", 0x5A564647, 1, 0, n, n_ranges)
    with pytest.raises(ArrayError):
        decode_fragments(head + bytes(64))


def decoded(blobs: list[bytes]) -> FragmentTables | None:
    data = np.frombuffer(b"".join(blobs), np.uint8)
    return FragmentTables.of_ranges(data, np.array([len(blob) for blob in blobs], np.int64))


@given(st.lists(st.lists(ranges | lists, max_size=70), max_size=6), st.data())
def test_many_tables_are_decoded_as_one_by_one(
    tables: list[list[tuple[int, int] | np.ndarray]], data: st.DataObject
) -> None:
    blobs = [encode_fragments(table) for table in tables]
    if blobs and data.draw(st.booleans()):
        which = data.draw(st.integers(0, len(blobs) - 1))
        broken = bytearray(blobs[which])
        broken[data.draw(st.integers(0, len(broken) - 1))] ^= data.draw(st.integers(1, 255))
        blobs[which] = bytes(broken[: data.draw(st.integers(len(broken) - 3, len(broken)))])
    found = decoded(blobs)
    if found is None:
        return
    for index, blob in zip(found.each(), blobs, strict=True):
        if index is None:
            assert blob == b""
            continue
        alone = decode_fragments(blob)
        assert index.starts.tolist() == alone.starts.tolist()
        assert index.counts.tolist() == alone.counts.tolist()
        assert not index.explicit.any()
        assert len(index.explicit) == len(alone)


def test_tables_of_ranges_are_decoded_together() -> None:
    blobs = [encode_ranges(np.arange(n), np.arange(n)) for n in (1, 63, 64, 65)]
    found = decoded([*blobs, b""])
    assert found is not None
    assert found.sizes.tolist() == [1, 63, 64, 65, -1]
    assert [len(found[number]) for number in range(5)] == [1, 63, 64, 65, 0]
    for bad in (encode_ranges([-1], [1]), encode_ranges([0], [2**40]), b"\0", blobs[0][:-1]):
        assert decoded([*blobs, bad]) is None
        with pytest.raises(ArrayError):
            decode_fragments(bad)

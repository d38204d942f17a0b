from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.encoding.manifests import (
    EMPTY_MANIFEST,
    decode_manifest,
    decode_manifests,
    encode_manifest,
    encode_manifests,
)
from zarr_vectors.exceptions import ArrayError

chunks = st.tuples(*[st.integers(-(2**40), 2**40)] * 3)
manifests = st.lists(st.tuples(chunks, st.integers(0, 2**40)), max_size=12)


def test_the_documented_bytes() -> None:
    blob = encode_manifest([((0, 0, 0), 0), ((-1, 0, 0), 0)])
    assert blob == b"\2\0\0\0" + bytes(24) + b"\0" + bytes(8) + b"\xff" * 8 + bytes(16) + bytes(9)
    assert encode_manifest([]) == EMPTY_MANIFEST == bytes(4)


@given(st.lists(manifests, max_size=6))
def test_manifests_come_back(objects: list[list[tuple[tuple[int, ...], int]]]) -> None:
    blobs = [encode_manifest(pairs, 3) for pairs in objects]
    table = decode_manifests(blobs, 3)
    assert [table[row] for row in range(len(table))] == objects
    together = encode_manifests(table.chunks, table.fragments, table.offsets)
    assert together == blobs


def block(chunk: tuple[int, ...], mode: int, payload: bytes) -> bytes:
    return struct.pack(f"<{len(chunk)}q", *chunk) + bytes([mode]) + payload


def test_runs_and_lists_of_fragments_are_read() -> None:
    blob = b"\3\0\0\0" + b"".join(
        [
            block((1, -2), 1, struct.pack("<qq", 4, 3)),
            block((0, 0), 2, struct.pack("<Iqq", 2, 9, 1)),
            block((5, 5), 0, struct.pack("<q", 7)),
        ]
    )
    expected = [((1, -2), f) for f in (4, 5, 6)] + [((0, 0), 9), ((0, 0), 1), ((5, 5), 7)]
    assert decode_manifest(blob, 2) == expected
    table = decode_manifests([EMPTY_MANIFEST, blob, EMPTY_MANIFEST], 2)
    assert [table[row] for row in range(3)] == [[], expected, []]


@pytest.mark.parametrize(
    "payload",
    [
        block((0, 0), 1, struct.pack("<qq", 0, 2**61)),
        block((0, 0), 1, struct.pack("<qq", 0, -1)),
        block((0, 0), 1, struct.pack("<qq", 2**63 - 1, 5)),
        block((0, 0), 2, struct.pack("<I", 2**32 - 1)),
        block((0, 0), 3, bytes(8)),
        block((0, 0), 0, struct.pack("<q", -1)),
        block((0, 0), 0, bytes(9)),
    ],
)
def test_absurd_blocks_are_refused_at_once(payload: bytes) -> None:
    with pytest.raises(ArrayError):
        decode_manifest(b"\1\0\0\0" + payload, 2)


def test_an_absurd_block_count_is_refused_at_once() -> None:
    with pytest.raises(ArrayError, match="claims"):
        decode_manifest(struct.pack("<I", 2**32 - 1) + bytes(100), 3)


@given(manifests.filter(bool), st.data())
def test_mutated_manifests_are_named_errors_or_manifests(
    pairs: list[tuple[tuple[int, ...], int]], data: st.DataObject
) -> None:
    blob = bytearray(encode_manifest(pairs))
    for _ in range(data.draw(st.integers(1, 4))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 2))
    try:
        found = decode_manifest(blob[: len(blob) - cut], 3)
    except ArrayError:
        return
    assert all(len(chunk) == 3 and fragment >= 0 for chunk, fragment in found)


@given(st.binary(max_size=60))
def test_noise_is_a_named_error_or_a_manifest(noise: bytes) -> None:
    try:
        decode_manifest(noise, 2)
    except ArrayError as error:
        assert "manifest" in str(error)  # noqa: PT017 - either outcome is right


def test_many_short_runs_of_many_fragments_are_refused_at_once() -> None:
    run = block((0, 0), 1, struct.pack("<qq", 0, 2**22))
    with pytest.raises(ArrayError, match="more than"):
        decode_manifest(struct.pack("<I", 10_000) + run * 10_000, 2)


def test_rank_is_checked() -> None:
    for rank in (0, 17, 10**9):
        with pytest.raises(ArrayError, match="rank"):
            decode_manifests([EMPTY_MANIFEST], rank)
    with pytest.raises(ArrayError, match="rank"):
        encode_manifest([((0, 0), 0)], 3)


def test_a_hundred_thousand_manifests_take_no_loop() -> None:
    n = 100_000
    blobs = encode_manifests(np.zeros((n, 3)), np.arange(n), np.arange(n + 1))
    table = decode_manifests(blobs, 3)
    assert np.array_equal(table.fragments, np.arange(n))

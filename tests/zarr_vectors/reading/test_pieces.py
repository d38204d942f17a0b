"""Rows of fragments of many chunks, against a loop over them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.encoding.fragments import decode_fragments, encode_fragments
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading.assemble import piece_rows
from zarr_vectors.reading.plan import Pieces

KEYS = [(-1, 0), (0, 0), (2, 5)]
ROWS = 6


@st.composite
def fragments(draw):
    """A range or a list of rows of a chunk of six."""
    if draw(st.booleans()):
        start = draw(st.integers(0, ROWS))
        return (start, draw(st.integers(0, ROWS - start)))
    return np.array(draw(st.lists(st.integers(0, ROWS - 1), max_size=4)), np.int64)


def asked_for(wanted):
    chunks = np.array([KEYS[i] for i, _ in wanted], np.int64).reshape(-1, 2)
    numbers = np.array([f for _, f in wanted], np.int64)
    return Pieces(chunks, numbers, np.arange(len(wanted)) * 10)


def rows_of(fragment):
    return list(range(fragment[0], sum(fragment))) if isinstance(fragment, tuple) else [*fragment]


@given(st.lists(st.lists(fragments(), min_size=1, max_size=4), min_size=3, max_size=3), st.data())
def test_as_a_loop_over_pieces(tables, data):
    pairs = [(i, f) for i, table in enumerate(tables) for f in range(len(table))]
    wanted = data.draw(st.lists(st.sampled_from(pairs), max_size=8))
    indexes = {
        key: decode_fragments(encode_fragments(t)) for key, t in zip(KEYS, tables, strict=True)
    }
    first = np.arange(4) * ROWS
    rows, objects = piece_rows(asked_for(wanted), indexes, KEYS, first, "0/f", "memory://")
    expected = [
        (i * ROWS + row, 10 * piece)
        for piece, (i, f) in enumerate(wanted)
        for row in rows_of(tables[i][f])
    ]
    assert list(zip(rows.tolist(), objects.tolist(), strict=True)) == expected


TABLE = decode_fragments(encode_fragments([(0, 4), (4, 2)]))


@pytest.mark.parametrize(
    ("wanted", "indexes", "rows", "words"),
    [
        ((2, 0), {}, ROWS, "no fragment table"),
        ((2, 2), {KEYS[2]: TABLE}, ROWS, "fragment 2 is asked for, 2 are there"),
        ((2, 0), {KEYS[2]: TABLE}, 5, "reach row 6 of a chunk of 5 rows"),
    ],
)
def test_damage_names_the_chunk(wanted, indexes, rows, words):
    first = np.array([0, ROWS, 2 * ROWS, 2 * ROWS + rows])
    with pytest.raises(ArrayError, match=words) as caught:
        piece_rows(asked_for([wanted]), indexes, KEYS, first, "0/f", "memory://")
    assert (caught.value.array, caught.value.chunk) == ("0/f", KEYS[2])


def test_a_chunk_that_is_not_read_is_not_checked():
    first = np.array([0, ROWS, ROWS + 5, ROWS + 5])
    indexes = {KEYS[0]: TABLE, KEYS[1]: TABLE}
    rows, _ = piece_rows(asked_for([(0, 1)]), indexes, KEYS, first, "0/f", "memory://")
    assert rows.tolist() == [4, 5]


def test_an_object_in_a_chunk_that_is_not_there():
    pieces = Pieces(np.array([[9, 9]]), np.zeros(1, np.int64), np.zeros(1, np.int64))
    with pytest.raises(ArrayError, match="not there") as caught:
        piece_rows(pieces, {}, KEYS, np.arange(4) * ROWS, "0/f", "memory://")
    assert caught.value.chunk == (9, 9)

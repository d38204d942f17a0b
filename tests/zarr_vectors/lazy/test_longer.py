"""Fragment tables with new fragments, against the same put together one by one."""

from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.encoding.fragment_tables import FragmentTables
from zarr_vectors.encoding.fragments import decode_fragments, encode_fragments
from zarr_vectors.lazy.longer import longer_tables
from zarr_vectors.writing.route import Route


def a_route(rng, chunks):
    """New fragments of one row or more in each of some chunks."""
    sizes = [rng.integers(1, 5, rng.integers(1, 4)) for _ in range(chunks)]
    rows = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
    ends = np.cumsum([0, *map(len, sizes)])
    coords = np.arange(chunks)[:, None]
    return Route(np.arange(rows[-1]), coords, rows[ends], rows, ends), sizes


@pytest.mark.parametrize("listed", [False, True])
def test_new_fragments_come_after_those_there(listed):
    rng = np.random.default_rng(5)
    route, sizes = a_route(rng, 40)
    there = []
    for chunk in range(40):
        ranges = [(int(n), int(m)) for n, m in rng.integers(0, 9, (rng.integers(0, 4), 2))]
        rows = [rng.integers(0, 9, 3)] if listed and chunk % 3 == 0 else []
        there.append(None if chunk % 5 == 0 else [*ranges, *rows, *ranges])
    old = FragmentTables.of(
        [None if parts is None else decode_fragments(encode_fragments(parts)) for parts in there]
    )
    counts = rng.integers(0, 50, 40)
    found = longer_tables(old, route, counts)
    for parts, added, count, blob in zip(there, sizes, counts, found, strict=True):
        starts = count + np.cumsum(added) - added
        new = list(zip(starts.tolist(), added.tolist(), strict=True))
        assert blob == encode_fragments([*(parts or []), *new])

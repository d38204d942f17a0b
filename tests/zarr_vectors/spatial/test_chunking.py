from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.exceptions import ChunkingError
from zarr_vectors.spatial.chunking import (
    assign_chunks,
    bin_numbers,
    bin_to_chunk,
    bins_per_chunk,
    chunk_box,
    chunk_coords_of,
    chunks_in_box,
    chunks_intersecting_bbox,
    positions_in_box,
)


def test_upper_edges_belong_to_the_next_chunk():
    points = np.array([[0.0, 9.999], [10.0, -0.001], [-10.0, 20.0]])
    assert chunk_coords_of(points, (10.0, 10.0)).tolist() == [[0, 0], [1, -1], [-1, 2]]


def test_chunks_are_assigned_in_order():
    points = np.array([[25.0, 0.0], [-1.0, 0.0], [24.0, 1.0]])
    found = assign_chunks(points, (10.0, 10.0))
    assert list(found) == [(-1, 0), (2, 0)]
    assert found[2, 0].tolist() == [0, 2]
    assert assign_chunks(np.zeros((0, 2)), (1.0, 1.0)) == {}


def test_bins_that_disagree_with_their_chunk_by_rounding_stay_inside():
    points = np.array([[0.3, 0.0], [0.6, 0.0], [0.7, 0.0]])
    chunks = chunk_coords_of(points, (0.3, 0.3))
    numbers = bin_numbers(points, chunks, (0.1, 0.1), (3, 3))
    assert ((numbers >= 0) & (numbers < 9)).all()
    assert bins_per_chunk((0.3, 0.3), (0.1, 0.1)) == (3, 3)


def test_bins_and_boxes():
    assert bin_to_chunk((-1, 7), (4, 4)) == (-1, 1)
    assert chunks_intersecting_bbox([-1.0, 0.0], [10.0, 5.0], (10.0, 10.0)) == [
        (-1, 0),
        (0, 0),
        (1, 0),
    ]
    assert chunk_box(([-1.0, 0.0], [10.0, 5.0]), (10.0, 10.0)) == ((-1, 0), (3, 1))
    coords = np.array([[0, -1, 0], [1, 0, 0], [0, 2, 0]])
    touched = chunks_in_box(coords, (10.0, 10.0), ([-5.0, 0.0], [19.0, 5.0]))
    assert touched.tolist() == [True, True, False]


def test_float32_positions_are_compared_as_what_they_are():
    points = np.array([[0.1, 0.0]], np.float32)
    assert not positions_in_box(points, ([0.0, 0.0], [0.1, 1.0]))[0]
    assert positions_in_box(points, ([0.0, 0.0], [float(np.float32(0.1)), 1.0]))[0]


@pytest.mark.parametrize(
    ("chunk", "bins"),
    [((10.0,), (0.0,)), ((10.0,), (3.0,)), ((1.0,), (2.0,)), ((1.0,), (1.0, 1.0))],
)
def test_bins_that_do_not_fit_are_refused(chunk, bins):
    with pytest.raises(ChunkingError):
        bins_per_chunk(chunk, bins)

"""Vertices of bins where they are nearest to those around."""

import numpy as np
import pytest

from zarr_vectors.multiresolution.reducing import ReadTile, TileJob, reduce_tile
from zarr_vectors.multiresolution.steps import Target
from zarr_vectors.multiresolution.strategies.settling import settled
from zarr_vectors.testing.pyramids import nearest
from zarr_vectors.writing.route import cell_ranks


def cloud(ndim=3, count=4000, seed=0):
    rng = np.random.default_rng(seed)
    middles = rng.uniform(-20, 20, (30, ndim))
    return (middles[rng.integers(0, 30, count)] + rng.normal(0, 2, (count, ndim))).astype("f4")


def reduced(positions, settle, *, edge=4.0, weights=None):
    ndim = positions.shape[1]
    target = Target(1, (edge,) * ndim, (1.0,) * ndim, (16.0,) * ndim)
    job = TileJob(0, np.zeros((1, ndim), int), target, (), (0.0,) * ndim, weights, settle=settle)
    return reduce_tile(ReadTile(job, positions, []))


@pytest.mark.parametrize("ndim", [2, 3, 4])
def test_every_bin_keeps_its_vertex_and_distances_fall(ndim):
    positions = cloud(ndim)
    plain, moved = reduced(positions, settle=False), reduced(positions, settle=True)
    assert len(plain.positions) == len(moved.positions)
    for made in (plain, moved):
        cells = np.floor(made.positions / np.float32(4)).astype(int)
        assert len(np.unique(cells, axis=0)) == len(cells)
    before = np.floor(plain.positions / np.float32(4)).astype(int).tolist()
    after = np.floor(moved.positions / np.float32(4)).astype(int).tolist()
    assert sorted(before) == sorted(after)
    exact = positions.astype(np.float64)
    away = [nearest(exact, made.positions.astype(np.float64)) for made in (plain, moved)]
    assert np.square(away[1]).mean() < 0.97 * np.square(away[0]).mean()
    assert np.percentile(away[1], 95) < np.percentile(away[0], 95)


def test_parents_and_weights_are_those_of_bins():
    positions = cloud()
    plain, moved = reduced(positions, settle=False), reduced(positions, settle=True)
    own = np.floor(positions / np.float32(4)).astype(int)
    cells = np.floor(moved.positions / np.float32(4)).astype(int)
    np.testing.assert_array_equal(cells[moved.route.order][moved.parents], own)
    np.testing.assert_array_equal(np.sort(plain.totals), np.sort(moved.totals))


def test_a_chunk_comes_out_the_same_whatever_is_beside_it():
    positions = cloud()
    chunk = (np.floor(positions / np.float32(16)) == 0).all(axis=1)
    whole, alone = reduced(positions, settle=True), reduced(positions[chunk], settle=True)
    own = (np.floor(whole.positions / np.float32(16)) == 0).all(axis=1)
    np.testing.assert_array_equal(
        whole.positions[own][np.lexsort(whole.positions[own].T)],
        alone.positions[np.lexsort(alone.positions.T)],
    )


def test_weights_count_as_so_many_vertices():
    positions, weights = cloud(count=500), np.random.default_rng(1).integers(1, 4, 500)
    again = np.repeat(positions, weights, axis=0)
    heavy = reduced(positions, settle=True, weights=weights.astype(float))
    np.testing.assert_allclose(heavy.positions, reduced(again, settle=True).positions, atol=1e-4)


def test_one_vertex_stays():
    at = np.array([[1.0, 2.0, 3.0]])
    count, ranks = cell_ranks(at, (4.0,) * 3)
    assert count == 1
    np.testing.assert_allclose(settled(at, at, ranks, None, (4.0,) * 3, (16.0,) * 3), at)

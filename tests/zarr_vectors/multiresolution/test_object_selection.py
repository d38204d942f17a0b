from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.multiresolution.object_selection import keep_objects

CHOICES = ("random", "spatial_coverage", "length", "attribute:weight")


class Facts:
    """Facts of the objects of one table, by id."""

    def __init__(self, ids):
        rng = np.random.default_rng(5)
        self._ids = ids
        self._centers = rng.uniform(-10, 10, (1000, 3))
        self._lengths = rng.uniform(0, 10, 1000).round(1)

    def centers(self):
        return self._centers[self._ids]

    def lengths(self):
        return self._lengths[self._ids]

    def attribute(self, name):
        assert name == "weight"
        return np.where(self._ids % 7 == 0, np.nan, -self._lengths[self._ids])


@given(
    st.sets(st.integers(0, 999), min_size=1, max_size=60),
    st.lists(st.floats(1, 9), min_size=1, max_size=4),
    st.sampled_from(CHOICES),
    st.integers(0, 3),
)
def test_kept_objects_are_counted_nested_and_repeatable(ids, factors, strategy, seed):
    ids = np.array(sorted(ids))
    for factor in factors:
        options = {"strategy": strategy, "seed": seed, "facts": Facts(ids)}
        kept = keep_objects(ids, factor, **options)
        assert len(kept) == max(1, round(len(ids) / factor))
        assert np.isin(kept, ids).all()
        assert (np.diff(kept) > 0).all()
        np.testing.assert_array_equal(kept, keep_objects(ids, factor, **options))
        ids = kept


@pytest.mark.parametrize("strategy", ["length", "attribute:weight"])
def test_the_largest_values_are_kept(strategy):
    ids = np.arange(0, 600, 3)
    facts = Facts(ids)
    values = facts.lengths() if strategy == "length" else facts.attribute("weight")
    kept = np.isin(ids, keep_objects(ids, 5, strategy=strategy, facts=facts))
    assert np.nanmin(values[kept]) >= np.nanmax(values[~kept])
    assert not np.isnan(values[kept]).any()


def test_coverage_leaves_no_part_of_space_out():
    # 990 objects in one corner, ten far apart
    centers = np.zeros((1000, 2))
    centers[:990] = np.random.default_rng(0).uniform(0, 1, (990, 2))
    centers[990:] = np.arange(10)[:, None] * 100.0 + 100.0

    class Placed:
        def centers(self):
            return centers

    ids = np.arange(1000)
    kept = keep_objects(ids, 50, strategy="spatial_coverage", seed=1, facts=Placed())
    assert set(range(990, 1000)) <= set(kept.tolist())
    assert len(kept) == 20


@pytest.mark.parametrize("strategy", ["loudest", "attribute:", "attribute", ""])
def test_unknown_strategies_are_named(strategy):
    with pytest.raises(CoarseningError, match="unknown sparsity_strategy"):
        keep_objects(np.arange(3), 2, strategy=strategy)


def test_factors_below_one_are_refused():
    with pytest.raises(CoarseningError, match="at least 1"):
        keep_objects(np.arange(3), 0.5)

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.multiresolution.strategies import points as reduce

GROUPS = st.lists(st.lists(st.integers(0, 200), min_size=1, max_size=6), min_size=1, max_size=12)


def spread(groups, dtype):
    values = np.array([v for group in groups for v in group], dtype)
    parents = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
    shuffle = np.random.default_rng(0).permutation(len(values))
    return values[shuffle], parents[shuffle]


@given(GROUPS, st.sampled_from(["u1", "i2", "i8", "f4", "f8"]))
def test_reductions_equal_the_slow_way(groups, dtype):
    values, parents = spread(groups, dtype)
    expected = {
        "mean": [np.mean(g) if values.dtype.kind == "f" else np.rint(np.mean(g)) for g in groups],
        "min": [min(g) for g in groups],
        "max": [max(g) for g in groups],
        "mode": [min(set(g), key=lambda v: (-g.count(v), v)) for g in groups],
        "first": [values[np.flatnonzero(parents == k)[0]] for k in range(len(groups))],
    }
    for how, wanted in expected.items():
        found = reduce.reduce_values(values, parents, len(groups), how)
        assert found.dtype == values.dtype, how
        np.testing.assert_allclose(found, np.array(wanted, values.dtype), rtol=1e-6, err_msg=how)


@given(GROUPS)
def test_weights_count_as_repeats(groups):
    values, parents = spread(groups, "i4")
    repeats = np.arange(len(values)) % 3 + 1
    for how in ("mean", "mode"):
        weighted = reduce.reduce_values(
            values, parents, len(groups), how, repeats.astype(np.float64)
        )
        plain = reduce.reduce_values(
            np.repeat(values, repeats), np.repeat(parents, repeats), len(groups), how
        )
        np.testing.assert_array_equal(weighted, plain)


def test_many_kinds_of_value_take_the_sorting_way():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2**40, 3000)
    parents = np.arange(3000) % 700
    found = reduce.reduce_values(
        np.append(values, values[:700]), np.append(parents, parents[:700]), 700, "mode"
    )
    np.testing.assert_array_equal(found, values[:700])


def test_columns_are_kept_and_modes_are_of_whole_rows():
    values = np.array([[1, 9], [1, 9], [5, 0], [2, 2]], np.uint8)
    parents = np.array([0, 0, 0, 1])
    np.testing.assert_array_equal(
        reduce.reduce_values(values, parents, 2, "mode"), [[1, 9], [2, 2]]
    )
    np.testing.assert_array_equal(
        reduce.reduce_values(values, parents, 2, "mean"), [[2, 6], [2, 2]]
    )


def test_nan_is_passed_over():
    values = np.array([np.nan, 2.0, np.nan], np.float32)
    parents = np.array([0, 0, 1])
    for how in ("mean", "min", "max"):
        np.testing.assert_array_equal(reduce.reduce_values(values, parents, 2, how), [2.0, np.nan])


def test_means_of_64_bit_ends_stay_in_range():
    values = np.array([2**63 - 1, 2**63 - 1, -(2**63)], np.int64)
    found = reduce.reduce_values(values, np.array([0, 0, 1]), 2, "mean")
    assert found[0] > 2**62
    assert found[1] == -(2**63)


def test_means_far_from_zero_keep_their_digits():
    positions = np.array([[6.4e5 + 0.25, 8.5e5], [6.4e5 + 0.75, 8.5e5]], np.float64)
    parents = np.array([0, 0])
    totals = reduce.total_weights(parents, 1, None)
    np.testing.assert_array_equal(
        reduce.mean_positions(positions, parents, totals, None), [[6.4e5 + 0.5, 8.5e5]]
    )


def test_displacement_is_the_distance():
    reference = np.array([[0.0, 0.0], [3.0, 4.0]])
    found = reduce.displacements(reference, np.array([[0.0, 0.0]]), np.array([0, 0]))
    np.testing.assert_array_equal(found, [0.0, 5.0])


def test_categories_have_no_mean():
    with pytest.raises(CoarseningError, match="no mean"):
        reduce.check_aggregation("mean", "kind", categorical=True)
    with pytest.raises(CoarseningError, match="unknown aggregation"):
        reduce.check_aggregation("median", "value", categorical=False)

"""Filters answer as one loop over the objects does."""

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zv_viewer.errors import InputError
from zv_viewer.model.objects import ObjectTable
from zv_viewer.objects import (
    LENGTH,
    LEVELS,
    VERTICES,
    AttributeRange,
    CategorySet,
    Filter,
    GroupSet,
    IdSet,
    LengthRange,
    RandomShare,
    TextSearch,
    column_of,
    evaluate,
)
from zv_viewer.objects.filters import hashed

ENDS = st.one_of(
    st.integers(-10, 40),
    st.floats(-60, 60),
    st.sampled_from([-math.inf, math.inf, 2.0**62, 2.0**62 + 1024, -(2.0**63), 2.0**63]),
)
NUMBERS = ("size", "count", "big", LENGTH, VERTICES, LEVELS)
INCLUDE = st.booleans()


def value_of(table: ObjectTable, key: str, row: int) -> object:
    """A value as Python has it; None for none."""
    column = column_of(table, key)
    if not column.known[row]:
        return None
    value = column.values[row].item()
    return column.categories[value] if column.categories is not None else value


def meets(table: ObjectTable, rule: Filter, row: int) -> bool:
    """Whether an object meets a rule, worked out alone."""
    match rule:
        case AttributeRange(key, low, high):
            value = value_of(table, key, row)
            kind = column_of(table, key).values.dtype
            if kind.kind == "f":
                low, high = kind.type(low).item(), kind.type(high).item()
            found = value is not None and low <= value <= high
        case LengthRange(low, high):
            found = low <= float(table.length[row]) <= high
        case CategorySet(key, names):
            found = value_of(table, key, row) in names
        case GroupSet(groups):
            found = any(row in table.groups.rows(group) for group in groups)
        case IdSet(ids):
            found = int(table.ids[row]) in ids
        case RandomShare(share, seed):
            found = hashed(table.ids[row : row + 1], seed)[0] < share
        case TextSearch(text):
            wanted = text.strip().lower()
            words = [str(value_of(table, key, row) or "") for key in ("kind", "name")]
            inside = [n for g, n in enumerate(table.groups.names) if row in table.groups.rows(g)]
            own = [str(table.ids[row])] if wanted.isdecimal() else []
            found = any(wanted in word.lower() for word in (*words, *inside, *own))
        case _:
            raise TypeError(rule)
    return found if rule.include else not found


def brute(table: ObjectTable, filters: Iterable[Filter]) -> list[bool]:
    rules = list(filters)
    return [all(meets(table, rule, row) for rule in rules) for row in range(len(table))]


RULES = st.one_of(
    st.builds(AttributeRange, st.sampled_from(NUMBERS), ENDS, ENDS, INCLUDE),
    st.builds(LengthRange, ENDS, ENDS, INCLUDE),
    st.builds(
        CategorySet,
        st.just("kind"),
        st.frozensets(st.sampled_from(["neuron", "glia", "Ångström", "stranger"])),
        INCLUDE,
    ),
    st.builds(GroupSet, st.frozensets(st.integers(0, 2)), INCLUDE),
    st.builds(RandomShare, st.floats(0, 1), st.integers(0, 3), INCLUDE),
    st.builds(
        TextSearch,
        st.sampled_from(
            ["", " ", "neu", "ÅNG", "cell 1", "-3", "7", "12", "tract", "right", "\n", "zzz"]
        ),
        INCLUDE,
    ),
)


@given(rules=st.lists(RULES, max_size=4))
def test_answers_equal_a_loop_over_the_objects(table: ObjectTable, rules: list[Filter]) -> None:
    assert evaluate(table, rules).tolist() == brute(table, rules)


@given(share=st.floats(0, 1), more=st.floats(0, 1), seed=st.integers(0, 9))
def test_a_larger_share_only_adds(table: ObjectTable, share: float, more: float, seed: int) -> None:
    low, high = sorted([share, more])
    few = evaluate(table, [RandomShare(low, seed)])
    many = evaluate(table, [RandomShare(high, seed)])
    assert not (few & ~many).any()


def test_a_share_is_about_that_many_and_depends_on_id_and_seed_alone() -> None:
    ids = np.arange(100_000)
    for seed in range(3):
        assert np.count_nonzero(hashed(ids, seed) < 0.3) == pytest.approx(30_000, rel=0.02)
    assert hashed(ids, 1)[5000:5010].tolist() == hashed(np.arange(5000, 5010), 1).tolist()
    both = (hashed(ids, 0) < 0.3) & (hashed(ids, 1) < 0.3)
    assert np.count_nonzero(both) == pytest.approx(9000, rel=0.05)


def test_ids_that_there_are_not_match_nothing(table: ObjectTable) -> None:
    some = frozenset(table.ids[[3, 77]].tolist()) | {-1, 10**13}
    assert np.flatnonzero(evaluate(table, [IdSet(some)])).tolist() == [3, 77]
    assert np.count_nonzero(evaluate(table, [IdSet(some, include=False)])) == len(table) - 2


def test_objects_without_a_value_are_left_out_by_a_range_and_kept_by_its_opposite(
    table: ObjectTable,
) -> None:
    missing = ~column_of(table, "count").known
    assert missing.any()
    assert not (evaluate(table, [AttributeRange("count")]) & missing).any()
    assert (evaluate(table, [AttributeRange("count", include=False)]) == missing).all()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (AttributeRange("weight"), "no 'weight'; they have id, groups"),
        (AttributeRange("kind"), "holds categories, not numbers"),
        (CategorySet("size", frozenset({"a"})), "holds numbers, not categories"),
        (GroupSet(frozenset({3})), "there is no group 3; there are 3"),
    ],
)
def test_what_the_table_cannot_tell_is_said(table: ObjectTable, rule: Filter, words: str) -> None:
    with pytest.raises(InputError, match=words):
        evaluate(table, [rule])

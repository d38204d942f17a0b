"""Looks follow from filters, hiding, isolating, groups, ghosts and selection."""

import itertools

import numpy as np
import pytest

from zv_viewer.model.objects import Look, ObjectTable
from zv_viewer.objects import UNGROUPED, Question, Ranks, Showing, answer, looks_of
from zv_viewer.objects.filters import GroupSet, RandomShare
from zv_viewer.objects.looks import ALL_SHOWN, look_of_strangers


def brute(table: ObjectTable, passed: np.ndarray | None, showing: Showing) -> list[int]:
    looks = []
    for row in range(len(table)):
        own = [g for g in range(len(table.groups)) if row in table.groups.rows(g)] or [UNGROUPED]
        seen = passed is None or passed[row]
        seen = seen and (showing.isolated is None or showing.isolated[row])
        seen = seen and any(group not in showing.groups_off for group in own)
        if showing.hidden is not None and showing.hidden[row]:
            looks.append(Look.HIDDEN)
        elif not seen:
            looks.append(Look.GHOST if showing.ghost else Look.HIDDEN)
        elif showing.selected is not None and showing.selected[row]:
            looks.append(Look.SELECTED)
        else:
            looks.append(Look.NORMAL)
    return looks


def test_every_combination_equals_the_rule_object_by_object(table: ObjectTable) -> None:
    rng = np.random.default_rng(3)
    masks = [rng.random(len(table)) < 0.5 for _ in range(4)]
    offs = [frozenset(), frozenset({0}), frozenset({0, 1, UNGROUPED}), frozenset({UNGROUPED})]
    for chosen in itertools.product([False, True], repeat=5):
        passed, hidden, isolated, selected = (
            mask if on else None for mask, on in zip(masks, chosen[:4], strict=True)
        )
        for off in offs:
            showing = Showing(hidden, isolated, selected, off, chosen[4])
            found = looks_of(table, passed, showing)
            assert found.dtype == np.uint8
            assert found.tolist() == brute(table, passed, showing)


def test_the_buttons_in_a_row(table: ObjectTable) -> None:
    n = len(table)
    two = np.arange(n) < 2
    showing = Showing(selected=two)
    assert looks_of(table, None, showing.hiding())[:3].tolist() == [0, 0, 2]
    assert looks_of(table, None, showing.isolating())[:3].tolist() == [3, 3, 0]
    assert looks_of(table, None, showing.ghosting())[:3].tolist() == [3, 3, 1]
    assert looks_of(table, None, showing.hiding().isolating())[:3].tolist() == [3, 3, 0]
    assert looks_of(table, ~two, ALL_SHOWN.ghosting())[:3].tolist() == [1, 1, 2]
    back = showing.hiding().ghosting().showing_all()
    assert looks_of(table, None, back)[:3].tolist() == [3, 3, 2]
    assert ALL_SHOWN.hiding() is ALL_SHOWN


@pytest.mark.parametrize(
    ("showing", "filtered", "look"),
    [
        (ALL_SHOWN, False, Look.NORMAL),
        (ALL_SHOWN, True, Look.HIDDEN),
        (Showing(ghost=True), True, Look.GHOST),
        (Showing(groups_off=frozenset({1})), False, Look.NORMAL),
        (Showing(groups_off=frozenset({UNGROUPED})), False, Look.HIDDEN),
        (Showing(isolated=np.ones(3, np.bool_)), False, Look.HIDDEN),
    ],
)
def test_rows_of_no_object_go_once_objects_are_chosen(
    showing: Showing, filtered: bool, look: Look
) -> None:
    assert look_of_strangers(showing, filtered=filtered) is look


def test_an_answer_takes_over_what_did_not_change(table: ObjectTable) -> None:
    first = answer(table, Question((RandomShare(0.5),), "size"))
    picked = Showing(selected=np.arange(len(table)) < 9)
    second = answer(table, Question((RandomShare(0.5),), "size", showing=picked), first)
    assert second.rows is first.rows
    assert second.selected == 9
    third = answer(table, Question((GroupSet(frozenset({0})),), "size"), second)
    assert third.order is first.order
    fresh = answer(table, third.question)
    assert third.rows.tolist() == fresh.rows.tolist()
    assert third.looks.tolist() == fresh.looks.tolist()
    assert third.drawn == len(third.rows) == len(np.unique(table.groups.rows(0)))
    fourth = answer(table, Question((GroupSet(frozenset({0})),), "size", descending=True), third)
    assert sorted(fourth.rows.tolist()) == sorted(third.rows.tolist())
    assert fourth.rows.tolist() != third.rows.tolist()


def test_values_reach_the_objects_a_layer_knows() -> None:
    known, ids = np.array([-1, 3, 5, 8]), np.array([3, 4, 8, 9])
    ranks = Ranks(known, ids)
    assert ranks.spread(np.array([10, 11, 12, 13], np.uint8), 99).tolist() == [99, 10, 99, 12]
    colours = np.arange(12, dtype=np.uint8).reshape(4, 3)
    spread = ranks.spread(colours, (7, 7, 7))
    assert spread.tolist() == [[7, 7, 7], [0, 1, 2], [7, 7, 7], [6, 7, 8]]
    same = np.array([1, 2, 3, 4], np.uint8)
    assert Ranks(ids, ids).spread(same, 0) is same
    assert Ranks(known, ids[:0]).spread(same[:0], 5).tolist() == [5, 5, 5, 5]

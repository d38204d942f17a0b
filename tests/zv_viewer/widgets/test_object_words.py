"""The words of the objects dock."""

import numpy as np
import pytest

from zv_viewer.model.objects import ObjectColumn, ObjectGroups, ObjectTable, category_column
from zv_viewer.objects import GROUP, ID, LENGTH, LEVELS, VERTICES, IdSet, Question, Showing, answer
from zv_viewer.widgets.object_words import cell, counts, levels


@pytest.fixture
def table() -> ObjectTable:
    groups = ObjectGroups.of([f"g{k}" for k in range(5)], [[0, 1]] + [[0]] * 4)
    return ObjectTable(
        np.array([7, 12_000]),
        (
            ObjectColumn("size", np.array([1.23456789, np.nan])),
            ObjectColumn("count", np.array([5, 0]), missing=np.array([False, True])),
            category_column("kind", [1, -1], ["a", "b"]),
        ),
        groups,
        vertices=np.array([1200, 3]),
        length=np.array([0.5, np.nan]),
        levels=np.array([0b10111, 0], np.uint64),
        level_numbers=(0, 1, 2, 4, 8),
    )


def test_cells(table: ObjectTable) -> None:
    keys = (ID, GROUP, LENGTH, VERTICES, LEVELS, "size", "count", "kind")
    first = [cell(table, key, 0) for key in keys]
    assert first == ["7", "g0, g1, g2, 2 more", "0.5", "1,200", "0-2, 8", "1.23457", "5", "b"]
    assert [cell(table, key, 1) for key in keys] == ["12000", "g0", "", "3", "", "", "", ""]


def test_levels_in_runs() -> None:
    assert levels(0b1101, (0, 1, 2, 3)) == "0, 2-3"
    assert levels(1 << 63, tuple(range(64))) == "63"


def test_counts(table: ObjectTable) -> None:
    def said(*filters: IdSet, showing: Showing = Showing()) -> str:  # noqa: B008 - frozen
        return counts(table, answer(table, Question(filters, showing=showing)))

    assert said() == "2 objects"
    assert said(IdSet(frozenset({7}))) == "1 of 2 objects, filter on attributes of level 0"
    one = np.array([True, False])
    assert said(showing=Showing(hidden=one)) == "2 objects; 1 drawn, the rest hidden"
    ghosts = Showing(isolated=one, selected=one, ghost=True)
    assert said(showing=ghosts) == "2 objects; 1 drawn, the rest as ghosts; 1 selected"

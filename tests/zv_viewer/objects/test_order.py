"""The order of rows, and the colours of objects, as one loop over the objects has them."""

import numpy as np
import pytest

from zv_viewer.drawing.colours import colormap_table
from zv_viewer.errors import InputError
from zv_viewer.model.objects import ObjectTable
from zv_viewer.model.texts import PART, TextIndex
from zv_viewer.objects import (
    GREY,
    GROUP,
    ID,
    colours_by,
    column_of,
    group_colours,
    keys_of,
    order_of,
)
from zv_viewer.objects.search import holding


@pytest.mark.parametrize("descending", [False, True])
def test_every_column_sorts_stably_and_values_missing_come_last(
    table: ObjectTable, descending: bool
) -> None:
    for key in keys_of(table):
        column = column_of(table, key)
        known = column.known.tolist()

        def value(row: int) -> object:
            found = column.values[row].item()  # noqa: B023 - used in this turn only
            names = column.categories  # noqa: B023
            return found if names is None else names[found].lower()

        there = [row for row in range(len(table)) if known[row]]
        rows = sorted(there, key=value, reverse=descending)
        rows += [row for row in range(len(table)) if not known[row]]
        assert order_of(table, key, descending=descending).tolist() == rows, key


def test_objects_without_a_column_are_not_sorted_by_it(table: ObjectTable) -> None:
    with pytest.raises(InputError, match="no 'weight'"):
        order_of(table, "weight")


def test_numbers_are_coloured_along_the_colormap(table: ObjectTable) -> None:
    lut = np.rint(colormap_table("viridis")[:, :3] * 255).astype(int)
    column = column_of(table, "size")
    low, high = column.limits
    for row, colour in enumerate(colours_by(table, "size").tolist()):
        if np.isnan(column.values[row]):
            assert tuple(colour) == GREY
            continue
        at = (float(column.values[row]) - low) / (high - low) * 255
        assert colour in lut[[int(np.floor(at)), int(np.ceil(at))]].tolist()
    clipped = colours_by(table, "size", limits=(0.0, 1e-9), colormap="gray")
    assert set(map(tuple, clipped.tolist())) <= {(0, 0, 0), (255, 255, 255), GREY}


def test_categories_groups_and_stored_colours(table: ObjectTable) -> None:
    kind = column_of(table, "kind")
    colours = colours_by(table, "kind")
    for code in range(-1, 4):
        assert len(np.unique(colours[kind.values == code], axis=0)) == 1
    assert tuple(colours[kind.values == -1][0]) == GREY
    own = group_colours(table.groups)
    for row, colour in enumerate(colours_by(table, GROUP).tolist()):
        inside = table.groups.of_row(row)
        assert colour == (own[inside[0]].tolist() if inside else list(GREY))
    red = np.array([[255, 0, 0], [0, 0, 0], [1, 1, 1]], np.uint8)
    assert colours_by(table, GROUP, of_groups=red)[table.groups.rows(0)].tolist() == [
        [255, 0, 0]
    ] * len(table.groups.rows(0))
    stored = colours_by(table, "rgb")
    assert stored[:, 1].tolist() == column_of(table, "rgb[1]").values.tolist()


def test_texts_are_found_where_they_are_and_never_across_two() -> None:
    texts = ["ab", "", "b a", "AB\nab", "ﬁ", "b"] * 3
    index = TextIndex.of(texts)
    for wanted in ("ab", "b", "a", "b a", "ba", "ﬁ", "abab", "x" * 100):
        flat = [text.replace("\n", " ").lower() for text in texts]
        assert holding(index, wanted).tolist() == [wanted in text for text in flat], wanted


def test_many_hits_are_found_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [str(number) for number in range(PART + 2000)]
    index = TextIndex.of(texts)
    few = holding(index, "77")
    monkeypatch.setattr("zv_viewer.objects.search.FEW", 0)
    assert (holding(index, "77") == few).all()
    assert np.count_nonzero(few) == sum("77" in text for text in texts)


def test_all_rows_by_id_come_first(table: ObjectTable) -> None:
    assert keys_of(table)[0] == ID
    assert order_of(table).tolist() == list(range(len(table)))

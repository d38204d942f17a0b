"""Counts on a level: exact, in steps that can be given up, of a vertex that is shared once."""

from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.exceptions import Cancelled
from zv_viewer.controller.counting import Counted, count_rows, quick_level
from zv_viewer.rows import InBall, InBox, RandomRows, RowFilter, ValueRange, rows_of
from zv_viewer.testing.linked import make_linked_cloud
from zv_viewer.testing.sources import make_cloud
from zv_viewer.widgets.row_words import counted_words

RULES = {
    "range": (ValueRange("height", 60.0, 100.0),),
    "ball": (InBall((20.0, 30.0, 40.0), 9.0),),
    "box": (InBox((0.0,) * 3, (10.0, 64.0, 32.0), include=False),),
    "share": (RandomRows(0.25, 3), ValueRange("height", 90.0)),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("position", [0, 1])
def test_it_is_what_every_row_by_itself_says(name: str, position: int) -> None:
    source, kept_by = make_cloud(5000, 2, chunks=6), RowFilter(RULES[name])
    level = source.levels[position]
    expected = kept_by.keeps(rows_of(source.scene, level.positions, level.values)).sum()
    counted = count_rows(source, source.scene, position, kept_by)
    assert counted == Counted(int(expected), len(level.positions), level.info.index)
    assert 0 < counted.kept < counted.of


def test_a_vertex_that_objects_share_counts_once_and_hidden_ones_do_not() -> None:
    source = make_linked_cloud("streamline", 12, 60, 1, 2, chunks=4, growth=0.5, copies=4)
    joined, level, scene = source.joined[0], source.levels[0], source.scene
    assert len(joined.stored) > len(level.positions)
    kept_by = RowFilter((ValueRange("height", 80.0),))
    kept = kept_by.keeps(rows_of(scene, level.positions, level.values))
    counted = count_rows(source, scene, 0, kept_by)
    assert (counted.kept, counted.of) == (kept.sum(), len(level.positions))
    shown = np.zeros(len(scene.objects), bool)
    shown[np.searchsorted(scene.objects, [2, 3])] = True
    own = np.unique(joined.stored[np.isin(joined.objects, [2, 3])])
    assert count_rows(source, scene, 0, kept_by, shown).kept == kept[own].sum()


def test_it_reads_only_where_something_can_be_and_can_be_given_up() -> None:
    source = make_cloud(5000, 1, chunks=8)
    read: list[int] = []
    whole = source.read
    source.read = lambda level, chunks, names: (
        read.append(len(chunks)) or whole(level, chunks, names)
    )
    count_rows(source, source.scene, 0, RowFilter((InBall((8.0,) * 3, 3.0),)))
    assert sum(read) < 30
    shares: list[float] = []

    def progress(share: float) -> None:
        shares.append(share)
        if share > 0.4:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        count_rows(source, source.scene, 0, RowFilter(RULES["range"]), None, progress)
    assert shares == sorted(shares)
    assert shares[-1] < 0.6


def test_the_level_counted_at_once_is_a_small_one() -> None:
    scene = make_cloud(5000, 3, chunks=8).scene
    assert quick_level(scene) == 0
    assert quick_level(scene, 4000) == 1
    assert quick_level(scene, 1) == 2


def test_the_words_say_on_which_level() -> None:
    scene = make_cloud(5000, 3, chunks=8).scene
    assert counted_words(scene, Counted(1234, 5000, 0)) == (
        "1,234 of 5,000 vertices, counted on level 0"
    )
    assert counted_words(scene, Counted(100, 400, 2)) == (
        "about 1,250 of 5,000 vertices, estimated on level 2"
    )
    assert "level 2 has no 'height'" in counted_words(scene, Counted(0, 400, 2, ("height",)))
    assert counted_words(scene, None) == "counting"

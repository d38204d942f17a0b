"""What fingerprints tell of two states of a store."""

from __future__ import annotations

from dataclasses import replace

from zv_viewer.model.fingerprint import AttributePrint, LevelPrint, changes, rewritten


def test_changes_are_named(whole_view) -> None:
    before = whole_view.layers[0].fingerprint
    assert changes(before, before) == ()
    assert changes(before, replace(before, written="today")) == ()
    assert rewritten(before, replace(before, written="today"))
    assert not rewritten(before, replace(before, written=None))
    assert "geometry" in changes(before, replace(before, geometry="x"))[0]
    assert changes(before, replace(before, objects="x")) == ("it has other objects",)
    first, last = before.levels
    assert changes(before, replace(before, levels=(first,))) == ("level 3 is gone",)
    more = (*before.levels, LevelPrint(4, "", None))
    assert changes(before, replace(before, levels=more)) == ("level 4 is new",)
    others = (replace(first, chunks="x"), last)
    assert changes(before, replace(before, levels=others)) == ("level 0 has other chunks",)
    counts = (replace(first, counts="x"), last)
    assert changes(before, replace(before, levels=counts)) == ("level 0 has other vertices",)
    age, other = before.attributes
    values = replace(before, attributes=(replace(age, limits=(0.0, 1.0)), other))
    assert changes(before, values) == ("the attribute 'age' has other values",)
    named = replace(before, attributes=(AttributePrint("new", "", None), age))
    assert changes(before, named) == (
        "the attribute 'ünï' is gone",
        "the attribute 'new' is new",
    )


def test_what_was_recorded_later_is_no_change(whole_view) -> None:
    before = whole_view.layers[0].fingerprint
    first, last = before.levels
    age, other = before.attributes
    told = replace(
        before,
        levels=(first, replace(last, counts="counted")),
        attributes=(age, replace(other, limits=(0.0, 1.0))),
    )
    assert changes(before, told) == changes(told, before) == ()

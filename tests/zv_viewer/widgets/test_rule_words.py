"""What filters that come with a view say."""

from __future__ import annotations

import math
from types import SimpleNamespace

from zv_viewer.model.scene import AttributeInfo
from zv_viewer.objects import AttributeRange, CategorySet, GroupSet, IdSet, RandomShare, TextSearch
from zv_viewer.rows import CategoryIs, InBall, InBox, InOutline, RandomRows, ValueRange
from zv_viewer.widgets.rule_line import object_rule_words, row_rule_words

AGE, KIND = AttributeInfo("age", "int16"), AttributeInfo("kind", "int32", categories=("a", "b"))
SCENE = SimpleNamespace(
    axis_names=("x", "y"), attribute=lambda name: {"age": AGE, "kind": KIND}[name]
)


def test_rules_about_vertices() -> None:
    for rule, words in (
        (ValueRange("age", 2, 5), "age from 2 to 5"),
        (ValueRange("age", low=2, include=False), "not age at least 2"),
        (ValueRange("age", high=5), "age at most 5"),
        (CategoryIs("kind", frozenset({1, 7})), "kind: b, 7"),
        (InBox((0, -math.inf), (1, math.inf)), "inside a box: x from 0 to 1"),
        (InBall((0, 0), 3), "inside a ball of radius 3"),
        (InOutline((0.0,) * 16, (0, 1), ((0, 0),) * 5), "inside an outline of 5 corners"),
        (RandomRows(0.25), "a random share of 0.25"),
    ):
        assert row_rule_words(rule, SCENE) == words


def test_rules_about_objects() -> None:
    for rule, words in (
        (AttributeRange("(length)", 2, 5), "length from 2 to 5"),
        (CategorySet("part", frozenset({"b", "a"})), "part: a, b"),
        (GroupSet(frozenset({0, 9})), "in the groups left, 9"),
        (IdSet(frozenset(range(6)), include=False), "not the ids 0, 1, 2, 3 and 2 more"),
        (TextSearch("axon"), "with 'axon'"),
        (RandomShare(0.5), "a random share of 0.5"),
    ):
        assert object_rule_words(rule, ("left",)) == words

"""What a user asks of the table, and the whole answer: rows in order, looks, counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.model.objects import Bool, Int, Look, ObjectTable
from zv_viewer.objects.columns import ID
from zv_viewer.objects.filters import Filter, evaluate
from zv_viewer.objects.looks import ALL_SHOWN, Showing, look_of_strangers, looks_of
from zv_viewer.objects.order import order_of


@dataclass(frozen=True, eq=False, slots=True)
class Question:
    """Filters, an order, and what was made of single objects."""

    filters: tuple[Filter, ...] = ()
    sort_by: str = ID
    descending: bool = False
    showing: Showing = ALL_SHOWN


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """What follows from a question.

    Args:
        question: As asked.
        passed: (O,) objects that meet the filters.
        order: (O,) all rows in the order asked.
        rows: (n,) rows that meet the filters, in that order.
        looks: (O,) uint8, a :class:`~zv_viewer.model.objects.Look` each.
        strangers: Look of rows that belong to no object.
        drawn: How many are neither hidden nor ghosts.
        selected: How many are selected, drawn or not.
    """

    question: Question
    passed: Bool
    order: Int
    rows: Int
    looks: npt.NDArray[np.uint8]
    strangers: Look
    drawn: int
    selected: int


def answer(table: ObjectTable, question: Question, before: Answer | None = None) -> Answer:
    """The answer to a question.

    Args:
        table: The objects.
        question: What is asked.
        before: The answer to another question about the same table, whose parts are taken over
            where nothing changed that they depend on.

    Raises:
        InputError: It asks for what the table does not have.
    """
    old = None if before is None else before.question
    same_filters = before is not None and old is not None and old.filters == question.filters
    passed = before.passed if before and same_filters else evaluate(table, question.filters)
    asked = (question.sort_by, question.descending)
    same_order = old is not None and (old.sort_by, old.descending) == asked
    if before is not None and same_order:
        order = before.order
    else:
        order = order_of(table, question.sort_by, descending=question.descending)
    if before is not None and same_filters and same_order:
        rows = before.rows
    else:
        rows = order if passed.all() else order[passed[order]]
    looks = looks_of(table, passed, question.showing)
    picked = question.showing.selected
    return Answer(
        question,
        passed,
        order,
        rows,
        looks,
        look_of_strangers(question.showing, filtered=bool(question.filters)),
        drawn=int(np.count_nonzero((looks != Look.HIDDEN) & (looks != Look.GHOST))),
        selected=0 if picked is None else int(np.count_nonzero(picked)),
    )

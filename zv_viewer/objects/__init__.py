"""Finding objects and saying how each is drawn: filters, order, looks, colours; numbers only."""

from zv_viewer.objects.answer import Answer, Question, answer
from zv_viewer.objects.colours import GREY, colours_by, group_colours
from zv_viewer.objects.columns import GROUP, ID, LENGTH, LEVELS, VERTICES, column_of, keys_of
from zv_viewer.objects.filters import (
    AttributeRange,
    CategorySet,
    Filter,
    GroupSet,
    IdSet,
    LengthRange,
    RandomShare,
    TextSearch,
    evaluate,
)
from zv_viewer.objects.looks import ALL_SHOWN, UNGROUPED, Showing, looks_of, shown
from zv_viewer.objects.order import order_of
from zv_viewer.objects.ranks import Ranks

__all__ = [
    "ALL_SHOWN",
    "GREY",
    "GROUP",
    "ID",
    "LENGTH",
    "LEVELS",
    "UNGROUPED",
    "VERTICES",
    "Answer",
    "AttributeRange",
    "CategorySet",
    "Filter",
    "GroupSet",
    "IdSet",
    "LengthRange",
    "Question",
    "RandomShare",
    "Ranks",
    "Showing",
    "TextSearch",
    "answer",
    "colours_by",
    "column_of",
    "evaluate",
    "group_colours",
    "keys_of",
    "looks_of",
    "order_of",
    "shown",
]

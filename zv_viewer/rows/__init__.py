"""Single vertices: rules that say which are drawn, and which one a click meant; numbers only."""

from zv_viewer.rows.regions import InBall, InBox, InOutline
from zv_viewer.rows.rules import (
    CategoryIs,
    RandomRows,
    RowFilter,
    RowRule,
    Rows,
    ValueRange,
    drawn_rows,
    rows_of,
)

__all__ = [
    "CategoryIs",
    "InBall",
    "InBox",
    "InOutline",
    "RandomRows",
    "RowFilter",
    "RowRule",
    "Rows",
    "ValueRange",
    "drawn_rows",
    "rows_of",
]

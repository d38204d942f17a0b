"""The words of the objects dock, from figures alone."""

from __future__ import annotations

import math

from zv_viewer.model.objects import ObjectTable
from zv_viewer.objects import GROUP, ID, LENGTH, LEVELS, VERTICES, Answer, column_of

MOST_GROUPS = 3
"""Groups named in a cell of the table."""


def counts(table: ObjectTable, answer: Answer) -> str:
    """How many objects are listed, e.g. ``12 of 100,000 objects, filter on level 0``."""
    total = len(table)
    if answer.question.filters:
        level = table.level_numbers[0] if table.level_numbers else 0
        text = f"{len(answer.rows):,} of {total:,} objects, filter on attributes of level {level}"
    else:
        text = f"{total:,} {'object' if total == 1 else 'objects'}"
    showing = answer.question.showing
    if answer.drawn != len(answer.rows):
        rest = "the rest as ghosts" if showing.ghost else "the rest hidden"
        text += f"; {answer.drawn:,} drawn, {rest}"
    if answer.selected:
        text += f"; {answer.selected:,} selected"
    return text


def cell(table: ObjectTable, key: str, row: int) -> str:
    """What a cell of the table says."""
    if key == ID:
        return str(table.ids[row])
    if key == GROUP:
        found = table.groups.of_row(row)
        names = [table.groups.names[group] for group in found[:MOST_GROUPS]]
        more = [f"{len(found) - MOST_GROUPS} more"] if len(found) > MOST_GROUPS else []
        return ", ".join(names + more)
    if key == LEVELS and table.levels is not None:
        return levels(int(table.levels[row]), table.level_numbers)
    if key == LENGTH and table.length is not None:
        return number(float(table.length[row]))
    if key == VERTICES and table.vertices is not None:
        return f"{table.vertices[row]:,}"
    column = column_of(table, key)
    value = column.values[row]
    if column.categories is not None:
        return column.categories[value] if value >= 0 else ""
    if column.missing is not None and column.missing[row]:
        return ""
    return number(float(value)) if column.values.dtype.kind == "f" else str(value)


def levels(mask: int, numbers: tuple[int, ...]) -> str:
    """Levels as runs, e.g. ``0-2, 4``."""
    have = [number for place, number in enumerate(numbers) if mask >> place & 1]
    runs: list[list[int]] = []
    for level in have:
        if runs and level == runs[-1][-1] + 1:
            runs[-1].append(level)
        else:
            runs.append([level])
    parts = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return ", ".join(parts)


def number(value: float) -> str:
    """A number with six digits; nothing for NaN."""
    return "" if math.isnan(value) else f"{value:.6g}"

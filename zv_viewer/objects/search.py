"""Finding a text in ids, categories and names of groups, a million of them in milliseconds."""

from __future__ import annotations

import numpy as np

from zv_viewer.model.objects import Bool, ObjectTable
from zv_viewer.model.texts import TextIndex

FEW = 200_000
"""Places of a text up to which their lines are looked up one by one."""


def matching(table: ObjectTable, text: str) -> Bool:
    """(O,) where an object's id, one of its categories or one of its groups holds the text."""
    wanted = text.replace("\n", " ").strip().lower()
    if not wanted:
        return np.ones(len(table), np.bool_)
    found = np.zeros(len(table), np.bool_)
    if wanted.isdecimal():
        ids = table.id_text or TextIndex.of(table.ids.tolist())
        found |= holding(ids, wanted)
    for column in table.columns:
        if column.categories is not None:
            index = column.text or TextIndex.of(column.categories)
            found |= np.append(holding(index, wanted), False)[column.values]
    for group, name in enumerate(table.groups.names):
        if wanted in name.lower():
            found[table.groups.rows(group)] = True
    return found


def holding(index: TextIndex, text: str) -> Bool:
    """(n,) which strings hold a text, which is in lower case and without a line end."""
    needle = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    found = np.zeros(len(index.starts), np.bool_)
    places = len(index.data) - len(needle) + 1
    if places <= 0:
        return found
    hits = index.data[:places] == needle[0]
    for at, byte in enumerate(needle[1:].tolist(), 1):
        hits &= index.data[at : at + places] == byte
    if np.count_nonzero(hits) <= FEW:
        found[np.searchsorted(index.starts, np.flatnonzero(hits), side="right") - 1] = True
        return found
    whole = np.zeros(len(index.data), np.bool_)
    whole[:places] = hits
    return np.logical_or.reduceat(whole, index.starts)

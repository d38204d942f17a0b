"""Links put between the rows of objects, where objects may share rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zarr_vectors.reading.linked_chunks import ELSEWHERE, NO_OBJECT, Joined
from zarr_vectors.reading.told_joints import ToldLinks
from zarr_vectors.typing import IntArray


@dataclass(frozen=True, eq=False, slots=True)
class OwnedRows:
    """Which objects stored rows belong to.

    Attributes:
        rows: (n,) int64 stored rows, ascending; one of several objects comes as often.
        objects: (n,) int64 their objects, ascending for one row.
        places: (n,) int64 row among those returned, -1 where it is not.
    """

    rows: IntArray
    objects: IntArray
    places: IntArray

    @classmethod
    def of(cls, rows: IntArray, objects: IntArray, places: IntArray) -> OwnedRows:
        """Put in order."""
        order = np.lexsort((objects, rows))
        return cls(rows[order], objects[order], places[order])

    @classmethod
    def joined(cls, parts: list[OwnedRows]) -> OwnedRows:
        """Those of several sets of rows, each above the ones before."""
        return cls(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.objects for part in parts]),
            np.concatenate([part.places for part in parts]),
        )

    def first(self, rows: IntArray) -> IntArray:
        """(m,) int64 first entry of stored rows, -1 where there is none."""
        at = np.searchsorted(self.rows, rows)
        there = at < len(self.rows)
        there[there] = self.rows[at[there]] == rows[there]
        return np.where(there, at, -1)

    def entries(self, rows: IntArray, objects: IntArray) -> IntArray:
        """(m,) int64 entry of stored rows that are of some objects, -1 where there is none."""
        known, own = np.unique(self.objects, return_inverse=True)
        which = np.minimum(np.searchsorted(known, objects), max(len(known) - 1, 0))
        keys = self.rows * len(known) + own.reshape(-1)
        wanted = rows * len(known) + which
        at = np.searchsorted(keys, wanted)
        there = at < len(keys)
        there[there] = (keys[at[there]] == wanted[there]) & (known[which[there]] == objects[there])
        return np.where(there, at, -1)


def join_told(joined: Joined, told: ToldLinks, objects: IntArray) -> Joined:
    """Rows, each of one object, with the links between them.

    Args:
        joined: The rows.
        told: The links.
        objects: (M,) int64 object of every link.
    """
    place = np.full(int(joined.rows.max(initial=-1)) + 2, ELSEWHERE, np.int64)
    place[joined.rows[::-1]] = np.arange(len(joined.rows))[::-1]
    return _with_links(joined, told, place[told.local], objects)


def join_shared(joined: Joined, told: ToldLinks, ends: IntArray, owned: OwnedRows) -> Joined:
    """Rows with the links between them: each link once for every object that has all its ends.

    A link between rows of different objects is there once, for the first object of its first end.

    Args:
        joined: The rows.
        told: The links.
        ends: (M, W) int64 every end as ``owned`` numbers rows.
        owned: The objects of all ends.
    """
    low = np.searchsorted(owned.rows, ends[:, 0])
    counts = np.searchsorted(owned.rows, ends[:, 0], side="right") - low
    times = np.maximum(counts, 1)
    link = np.repeat(np.arange(len(ends)), times)
    turn = np.arange(len(link)) - np.repeat(np.cumsum(times) - times, times)
    entry = np.where(counts[link] > 0, low[link] + turn, -1)
    objects = np.where(entry >= 0, np.append(owned.objects, NO_OBJECT)[entry], NO_OBJECT)
    others = (owned.entries(ends[link, column], objects) for column in range(1, ends.shape[1]))
    entries = np.stack([entry, *others], axis=1)
    whole = (entries >= 0).all(axis=1)
    several = np.bincount(link[whole], minlength=len(ends)) > 0
    keep = whole | (~several[link] & (turn == 0))
    link, entries, objects = link[keep], entries[keep], objects[keep]
    other = owned.first(ends[link].reshape(-1)).reshape(entries.shape)
    entries = np.where(entries >= 0, entries, other)
    rows = np.append(owned.places, ELSEWHERE)[entries]
    return _with_links(joined, told.take(link), rows, objects)


def _with_links(joined: Joined, told: ToldLinks, rows: IntArray, objects: IntArray) -> Joined:
    inside = told.inside
    far = ~inside
    return replace(
        joined,
        links=rows[inside],
        open_rows=np.where(told.local[far] >= 0, rows[far], ELSEWHERE),
        open_ends=told.ranks[far] << 32 | told.rows[far],
        open_objects=objects[far],
    )

"""Links put between the rows of objects, where objects may share rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zarr_vectors.reading.linked_chunks import ELSEWHERE, NO_OBJECT, Joined
from zarr_vectors.reading.told_joints import ToldLinks
from zarr_vectors.typing import IntArray


@dataclass(frozen=True, eq=False, slots=True)
class OwnedRows:
    """Which objects vertices belong to.

    Attributes:
        vertices: (n,) int64 vertices, chunk << 32 | row, ascending; one of several objects comes
            as often.
        objects: (n,) int64 their objects, ascending for one vertex.
        places: (n,) int64 which of those given each was, -1 for one of another chunk.
    """

    vertices: IntArray
    objects: IntArray
    places: IntArray

    @classmethod
    def of(cls, vertices: IntArray, objects: IntArray) -> OwnedRows:
        """Put in order."""
        order = np.lexsort((objects, vertices))
        return cls(vertices[order], objects[order], order)

    @classmethod
    def joined(cls, parts: list[OwnedRows]) -> OwnedRows:
        """Those of several parts; the places of all but the first are lost."""
        none = np.zeros(0, np.int64)
        vertices = np.concatenate([none, *(part.vertices for part in parts)])
        objects = np.concatenate([none, *(part.objects for part in parts)])
        places = np.full(len(vertices), ELSEWHERE, np.int64)
        if parts:
            places[: len(parts[0].places)] = parts[0].places
        order = np.lexsort((objects, vertices))
        return cls(vertices[order], objects[order], places[order])

    def first(self, vertices: IntArray) -> IntArray:
        """(m,) int64 first entry of vertices, -1 where there is none."""
        at = np.searchsorted(self.vertices, vertices)
        there = at < len(self.vertices)
        there[there] = self.vertices[at[there]] == vertices[there]
        return np.where(there, at, -1)

    def entries(self, vertices: IntArray, objects: IntArray) -> IntArray:
        """(m,) int64 entry of vertices as those of some objects, -1 where there is none."""
        ids, own = np.unique(self.objects, return_inverse=True)
        heads, which = np.unique(self.vertices, return_inverse=True)
        keys = which.reshape(-1) * len(ids) + own.reshape(-1)
        number, vertex = np.searchsorted(ids, objects), np.searchsorted(heads, vertices)
        there = (number < len(ids)) & (vertex < len(heads))
        there[there] = ids[number[there]] == objects[there]
        there[there] = heads[vertex[there]] == vertices[there]
        found = np.full(len(vertices), -1, np.int64)
        wanted = vertex[there] * len(ids) + number[there]
        at = np.searchsorted(keys, wanted)
        known = at < len(keys)
        known[known] = keys[at[known]] == wanted[known]
        found[there] = np.where(known, at, -1)
        return found


def join_links(joined: Joined, told: ToldLinks, rows: IntArray, objects: IntArray) -> Joined:
    """Rows with the links between them.

    Args:
        joined: The rows.
        told: The links.
        rows: (M, W) int64 the rows that are their ends, -1 in other chunks.
        objects: (M,) int64 object of every link.
    """
    inside = told.inside
    far = ~inside
    return replace(
        joined,
        links=rows[inside],
        open_rows=rows[far],
        open_ends=told.ranks[far] << 32 | told.rows[far],
        open_objects=objects[far],
    )


def join_shared(joined: Joined, told: ToldLinks, owned: OwnedRows) -> Joined:
    """Rows with the links between them: each link once for every object that has all its ends.

    A link between vertices of different objects is there once, for the first object of its first
    end.

    Args:
        joined: The rows.
        told: The links.
        owned: The objects of all their ends; those of these chunks with places among the rows.
    """
    ends = told.ranks << 32 | told.rows
    low = np.searchsorted(owned.vertices, ends[:, 0])
    counts = np.searchsorted(owned.vertices, ends[:, 0], side="right") - low
    times = np.maximum(counts, 1)
    link = np.repeat(np.arange(len(ends)), times)
    turn = np.arange(len(link)) - np.repeat(np.cumsum(times) - times, times)
    entry = np.where(counts[link] > 0, low[link] + turn, -1)
    objects = np.append(owned.objects, NO_OBJECT)[entry]
    others = (owned.entries(ends[link, column], objects) for column in range(1, ends.shape[1]))
    entries = np.stack([entry, *others], axis=1)
    whole = (entries >= 0).all(axis=1)
    several = np.bincount(link[whole], minlength=len(ends)) > 0
    keep = whole | (~several[link] & (turn == 0))
    link, entries, objects = link[keep], entries[keep], objects[keep]
    first = owned.first(ends[link].reshape(-1)).reshape(entries.shape)
    entries = np.where(entries >= 0, entries, first)
    rows = np.append(owned.places, ELSEWHERE)[entries]
    return join_links(joined, told.take(link), rows, objects)

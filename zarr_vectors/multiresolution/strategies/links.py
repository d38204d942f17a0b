"""Edges and faces carried to a coarser level: those that still join different vertices. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zarr_vectors.typing import IntArray


@dataclass(frozen=True, eq=False, slots=True)
class CarriedLinks:
    """Links between target rows.

    Attributes:
        links: (K, W) int64 target rows, each set of ends once, in the order of their first source.
        parents: (M,) int64 target link of every source link, -1 for those that are gone.
    """

    links: IntArray
    parents: IntArray


def carry_links(links: IntArray, parents: IntArray) -> CarriedLinks:
    """Links of the source level between the rows that stand for their ends.

    A link goes where two of its ends became one vertex or an end has none. Of several links
    between the same vertices the first stays, its ends in the order it has them.

    Args:
        links: (M, W) int64 source rows.
        parents: (N,) int64 target row of every source row, -1 for none.
    """
    found = np.full(len(links), -1, np.int64)
    width = links.shape[1]
    ends = parents[links]
    ordered = np.sort(ends, axis=1)
    live = ordered[:, 0] >= 0
    for column in range(1, width):
        live &= ordered[:, column] != ordered[:, column - 1]
    kept = np.flatnonzero(live)
    ordered = ordered[kept]
    # the sort is stable: the first of equal links leads its run
    order = np.lexsort(ordered.T[::-1])
    new = np.ones(len(order), np.bool_)
    if len(order) > 1:
        lines = ordered[order]
        new[1:] = (lines[1:] != lines[:-1]).any(axis=1)
    run = np.cumsum(new) - 1
    firsts = order[new]
    # runs are numbered by key: renumber them by the link that leads each
    place = np.empty(len(firsts), np.int64)
    by_source = np.argsort(firsts)
    place[by_source] = np.arange(len(firsts))
    found[kept[order]] = place[run]
    return CarriedLinks(ends[kept[firsts[by_source]]].reshape(-1, width), found)

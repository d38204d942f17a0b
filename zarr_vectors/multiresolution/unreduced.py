"""One batch of objects as it is: what goes into a level that leaves other objects out."""

from __future__ import annotations

import numpy as np

from zarr_vectors.multiresolution.linked_reduce import BatchResult, as_stored
from zarr_vectors.multiresolution.linked_routes import route_batch
from zarr_vectors.multiresolution.linked_rows import PATHS, Coarser, LinkedRows
from zarr_vectors.multiresolution.shelf import Shelf
from zarr_vectors.multiresolution.steps import Members, Target
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.forest import depth_first, parents_of


def routed_as_it_is(
    shelf: Shelf,
    number: int,
    kind: str,
    target: Target,
    cut: tuple[float, ...] | None,
    *,
    mark_roots: bool,
) -> BatchResult:
    """A batch of a level as it is, and where it goes in a level of its objects alone.

    Args:
        shelf: The level, with objects; rows that none of them has are left out.
        number: Of the batch.
        kind: Geometry type.
        target: Grids of the level.
        cut: Bins that paths are cut at as well as at chunks, or None.
        mark_roots: As of :func:`~zarr_vectors.writing.edges.parent_links`.

    Raises:
        ArrayError: A skeleton that is no forest.
    """
    made, taken = _as_they_are(shelf.batch(number), kind)
    routed = route_batch(made, kind, target, mark_roots=mark_roots, objects=True, cut=cut)
    values = {name: column.take(taken, axis=0) for name, column in shelf.values_of(number).items()}
    return as_stored(made, values, routed, kind)


def _as_they_are(rows: LinkedRows, kind: str) -> tuple[Coarser, IntArray]:
    """Rows that objects have as a level of its own, and (n,) which rows of the batch those are."""
    members = rows.members
    assert members is not None  # noqa: S101  objects were asked for
    if kind in PATHS:
        taken = members.rows
        alone = LinkedRows(rows.positions.take(taken, axis=0), _in_order(members.objects))
        return Coarser(alone, np.arange(len(taken))), taken
    live = np.zeros(len(rows.positions), np.bool_)
    live[members.rows] = True
    taken, place = np.flatnonzero(live), np.cumsum(live) - 1
    joined = live[rows.links].all(axis=1)
    links = place[rows.links[joined]]
    heads = None
    if kind == "skeleton":
        order, _ = depth_first(parents_of(links, len(taken)))
        moved = np.empty(len(taken), np.int64)
        moved[order] = np.arange(len(taken))
        taken, place, links = taken[order], moved[place], moved[links]
        heads = parents_of(links, len(taken))
    made = LinkedRows(
        rows.positions.take(taken, axis=0),
        Members(members.objects, place[members.rows]),
        links=links,
        link_values={name: column[joined] for name, column in rows.link_values.items()},
    )
    return Coarser(made, np.arange(len(taken)), heads), taken


def _in_order(objects: IntArray) -> Members:
    return Members(objects, np.arange(len(objects)))

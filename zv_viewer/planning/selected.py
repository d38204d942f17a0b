"""Cells for objects that are drawn at the finest level whatever the view: as many as there is room.

Objects are taken whole or not at all, the one of the fewest vertices in view first, until one does
not fit: so most of those selected are seen as they are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.selected import SelectedObjects
from zv_viewer.planning.budget import Caps
from zv_viewer.planning.viewed import union

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

SELECTION_SHARE = 0.5
"""Part of the caps that cells for selected objects may take from those of the view."""


def selected_objects(
    scene: SceneInfo, tree: CellTree, ranks: Int, start: Int, chunks: Int
) -> SelectedObjects:
    """Objects by the chunks of the finest level they run through.

    Args:
        scene: The store.
        tree: Its cells.
        ranks: (S,) ascending.
        start: (S + 1,) object ``i`` runs through ``chunks[start[i]:start[i + 1]]``.
        chunks: (T, R) coordinates; those the scene does not have are passed over.
    """
    known = scene.levels[0].chunks
    both = np.concatenate([known, chunks.reshape(-1, known.shape[1])])
    _, place = np.unique(both, axis=0, return_inverse=True)
    place = place.reshape(-1)
    ids = tree.ids_of_level(0)
    first, last = tree.chunk_start[ids.start], tree.chunk_start[ids.stop]
    cell_of = np.empty(len(known), np.int64)
    cell_of[tree.chunk[first:last]] = np.repeat(
        np.arange(ids.start, ids.stop), np.diff(tree.chunk_start[ids.start : ids.stop + 1])
    )
    cell_at = np.full(place.max(initial=-1) + 1, -1, np.int64)
    cell_at[place[: len(known)]] = cell_of
    cells = cell_at[place[len(known) :]]
    owner = np.repeat(np.arange(len(ranks)), np.diff(start))
    pairs = np.unique(np.stack([owner, cells], axis=1)[cells >= 0], axis=0)
    counts = np.bincount(pairs[:, 0], minlength=len(ranks))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    return SelectedObjects(np.asarray(ranks, np.int64), offsets, pairs[:, 1])


def affordable(tree: CellTree, asked: SelectedObjects, caps: Caps) -> Bool:
    """(S,) the objects whose cells fit together.

    Args:
        tree: The cells.
        asked: The objects, with the cells that are needed of them.
        caps: What may be spent.
    """
    owner = asked.owner
    own = np.bincount(owner, weights=tree.count[asked.cells], minlength=len(asked))
    order = np.argsort(own, kind="stable")
    nth = np.empty(len(asked), np.int64)
    nth[order] = np.arange(len(asked))
    by_turn = np.argsort(nth[owner], kind="stable")
    cells, turn = asked.cells[by_turn], nth[owner[by_turn]]
    _, new = np.unique(cells, return_index=True)  # a cell is paid for by the first that needs it
    more = [
        np.bincount(turn[new], weights=costs[cells[new]], minlength=len(asked))
        for costs in (tree.count, tree.nbytes)
    ]
    fits = (np.cumsum(more[0]) <= caps.vertices) & (np.cumsum(more[1]) <= caps.bytes)
    return np.asarray(fits[nth])


def cells_of(selected: SelectedObjects) -> Int:
    """Ascending ids of all their cells, each once."""
    return union(selected.cells)

"""Objects laid through the cells of a tree, without any vertex behind them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from zv_viewer.model.cells import CellTree
from zv_viewer.model.links import LinkArrays, OpenLinks
from zv_viewer.planning.cell_objects import CellObjects

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class LaidObjects:
    """Objects in cells.

    Args:
        holds: (C, O) bool, whether a cell has rows of an object.
        content: What every cell tells of its objects, and of links along each of them.
    """

    holds: Bool
    content: dict[int, CellObjects]

    @property
    def count(self) -> int:
        """How many objects there are."""
        return int(self.holds.shape[1])


def lay_objects(
    tree: CellTree, rng: np.random.Generator, count: int, *, sparse: bool = False
) -> LaidObjects:
    """Objects that run from cell to cell of those without a finer one, across the scene.

    Args:
        tree: The cells.
        rng: Chance.
        count: Objects.
        sparse: Half of the objects are left out of levels coarser than one of their own.
    """
    ends = np.flatnonzero(np.diff(tree.child_start) == 0)
    middle = (tree.lo[ends] + tree.hi[ends]) / 2
    levels = len(tree.cell_shape)
    paths, coarsest = [], []
    for _ in range(count):
        along = np.argsort(middle @ rng.normal(size=middle.shape[1]), kind="stable")
        length = min(int(rng.integers(1, 13)), len(ends))
        first = int(rng.integers(0, len(ends) - length + 1))
        paths.append(ends[along[first : first + length]].tolist())
        left_out = sparse and rng.random() < 0.5
        coarsest.append(int(rng.integers(0, levels)) if left_out else levels)
    return lay_along(tree, paths, coarsest)


def lay_along(
    tree: CellTree, paths: list[list[int]], coarsest: list[int] | None = None
) -> LaidObjects:
    """Objects along cells, and at every level there is above them.

    Args:
        tree: The cells.
        paths: Cells each object runs through, one after the other.
        coarsest: The coarsest level each is kept at; None: all.
    """
    holds = np.zeros((len(tree), len(paths)), bool)
    links: list[list[tuple[int, int]]] = [[] for _ in range(len(tree))]
    for rank, path in enumerate(paths):
        last = len(tree.cell_shape) if coarsest is None else coarsest[rank]
        runs: dict[int, list[int]] = {}
        for end in path:
            cell = end
            while cell >= 0:
                if tree.level[cell] <= last:
                    holds[cell, rank] = True
                    runs.setdefault(int(tree.level[cell]), []).append(cell)
                cell = int(tree.parent[cell])
        for run in runs.values():
            for one, other in pairwise(run):
                if one != other:
                    links[one].append((other, rank))
                    links[other].append((one, rank))
    content = {cell: _content(tree, cell, holds, links[cell]) for cell in range(len(tree))}
    return LaidObjects(holds, content)


def _content(tree: CellTree, cell: int, holds: Bool, links: list[tuple[int, int]]) -> CellObjects:
    children = tree.children(cell)
    parts = [np.flatnonzero(holds[child] & holds[cell]) for child in children]
    start = np.array([0, *np.cumsum([len(part) for part in parts])], np.int64)
    if not len(children):
        parts = [np.flatnonzero(holds[cell])]
        start = np.array([len(parts[0])], np.int64)
    owner = np.array([(cell, other) for other, _ in links], np.int64).reshape(-1, 2)
    open_links = OpenLinks(
        groups=(),
        start=np.zeros(1, np.int64),
        rows=np.zeros_like(owner),
        ends=np.zeros_like(owner),
        owner=owner,
        objects=np.array([rank for _, rank in links], np.uint32),
    )
    rows = np.concatenate(parts).astype(np.uint32)
    made = LinkArrays(int(tree.level[cell]), rows, np.zeros((0, 2), np.uint32), open_links)
    return CellObjects.of(cell, made, start)

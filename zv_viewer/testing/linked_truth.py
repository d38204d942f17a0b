"""What of a level's links is to be seen where some of its cells are drawn, and what is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.joints import Joint
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.scene import LevelInfo, SceneInfo

Int = npt.NDArray[np.int64]

Seen = Counter[tuple[float, ...]]
"""Links as where their ends are drawn, one end after the other, and the rank of their object."""


def seen_links(
    cells: Mapping[int, CellArrays], drawn: Iterable[int], joints: Iterable[Joint]
) -> Seen:
    """The links inside cells that are drawn, and those of joints."""
    seen: Seen = Counter()
    for cell in drawn:
        arrays = cells[cell]
        links = arrays.links
        assert links is not None  # noqa: S101  cells of linked geometry
        owner = links.objects[links.inner[:, :1].astype(np.int64)]
        seen += _counted(arrays.positions[links.inner], owner)
    for joint in joints:
        ends = np.empty((*joint.rows.shape, 4), np.float32)
        for cell in joint.cells:
            of = joint.owner == cell
            ends[of] = cells[cell].positions[joint.rows[of]]
        seen += _counted(ends, joint.objects[:, None])
    return seen


def links_to_see(
    scene: SceneInfo,
    level: LevelInfo,
    chunk_cells: Int,
    drawn: Collection[int],
    ends: npt.NDArray[np.floating],
    objects: Int,
) -> Seen:
    """Of a level's links those whose every end lies in a chunk of a cell that is drawn.

    Args:
        scene: The store.
        level: The level.
        chunk_cells: (M,) the cell of each of its chunks.
        drawn: Cells of the level.
        ends: (L, W, D) positions of the ends of all its links.
        objects: (L,) rank of their object.
    """
    places = np.full((*ends.shape[:2], 4), 0, np.float32)
    places[..., : scene.ndim] = ends.astype(np.float64) - scene.origin
    chunk = np.floor(ends / level.chunk_shape).astype(np.int64)
    ordinal = {tuple(row): i for i, row in enumerate(level.chunks.tolist())}
    cells = [[chunk_cells[ordinal[tuple(end)]] for end in link] for link in chunk.tolist()]
    shown = np.isin(np.array(cells, np.int64).reshape(ends.shape[:2]), list(drawn)).all(axis=1)
    return _counted(places[shown], objects[shown, None])


def _counted(ends: npt.NDArray[np.float32], objects: npt.NDArray[np.integer]) -> Seen:
    numbers = ends.reshape(len(ends), ends.shape[1] * ends.shape[2]).astype(np.float64)
    rows = np.column_stack([numbers, objects])
    return Counter(map(tuple, rows.tolist()))

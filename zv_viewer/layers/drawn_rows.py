"""What a picture shows, as plain arrays: rows, their colours and what joins them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.joints import Joint
from zv_viewer.layers.colours import Colouring
from zv_viewer.layers.object_states import ObjectStates
from zv_viewer.layers.row_looks import GHOST, HIGHLIGHT
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.objects import Look
from zv_viewer.model.plan import DrawItem

Float32 = npt.NDArray[np.float32]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class DrawnRows:
    """N rows, none of a hidden object, none of another level than its object is drawn at.

    Args:
        positions: (N, 4) relative to the store's origin.
        values: (N,), NaN where missing.
        spacing: (N,) distance between neighbours, world units.
        objects: (N,) rank of the object; 0 where rows are not joined.
        links: (M, W) rows that are joined, those of different cells too; none for points.
    """

    positions: Float32
    values: Float32
    spacing: Float32
    objects: npt.NDArray[np.uint32]
    links: Int

    def __len__(self) -> int:
        return len(self.positions)


def drawn_rows(
    cells: Mapping[int, CellArrays],
    items: Sequence[DrawItem],
    states: ObjectStates | None = None,
    joints: Iterable[Joint] = (),
    *,
    width: int = 2,
) -> DrawnRows:
    """The rows of what is drawn.

    Args:
        cells: Those of ``items`` are among them.
        items: What is drawn of which.
        states: Levels and looks of objects; None for points.
        joints: What joins the cells of ``items``.
        width: Ends of a link.
    """
    parts = [_part(cells[item.cell], item, states) for item in items]
    kept = [part.kept for part in parts]
    starts = np.cumsum([0, *(len(mask) for mask in kept)])
    everywhere = np.concatenate([np.zeros(0, bool), *kept])
    links = [
        part.inner.astype(np.int64) + start
        for part, start in zip(parts, starts, strict=False)
        if part.inner is not None
    ]
    first = {item.cell: start for item, start in zip(items, starts.tolist(), strict=False)}
    links.extend(_ends(joint, first) for joint in joints)
    place = np.cumsum(everywhere) - 1
    found = np.concatenate([np.zeros((0, width), np.int64), *links])
    found = place[found[everywhere[found].all(axis=1)]]
    return DrawnRows(
        positions=np.concatenate([np.zeros((0, 4), np.float32), *(p.positions for p in parts)]),
        values=np.concatenate([np.zeros(0, np.float32), *(p.values for p in parts)]),
        spacing=np.concatenate([np.zeros(0, np.float32), *(p.spacing for p in parts)]),
        objects=np.concatenate([np.zeros(0, np.uint32), *(p.objects for p in parts)]),
        links=found,
    )


def row_colours(rows: DrawnRows, colouring: Colouring, states: ObjectStates | None) -> Float32:
    """(N, 4) colours in 0 to 1: of values or of objects, faded or lit up as objects are."""
    colours = np.ones((len(rows), 4), np.float32)
    by_object = states is not None and states.coloured
    if not by_object:
        colours[:, :3] = colouring.colours(rows.values)
    if states is not None:
        if by_object:
            colours[:, :3] = states.colours(rows.objects)
        looks = states.looks_of(rows.objects)
        colours[looks == Look.GHOST] = GHOST
        colours[looks == Look.SELECTED, :3] = HIGHLIGHT
    return colours


@dataclass(frozen=True, eq=False, slots=True)
class _Part:
    """What one item draws; ``kept``, (R,), says which rows of the cell those are."""

    kept: Bool
    positions: Float32
    values: Float32
    spacing: Float32
    objects: npt.NDArray[np.uint32]
    inner: npt.NDArray[np.uint32] | None


def _part(cell: CellArrays, item: DrawItem, states: ObjectStates | None) -> _Part:
    kept = np.ones(len(cell), bool)
    if item.parts is not None:
        kept[:] = False
        for part in item.parts:
            kept[cell.part_start[part] : cell.part_start[part + 1]] = True
    if cell.kept is not None:
        kept &= cell.kept
    objects = np.zeros(len(cell), np.uint32)
    if cell.links is not None and states is not None:
        objects = cell.links.objects
        kept &= states.drawn(objects, np.full(len(cell), cell.links.level, np.uint8))
    elif cell.objects is not None and states is not None:
        objects = cell.objects
        kept &= states.seen(objects)
    rows = int(kept.sum())
    values = np.full(rows, np.nan, np.float32) if cell.values is None else cell.values[kept]
    return _Part(
        kept,
        cell.positions[kept],
        values,
        np.full(rows, cell.spacing, np.float32),
        objects[kept],
        None if cell.links is None else cell.links.inner,
    )


def _ends(joint: Joint, first: Mapping[int, int]) -> Int:
    """(K, W) rows among those of all cells, one cell after the other."""
    start = np.array([first[cell] for cell in joint.cells])
    return np.asarray(joint.rows + start[np.searchsorted(joint.cells, joint.owner)])

"""Decides, row by row and link by link, whether what a layer of linked cells shows is whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.links import cells_of_chunks, object_ranks
from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.scene import SceneInfo
from zv_viewer.sources.base import ChunkSource
from zv_viewer.testing.linked import LinkedCloud

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]
UInt = npt.NDArray[np.uint32]

_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)


def sure(holds: bool | np.bool_, what: str) -> None:
    """AssertionError where something does not hold."""
    if not holds:
        raise AssertionError(what)


class Known:
    """Numbers of rows of integers, found by what is in them."""

    def __init__(self, rows: npt.NDArray[np.integer]) -> None:
        keys = _keys(rows)
        self._order = np.argsort(keys)
        self._keys = keys[self._order]

    def find(self, rows: npt.NDArray[np.integer]) -> Int:
        """(N,) number of each row, -1 for one that is not among them."""
        if not len(self._keys):
            return np.full(len(rows), -1)
        keys = _keys(rows)
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[place] == keys, self._order[place], -1)


@dataclass(frozen=True, eq=False, slots=True)
class LevelTruth:
    """All that a level holds.

    Args:
        positions: (N, 3) float32 relative to the scene's origin.
        objects: (N,) rank of the object of each row.
        cells: (N,) the cell each row lies in.
        chunks: (N,) the chunk, a row of ``LevelInfo.chunks``.
        links: (L, W) rows that are joined.
        by_place: Finds rows by their object and position.
        by_ends: Finds links by their rows, ascending.
    """

    positions: npt.NDArray[np.float32]
    objects: Int
    cells: Int
    chunks: Int
    links: Int
    by_place: Known
    by_ends: Known

    def rows_of(self, arrays: CellArrays) -> Int:
        """(N,) which row each row of a cell is, -1 for one that is in no store."""
        if arrays.links is None:
            raise ValueError(f"cell {arrays.cell} came without its links")
        return self.by_place.find(_places(arrays.positions, arrays.links.objects))


def truth_of(source: LinkedCloud, tree: CellTree) -> list[LevelTruth]:
    """What each level of a cloud holds, finest first."""
    scene, homes, found = source.scene, cells_of_chunks(tree), []
    for level, home in zip(scene.levels, homes, strict=True):
        joined = source.joined[level.index]
        places = source.levels[level.index].positions[joined.stored]
        chunks = np.repeat(np.arange(len(joined.start) - 1), np.diff(joined.start))
        found.append(_level_truth(scene, places, joined.objects, chunks, home, joined.links))
    return found


def truth_of_store(source: ChunkSource, scene: SceneInfo, tree: CellTree) -> list[LevelTruth]:
    """What each level of a store holds, read whole, finest first."""
    homes, found = cells_of_chunks(tree), []
    for level, home in zip(scene.levels, homes, strict=True):
        raw = source.read(level.index, level.chunks)
        if raw.links is None:
            raise ValueError(f"{scene.url} is not of linked geometry")
        index = np.floor(raw.positions / level.chunk_shape).astype(np.int64)
        chunks = Known(level.chunks).find(index)
        found.append(
            _level_truth(scene, raw.positions, raw.links.objects, chunks, home, raw.links.inner)
        )
    return found


def _level_truth(
    scene: SceneInfo, places: npt.NDArray[np.floating], ids: Int, chunks: Int, home: Int, links: Int
) -> LevelTruth:
    positions = np.zeros((len(places), 4), np.float32)
    positions[:, : scene.ndim] = places - scene.origin
    objects = object_ranks(scene.objects, ids)
    return LevelTruth(
        positions=positions[:, :3],
        objects=objects.astype(np.int64),
        cells=home[chunks],
        chunks=chunks,
        links=links,
        by_place=Known(_places(positions, objects)),
        by_ends=Known(np.sort(links, axis=1)),
    )


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """What is on the screen, level by level.

    Args:
        rows: Per level, (N,) rows that are drawn.
        links: Per level, (L,) links that are.
        levels: (O,) the level each object is drawn at.
        hidden: (O,) objects that are to be drawn nowhere.
    """

    rows: list[Bool]
    links: list[Bool]
    levels: npt.NDArray[np.uint8]
    hidden: Bool


class Pictures:
    """Turns cells and their rows into rows and links of the store.

    Args:
        truth: What the store holds.
        tree: The cells.
    """

    def __init__(self, truth: list[LevelTruth], tree: CellTree) -> None:
        self._truth = truth
        self._level = tree.level
        self._rows: dict[int, tuple[npt.NDArray[np.float32], Int]] = {}

    def rows_of(self, arrays: CellArrays) -> Int:
        """(N,) which row of its level each row of a cell is; no row is there twice."""
        known = self._rows.get(arrays.cell)
        if known is None or known[0] is not arrays.positions:
            rows = self._truth[int(self._level[arrays.cell])].rows_of(arrays)
            sure((rows >= 0).all(), f"cell {arrays.cell} has rows of no store")
            sure(len(np.unique(rows)) == len(rows), "a row is there twice")
            known = self._rows[arrays.cell] = (arrays.positions, rows)
        return known[1]

    def shown(
        self,
        cells: Mapping[int, CellArrays],
        drawn: Iterable[int],
        shown_rows: Mapping[int, Bool],
        links: tuple[Int, Int],
        levels: npt.NDArray[np.uint8],
        hidden: Bool,
    ) -> Shown:
        """What is on the screen.

        Args:
            cells: Those the layer holds.
            drawn: Those it draws.
            shown_rows: Which of their rows the card lets through.
            links: (L, W) cells and (L, W) rows of the links on the card that are shown.
            levels: (O,) the level each object is drawn at.
            hidden: (O,) objects that are to be drawn nowhere.
        """
        drawn = set(drawn)
        rows = [np.zeros(len(level.objects), bool) for level in self._truth]
        joined = [np.zeros(len(level.links), bool) for level in self._truth]
        for cell in drawn:
            own = self.rows_of(cells[cell])[shown_rows[cell]]
            rows[int(self._level[cell])][own] = True
        owner, places = links
        ends = np.zeros_like(places)
        for cell in np.unique(owner).tolist():
            sure(cell in drawn, "a link of a cell that is not drawn")
            ends[owner == cell] = self.rows_of(cells[cell])[places[owner == cell]]
        at = self._level[owner[:, 0]]
        sure((self._level[owner] == at[:, None]).all(), "levels are joined")
        for level, truth in enumerate(self._truth):
            found = truth.by_ends.find(np.sort(ends[at == level], axis=1))
            sure((found >= 0).all(), "joined what no store joins")
            sure(len(np.unique(found)) == len(found), "a link is drawn twice")
            joined[level][found] = True
        return Shown(rows, joined, levels, hidden)


def rows_in_view(positions: npt.NDArray[np.float32], origin: Float, camera: Camera) -> Bool:
    """(N,) rows on the canvas and within the slab."""
    axes = list(camera.displayed)
    places = positions[:, : len(origin)] + origin
    rows = camera.matrix[:, [*range(len(axes)), 3]]
    clip = places[:, axes] @ rows[:, :-1].T + rows[:, -1]
    w = clip[:, 3]
    on_canvas = (w > 0) & (np.abs(clip[:, 0]) <= w) & (np.abs(clip[:, 1]) <= w)
    kept = (places >= camera.slab_lo) & (places <= camera.slab_hi)
    return np.asarray(on_canvas & kept.all(axis=1))


def torn_objects(
    truth: list[LevelTruth], shown: Shown, seen: Bool, asked_for: list[Bool]
) -> dict[int, str]:
    """Objects that are not one unbroken piece of one level, and what is wrong with each.

    Args:
        truth: What the store holds.
        shown: What is on the screen.
        seen: (C,) cells in view.
        asked_for: Per level, (N,) rows that can be read and that no filter leaves out.
    """
    found: dict[int, str] = {}
    for number, level in enumerate(truth):
        wanted = (shown.levels == number) & ~shown.hidden
        asked = wanted[level.objects] & seen[level.cells] & asked_for[number]
        for rank in np.unique(level.objects[asked & ~shown.rows[number]]).tolist():
            found[rank] = f"rows of level {number} are not drawn"
        links = asked[level.links].all(axis=1) & ~shown.links[number]
        for rank in np.unique(level.objects[level.links[links, 0]]).tolist():
            found.setdefault(rank, f"links of level {number} are not drawn")
        others = shown.rows[number] & ~wanted[level.objects]
        for rank in np.unique(level.objects[others]).tolist():
            found[rank] = f"drawn at level {number} and at {shown.levels[rank]}"
    return found


def _places(positions: npt.NDArray[np.float32], objects: npt.NDArray[np.integer]) -> Int:
    bits = np.ascontiguousarray(positions[:, :3]).view(np.uint32)
    return np.column_stack([bits.astype(np.int64), objects.astype(np.int64)])


def _keys(rows: npt.NDArray[np.integer]) -> npt.NDArray[np.uint64]:
    """(N,) numbers that differ where rows do."""
    keys = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        keys = (keys ^ column.astype(np.uint64)) * _MIX[0]
        keys ^= keys >> np.uint64(29)
        keys *= _MIX[1]
    return keys

"""Edges and faces of a level against those of level 0, tile after tile."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import FloatArray, IntArray
from zv_viewer.qa.bins import bins_of
from zv_viewer.qa.evidence import Places
from zv_viewer.qa.links import (
    HalfLinks,
    LinkKeys,
    degenerate,
    distinct,
    half_of,
    keys_of,
    lost_links,
    whole_of,
)
from zv_viewer.qa.occupancy import whole_bins
from zv_viewer.qa.reading import LevelReading, Rows
from zv_viewer.qa.tiles import Tile


class LinkTally:
    """What joins the vertices of a level, so far.

    Args:
        reading: Of the level.
    """

    def __init__(self, reading: LevelReading) -> None:
        self._shape = reading.bin_shape
        self._lost: list[LinkKeys] = []
        self._whole: tuple[list[LinkKeys], list[LinkKeys]] = [], []
        self._half: tuple[list[HalfLinks], list[HalfLinks]] = [], []
        self._flat: list[tuple[FloatArray, IntArray]] = []
        self.met = False

    def add(
        self,
        tile: Tile,
        finest: Rows,
        keep: npt.NDArray[np.bool_] | None,
        rows: Rows,
        inside: IntArray,
    ) -> None:
        """Take in a tile.

        Args:
            tile: The tile.
            finest: Level 0 in it.
            keep: (N,) bool rows of level 0 that the level should show, or None for all.
            rows: The level in it and around it.
            inside: Rows of the level in it.
        """
        self.met = True
        first = self._add(tile, finest, keep, 0)
        own = np.zeros(len(rows.positions), np.bool_)
        own[inside] = True
        second = self._add(tile, rows, own, 1)
        self._find_flat(rows, own)
        if len(first):
            self._lost.append(lost_links(first, second) if len(second) else first)

    def _add(
        self, tile: Tile, rows: Rows, take: npt.NDArray[np.bool_] | None, side: int
    ) -> LinkKeys:
        """Links whose bins all lie in the tile; the others are kept for the end."""
        links, objects = rows.links, rows.objects
        assert links is not None and objects is not None  # noqa: S101, PT018  linked
        bins = bins_of(rows.positions, self._shape)
        ends = np.concatenate([objects[:, None], bins], axis=1)
        if take is not None:
            own = take[links]
            links = links[own.any(axis=1) if side else own.all(axis=1)]
        keys = keys_of(links, ends)
        self._keep_half(rows, take, ends, side)
        ndim = bins.shape[1]
        whole = whole_bins(keys.bins.reshape(-1, ndim), self._shape, tile.low, tile.high)
        whole = np.asarray(whole.reshape(len(keys), links.shape[1]).all(axis=1))
        if not whole.all():
            self._whole[side].append(keys.take(~whole))
        return keys.take(whole)

    def _keep_half(
        self, rows: Rows, take: npt.NDArray[np.bool_] | None, keys: IntArray, side: int
    ) -> None:
        ends, own, objects = rows.open_ends, rows.open_rows, rows.open_objects
        if ends is None or own is None or objects is None or not len(ends):
            return
        if take is not None:
            known = np.where(own >= 0, take[np.maximum(own, 0)], side == 0)
            known = np.asarray(known.any(axis=1) if side else known.all(axis=1))
            ends, own, objects = ends[known], own[known], objects[known]
        self._half[side].append(half_of(ends, own, objects, keys))

    def _find_flat(self, rows: Rows, own: npt.NDArray[np.bool_]) -> None:
        faces, objects = rows.links, rows.objects
        if faces is None or objects is None or faces.shape[1] < 3 or not len(faces):
            return
        mine = faces[own[faces[:, 0]]]
        flat = mine[degenerate(mine, rows.positions, by_place=True)]
        if len(flat):
            places = rows.positions[flat[:, 0]].astype(np.float64)
            self._flat.append((places, objects[flat[:, 0]]))

    def finish(self) -> None:
        """Compare the links that reach across the walls of tiles."""
        both: list[LinkKeys | None] = []
        for side in (0, 1):
            parts = [*self._whole[side]]
            if self._half[side]:
                parts.append(whole_of(self._half[side]))
            parts = [part for part in parts if len(part)]
            both.append(distinct(parts) if parts else None)
        self._whole, self._half = ([], []), ([], [])
        expected, actual = both
        if expected is not None:
            self._lost.append(expected if actual is None else lost_links(expected, actual))

    def lost(self) -> LinkKeys | None:
        """Links that are missing; None where nothing is joined."""
        if not self.met:
            return None
        parts = [part for part in self._lost if len(part)]
        if parts:
            return distinct(parts)
        return LinkKeys(np.zeros((0, 2, 1 + len(self._shape)), np.int64))

    def flat(self) -> Places:
        """Faces with a corner twice."""
        places = [np.zeros((0, len(self._shape))), *(part[0] for part in self._flat)]
        objects = [np.zeros(0, np.int64), *(part[1] for part in self._flat)]
        return Places(np.concatenate(places), np.concatenate(objects))

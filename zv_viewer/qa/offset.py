"""What tells that a level lies beside level 0, tile after tile."""

from __future__ import annotations

import numpy as np

from zarr_vectors.typing import FloatArray, IntArray
from zv_viewer.qa.bins import BinTable
from zv_viewer.qa.occupancy import Compared
from zv_viewer.qa.reading import LevelReading
from zv_viewer.qa.shift import nearest_shift, shift_of

_WHOLE = 500_000
"""Vertices of a level that are all looked at; of larger levels some chunks are."""
_CHUNKS = 32
_SAMPLE = 20_000
_SUSPECT = 1e-3
"""Share of lost bins from which a shift is looked for."""


class OffsetTally:
    """Where the vertices of a level should be, and where they are.

    Args:
        reading: Of the level.
        rng: Draws the sample.
    """

    def __init__(self, reading: LevelReading, rng: np.random.Generator) -> None:
        self._reading, self._rng = reading, rng
        count = len(reading.coords)
        total = int(reading.counts.sum())
        few = total <= _WHOLE or count <= _CHUNKS
        self._chunks: IntArray = (
            np.arange(count) if few else np.sort(rng.choice(count, _CHUNKS, replace=False))
        )
        share = 1.0 if few else _CHUNKS / count
        self._part = min(1.0, _SAMPLE / max(total * share, 1))
        self._expected: list[FloatArray] = []
        self._sums = np.zeros((2, len(reading.bin_shape)))
        self._numbers = np.zeros(2)
        self._low = np.full((2, len(reading.bin_shape)), np.inf)
        self._high = np.full((2, len(reading.bin_shape)), -np.inf)
        self._lost = 0

    def add(self, expected: BinTable, actual: BinTable, found: Compared) -> None:
        """Take in bins."""
        shape = np.asarray(self._reading.bin_shape)
        for side, table in enumerate((expected, actual)):
            if not len(table):
                continue
            centres = table.bins * shape + table.sums / table.counts[:, None]
            self._sums[side] += centres.sum(axis=0)
            self._numbers[side] += len(centres)
            self._low[side] = np.minimum(self._low[side], centres.min(axis=0))
            self._high[side] = np.maximum(self._high[side], centres.max(axis=0))
            if side == 0:
                picked = centres[self._rng.random(len(centres)) < self._part]
                self._expected.append(picked[self._probed(picked)])
        self._lost += len(found.lost)

    def _probed(self, points: FloatArray) -> IntArray:
        if len(self._chunks) == len(self._reading.coords):
            return np.arange(len(points))
        chunks = np.floor(points / np.asarray(self._reading.chunk_shape)).astype(np.int64)
        wanted = {tuple(row) for row in self._reading.coords[self._chunks].tolist()}
        return np.flatnonzero([tuple(row) in wanted for row in chunks.tolist()])

    def shift(self) -> FloatArray | None:
        """How far the level lies beside level 0, or None where it does not."""
        if not self._numbers.all():
            return None
        shape = self._reading.bin_shape
        moved = self._sums[1] / self._numbers[1] - self._sums[0] / self._numbers[0]
        suspect = self._lost > _SUSPECT * self._numbers[0]
        if not suspect and float(np.linalg.norm(moved)) < 0.02 * float(np.linalg.norm(shape)):
            return None
        expected = np.concatenate([np.zeros((0, len(shape))), *self._expected])
        actual = self._reading.read(self._chunks).positions.astype(np.float64)
        if not len(expected) or not len(actual):
            return None
        candidates = [
            moved,
            nearest_shift(expected, actual),
            self._low[1] - self._low[0],
            self._high[1] - self._high[0],
        ]
        return shift_of(expected, actual, candidates, shape)

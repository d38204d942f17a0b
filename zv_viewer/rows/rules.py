"""Which vertices are meant: small frozen rules, all of which a vertex must meet.

Each rule includes the rows it matches, or with ``include=False`` leaves them out. A row without a
value matches no range and no category, so it is left out by a rule that includes, and kept by one
that excludes. Equal rules give equal answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from zv_viewer.model.scene import SceneInfo
from zv_viewer.objects.filters import between, hashed

Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]

INFINITY = float("inf")

_MIX = (1, 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Vertices of one level.

    Args:
        world: (N, D) positions.
        local: (N, C) float32 positions relative to ``SceneInfo.origin``, C at least D.
        values: (N,) or (N, C) of attributes by their names, categories as codes; those that the
            level lacks are missing.
    """

    world: Float
    local: Float32
    values: Mapping[str, npt.NDArray[np.generic]]

    def __len__(self) -> int:
        return len(self.world)


def rows_of(
    scene: SceneInfo,
    positions: npt.NDArray[np.floating],
    values: Mapping[str, npt.NDArray[np.generic]],
) -> Rows:
    """Rows as a store has them: (N, D) world positions and values."""
    world = np.asarray(positions, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        local = (world - scene.origin).astype(np.float32)
    return Rows(world, local, values)


def drawn_rows(
    scene: SceneInfo, local: Float32, values: Mapping[str, npt.NDArray[np.generic]]
) -> Rows:
    """Rows as a layer draws them: (N, 4) positions relative to the origin of the scene."""
    return Rows(local[:, : scene.ndim].astype(np.float64) + scene.origin, local, values)


class RowRule(Protocol):
    """A rule about single rows."""

    @property
    def include(self) -> bool:
        """Whether rows that match are kept, not left out."""
        ...

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attributes it looks at."""
        ...

    def matches(self, rows: Rows) -> Bool:
        """(N,) where a row matches."""
        ...

    def boxes(self, scene: SceneInfo, lo: Float, hi: Float) -> tuple[Bool, Bool]:
        """(C,) boxes that may hold a row that matches, and (C,) those where all rows match."""
        ...


@dataclass(frozen=True, slots=True)
class ValueRange:
    """Values of an attribute between two numbers, both included.

    Args:
        attribute: Its name.
        low: Lower end.
        high: Upper end.
        include: Keep, or leave out.
        column: Which of several columns.
    """

    attribute: str
    low: float = -INFINITY
    high: float = INFINITY
    include: bool = True
    column: int = 0

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attribute."""
        return (self.attribute,)

    def matches(self, rows: Rows) -> Bool:
        """(N,) where a row matches."""
        values = rows.values.get(self.attribute)
        if values is None:
            return np.zeros(len(rows), np.bool_)
        return between(values if values.ndim == 1 else values[:, self.column], self.low, self.high)

    def boxes(self, scene: SceneInfo, lo: Float, hi: Float) -> tuple[Bool, Bool]:
        """As of ``RowRule``: nothing matches beyond the limits recorded for the attribute."""
        del hi
        info = scene.attribute(self.attribute)
        limits = info.limits if info.columns == 1 and info.categories is None else None
        may = limits is None or (self.low <= limits[1] and self.high >= limits[0])
        return np.full(len(lo), may), np.zeros(len(lo), np.bool_)


@dataclass(frozen=True, slots=True)
class CategoryIs:
    """One of these categories of an attribute.

    Args:
        attribute: Its name.
        codes: Places of the categories among those of the attribute.
        include: Keep, or leave out.
    """

    attribute: str
    codes: frozenset[int]
    include: bool = True

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attribute."""
        return (self.attribute,)

    def matches(self, rows: Rows) -> Bool:
        """(N,) where a row matches."""
        values = rows.values.get(self.attribute)
        if values is None:
            return np.zeros(len(rows), np.bool_)
        return np.asarray(np.isin(values, sorted(self.codes)))

    def boxes(self, scene: SceneInfo, lo: Float, hi: Float) -> tuple[Bool, Bool]:
        """As of ``RowRule``: it may match anywhere."""
        del scene, hi
        return np.full(len(lo), bool(self.codes)), np.zeros(len(lo), np.bool_)


@dataclass(frozen=True, slots=True)
class RandomRows:
    """About this share of the rows, 0 to 1, by a hash of their positions; a larger share adds."""

    share: float
    seed: int = 0
    include: bool = True

    @property
    def attributes(self) -> tuple[str, ...]:
        """None."""
        return ()

    def matches(self, rows: Rows) -> Bool:
        """(N,) where a row matches."""
        bits = np.ascontiguousarray(rows.local[:, : rows.world.shape[1]] + np.float32(0))
        words = bits.view(np.uint32).astype(np.uint64)
        key = np.zeros(len(rows), np.uint64)
        for axis, factor in zip(range(words.shape[1]), _MIX, strict=False):
            key += words[:, axis] * np.uint64(factor)
        return np.asarray(hashed(key.view(np.int64), self.seed) < self.share)

    def boxes(self, scene: SceneInfo, lo: Float, hi: Float) -> tuple[Bool, Bool]:
        """As of ``RowRule``: it may match anywhere."""
        del scene, hi
        return np.full(len(lo), self.share > 0), np.full(len(lo), self.share >= 1)


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Rules, all of which a row must meet."""

    rules: tuple[RowRule, ...]

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attributes the rules look at, each once."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.attributes))

    def keeps(self, rows: Rows) -> Bool:
        """(N,) where a row meets every rule."""
        kept = np.ones(len(rows), np.bool_)
        for rule in self.rules:
            found = rule.matches(rows)
            kept &= found if rule.include else ~found
        return kept

    def may_hold(self, scene: SceneInfo, lo: Float, hi: Float) -> Bool:
        """(C,) boxes, (C, D) corners each, that may hold a row that meets every rule."""
        may = np.ones(len(lo), np.bool_)
        for rule in self.rules:
            some, every = rule.boxes(scene, lo, hi)
            may &= some if rule.include else ~every
        return may

"""What each object looks like and the level it is drawn at, as texels of a table on the card."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.errors import InputError
from zv_viewer.model.objects import Look
from zv_viewer.model.update import NOT_DRAWN

Float32 = npt.NDArray[np.float32]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]

WIDTH = 4096
"""Objects in one line of the table."""

LEVELS = 31
"""Levels a table can tell apart; one code more means none of them."""


class ObjectStates:
    """Colour, look and level of O objects, 4 bytes each; none is drawn before levels are set.

    Args:
        objects: How many there are, up to 16 777 216: that many a float32 tells apart.
    """

    def __init__(self, objects: int) -> None:
        if not 1 <= objects <= WIDTH * WIDTH:
            raise InputError(f"a layer draws 1 to {WIDTH * WIDTH} objects, not {objects}")
        width = min(objects, WIDTH)
        self._n = objects
        self.texels: UInt8 = np.zeros((-(-objects // width), width, 4), np.uint8)
        self._states = self.texels.reshape(-1, 4)[:objects]
        self._states[:, :3] = 255
        self._states[:, 3] = Look.NORMAL * 32 + LEVELS
        self._levels = np.full(objects, NOT_DRAWN, np.uint8)
        self._looks = np.full(objects, Look.NORMAL, np.uint8)
        self._changed = np.zeros(len(self.texels), bool)
        self.coloured = False
        self.ghosts = False
        self.all_normal = True

    def __len__(self) -> int:
        return self._n

    @property
    def levels(self) -> UInt8:
        """(O,) position of the level each object is drawn at, or ``NOT_DRAWN``."""
        return self._levels.copy()

    @property
    def looks(self) -> UInt8:
        """(O,) codes of :class:`zv_viewer.model.objects.Look`."""
        return self._looks.copy()

    def set_levels(self, levels: UInt8) -> None:
        """Draw each object at one level, (O,) positions or ``NOT_DRAWN``."""
        self._check(levels.shape, (self._n,))
        differ = np.flatnonzero(levels != self._levels)
        new = levels[differ]
        if ((new >= LEVELS) & (new != NOT_DRAWN)).any():
            raise InputError(f"the position of a level is below {LEVELS}, not {new.max()}")
        self._levels[differ] = new
        self._pack(differ)

    def set_looks(self, looks: UInt8) -> None:
        """Draw each object in one of the ways of ``Look``, (O,) codes."""
        self._check(looks.shape, (self._n,))
        differ = np.flatnonzero(looks != self._looks)
        new = looks[differ]
        if (new > max(Look)).any():
            raise InputError(f"a look is one of 0 to {max(Look)}, not {new.max()}")
        self._looks[differ] = new
        self.ghosts = bool((looks == Look.GHOST).any())
        self.all_normal = bool((looks == Look.NORMAL).all())
        self._pack(differ)

    def set_colours(self, colours: Float32 | None) -> None:
        """Give each object a colour, (O, 3) in 0 to 1, or None: rows have colours of their own."""
        self.coloured = colours is not None
        if colours is not None:
            self._check(colours.shape, (self._n, 3))
            new = np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8)
            differ = np.flatnonzero((self._states[:, :3] != new).any(axis=1))
            self._states[differ, :3] = new[differ]
            self._mark(differ)

    def take(self, other: ObjectStates, rows: Int) -> None:
        """Looks and colours of another table: (O,) its objects, -1 for none; they look normal."""
        known = rows >= 0
        looks = np.full(self._n, Look.NORMAL, np.uint8)
        looks[known] = other._looks[rows[known]]
        self.set_looks(looks)
        if other.coloured:
            colours = np.ones((self._n, 3), np.float32)
            colours[known] = other.colours(rows[known].astype(np.uint32))
            self.set_colours(colours)

    def touch(self) -> None:
        """Nothing of the table is on the card."""
        self._changed[:] = True

    def changes(self) -> list[tuple[int, UInt8]]:
        """First line and (h, W, 4) texels of all that changed since the last call; copies."""
        edges = np.flatnonzero(np.diff(self._changed, prepend=False, append=False))
        self._changed[:] = False
        return [
            (int(start), self.texels[start:stop].copy())
            for start, stop in edges.reshape(-1, 2).tolist()
        ]

    def drawn(self, objects: npt.NDArray[np.uint32], levels: UInt8) -> Bool:
        """(N,) whether rows of these objects and levels are drawn; as the shader decides."""
        state = self._states[objects, 3]
        return np.asarray((state // 32 != Look.HIDDEN) & (state % 32 == levels))

    def seen(self, objects: npt.NDArray[np.uint32]) -> Bool:
        """(N,) whether these objects are not hidden, at whatever level."""
        return np.asarray(self._looks[objects] != Look.HIDDEN)

    def looks_of(self, objects: npt.NDArray[np.uint32]) -> UInt8:
        """(N,) codes of ``Look`` of these objects."""
        return np.asarray(self._states[objects, 3] // np.uint8(32))

    def colours(self, objects: npt.NDArray[np.uint32]) -> Float32:
        """(N, 3) colours in 0 to 1 given to these objects."""
        return self._states[objects, :3].astype(np.float32) / np.float32(255)

    def _check(self, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        if shape != wanted:
            raise InputError(f"{self._n} objects need {wanted} numbers, not {shape}")

    def _pack(self, objects: Int) -> None:
        """Write looks and levels of some objects, ascending."""
        levels = np.minimum(self._levels[objects], np.uint8(LEVELS))
        self._states[objects, 3] = self._looks[objects] * np.uint8(32) + levels
        self._mark(objects)

    def _mark(self, objects: Int) -> None:
        self._changed[objects // self.texels.shape[1]] = True


def rows_by_id(ids: Int, wanted: Int) -> Int:
    """(W,) places of ``wanted`` among ``ids``, ascending and at least one; -1 for others."""
    rows = np.searchsorted(ids, wanted).clip(max=len(ids) - 1)
    return np.where(ids[rows] == wanted, rows, -1)

"""What each object looks like and the level it is drawn at, as texels of a table on the card."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.errors import InputError
from zv_viewer.model.objects import Look
from zv_viewer.model.update import NOT_DRAWN

Float32 = npt.NDArray[np.float32]
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
        self._states[:, 3] = _packed(np.uint8(Look.NORMAL), np.uint8(NOT_DRAWN))
        self._changed = np.zeros(len(self.texels), bool)
        self.coloured = False
        self.ghosts = False

    def __len__(self) -> int:
        return self._n

    @property
    def levels(self) -> UInt8:
        """(O,) position of the level each object is drawn at, or ``NOT_DRAWN``."""
        levels = self._states[:, 3] % 32
        return np.where(levels == LEVELS, np.uint8(NOT_DRAWN), levels)

    @property
    def looks(self) -> UInt8:
        """(O,) codes of :class:`Look`."""
        return self._states[:, 3] // 32

    def set_levels(self, levels: UInt8) -> None:
        """Draw each object at one level, (O,) positions or ``NOT_DRAWN``."""
        self._check(levels.shape, (self._n,))
        if ((levels >= LEVELS) & (levels != NOT_DRAWN)).any():
            raise InputError(f"the position of a level is below {LEVELS}, not {levels.max()}")
        self._put(slice(3, 4), _packed(self.looks, levels)[:, None])

    def set_looks(self, looks: UInt8) -> None:
        """Draw each object in one of the ways of :class:`Look`, (O,) codes."""
        self._check(looks.shape, (self._n,))
        if (looks > max(Look)).any():
            raise InputError(f"a look is one of 0 to {max(Look)}, not {looks.max()}")
        self._put(slice(3, 4), _packed(looks, self.levels)[:, None])
        self.ghosts = bool((looks == Look.GHOST).any())

    def set_colours(self, colours: Float32 | None) -> None:
        """Give each object a colour, (O, 3) in 0 to 1, or None: rows have colours of their own."""
        self.coloured = colours is not None
        if colours is not None:
            self._check(colours.shape, (self._n, 3))
            self._put(slice(0, 3), np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8))

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

    def colours(self, objects: npt.NDArray[np.uint32]) -> Float32:
        """(N, 3) colours in 0 to 1 given to these objects."""
        return self._states[objects, :3].astype(np.float32) / np.float32(255)

    def _check(self, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        if shape != wanted:
            raise InputError(f"{self._n} objects need {wanted} numbers, not {shape}")

    def _put(self, channels: slice, new: UInt8) -> None:
        old = self._states[:, channels]
        differ = np.flatnonzero((old != new).any(axis=1))
        old[differ] = new[differ]
        self._changed[np.unique(differ // self.texels.shape[1])] = True


def _packed(looks: UInt8 | np.uint8, levels: UInt8 | np.uint8) -> UInt8:
    """One byte of a look and a level."""
    return np.asarray(looks * np.uint8(32) + np.minimum(levels, np.uint8(LEVELS)), np.uint8)

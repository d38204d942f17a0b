"""Colours of whole cells, and the part of the canvas a layer is drawn on: no row is uploaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from vispy import gloo

from zv_viewer.drawing.slots import SlotTable

Int = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]

TintRule = Callable[[Int], UInt8]
"""(N,) ids of cells -> (N, 3) colours."""

WIDTH = 1024
"""Pages in one line of the table."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the canvas, and how far what is drawn there is moved.

    Args:
        left: Where it begins, -1 at the left edge of the canvas, 1 at the right one.
        right: Where it ends.
        shift: How far to the right, in the same measure.
    """

    left: float = -1.0
    right: float = 1.0
    shift: float = 0.0

    def pixels(self, width: float) -> tuple[float, float]:
        """First pixel, and one past the last, on a canvas so many pixels wide."""
        return round((self.left + 1) / 2 * width), round((self.right + 1) / 2 * width)


class TintTable:
    """A colour for each page of rows, on the card.

    Args:
        capacity: Rows, whole pages.
        page: Rows of a page.
    """

    names = ("a_page", "u_tints", "u_tints_shape")
    """What the programs call it."""

    def __init__(self, capacity: int, page: int) -> None:
        pages = np.arange(-(-capacity // page), dtype=np.float32)
        self.column = gloo.VertexBuffer(np.repeat(pages, page))
        lines = max(-(-len(pages) // WIDTH), 1)
        blank = np.zeros((lines, WIDTH, 4), np.uint8)
        self.table = gloo.Texture2D(blank, interpolation="nearest", wrapping="clamp_to_edge")

    @property
    def card_bytes(self) -> int:
        """Bytes on the graphics card."""
        return int(self.column.nbytes) + int(np.prod(self.table.shape))

    def fill(self, texels: UInt8) -> None:
        """Take other colours, (H, W, 4)."""
        self.table.set_data(texels)

    def delete(self) -> None:
        """Free the memory on the card."""
        self.column.delete()
        self.table.delete()


def page_texels(slots: SlotTable, cells: Int, colours: UInt8) -> UInt8:
    """(H, W, 4) the colour of each page of rows, line after line; pages of others are black.

    Args:
        slots: Which cell has which rows.
        cells: (N,) ids of cells that have some.
        colours: (N, 3) of each.
    """
    pages = slots.capacity // slots.page
    texels = np.zeros((max(-(-pages // WIDTH), 1) * WIDTH, 4), np.uint8)
    texels[:, 3] = 255
    own = [slots.pages(cell) for cell in cells.tolist()]
    if own:
        texels[np.concatenate(own), :3] = np.repeat(colours, [len(one) for one in own], axis=0)
    return texels.reshape(-1, WIDTH, 4)

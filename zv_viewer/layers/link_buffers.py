"""Links on the graphics card: blocks of indices that are written in part and drawn whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from vispy import gloo

from zv_viewer.layers.drawn_links import BLOCK, LinkWrite

Int = npt.NDArray[np.int64]


class LinkBlock(gloo.IndexBuffer):  # type: ignore[misc]  # vispy is untyped
    """Links of one draw call; those nobody wrote join row 0 with itself.

    Args:
        width: Ends of a link.
        links: Room.
    """

    def __init__(self, width: int, links: int) -> None:
        super().__init__(np.zeros(width * links, np.uint32))
        self.drawn = 0

    @property
    def size(self) -> int:
        """Indices drawn; what a draw call asks for."""
        return self.drawn


class LinkBlocks:
    """All links of a layer.

    Args:
        width: Ends of a link.
        block: Links of one block.
    """

    def __init__(self, width: int, block: int = BLOCK) -> None:
        self.width = width
        self._block = block
        self.blocks: list[LinkBlock] = []

    def write(self, writes: Sequence[LinkWrite], used: Int) -> None:
        """Fill links before the next frame.

        Args:
            writes: What is written; blocks are added where there are not enough.
            used: (B,) links of each block that are drawn.
        """
        while len(self.blocks) < len(used):
            self.blocks.append(LinkBlock(self.width, self._block))
        for write in writes:
            at = write.start
            while at < write.stop:
                number, offset = divmod(at, self._block)
                stop = min(write.stop, at - offset + self._block)
                part = write.links[at - write.start : stop - write.start]
                self.blocks[number].set_subdata(part.reshape(-1), offset=offset * self.width)
                at = stop
        for block, links in zip(self.blocks, used.tolist(), strict=True):
            block.drawn = links * self.width

    def clear(self) -> None:
        """Free the memory on the card."""
        for block in self.blocks:
            block.delete()
        self.blocks.clear()

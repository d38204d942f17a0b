"""What makes the visual of cells draw links: lines between rows, or triangles."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from vispy import gloo
from vispy.scene.visuals import create_visual_node

from zv_viewer.layers import shader
from zv_viewer.layers.buffers import LINK_COLUMNS, DrawnRows
from zv_viewer.layers.drawn_links import Int, LinkWrite
from zv_viewer.layers.link_buffers import LinkBlocks
from zv_viewer.layers.row_looks import ObjectsVisual, SizedVisual
from zv_viewer.layers.screen import Screen
from zv_viewer.layers.visual import Float

log = logging.getLogger(__name__)

ALIASED_LINE_WIDTH_RANGE = 0x846E


class LinksVisual(ObjectsVisual):
    """Links of cells, each object at one level; ``mode`` and ``ends`` say what a link is.

    Args:
        capacity: Rows that fit.
        page: Rows a cell's last page may leave unused.
        objects: Lines of the table of objects, and objects of a line.
        bounds: (2, D) of the store, layer coordinates; positions are relative to their middle.
        on_screen: Called from inside a draw whose view is another one than the last.
    """

    def __init__(
        self,
        capacity: int,
        page: int,
        objects: tuple[int, int],
        bounds: Float,
        on_screen: Callable[[Screen], None],
    ) -> None:
        room = (capacity, page)
        needs = shader.Needs()
        plain = needs.links(shaded=False)
        super().__init__(needs.linked_rows(), plain, LINK_COLUMNS, room, bounds, on_screen)
        self._links = LinkBlocks(self.ends)
        self.blocks = self._links.blocks
        self.use_objects(objects)

    ahead = 4
    shaded = False
    """Whether faces that turn away are darker."""

    def _compile(self) -> None:
        self.shared_program.vert = self._needs.linked_rows()
        self.shared_program.frag = self._needs.links(shaded=self.shaded)

    def allocate(self, capacity: int) -> None:
        """Start over with room for ``capacity`` rows, none of them drawn."""
        super().allocate(capacity)
        if self.blocks:
            self._links.clear()

    def write_links(self, writes: Sequence[LinkWrite], used: Int) -> None:
        """Fill links; see :class:`LinkBlocks`."""
        self._links.write(writes, used)
        self.update()

    def free(self) -> None:
        """Give the card its memory back."""
        super().free()
        self._links.clear()

    def _look_more(self, screen: Screen) -> None:
        super()._look_more(screen)
        axes = list(self.displayed)
        eye = np.zeros((4, 4))
        eye[:3, axes] = screen.eye[:, [len(axes) - 1 - i for i in range(len(axes))]]
        self.shared_program["u_eye"] = eye.T.astype(np.float32)


class LinesVisual(SizedVisual, LinksVisual):
    """Edges as lines."""

    mode = "lines"
    ends = 2
    widths: tuple[float, float] | None = None
    """Least and most device pixels of a line the driver draws; None before the first draw."""
    _width = 1.0

    def set_width(self, width: float) -> None:
        """Draw lines this many canvas pixels wide; other widths than 1 are up to the driver."""
        self._width = width
        self.update()

    _drawn_nodes: DrawnRows | None = None

    def show_nodes(self, runs: Int) -> None:
        """Draw these rows as points beside; room for them is made when there is a first one."""
        if self._drawn_nodes is None and not len(runs):
            return
        if self._drawn_nodes is None:
            self._drawn_nodes = DrawnRows(self._rows.capacity)
        self._drawn_nodes.show(runs)
        self._need(replace(self._needs, nodes=len(runs) > 0))

    def allocate(self, capacity: int) -> None:
        """Start over with room for ``capacity`` rows, none of them drawn."""
        super().allocate(capacity)
        self._drop_nodes()

    def free(self) -> None:
        """Give the card its memory back."""
        super().free()
        self._drop_nodes()

    def _drop_nodes(self) -> None:
        if self._drawn_nodes is not None:
            self._drawn_nodes.delete()
            self._drawn_nodes = None

    @property
    def card_bytes(self) -> int:
        """Bytes allocated on the graphics card, those of points among them."""
        nodes = () if self._drawn_nodes is None else self._drawn_nodes.blocks
        return super().card_bytes + sum(int(block.nbytes) for block in nodes)

    def draw(self) -> None:
        """Draw block by block; lines of others keep their width."""
        super().draw()
        gloo.set_line_width(1.0)

    def _draw_blocks(self, mode: str, blocks: Sequence[gloo.IndexBuffer], ends: int) -> None:
        nodes = self._drawn_nodes
        if nodes is None or not nodes.size:
            super()._draw_blocks(mode, blocks, ends)
            return
        self.shared_program["u_nodes"] = 0.0
        super()._draw_blocks(mode, blocks, ends)
        self.shared_program["u_nodes"] = 1.0
        super()._draw_blocks("points", nodes.blocks, 1)

    @property
    def _draws_anything(self) -> bool:
        nodes = self._drawn_nodes
        return super()._draws_anything or (nodes is not None and nodes.size > 0)

    def _configure_gl_state(self) -> None:
        super()._configure_gl_state()
        least, most = self.widths or (1.0, 1.0)
        ratio = 1.0 if self.screen is None else self.screen.pixel_ratio
        width = min(max(self._width * ratio, least), most)
        if width != self._width * ratio:
            log.warning("lines are %g pixels wide; this driver draws no others", width)
            self._width = width / ratio
        # vispy leaves smooth lines on after its own; without blending they are only wide and slow.
        gloo.set_state(line_smooth=False)
        gloo.set_line_width(width)

    def _learn(self) -> None:
        super()._learn()
        least, most = gloo.gl.glGetParameter(ALIASED_LINE_WIDTH_RANGE)
        self.widths = (float(least), float(most))


class MeshVisual(LinksVisual):
    """Faces as triangles."""

    mode = "triangles"
    ends = 3

    def set_shaded(self, shaded: bool) -> None:
        """Darken faces that turn away."""
        if shaded != self.shaded:
            self.shaded = shaded
            self._compile()
        self.update()


LineCells = create_visual_node(LinesVisual)
"""The visual as a node of a scene."""

MeshCells = create_visual_node(MeshVisual)
"""The visual as a node of a scene."""

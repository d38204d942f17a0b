"""What makes the visual of cells draw links: lines between rows, or triangles."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from vispy import gloo
from vispy.scene.visuals import create_visual_node

from zv_viewer.layers import shader
from zv_viewer.layers.buffers import LINK_COLUMNS
from zv_viewer.layers.drawn_links import Int, LinkWrite
from zv_viewer.layers.link_buffers import LinkBlocks
from zv_viewer.layers.screen import Screen
from zv_viewer.layers.visual import CellVisual, Float

log = logging.getLogger(__name__)

GHOST = (0.6, 0.6, 0.6, 0.3)
"""Colour and opacity of faded objects."""

HIGHLIGHT = (1.0, 0.85, 0.0)
"""Colour of selected objects."""

ALIASED_LINE_WIDTH_RANGE = 0x846E


class LinksVisual(CellVisual):
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
        plain = shader.Cuts().links(shaded=False)
        super().__init__(shader.LINKS, plain, LINK_COLUMNS, room, bounds, on_screen)
        self._links = LinkBlocks(self.ends)
        self.blocks = self._links.blocks
        self.use_objects(objects)
        program = self.shared_program
        program["u_ghost"] = GHOST
        program["u_highlight"] = HIGHLIGHT
        self.set_by_object(False)

    def use_objects(self, objects: tuple[int, int]) -> None:
        """Start over with another table of objects: its lines, and objects of a line."""
        old: gloo.Texture2D | None = getattr(self, "_objects", None)
        table = np.zeros((*objects, 4), np.uint8)
        self._objects = gloo.Texture2D(table, interpolation="nearest", wrapping="clamp_to_edge")
        self.shared_program["u_objects"] = self._objects
        self.shared_program["u_objects_shape"] = (float(objects[1]), float(objects[0]))
        if old is not None:
            old.delete()

    shaded = False
    """Whether faces that turn away are darker."""

    def _compile(self) -> None:
        self.shared_program.frag = self._cuts.links(shaded=self.shaded)

    @property
    def card_bytes(self) -> int:
        """Bytes allocated on the graphics card, the table of objects included."""
        return super().card_bytes + int(np.prod(self._objects.shape))

    def allocate(self, capacity: int) -> None:
        """Start over with room for ``capacity`` rows, none of them drawn."""
        super().allocate(capacity)
        if self.blocks:
            self._links.clear()

    def write_links(self, writes: Sequence[LinkWrite], used: Int) -> None:
        """Fill links; see :class:`LinkBlocks`."""
        self._links.write(writes, used)
        self.update()

    def write_objects(self, changes: Sequence[tuple[int, npt.NDArray[np.uint8]]]) -> None:
        """Fill lines of the table of objects, first line and (h, W, 4) texels."""
        for line, texels in changes:
            self._objects.set_data(texels, offset=(line, 0))
        self.update()

    def set_by_object(self, by_object: bool) -> None:
        """Colour by the table of objects, else by the values of rows."""
        self.shared_program["u_by_object"] = float(by_object)
        self.update()

    def free(self) -> None:
        """Give the card its memory back."""
        super().free()
        self._links.clear()
        self._objects.delete()

    def _look_more(self, screen: Screen) -> None:
        axes = list(self.displayed)
        eye = np.zeros((4, 4))
        eye[:3, axes] = screen.eye[:, [len(axes) - 1 - i for i in range(len(axes))]]
        self.shared_program["u_deep"] = float(len(axes) == 3)
        self.shared_program["u_eye"] = eye.T.astype(np.float32)


class LinesVisual(LinksVisual):
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

    def draw(self) -> None:
        """Draw block by block; lines of others keep their width."""
        super().draw()
        gloo.set_line_width(1.0)

    def _configure_gl_state(self) -> None:
        super()._configure_gl_state()
        least, most = self.widths or (1.0, 1.0)
        ratio = 1.0 if self.screen is None else self.screen.pixel_ratio
        width = min(max(self._width * ratio, least), most)
        if width != self._width * ratio:
            log.warning("lines are %g pixels wide; this driver draws no others", width)
            self._width = width / ratio
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

"""One visual for all cells of a layer.

Rows stay where they were uploaded. What changes with the camera, the sliders, the axes shown, the
colours and the sizes are uniforms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from vispy import gloo
from vispy.visuals import Visual

from zv_viewer.layers import shader
from zv_viewer.layers.buffers import RowBuffers, RowWrite
from zv_viewer.layers.colours import MISSING, MODES, PLAIN, Colouring
from zv_viewer.layers.matrices import LARGE, NearView, depth_reach, near_view
from zv_viewer.layers.screen import Screen, screen_of
from zv_viewer.layers.tints import Part, TintTable, UInt8
from zv_viewer.layers.untyped import Node

FINISH = 1 << 15
"""Rows or links a software renderer is given before it begins to draw them."""

SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "software")
"""Words in the names of renderers that use no graphics card."""

PLANES = 8
"""Clipping planes there can be."""

Float = npt.NDArray[np.float64]


ATTRIBUTES = 16
"""Vertex attributes every driver has at least. vispy leaves those of the last program on, and a
software renderer reads them though nothing asks for them, from buffers that may have been freed."""


class CellVisual(Visual):  # type: ignore[misc]  # vispy is untyped
    """Rows of cells; what of them is drawn is a list of blocks of indices.

    Args:
        vertex: Program of a row.
        fragment: Program of a pixel.
        columns: Of a row.
        room: Rows that fit, and rows a cell's last page may leave unused.
        bounds: (2, D) of the store, layer coordinates; positions are relative to their middle.
        on_screen: Called from inside a draw whose view is another one than the last.
    """

    mode = "points"
    ends = 1
    ahead = 1
    """How many times :data:`FINISH` a software renderer is given before it is waited for."""

    def __init__(
        self,
        vertex: str,
        fragment: str,
        columns: tuple[str, ...],
        room: tuple[int, int],
        bounds: Float,
        on_screen: Callable[[Screen], None],
    ) -> None:
        super().__init__(vertex, fragment)
        self._place(bounds)
        self.displayed: tuple[int, ...] = tuple(range(len(self.origin)))[-3:]
        self.screen: Screen | None = None
        self.in_software: bool | None = None
        self.blocks: Sequence[gloo.IndexBuffer] = ()
        self._on_screen = on_screen
        self._near: NearView | None = None
        self._needs = shader.Needs()
        self._tints: TintTable | None = None
        self._part = Part()
        self._lut = gloo.Texture2D(PLAIN.texels(), interpolation="linear", wrapping="clamp_to_edge")
        self._page = room[1]
        self._names = columns
        self._rows = RowBuffers(1, self._page, columns)
        self._draw_mode = self.mode
        self.allocate(room[0])
        program = self.shared_program
        program["u_lut"] = self._lut
        program["u_missing"] = MISSING
        program["u_slab_middle"] = (0.0, 0.0, 0.0, 0.0)
        program["u_slab_half"] = (-1.0, -1.0, -1.0, -1.0)
        self.set_colouring(PLAIN)
        self.set_planes(np.zeros((0, len(self.origin))), np.zeros(0))
        self.set_gl_state(depth_test=True, blend=False)

    def start_over(self, capacity: int, bounds: Float) -> None:
        """Start over with room for ``capacity`` rows within other bounds, none of them drawn."""
        self._place(bounds)
        self._near = None
        self.allocate(capacity)

    def _place(self, bounds: Float) -> None:
        self.origin = np.asarray(bounds.mean(axis=0), float)
        self._half = (bounds[1] - bounds[0]) / 2

    def allocate(self, capacity: int) -> None:
        """Start over with room for ``capacity`` rows, none of them drawn."""
        self._rows.delete()
        self._rows = RowBuffers(capacity, self._page, self._names)
        for name, buffer in self._rows.columns.items():
            self.shared_program[name] = buffer
        if self._tints is not None:
            self.tint(None)
        self.update()

    @property
    def card_bytes(self) -> int:
        """Bytes allocated on the graphics card, but for textures of a few kilobytes."""
        buffers = (*self._rows.columns.values(), *self.blocks)
        own = 0 if self._tints is None else self._tints.card_bytes
        return own + sum(int(buffer.nbytes) for buffer in buffers)

    def add_column(self, name: str, fill: float | None = None) -> None:
        """Have one more number for each row: ``fill``, or what is nobody's."""
        if name not in self._names:
            self._names = (*self._names, name)
            self._compile()
            self.shared_program[name] = self._rows.add(name)
        if fill is not None:
            self._rows.fill(name, fill)
        self.update()

    def drop_column(self, name: str) -> None:
        """Have one number less for each row."""
        if name in self._names:
            self._names = tuple(own for own in self._names if own != name)
            self._compile()
            self.shared_program[name] = None
            self._rows.remove(name)
            self.update()

    def write(self, writes: Sequence[RowWrite]) -> None:
        """Fill rows; see :class:`RowBuffers`."""
        self._rows.write(writes)
        self.update()

    def look_along(self, displayed: tuple[int, ...]) -> None:
        """Show these layer axes, two or three; the last runs along x."""
        self.displayed = displayed
        self._near = None
        self.update()

    def set_slab(self, low: Float, high: Float) -> None:
        """Keep rows within (D,) ``low`` and ``high``, layer coordinates; infinite on shown axes."""
        bounded = np.isfinite(low) & np.isfinite(high)
        middle, half = np.zeros(4), np.full(4, -1.0)
        axes = np.flatnonzero(bounded)
        middle[axes] = (low[axes] + high[axes]) / 2 - self.origin[axes]
        half[axes] = (high[axes] - low[axes]) / 2
        self.shared_program["u_slab_middle"] = np.clip(middle, -LARGE, LARGE).astype(np.float32)
        self.shared_program["u_slab_half"] = np.clip(half, -1.0, LARGE).astype(np.float32)
        self._need(replace(self._needs, slab=bool(bounded.any())))

    def _need(self, needs: shader.Needs) -> None:
        if needs != self._needs:
            self._needs = needs
            self._compile()
        self.update()

    def _compile(self) -> None:
        """Take the programs that do what is needed."""
        raise NotImplementedError

    def tint(self, texels: UInt8 | None) -> None:
        """Colour page by page; nothing but a small table goes to the card after the first time.

        Args:
            texels: (H, W, 4) uint8, a colour for each page of rows, line after line; None: rows
                have their own colours.
        """
        program = self.shared_program
        if texels is None:
            if self._tints is not None:
                self._need(replace(self._needs, tinted=False))
                for name in TintTable.names:
                    program[name] = None
                self._tints.delete()
                self._tints = None
            return
        if self._tints is None:
            self._tints = TintTable(self._rows.capacity, self._page)
            self._need(replace(self._needs, tinted=True))
            program["a_page"], program["u_tints"] = self._tints.column, self._tints.table
        self._tints.fill(texels)
        program["u_tints_shape"] = (float(texels.shape[1]), float(texels.shape[0]))
        self.update()

    def show_part(self, part: Part) -> None:
        """Draw on a part of the canvas only, moved sideways."""
        self._part, self._near = part, None
        self._need(replace(self._needs, parted=part != Part()))

    def set_colouring(self, colouring: Colouring) -> None:
        """Recolour; nothing but a small table goes to the card."""
        texels = colouring.texels()
        self._lut.set_data(texels)
        program = self.shared_program
        program["u_lut_length"] = float(len(colouring.lut))
        program["u_lut_shape"] = (float(texels.shape[1]), float(texels.shape[0]))
        low, scale = np.clip((colouring.limits[0], 1.0 / colouring.span), -LARGE, LARGE)
        program["u_limits"] = (low, scale)
        self._need(replace(self._needs, mode=MODES.index(colouring.mode)))

    def set_planes(self, normals: Float, reach: Float) -> None:
        """Keep what lies beyond planes.

        Args:
            normals: (P, D) of at most :data:`PLANES` planes.
            reach: (P,) where each lies along its normal, relative to the layer's origin.
        """
        rows, ends = np.zeros((PLANES, 4)), np.full(PLANES, -1.0)
        rows[: len(normals), : normals.shape[1]] = normals
        ends[: len(reach)] = np.clip(reach, -LARGE, LARGE)
        program = self.shared_program
        for name, part in (("a", slice(0, 4)), ("b", slice(4, 8))):
            program[f"u_normals_{name}"] = rows[part].T.astype(np.float32)
            program[f"u_reach_{name}"] = ends[part].astype(np.float32)
        self._need(replace(self._needs, planes=len(normals) > 0))

    def free(self) -> None:
        """Give the card its memory back."""
        self._rows.delete()
        self._lut.delete()
        if self._tints is not None:
            self._tints.delete()

    def draw(self) -> None:
        """Draw block by block.

        A software renderer sorts what it is given into tiles before it draws, hundreds of bytes
        per point in main memory, which it keeps. Waiting for it now and then bounds that; where
        the sorting takes as long as the drawing it is waited for less often, so that both go on
        at once.
        """
        if not self.visible or not self._prepare_draw(self):
            return
        if self.in_software is None:
            self._learn()
        self._configure_gl_state()
        for place in range(ATTRIBUTES):
            gloo.gl.glDisableVertexAttribArray(place)
        self._draw_blocks(self._draw_mode, self.blocks, self.ends)

    def _draw_blocks(self, mode: str, blocks: Sequence[gloo.IndexBuffer], ends: int) -> None:
        begun = waiting = 0
        for block in blocks:
            if not block.size:
                continue
            drawn = block.size // ends
            if self.in_software and begun and begun + drawn > FINISH:
                waiting = (waiting + 1) % self.ahead
                if waiting:
                    gloo.flush()
                else:
                    gloo.finish()
                begun = 0
            self._program.draw(mode, block)
            begun += drawn

    def _learn(self) -> None:
        """Ask the driver what it is, once its context is the present one."""
        self.in_software = draws_in_software()

    def _prepare_transforms(self, view: Node) -> None:
        """Transforms are taken in float64 just before a draw, not in the shader."""

    def _prepare_draw(self, view: Node) -> bool:
        screen = screen_of(view)
        if self._near is None or self.screen is None or not screen.same_as(self.screen):
            moved = self.screen is None or not screen.same_as(self.screen)
            self._look(screen)
            if moved:
                self._on_screen(screen)
        return self._draws_anything

    @property
    def _draws_anything(self) -> bool:
        return any(block.size for block in self.blocks)

    def _look(self, screen: Screen) -> None:
        axes = self.displayed
        clip = screen.clip[:, [len(axes) - 1 - i for i in range(len(axes))] + [3]]
        matrix = np.insert(clip, len(axes), 0.0, axis=1) if len(axes) == 2 else clip
        matrix[2] /= depth_reach(matrix, self.origin[list(axes)], self._half[list(axes)])
        near = near_view(matrix, axes, self.origin, screen.middle[: len(axes)][::-1])
        program = self.shared_program
        program["u_centre"] = near.centre
        program["u_matrix"] = near.matrix.T.astype(np.float32)
        program["u_offset"] = near.offset.astype(np.float32)
        if self._needs.parted:
            program["u_shift"] = self._part.shift
            program["u_part"] = self._part.pixels(screen.width)
        self._look_more(screen)
        self._near, self.screen = near, screen

    def _look_more(self, screen: Screen) -> None:
        """Set what else depends on the view."""

    def _compute_bounds(self, axis: int, view: Node) -> None:
        return None


def draws_in_software() -> bool:
    """Whether the present GL context has no graphics card behind it."""
    name = str(gloo.gl.glGetParameter(gloo.gl.GL_RENDERER)).lower()
    return any(word in name for word in SOFTWARE)

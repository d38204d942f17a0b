"""Edges of boxes over a layer: one visual of lines."""

from __future__ import annotations

import numpy as np
from vispy.scene.visuals import Line
from vispy.visuals.transforms import STTransform

from zv_viewer.drawing.outlines import Outlines
from zv_viewer.layers.untyped import Node

OPAQUE = 0.7


class OutlineNode:
    """Draws outlines as a child of a node whose coordinates run x, y, z.

    Args:
        parent: The node.
    """

    def __init__(self, parent: Node) -> None:
        self._parent = parent
        self._line: Node = None

    def show(self, outlines: Outlines | None, displayed: tuple[int, ...]) -> None:
        """Draw these; nothing where they are for other axes than ``displayed``."""
        fits = outlines is not None and outlines.displayed == displayed and len(outlines.ends)
        if self._line is not None:
            self._line.visible = bool(fits)
        if not fits or outlines is None:
            return
        n = len(displayed)
        middle = outlines.ends.reshape(-1, n).mean(axis=0)
        ends = np.zeros((2 * len(outlines.ends), 3), np.float32)
        ends[:, :n] = (outlines.ends - middle).reshape(-1, n)[:, ::-1]
        colours = np.full((len(ends), 4), OPAQUE, np.float32)
        colours[:, :3] = np.repeat(outlines.colours, 2, axis=0) / np.float32(255)
        if self._line is None:
            self._line = Line(pos=ends, color=colours, connect="segments", parent=self._parent)
            self._line.order = 1
            self._line.set_gl_state("translucent", depth_test=False)
        else:
            self._line.set_data(pos=ends, color=colours, connect="segments")
        self._line.transform = STTransform(translate=(*middle[::-1], 0.0)[:3])

"""The vertex budget while nobody has set one: it follows the frames of the viewer's canvas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zv_viewer.controller.frames import FrameBudget
from zv_viewer.model.settings import Budget
from zv_viewer.planning.frame_budget import LEAST_VERTICES, Range
from zv_viewer.session.paint import watch_paint

VERTICES_IN_SOFTWARE = 300_000
"""Vertices drawn at most to begin with where there is no graphics card."""

MOST = Range(LEAST_VERTICES, Budget().vertices)
"""What an automatic budget may be. A layer has room for the most from the start."""


class AutomaticBudget:
    """Times the frames of a layer, and says what the budget should be.

    Args:
        viewer: The napari viewer.
        layer: The layer that draws the store.
        rows_drawn: How many rows a frame draws, of this layer and others.
    """

    def __init__(
        self,
        viewer: Any,  # noqa: ANN401 - a napari viewer
        layer: Any,  # noqa: ANN401 - ours
        rows_drawn: Callable[[], int],
    ) -> None:
        self._layer = layer
        self._rows_drawn = rows_drawn
        self._frames = FrameBudget(_within(layer))
        self._begun = False
        self._watch = watch_paint(viewer, self._painted)

    @property
    def within(self) -> Range:
        """What the budget may be."""
        return self._frames.within

    @property
    def frame_s(self) -> float | None:
        """Seconds nine of ten recent frames take at most; None while there are none."""
        return self._frames.frame_s

    def first(self, vertices: int) -> int:
        """The budget to begin with; it depends on what draws, known once something was drawn."""
        if self._begun or self._layer.in_software is None:
            return vertices
        self._begun = True
        return min(vertices, VERTICES_IN_SOFTWARE) if self._layer.in_software else vertices

    def next(self, vertices: int, now: float, *, binding: bool) -> int:
        """The budget from now on; ``binding``: whether more of it would be of use."""
        return self._frames.budget(vertices, now, binding=binding)

    def close(self) -> None:
        """Stop timing frames."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _painted(self, seconds: float) -> None:
        if self._layer.visible:
            self._frames.painted(seconds, self._rows_drawn())


def _within(layer: Any) -> Range:  # noqa: ANN401 - our layer
    """What an automatic budget of a layer may be."""
    if layer.ceiling is None:
        return MOST
    most = min(MOST.most, layer.ceiling.usual)
    return Range(min(MOST.least, most), most)

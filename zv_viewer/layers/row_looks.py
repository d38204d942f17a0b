"""What visuals of rows share beside place and colour: a table of objects, and sizes as points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from vispy import gloo

from zv_viewer.layers.buffers import SIZE
from zv_viewer.layers.matrices import LARGE
from zv_viewer.layers.screen import Screen
from zv_viewer.layers.sizing import SizeRule
from zv_viewer.layers.visual import CellVisual

GHOST = (0.6, 0.6, 0.6, 0.3)
"""Colour and opacity of faded objects."""

HIGHLIGHT = (1.0, 0.85, 0.0)
"""Colour of selected objects."""


class ObjectsVisual(CellVisual):
    """Rows whose objects have looks and colours, in a table on the card."""

    _objects: gloo.Texture2D | None = None

    def use_objects(self, objects: tuple[int, int]) -> None:
        """Start over with another table of objects: its lines, and objects of a line."""
        old, program = self._objects, self.shared_program
        table = np.zeros((*objects, 4), np.uint8)
        self._objects = gloo.Texture2D(table, interpolation="nearest", wrapping="clamp_to_edge")
        program["u_objects"] = self._objects
        program["u_objects_shape"] = (float(objects[1]), float(objects[0]))
        program["u_ghost"], program["u_highlight"] = GHOST, HIGHLIGHT
        program["u_deep"] = float(len(self.displayed) == 3)
        if old is None:
            self.set_by_object(False)
        else:
            old.delete()

    @property
    def card_bytes(self) -> int:
        """Bytes allocated on the graphics card, the table of objects included."""
        table = 0 if self._objects is None else int(np.prod(self._objects.shape))
        return super().card_bytes + table

    def write_objects(self, changes: Sequence[tuple[int, npt.NDArray[np.uint8]]]) -> None:
        """Fill lines of the table of objects, first line and (h, W, 4) texels."""
        if self._objects is not None:
            for line, texels in changes:
                self._objects.set_data(texels, offset=(line, 0))
        self.update()

    def set_by_object(self, by_object: bool) -> None:
        """Colour by the table of objects, else by the values of rows."""
        if self._objects is not None:
            self._need(replace(self._needs, by_object=by_object))

    def free(self) -> None:
        """Give the card its memory back."""
        super().free()
        if self._objects is not None:
            self._objects.delete()

    def _look_more(self, screen: Screen) -> None:
        super()._look_more(screen)
        if self._objects is not None:
            self.shared_program["u_deep"] = float(len(self.displayed) == 3)


class SizedVisual(ObjectsVisual):
    """Rows drawn as points of some size; goes before others in the bases."""

    _size = (1.0, 0.5, 1.0, 8.0)
    _value_size = (0.0, 0.0)
    _rule: SizeRule | None = None
    _of_objects: gloo.Texture2D | None = None
    _told: npt.NDArray[np.float32] | None = None

    def set_size(self, fixed: float | None, factor: float, least: float, most: float) -> None:
        """Size in canvas pixels: ``fixed``, or a row's spacing times ``factor``, within ends."""
        self._size = (fixed or 0.0, factor, least, most)
        self._near = None
        self.update()

    def set_value_size(self, ends: tuple[float, float] | None) -> None:
        """Canvas pixels at both ends of the table of colours; None: not by value."""
        self._value_size = ends or (0.0, 0.0)
        self._near = None
        self.update()

    def size_rows(self, sized: bool) -> None:
        """Have a number for the size of each row, none known yet; False: have none."""
        if sized:
            self.add_column(SIZE, np.nan)
        else:
            self.drop_column(SIZE)

    def set_rule(
        self, rule: SizeRule | None, of_objects: npt.NDArray[np.float32] | None = None
    ) -> None:
        """Draw rows as large as a rule says; (O,) values of objects where it is one of these."""
        self._rule, self._near = rule, None
        sized = 0
        if rule is not None and rule.of == "vertex" and SIZE in self._names:
            sized = 1
        elif rule is not None and of_objects is not None and self._objects is not None:
            sized = 2
            if self._of_objects is None or of_objects is not self._told:
                self._use_sizes(of_objects, self._objects.shape)
        self._need(replace(self._needs, sized=sized))

    def _use_sizes(self, of_objects: npt.NDArray[np.float32], shape: tuple[int, ...]) -> None:
        lines, width = shape[:2]
        table = np.full(lines * width, np.nan, np.float32)
        table[: len(of_objects)] = of_objects
        old, self._told = self._of_objects, of_objects
        self._of_objects = gloo.Texture2D(
            table.reshape(lines, width, 1),
            format="red",
            internalformat="r32f",
            interpolation="nearest",
            wrapping="clamp_to_edge",
        )
        self.shared_program["u_sizes"] = self._of_objects
        if old is not None:
            old.delete()

    def free(self) -> None:
        """Give the card its memory back."""
        super().free()
        if self._of_objects is not None:
            self._of_objects.delete()

    def _look_more(self, screen: Screen) -> None:
        super()._look_more(screen)
        fixed, factor, least, most = self._size
        ratio, program = screen.pixel_ratio, self.shared_program
        by_spacing = factor * screen.px_per_unit
        size = (fixed * ratio, by_spacing, least * ratio, most * ratio)
        program["u_size"] = np.clip(size, 0.0, LARGE)
        program["u_value_size"] = np.clip(np.multiply(self._value_size, ratio), 0.0, LARGE)
        if self._needs.sized and self._rule is not None:
            start, per_unit, first, second = self._rule.uniform
            sizing = (start, per_unit, first * ratio, second * ratio)
            program["u_sizing"] = np.clip(sizing, -LARGE, LARGE)

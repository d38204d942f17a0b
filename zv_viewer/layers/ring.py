"""A ring around one place, as a small layer of napari's own."""

from __future__ import annotations

import numpy as np
from napari.layers import Points

from zv_viewer.layers.carrying import AnyLayer, place_of
from zv_viewer.layers.row_looks import HIGHLIGHT

RING_PX = 15
"""Across, canvas pixels."""


class Ring(Points):  # type: ignore[misc]  # napari's layers are untyped here
    """One empty disc with a border, above what lies around it; it cannot be moved by hand.

    Args:
        around: (D,) store position.
        of: The layer that shows the store.
    """

    def __init__(self, around: tuple[float, ...], of: AnyLayer) -> None:
        ndim = of.scene.ndim
        place = place_of(of, 0, np.zeros(ndim)) if of.ndim == ndim else {}
        super().__init__(
            np.array([around], float),
            ndim=ndim,
            name=f"picked in {of.name}",
            size=1.0,
            canvas_size_limits=(RING_PX, RING_PX),
            face_color="transparent",
            border_color=np.array([(*HIGHLIGHT, 1.0)]),
            border_width=0.15,
            blending="translucent_no_depth",
            **place,
        )

    @property
    def _type_string(self) -> str:
        return "points"

    @property
    def editable(self) -> bool:
        """False, whoever asks."""
        return False

    @editable.setter
    def editable(self, editable: bool) -> None:
        """Take no notice."""

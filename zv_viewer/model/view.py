"""A view in the words of the camera controls: what a person sets and a flight replays."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ViewState:
    """Where the camera is.

    Args:
        ndisplay: 2 or 3 axes shown.
        center: (D,) world position in the middle of the canvas; on hidden axes, where the slab is.
        zoom: Canvas pixels per world unit, in the plane of ``center``.
        angles: Euler angles in degrees; used when three axes are shown.
        perspective: Field of view in degrees; 0 is orthographic.
    """

    ndisplay: int
    center: tuple[float, ...]
    zoom: float
    angles: tuple[float, float, float] = (0.0, 0.0, 90.0)
    perspective: float = 0.0

    def __post_init__(self) -> None:
        if self.ndisplay not in (2, 3):
            raise ValueError(f"a view shows 2 or 3 axes, not {self.ndisplay}")
        if not self.zoom > 0:
            raise ValueError(f"a zoom is a positive number of pixels per unit, not {self.zoom}")

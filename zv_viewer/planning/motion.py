"""How the camera moves, as far as planning needs to know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Motion:
    """A camera's motion.

    Args:
        px_per_s: Speed of the picture across the canvas.
        moving: Nothing gets coarser while this is true; true until shortly after the camera
            stopped.
        eta_s: Time until a cell asked for now arrives; 0 where unknown.
        lately_px_per_s: Its speed at the last move: what is planned ahead of the camera does not
            come and go between one step of a motion and the next.
        refines: Whether the one level of whole objects may get finer: not shortly after it got
            coarser, while the camera moves.
    """

    px_per_s: float = 0.0
    moving: bool = False
    eta_s: float = 0.0
    lately_px_per_s: float = 0.0
    refines: bool = True

    @property
    def coarsening(self) -> float:
        """Factor on the error that new refinements must exceed, 1..4."""
        return min(max(1 + self.px_per_s / 1500, 1.0), 4.0) if self.moving else 1.0

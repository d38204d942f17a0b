"""What a selection weighs, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zv_viewer.planning.budget import Caps, longest_prefix

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Selection:
    """The cells to show.

    Args:
        target: (T,) ascending ids, no cell with its own ancestor.
        floor: (F,) ascending ids to keep resident: the coarsest cells, and the refined ones that
            stand for their children outside the view.
        error_px: (C,) screen error of the cells looked at, else 0. px_per_unit: (C,) likewise.
        focus: (C,) attention they get. area_in_view: (C,) square pixels they take on the canvas.
        size_px: (C,) edge of a square of their projected area; inf around the camera.
        tau_px: Screen error of the picture.
        refused: Refinements, or coarsest cells, wanted but over a cap.
        limited_by: Why it is not finer.
    """

    target: Int
    floor: Int
    error_px: Float
    px_per_unit: Float
    focus: Float
    area_in_view: Float
    size_px: Float
    tau_px: float
    refused: int
    limited_by: str


@dataclass(frozen=True, eq=False, slots=True)
class Steps:
    """Refinements: of which cell, their cost, whether wanted plainly and given the past."""

    cells: Int
    vertices: Int
    nbytes: Int
    wanted: Bool
    held_wanted: Bool

    @classmethod
    def none(cls) -> Steps:
        """No refinement."""
        empty, no = np.empty(0, np.int64), np.empty(0, bool)
        return cls(empty, empty, empty, no, no)

    def joined(self, more: Steps) -> Steps:
        """These, then ``more``."""
        return Steps(
            np.concatenate([self.cells, more.cells]),
            np.concatenate([self.vertices, more.vertices]),
            np.concatenate([self.nbytes, more.nbytes]),
            np.concatenate([self.wanted, more.wanted]),
            np.concatenate([self.held_wanted, more.held_wanted]),
        )

    def plain(self, key: Float, caps: Caps) -> tuple[Int, float, str, float]:
        """Without the past: cells refined, first key refused or 0, its cap, part of caps used."""
        at = np.flatnonzero(self.wanted)
        fit = longest_prefix(key[self.cells[at]], self.vertices[at], self.nbytes[at], caps)
        taken = at[fit.taken]
        tau = float(key[self.cells[at[fit.first_refused]]]) if fit.over else 0.0
        used = max(
            int(self.vertices[taken].sum()) / max(caps.vertices, 1),
            int(self.nbytes[taken].sum()) / max(caps.bytes, 1),
        )
        return self.cells[taken], tau, fit.over, used

    def held(self, key: Float, caps: Caps, tau: float) -> tuple[Int, str]:
        """Given the past: cells refined with a key above ``tau``, and the cap that stopped it."""
        at = np.flatnonzero(self.held_wanted & (key[self.cells] >= tau))
        fit = longest_prefix(key[self.cells[at]], self.vertices[at], self.nbytes[at], caps)
        return self.cells[at[fit.taken]], fit.over

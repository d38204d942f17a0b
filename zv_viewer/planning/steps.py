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
        level: The one level of the cells, where one is chosen for all of them.
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
    level: int | None = None


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

    def held(self, key: Float, caps: Caps, tau: float, share: float = 0.0) -> tuple[Int, str]:
        """Given the past: cells refined, best first, and the cap that stopped it.

        Those with a key of ``tau`` and above, and below it too until ``share`` of the caps is used:
        of cells that all look the same none may reach a ``tau`` that is their own key.
        """
        at = np.flatnonzero(self.held_wanted)
        worth, vertices, nbytes = key[self.cells[at]], self.vertices[at], self.nbytes[at]
        fit = longest_prefix(worth, vertices, nbytes, caps)
        due = longest_prefix(worth, vertices, nbytes, caps.part(share)).taken
        high = int((worth[fit.taken] >= tau).sum())
        over = fit.over if fit.over and worth[fit.first_refused] >= tau else ""
        return self.cells[at[fit.taken[: max(high, len(due))]]], over

"""What the user may set: a budget, a quality, a locked level; and switches for tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps: vertices drawn, bytes of decoded cells in memory, bytes of buffers on the card.

    Cells that are drawn are in memory, too.
    """

    vertices: int = 2_000_000
    bytes: int = 1 << 30
    card_bytes: int = 1 << 30

    def __post_init__(self) -> None:
        if min(self.vertices, self.bytes, self.card_bytes) < 1:
            raise ValueError("a budget is at least one vertex and one byte of each memory")

    def part(self, share: float) -> Budget:
        """A share of what is drawn and held, at least one vertex and one byte."""
        vertices, memory = int(self.vertices * share), int(self.bytes * share)
        return Budget(max(vertices, 1), max(memory, 1), self.card_bytes)


@dataclass(frozen=True, slots=True)
class LodSettings:
    """How levels are chosen.

    Args:
        budget: Caps that selection never exceeds.
        quality_px: Screen error below which refining stops (tau0).
        density_max: Vertices per square pixel above which finer cannot be seen (rho_max).
        level_lock: Draw this level only (number in the store), or None for automatic.
        hysteresis: Relative half width of the band in which a cell keeps its level; 0 switches it
            off.
        floor: Keep the coarsest level resident and drawn where nothing finer is.
        cancel: Drop requests the newest plan does not ask for.
        foveation: Weigh the middle of the canvas more.
    """

    budget: Budget = Budget()
    quality_px: float = 1.5
    density_max: float = 1.0
    level_lock: int | None = None
    hysteresis: float = 0.25
    floor: bool = True
    cancel: bool = True
    foveation: bool = True


def default_settings() -> LodSettings:
    """Caps for this machine: a quarter of its memory, at most 4 GB."""
    import psutil

    return LodSettings(Budget(bytes=min(4 << 30, int(psutil.virtual_memory().total // 4))))

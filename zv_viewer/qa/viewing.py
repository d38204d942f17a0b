"""What makes a store slow to view, or viewed worse than it could be. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zv_viewer.qa import fixes
from zv_viewer.qa.report import Finding, Where

LARGE_FLOOR = 300_000
"""Vertices of the coarsest level beyond which a first picture is slow."""
MANY_CHUNKS = 256
"""Chunks of the coarsest level beyond which one wave of requests does not bring it."""
FEW, MANY = 10_000, 1_000_000
"""Vertices a chunk of the finest level should hold, on the whole."""


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """What metadata tells of a level.

    Attributes:
        level: Its number.
        vertices: Vertices in it.
        chunks: Occupied chunks.
        chunk_shape: D floats.
        counted: Whether the vertices of every chunk are recorded.
        error: Whether its error is recorded.
        stale: Why it no longer describes the level it was made from, or None.
    """

    level: int
    vertices: int
    chunks: int
    chunk_shape: tuple[float, ...]
    counted: bool
    error: bool
    stale: str | None


def viewing_findings(
    levels: Sequence[LevelFacts], store: str, *, indexed: bool
) -> Iterator[Finding]:
    """Findings about viewing.

    Args:
        levels: Every level, finest first.
        store: Its address, for commands.
        indexed: Whether the store can be read without listing.
    """
    finest, coarsest = levels[0], levels[-1]
    if len(levels) == 1 and finest.vertices > LARGE_FLOOR:
        text = f"there is one level only, of {finest.vertices:,} vertices: build a pyramid"
        yield Finding("viewing", finest.level, Where(), text, fixes.rebuild(store, 1))
    elif coarsest.vertices > LARGE_FLOOR or coarsest.chunks > MANY_CHUNKS:
        text = (
            f"the coarsest level {coarsest.level} has {coarsest.vertices:,} vertices in "
            f"{coarsest.chunks:,} chunks: the first picture waits for all of them"
        )
        yield Finding("viewing", coarsest.level, Where(), text, fixes.rebuild(store, 1))
    mean = finest.vertices / max(finest.chunks, 1)
    if finest.chunks > 1 and not FEW <= mean <= MANY:
        scale = (FEW * 4 / max(mean, 1)) ** (1 / len(finest.chunk_shape))
        word = "few" if mean < FEW else "many"
        text = (
            f"chunks of level {finest.level} hold {mean:,.0f} vertices on average: too {word} for "
            "a request each"
        )
        edges = [
            edge * max(round(scale), 1) if scale > 1 else edge / 2 for edge in finest.chunk_shape
        ]
        yield Finding("viewing", finest.level, Where(), text, fixes.rechunk(store, edges))
    for level in levels:
        if not level.counted:
            text = f"the vertices of the chunks of level {level.level} are not recorded"
            yield Finding("viewing", level.level, Where(), text, fixes.index(store))
        if level is not finest and not level.error:
            text = f"the error of level {level.level} is not recorded: viewers guess it"
            yield Finding("viewing", level.level, Where(), text, fixes.write_errors(store))
        if level.stale is not None:
            text = (
                f"level {level.level} no longer describes the one it was made from: {level.stale}"
            )
            yield Finding("viewing", level.level, Where(), text, fixes.rebuild(store, level.level))
    if not indexed:
        text = (
            "the store does not record what it holds: it takes many requests to open, and cannot "
            "be opened where nothing can be listed"
        )
        yield Finding("viewing", finest.level, Where(), text, fixes.index(store))

"""The status texts of the dock widget: exact numbers in words, from figures alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zv_viewer.controller.stats import selection_text

if TYPE_CHECKING:
    from zv_viewer.controller import LodStats
    from zv_viewer.model.settings import Budget

AUTOMATIC = "automatic"


def completeness(stats: LodStats) -> str:
    """What is shown, e.g. ``312,400 for 10,000,000 vertices in view, levels 2-3``.

    Where a level keeps some of the objects only, how many of a hundred.
    """
    total = stats.vertices_in_view_level0
    if not stats.vertices_drawn and not total:
        return "nothing in view"
    levels = sorted(stats.levels_drawn)
    if levels == [0] and not stats.holes:
        return f"all {total:,} vertices in view, exact"
    if not levels:
        return f"0 of {total:,} vertices in view"
    span = f"level {levels[0]}" if len(levels) == 1 else f"levels {levels[0]}-{levels[-1]}"
    shown = f"{stats.vertices_drawn:,} for {total:,} vertices in view, {span}"
    if stats.object_share < 1:
        shown += f" with {stats.object_share * 100:.2g} % of the objects"
    return shown


def quality(stats: LodStats) -> str:
    """The picture's screen error, e.g. ``within 1.4 px``."""
    if stats.levels_drawn and set(stats.levels_drawn) == {0}:
        return "exact"
    return f"within {stats.tau_px:.2g} px"


def activity(stats: LodStats) -> str:
    """What is under way."""
    waiting = stats.queued + stats.in_flight
    if waiting:
        cells = "cell" if waiting == 1 else "cells"
        held = stats.waiting_for == "network"
        return f"{waiting} {cells} wait for the network" if held else f"loading {waiting} {cells}"
    return "settled" if stats.settled else "planning"


def traffic(stats: LodStats) -> str:
    """Bytes and requests so far."""
    return f"{size(stats.bytes_read)} in {stats.requests:,} requests"


def network(stats: LodStats) -> str:
    """How the place of a store answers, e.g. ``51 ms, 2.4 MB/s, 12 requests under way``."""
    if not stats.remote:
        return "none: the store is on this machine"
    parts = []
    if stats.latency_s is not None:
        parts.append(f"{stats.latency_s * 1e3:.0f} ms")
    if stats.bytes_per_s is not None:
        parts.append(f"{size(stats.bytes_per_s)}/s")
    flying = stats.requests_in_flight
    if flying:
        parts.append(f"{flying} {'request' if flying == 1 else 'requests'} under way")
    if stats.retries:
        parts.append(f"{stats.retries} sent again")
    return ", ".join(parts) or "nothing asked for yet"


def trouble(stats: LodStats) -> str:
    """What could not be read or drawn, or nothing."""
    parts = []
    if stats.failed:
        cells = "cell" if stats.failed == 1 else "cells"
        parts.append(f"{stats.failed} {cells} cannot be read")
    if stats.holes:
        parts.append(f"{stats.holes} cells in view are not drawn")
    return "; ".join(parts)


def reason(stats: LodStats) -> str:
    """Why the picture is not finer, and selected objects not at full resolution."""
    return "; ".join(text for text in (stats.reason, selection_text(stats)) if text)


def notes(warnings: Sequence[str]) -> str:
    """What there is to know about a store, a line each, or ``none``."""
    return "\n".join(warnings) or "none"


def budget(vertices: int, frame_s: float | None, *, automatic: bool) -> str:
    """Who says how many vertices are drawn, e.g. ``automatic: 480 k, frame 24 ms``."""
    if not automatic:
        return AUTOMATIC
    frame = "" if frame_s is None else f", frame {frame_s * 1e3:.0f} ms"
    return f"{AUTOMATIC}: {vertices / 1e3:,.0f} k{frame}"


def layers(
    layer: Any,  # noqa: ANN401 - one of ours
    *,
    automatic: bool,
) -> str:
    """What draws a store, e.g. ``napari's Tracks, given 200,000 vertices at most``."""
    if layer.ceiling is None:
        return "fast: as many vertices as the budget allows"
    most = layer.ceiling.usual if automatic else layer.ceiling.most
    return f"napari's {layer.napari_name}, given {most:,} vertices at most"


def of(used: int, cap: int) -> str:
    """Bytes in use and their cap, e.g. ``312 of 1,024 MB``."""
    return f"{used / 1e6:,.0f} of {cap / 1e6:,.0f} MB"


def size(count: float) -> str:
    """Bytes in words, powers of ten."""
    if count < 1000:
        return f"{count:.0f} B"
    power = min(int(math.log10(count)) // 3, 3)
    return f"{count / 1000**power:.1f} {('B', 'kB', 'MB', 'GB')[power]}"


def share(share: Budget, budget: Budget) -> str:
    """What one of several stores may draw and hold, e.g. ``480 k vertices, 200 MB``."""
    if share == budget:
        return "all"
    return f"{share.vertices / 1e3:,.0f} k vertices, {share.bytes / 1e6:,.0f} MB"

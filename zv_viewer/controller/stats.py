"""The figures of a picture and of what it cost, and why it is not better."""

from __future__ import annotations

from dataclasses import dataclass

from zv_viewer.model.settings import LodSettings
from zv_viewer.planning import SELECTION_SHARE


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be read; ``message`` is one sentence for the user."""

    cell: int
    level: int
    message: str


@dataclass(frozen=True, slots=True)
class LodStats:
    """Figures of the present picture; counters run from the start.

    Args:
        levels_drawn: Level number in the store -> cells of it drawn in view, in part or whole.
        vertices_drawn: Vertices of those.
        vertices_in_view_level0: Level-0 vertices in view.
        object_share: Part of the store's objects that the coarsest level drawn keeps, as recorded.
        cells_in_view: Cells the view is planned to show.
        holes: Cells of the view, finest first, in whose place nothing is drawn now; those nobody
            can read are not counted, see ``failed``.
        hole_frames: Painted frames with a hole, after the first that showed all of its view.
        oscillations: Times a cell, the same part of it in view, changed its level more than twice
            within two seconds.
        tau_px: Screen error of the picture: as planned once settled, before that of what is drawn
            where it is larger.
        bytes_read: Bytes fetched. requests: Requests they took.
        bytes_drawn: Bytes that were fetched for the cells drawn now.
        wasted_bytes: Bytes fetched for what has not been drawn.
        refused_by_budget: Refinements or cells over the caps.
        refused_by_memory: Cells planned that found no room in memory or in the layer's buffer.
        failed: Cells, or their values, that could not be read in whole or part.
        vertices_not_finite: Vertices left out because their position is not a number.
        plan_ms_p95: Milliseconds a plan took.
        plans: Plans made.
        queued: Loads that wait. in_flight: Loads under way.
        limited_by: Why it is not finer, one word. reason: The same as a sentence.
        waiting_for: What an unsettled picture waits for: ``camera``, ``loading``, ``network``,
            ``upload`` or ``values``; empty when settled.
        settled: The picture is as planned and nothing it needs is under way.
        attribute: Attribute coloured by.
        attribute_pending: Cells drawn whose values are still to come.
        cache_bytes: Decoded cells in memory, with what is promised to loads.
        buffer_rows: Rows of the layer in use, in whole pages.
        remote: Whether there is a network between the store and us.
        latency_s: Median seconds of the recent requests; None where none were timed.
        bytes_per_s: Of the recent requests, while any was under way; None where none were timed.
        requests_in_flight: Requests under way.
        retries: Requests that were sent again.
        trouble: What keeps loads from coming: ``offline``, ``timeout``, ``throttled``, ``server``
            or ``cut``; empty when nothing does. trouble_s: Seconds it has lasted.
        last_trouble: How a request failed lately, though another try may have gone well.
        selected_full: Selected objects in view that are drawn at the finest level.
        selected_refused: Selected objects that are not, as there is no room for them.
    """

    levels_drawn: dict[int, int]
    vertices_drawn: int
    vertices_in_view_level0: int
    object_share: float
    cells_in_view: int
    holes: int
    hole_frames: int
    oscillations: int
    tau_px: float
    bytes_read: int
    requests: int
    bytes_drawn: int
    wasted_bytes: int
    refused_by_budget: int
    refused_by_memory: int
    failed: int
    vertices_not_finite: int
    plan_ms_p95: float
    plans: int
    queued: int
    in_flight: int
    limited_by: str
    reason: str
    waiting_for: str
    settled: bool
    attribute: str | None
    attribute_pending: int
    cache_bytes: int
    buffer_rows: int
    remote: bool
    latency_s: float | None
    bytes_per_s: float | None
    requests_in_flight: int
    retries: int
    trouble: str
    trouble_s: float
    last_trouble: str
    selected_full: int = 0
    selected_refused: int = 0


def reason_text(limited_by: str, settings: LodSettings) -> str:
    """Why the picture is not finer, as a sentence."""
    budget = settings.budget
    texts = {
        "quality": f"it is as fine as the {settings.quality_px:g} px asked for",
        "density": "finer points would be closer together than pixels",
        "vertices": f"more than {budget.vertices:,} vertices would be needed",
        "bytes": f"more than {budget.bytes / 1e6:,.0f} MB of memory would be needed",
        "finest": "the store has nothing finer",
        "locked": f"level {settings.level_lock} is locked",
        "buffer": "the layer's buffer on the graphics card is full",
        "memory": "there is no room in memory for another cell",
        "failed": "some of the finer cells cannot be read",
    }
    return texts.get(limited_by, limited_by)


def selection_text(stats: LodStats) -> str:
    """How many selected objects are not drawn at the finest level for want of room, or nothing."""
    count = stats.selected_refused
    if not count:
        return ""
    objects = "selected object is" if count == 1 else "selected objects are"
    share = f"{SELECTION_SHARE:.0%} of the vertices and memory"
    return f"{count:,} {objects} not at full resolution: more than {share} would be needed"


def trouble_text(trouble: str) -> str:
    """What is wrong with the network, from a word of ``TROUBLES``."""
    texts = {
        "offline": "offline",
        "timeout": "no answer in time",
        "throttled": "the server asks to slow down",
        "server": "the server reports errors",
        "cut": "the connection breaks off",
    }
    return texts.get(trouble, trouble)


def network_text(trouble: str, seconds: float) -> str:
    """Why the network lets the picture be no finer, as a sentence."""
    return f"{trouble_text(trouble)} ({seconds:.0f} s), trying again"

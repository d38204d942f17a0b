"""The figures ``--stats`` writes: one flat JSON object, the same names for every command."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zv_viewer.stage import Stage, peak_rss_bytes

SUMMED = (
    "vertices_drawn",
    "vertices_in_view_level0",
    "holes",
    "hole_frames",
    "oscillations",
    "bytes_read",
    "requests",
    "bytes_drawn",
    "wasted_bytes",
    "refused_by_budget",
    "refused_by_memory",
    "failed",
    "cache_bytes",
)
"""Figures that add up over the stores of a window."""

WORST = ("tau_px", "plan_ms_p95")
"""Figures of which the largest counts."""


def figures(stage: Stage) -> dict[str, Any]:
    """Everything known of the present picture and of what it cost.

    Of several stores, ``stores`` has the figures of each; beside it stand those that add up.
    """
    each = [_of_store(session) for session in stage.sessions]
    values = each[0] if len(each) == 1 else _together(each)
    return {
        **values,
        "time_to_first_frame_s": stage.first_frame_s,
        "time_to_settled_s": stage.settled_s,
        "idle_rss_bytes": stage.idle_rss_bytes,
        "peak_rss_bytes": peak_rss_bytes(),
    }


def _of_store(session: Any) -> dict[str, Any]:  # noqa: ANN401 - its module is imported late
    scene = session.scene
    stats = asdict(session.stats())
    stats["levels_drawn"] = {str(level): n for level, n in stats["levels_drawn"].items()}
    return {
        "url": scene.url,
        "format_version": scene.format_version,
        "geometry": scene.geometry,
        "warnings": list(scene.warnings),
        **stats,
    }


def _together(each: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "stores": each,
        **{name: sum(values[name] for values in each) for name in SUMMED},
        **{name: max(values[name] for values in each) for name in WORST},
        "settled": all(values["settled"] for values in each),
    }


def write_figures(path: Path, values: dict[str, Any]) -> None:
    """Write the figures as JSON."""
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")

"""The figures ``--stats`` writes: one flat JSON object, the same names for every command."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zv_viewer.stage import Stage, peak_rss_bytes


def figures(stage: Stage) -> dict[str, Any]:
    """Everything known of the present picture and of what it cost."""
    session = stage.session
    scene = session.scene
    stats = asdict(session.stats())
    stats["levels_drawn"] = {str(level): n for level, n in stats["levels_drawn"].items()}
    return {
        "url": scene.url,
        "format_version": scene.format_version,
        "geometry": scene.geometry,
        "warnings": list(scene.warnings),
        **stats,
        "time_to_first_frame_s": stage.first_frame_s,
        "time_to_settled_s": stage.settled_s,
        "idle_rss_bytes": stage.idle_rss_bytes,
        "peak_rss_bytes": peak_rss_bytes(),
    }


def write_figures(path: Path, values: dict[str, Any]) -> None:
    """Write the figures as JSON."""
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")

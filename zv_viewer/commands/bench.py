"""``zv-view bench``: fly a path in a real window and measure what a person would have felt."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from zv_viewer.commands.figures import figures, write_figures
from zv_viewer.commands.options import settings_of
from zv_viewer.flight.measure import FrameLog
from zv_viewer.flight.path import Flight, default_flight, load_flight, save_flight
from zv_viewer.model.view import ViewState
from zv_viewer.session.checks import check_attribute
from zv_viewer.stage import Stage, a_stage, ensure_writable

FLIGHT_SECONDS = 45.0
"""Time for all steps together at most, settling at both ends aside."""

STEP_SECONDS = 0.15
"""Time for one step at most."""

BEAT_S = 0.005


def bench(args: argparse.Namespace) -> int:
    """Open, settle, fly, settle; print the figures and return the exit code."""
    for path in (args.stats, args.record):
        if path is not None:
            ensure_writable(path)
    flight = load_flight(args.path) if args.path is not None else default_flight()
    with a_stage(args.size, settings_of(args), args.layers) as stage:
        log = FrameLog()
        flown = _fly(stage, args, flight, log)
        values = {**figures(stage), **log.summary(), **flown}
        problems = list(dict.fromkeys(stage.problems))
    if args.stats is not None:
        write_figures(args.stats, values)
    print(json.dumps(values, indent=1))
    for problem in problems:
        print(f"zv-view: {problem}", file=sys.stderr)
    return 2 if problems else 0


def _fly(stage: Stage, args: argparse.Namespace, flight: Flight, log: FrameLog) -> dict[str, Any]:
    from qtpy.QtCore import QTimer

    def painted(seconds: float) -> None:
        loading = False
        for session in stage.sessions:
            if session.is_open:
                session.on_frame()
                loading |= session.controller is not None and session.controller.loading
        if stage.sessions:
            log.frame(seconds, loading=loading)

    beat = QTimer()
    beat.setInterval(int(BEAT_S * 1e3))
    beat.timeout.connect(lambda: log.beat(time.perf_counter(), BEAT_S))
    beat.start()
    stage.open(args.stores, painted)
    if args.color_by is not None:
        check_attribute(stage.session.scene, args.color_by)
        stage.session.color_by(args.color_by)
    stage.settle()
    settled = [session.stats() for session in stage.sessions]
    height, width = stage.viewer.canvas.size
    views = flight.steps_for(stage.session.scene, (width, height))
    _step_through(stage, views, min(FLIGHT_SECONDS / len(views), STEP_SECONDS))
    stage.settle()
    beat.stop()
    if args.record is not None:
        save_flight(args.record, views)
    return {
        "steps": len(views),
        "bytes_to_settle": sum(stats.bytes_read for stats in settled),
        "bytes_drawn_at_settle": sum(stats.bytes_drawn for stats in settled),
        "requests_to_settle": sum(stats.requests for stats in settled),
    }


def _step_through(stage: Stage, views: tuple[ViewState, ...], pause: float) -> None:
    start = time.perf_counter()
    for number, view in enumerate(views, 1):
        stage.go(view)
        _run_until(stage, start + number * pause)


def _run_until(stage: Stage, due: float) -> None:
    stage.run_until(lambda: time.perf_counter() >= due)

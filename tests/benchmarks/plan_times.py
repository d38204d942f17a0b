"""Time of a plan while the camera zooms past all cells of a scene, and of building the cells.

Run as a script::

    python tests/benchmarks/plan_times.py [--cells 26] [--chunks 48] [--steps 60] [--json out.json]

A cube of ``cells`` cells an edge (and its coarser levels) lies wholly in view; each plan follows
the one before, as in a flight. Points have a level for each cell, lines one for all. ``tight`` is
a budget of two million vertices, ``roomy`` one that never ends a plan. Goal: 20 ms at 20,000
visible cells and the tight budget.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning import build_cells, plan_view
from zv_viewer.testing.cameras import look_at, zoomed
from zv_viewer.testing.scenes import grid_scene

BUDGETS = {"tight": Budget(2_000_000), "roomy": Budget(10**12, 10**15)}
LEVELS = 5


def plans(scene, budget, steps):
    """Milliseconds of each plan of a zoom, and how many cells were in view."""
    tree = build_cells(scene)
    settings = LodSettings(budget, quality_px=0.5, density_max=1e9)
    middle = np.asarray(scene.bounds).mean(axis=0)
    camera = look_at((*middle[:2], middle[2] * 5.8), tuple(middle), up=(0, 1, 0))
    times, plan = [], None
    for step in range(steps):
        view = zoomed(camera, 1 + step / 500)
        began = time.process_time()
        plan = plan_view(tree, scene, view, settings, previous=plan)
        times.append((time.process_time() - began) * 1e3)
    return np.array(times), int(plan.visible.sum())


def main(argv=None):
    """Print, and return the exit code: 1 where the goal is missed at the full size."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, default=26)
    parser.add_argument("--chunks", type=int, default=48)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args(argv)
    points = grid_scene(args.cells, LEVELS, 1000)
    lines = replace(points, geometry="polyline", link_width=2)
    rows, late = [], False
    for name, scene in (("points", points), ("lines", lines)):
        for kind, budget in BUDGETS.items():
            times, visible = plans(scene, budget, args.steps)
            low, high = np.percentile(times, [50, 95])
            rows.append({"scene": name, "budget": kind, "cells": visible, "p50": low, "p95": high})
            late |= kind == "tight" and high > 20 and visible >= 20_000
            print(f"{name:7} {kind:6} {visible:6} cells  p50 {low:5.1f} ms  p95 {high:5.1f} ms")
    large = grid_scene(args.chunks, LEVELS, 1000)
    began = time.process_time()
    built = len(build_cells(large))
    seconds = time.process_time() - began
    print(f"{built} cells built in {seconds:.2f} s")
    rows.append({"scene": "building", "cells": built, "seconds": seconds})
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(late)


if __name__ == "__main__":
    sys.exit(main())

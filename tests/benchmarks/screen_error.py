"""Screen error of the plan against whole-level switching, at the same vertex budget.

Run as a script::

    python tests/benchmarks/screen_error.py [--points 10000000] [--views 20] [--json out.json]

Two clouds, one uniform and one clumped, are really binned into a pyramid: bins and chunks double a
level, a vertex stands at the mean of its bin, and a level's error is the measured p95 distance from
a point to the vertex that stands for it. Views look along an edge of the data or out from inside
it. Both rules see the same visible cells. The error of a view is the p95 over the level-0 cells in
it, weighted by the pixels they cover; cells that touch the camera are left out. Whole-level
switching shows the finest level of which all visible cells fit. ``exact``: at least half the views
reach level 0 nearly everywhere.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning import MARGIN_PX, build_cells, plan_view, visible_cells
from zv_viewer.planning.error import measure
from zv_viewer.testing.cameras import look_at
from zv_viewer.testing.scenes import level, scene_of

BUDGETS = (250_000, 500_000, 1_000_000)
CANVAS = (1920.0, 1080.0)
FINEST_BINS = 256
CHUNKS = 16
TARGETS = {"edge": 1.5, "inside": 2.0}


def uniform_cloud(rng, n):
    """(N, 3) float64 in the unit cube."""
    return rng.random((n, 3))


def clumped_cloud(rng, n):
    """(N, 3) float64 in the unit cube: nine tenths in 200 clumps, the rest anywhere."""
    weights = rng.pareto(1.5, 200) + 0.05
    member = rng.choice(200, n - n // 10, p=weights / weights.sum())
    width = np.exp(rng.uniform(np.log(0.004), np.log(0.06), 200))
    points = rng.random((200, 3))[member] + rng.normal(size=(len(member), 3)) * width[member, None]
    points = np.concatenate([points, rng.random((n // 10, 3))])
    return points - np.floor(points)


def pyramid(points):
    """A scene with the counts and errors that binning the points really gives."""
    levels = []
    for i in range(int(np.log2(CHUNKS)) + 1):
        bins, chunks = FINEST_BINS // 2**i, CHUNKS // 2**i
        cell = np.minimum((points * bins).astype(np.int64), bins - 1)
        if i == 0:
            where, error = cell // (bins // chunks), 0.0
        else:
            key = (cell[:, 0] * bins + cell[:, 1]) * bins + cell[:, 2]
            number = np.bincount(key, minlength=bins**3)
            mean = [
                np.bincount(key, points[:, a], bins**3) / np.maximum(number, 1) for a in range(3)
            ]
            square = sum((points[:, a] - mean[a][key]) ** 2 for a in range(3))
            error = float(np.sqrt(np.percentile(square, 95)))
            taken = np.flatnonzero(number)
            where = np.stack(np.unravel_index(taken, (bins,) * 3), axis=1) // (bins // chunks)
        flat = (where[:, 0] * chunks + where[:, 1]) * chunks + where[:, 2]
        counts = np.bincount(flat, minlength=chunks**3)
        rows = np.flatnonzero(counts)
        table = np.stack(np.unravel_index(rows, (chunks,) * 3), axis=1).astype(np.int64)
        edge = np.ones(3)
        levels.append(level(i, edge / chunks, edge / bins, table, counts[rows], error))
    return scene_of(levels, np.array([[0.0] * 3, [1.0] * 3]))


def edge_view(rng):
    """From beyond a corner, along an edge of the cube."""
    along = int(rng.integers(3))
    start = rng.integers(0, 2, 3).astype(float)
    end = start.copy()
    end[along] = 1 - start[along]
    outward = np.sign(start - 0.5) * rng.uniform(0.0, 0.3, 3)
    inward = -np.sign(end - 0.5) * rng.uniform(0.0, 0.15, 3)
    return look_at(
        start + outward, end + inward, up=np.roll([0.0, 0.0, 1.0], along), viewport=CANVAS
    )


def inside_view(rng):
    """From a place in the middle of the cube, in any direction."""
    eye = rng.uniform(0.25, 0.75, 3)
    return look_at(eye, eye + rng.normal(size=3), viewport=CANVAS)


def whole_level(tree, visible, budget, levels):
    """The finest level of which all visible cells fit the budget."""
    for i in range(levels):
        ids = tree.ids_of_level(i)
        if tree.count[ids][visible[ids]].sum() <= budget:
            return i
    return levels - 1


def shown_level(tree, target, cells):
    """The level each cell is shown at."""
    in_target = np.zeros(len(tree), bool)
    in_target[target] = True
    at = cells.copy()
    while not in_target[at].all():
        at = np.where(in_target[at], at, tree.parent[at])
    return tree.level[at]


def p95(error, area):
    """95th percentile of the error over the area."""
    order = np.argsort(error)
    share = np.cumsum(area[order])
    return float(error[order][np.searchsorted(share, 0.95 * share[-1])])


def compare(scene, cameras, budget):
    """Per view (ours, whole-level, vertices we show) at one budget."""
    tree = build_cells(scene)
    errors = np.array([tree.error[tree.ids_of_level(i)][0] for i in range(len(scene.levels))])
    rows = []
    for camera in cameras:
        plan = plan_view(tree, scene, camera, LodSettings(Budget(vertices=budget)))
        visible = visible_cells(tree, camera, MARGIN_PX)
        finest = tree.ids_of_level(0)
        cells = finest.start + np.flatnonzero(visible[finest])
        lo, hi = tree.lo[cells], tree.hi[cells]
        on = measure(camera, lo, hi)
        nearest = (lo + hi) / 2 @ camera.matrix[3, :3] + camera.matrix[3, 3]
        nearest -= (hi - lo) / 2 @ np.abs(camera.matrix[3, :3])
        kept = nearest > 0
        k, area = on.px_per_unit[kept], on.area_in_view[kept]
        ours = errors[shown_level(tree, plan.target, cells[kept])]
        rule = errors[whole_level(tree, visible, budget, len(scene.levels))]
        rows.append((p95(ours * k, area), p95(rule * k, area), plan.vertices))
    return np.array(rows)


def main(arguments=None):
    """Print the table; exit with 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--views", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    clouds = {"uniform": uniform_cloud, "clumped": clumped_cloud}
    views = {"edge": edge_view, "inside": inside_view}
    results, missed = [], 0
    print("cloud    view    budget     ours px  whole px  ratio  goal  vertices shown")
    for cloud, points in clouds.items():
        scene = pyramid(points(np.random.default_rng(1), options.points))
        for view, camera in views.items():
            rng = np.random.default_rng(2)
            cameras = [camera(rng) for _ in range(options.views)]
            for budget in BUDGETS:
                ours, whole, shown = np.median(compare(scene, cameras, budget), axis=0)
                missed += ours > whole / TARGETS[view]
                ratio = float(whole / ours) if ours > 0 else None  # None: ours is exact
                print(
                    f"{cloud:8} {view:6} {budget:8} {ours:10.2f} {whole:9.2f} "
                    f"{'exact' if ratio is None else f'{ratio:.2f}':>6} "
                    f"{TARGETS[view]:5.1f} {int(shown):10}"
                )
                results.append(
                    {
                        "cloud": cloud,
                        "view": view,
                        "budget": budget,
                        "ours_px": float(ours),
                        "whole_px": float(whole),
                        "ratio": ratio,
                        "goal": TARGETS[view],
                    }
                )
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

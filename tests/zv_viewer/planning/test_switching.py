"""Where levels change: what is found by asking is what a flight sees."""

from dataclasses import replace

import numpy as np
import pytest

from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning import build_cells, plan_view
from zv_viewer.planning.switching import level_in_middle, magnified, switch_of
from zv_viewer.testing.cameras import look_at, orthographic
from zv_viewer.testing.scenes import grid_scene

MUCH = Budget(10**12, 10**15)
STEP = 1.02


def seen(kind):
    scene = grid_scene(4, 3, 3000)
    middle = scene.origin.astype(float)
    if kind == "lines":
        scene = replace(scene, geometry="polyline", link_width=2, objects=np.arange(5))
    if kind == "flat":
        camera = orthographic(middle, 1.0, displayed=(0, 1), thickness=3.0)
        middle[2] = np.nan
    else:
        size = float((scene.bounds[1] - scene.bounds[0]).max())
        camera = look_at(middle + np.array([3.0, 0, 0]) * size, middle)
        # napari's views have w = 1 in the plane of their middle
        camera = replace(camera, matrix=camera.matrix / (3 * size))
    return scene, build_cells(scene), camera, middle


@pytest.mark.parametrize("kind", ["flat", "solid", "lines"])
def test_what_is_asked_is_what_a_flight_sees(kind) -> None:
    scene, tree, camera, middle = seen(kind)
    settings = LodSettings(MUCH, quality_px=4.0)

    def plan_at(view, previous):
        return plan_view(tree, scene, view, settings, previous=previous)

    found = [switch_of(tree, camera, middle, level, plan_at) for level in (1, 2)]
    assert any(found)
    for level, switch in zip((1, 2), found, strict=True):
        if switch is None:
            continue
        assert switch.coarse == level
        assert switch.fine < level
        assert switch.farther < switch.nearer
        assert seen_on_the_way(tree, camera, middle, plan_at, switch, level, nearer=True)
        assert seen_on_the_way(tree, camera, middle, plan_at, switch, level, nearer=False)


def seen_on_the_way(tree, camera, middle, plan_at, switch, level, *, nearer):
    """Whether a slow flight, plan after plan, changes level within a step or two of the place."""
    at = switch.nearer if nearer else switch.farther
    factor = (switch.farther / 1.1) if nearer else (switch.nearer * 1.1)
    plan = None
    for _ in range(60):
        plan = plan_at(magnified(camera, factor), plan)
        now = level_in_middle(tree, plan, middle)
        if (now < level) == nearer:
            return at / STEP**3 <= factor <= at * STEP**3
        factor *= STEP if nearer else 1 / STEP
    return False


def test_no_switch_where_nothing_finer_is_ever_shown() -> None:
    scene, tree, camera, middle = seen("solid")

    def locked(view, previous):
        return plan_view(tree, scene, view, LodSettings(MUCH, level_lock=2), previous=previous)

    assert switch_of(tree, camera, middle, 1, locked) is None
    assert switch_of(tree, camera, middle, 2, locked) is None


def test_a_magnified_view_keeps_its_middle() -> None:
    for kind in ("flat", "solid"):
        _, _, camera, middle = seen(kind)
        there = np.ones(4)
        there[:3] = middle if len(camera.displayed) == 3 else (*middle[:2], 0.0)
        step = np.array([1e-6, 2e-6, 0, 0])
        for factor in (0.1, 7.0):
            clip = magnified(camera, factor).matrix @ there
            assert np.allclose(clip[[0, 1, 3]], [0, 0, 1], atol=1e-9)
            moved, plain = magnified(camera, factor).matrix @ step, camera.matrix @ step
            assert np.allclose(moved[:2], factor * plain[:2])

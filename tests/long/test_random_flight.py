"""Five stores of all kinds in one window, flown over while all that can be changed is changed."""

from __future__ import annotations

import gc
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
from vispy import gloo

import zv_viewer
from zv_viewer import samples
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.rows import InBox, RandomRows, RowRule, ValueRange
from zv_viewer.session.filtering import filtering_of

pytestmark = pytest.mark.gui

CAP = Budget(40_000, 24 << 20)
KINDS = {"cells": 8000, "transcripts": 8000, "tracts": 16_000, "neurons": 12_000, "bodies": 12_000}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, made = tmp_path_factory.mktemp("five"), []
    for number, (kind, vertices) in enumerate(KINDS.items()):
        ndim = 2 if kind == "transcripts" else 3
        version = ("0.7.0", "0.9.2")[number % 2]
        made.append(folder / f"{kind}.zarrvectors")
        samples.make_sample(
            samples.Sample(kind, kind, kind, ndim, vertices, 7, 250.0, 62.5, 3, version), made[-1]
        )
    return made


def count() -> Counter[str]:
    """What may not be left behind."""
    QApplication.processEvents()
    gc.collect()
    held: Counter[str] = Counter(threads=threading.active_count())
    for thing in gc.get_objects():
        if isinstance(thing, gloo.globject.GLObject):
            held["GL objects"] += 1
        elif type(thing) is QTimer and _is_active(thing):
            held["timers"] += 1
    return held


def _is_active(timer: QTimer) -> bool:
    try:
        return bool(timer.isActive())
    except RuntimeError:  # its C++ half is gone
        return False


def random_rules(rng: np.random.Generator, scene) -> list[RowRule]:
    """Rules about vertices; none, often."""
    low, high = np.sort(rng.uniform(scene.bounds[0], scene.bounds[1], (2, scene.ndim)), axis=0)
    share = float(rng.uniform(0.2, 1.0))
    rules: list[RowRule] = [
        RandomRows(share),
        InBox(tuple(low.tolist()), tuple(high.tolist()), include=bool(rng.random() < 0.5)),
    ]
    numbers = [info for info in scene.attributes if info.limits is not None and info.columns == 1]
    if numbers:
        info = numbers[int(rng.integers(len(numbers)))]
        rules.append(ValueRange(info.name, low=float(rng.uniform(*info.limits))))
    chosen = rng.permutation(len(rules))[: int(rng.integers(3))]
    return [rules[nth] for nth in chosen.tolist()]


def change_something(rng: np.random.Generator, session) -> None:
    """A colour, a filter, what is selected, hidden, faded or searched for; or the quality."""
    scene, objects = session.scene, session.objects
    kind = int(rng.integers(9))
    if kind == 0:
        names = [None, *(info.name for info in scene.attributes)]
        session.color_by(names[int(rng.integers(len(names)))])
    elif kind == 1:
        session.update_settings(quality_px=float(rng.choice([0.75, 1.5, 8.0])))
    elif kind == 2:
        locks = [None, None, *(level.index for level in scene.levels)]
        session.update_settings(level_lock=locks[int(rng.integers(len(locks)))])
    elif kind == 8:
        filtering_of(session).set_rules(random_rules(rng, scene))
    elif objects is not None and objects.table is not None:
        ids = objects.table.ids
        if kind == 3:
            objects.select(rng.choice(ids, min(5, len(ids)), replace=False))
        elif kind == 4:
            objects.set_search(str(int(rng.choice(ids)))[:1] if rng.random() < 0.5 else "")
        elif objects.can_hide:
            [objects.hide, objects.ghost_rest, objects.show_all][kind - 5]()


def move(rng: np.random.Generator, viewer) -> None:
    """A step of a hand: across, nearer or further, around."""
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
    kind = int(rng.integers(3))
    reach = 30 / camera.zoom
    if kind == 0:
        step = rng.normal(0, reach, 3)
        middle = np.clip(np.array(camera.center) + step, 0, 1000)
        camera.center = tuple(middle.tolist())
    elif kind == 1:
        camera.zoom = float(np.clip(camera.zoom * np.exp(rng.normal(0, 0.1)), 0.3, 20))
    else:
        camera.angles = tuple((np.array(camera.angles) + rng.normal(0, 3, 3)).tolist())


def fly(viewer, sessions, rng: np.random.Generator, seconds: float) -> dict[str, float]:
    """Move and change for so long; the caps hold at every step. Figures of the flight."""
    end, steps = time.perf_counter() + seconds, 0
    process = psutil.Process()
    resident = []
    most: Counter[str] = Counter()
    while time.perf_counter() < end:
        move(rng, viewer)
        if rng.random() < 0.2:
            change_something(rng, sessions[int(rng.integers(len(sessions)))])
        for _ in range(3):
            QApplication.processEvents()
        steps += 1
        for session in sessions:
            stats = session.stats()
            assert stats.cache_bytes <= session.settings.budget.bytes * 1.1
            assert stats.buffer_rows <= session.layer.capacity
            most["bytes"] = max(most["bytes"], stats.cache_bytes)
        if steps % 50 == 0:
            resident.append(process.memory_info().rss)
            most |= count()
    return {
        "steps": steps,
        "MB held at most": most["bytes"] / 1e6,
        "threads": most["threads"],
        "GL objects": most["GL objects"],
        "resident MB first": resident[0] / 1e6 if resident else 0.0,
        "resident MB last": resident[-1] / 1e6 if resident else 0.0,
    }


def opened(viewer, stores: list[Path]) -> list:
    """Sessions of all stores, settled."""
    sessions = [zv_viewer.open_store(viewer, place, settings=LodSettings(CAP)) for place in stores]
    for session in sessions:
        assert session.wait(60), session.error
    return sessions


def five_at_once(make_napari_viewer, stores, seed: int, seconds: float) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    viewer = make_napari_viewer(show=True)
    viewer.dims.ndisplay = 3
    sessions = opened(viewer, stores)
    viewer.layers.clear()
    sessions.clear()
    before = count()  # napari keeps what it made for the first layers
    sessions = opened(viewer, stores)
    figures = fly(viewer, sessions, rng, seconds)
    for session in sessions:
        session.update_settings(level_lock=None)
    for session in sessions:
        assert session.wait(60), session.stats()
        stats = session.stats()
        assert not stats.holes
        assert not stats.failed
        figures["hole frames"] = figures.get("hole frames", 0) + stats.hole_frames
    viewer.layers.clear()
    sessions.clear()
    del session
    end = time.perf_counter() + 10
    while (left := count() - before) and time.perf_counter() < end:
        time.sleep(0.1)
    assert not left, left
    return figures


def test_a_few_seconds(
    make_napari_viewer: Callable, stores: list[Path], short_seed: int, figures: Callable
) -> None:
    found = five_at_once(make_napari_viewer, stores, short_seed, 3.0)
    figures(f"five stores at once: {found}")
    assert found["steps"] > 5


@pytest.mark.slow
def test_ten_minutes(
    make_napari_viewer: Callable,
    stores: list[Path],
    long_seed: int,
    long_seconds: float,
    figures: Callable,
) -> None:
    seconds = min(600.0, max(long_seconds, 30.0))
    found = five_at_once(make_napari_viewer, stores, long_seed, seconds)
    figures(f"five stores at once for {seconds:.0f} s, seed {long_seed}: {found}")
    assert found["resident MB last"] < found["resident MB first"] + 5 * CAP.bytes * 1.1 / 1e6

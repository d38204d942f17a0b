"""A selected object is drawn at full resolution whatever the view."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import make_store
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.session import full_selection, open_store

pytestmark = [pytest.mark.gui, pytest.mark.once]

COARSE = LodSettings(Budget(100_000, 1 << 28), quality_px=1e6)


@pytest.fixture(scope="module")
def streamlines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("full") / "lines"
    make_store("streamline", place)
    build_pyramid(str(place), factors=[(2.0, 1.0)])
    return place


def test_selected_objects_are_finer_than_the_rest(shared_viewer, qtbot, streamlines: Path) -> None:
    viewer = shared_viewer
    session = open_store(viewer, streamlines, settings=COARSE)
    assert session.wait(20)
    session.objects.load()
    qtbot.waitUntil(lambda: session.objects.table is not None and not session.objects.busy)
    levels = session.controller.drawn.object_levels
    coarse = levels[levels != 255].max()
    assert coarse > 0

    def shown(*ids: int) -> np.ndarray:
        session.objects.select(list(ids))
        qtbot.waitUntil(lambda: session.stats().selected_full == len(ids) and session.settled)
        return session.controller.drawn.object_levels

    ids = session.scene.objects
    levels = shown(2, 4)
    assert (levels[np.isin(ids, [2, 4])] == 0).all()
    rest = levels[~np.isin(ids, [2, 4])]
    assert (rest[rest != 255] == coarse).all()
    assert session.stats().selected_refused == 0
    levels = shown(3)
    assert (levels[np.isin(ids, [2, 4])] == coarse).all()
    tight = replace(COARSE, budget=Budget(int(session.stats().vertices_drawn * 0.8), 1 << 28))
    session.settings = tight
    qtbot.waitUntil(lambda: session.stats().selected_refused == 1 and session.settled)
    assert session.controller.drawn.object_levels[ids == 3] != 0
    session.settings = COARSE
    levels = shown()
    assert (levels[levels != 255] == coarse).all()


def test_a_selection_beyond_what_is_looked_for_is_told(
    shared_viewer, qtbot, streamlines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_selection, "MOST", 2)
    session = open_store(shared_viewer, streamlines, settings=COARSE)
    assert session.wait(20)
    session.objects.load()
    qtbot.waitUntil(lambda: session.objects.table is not None and not session.objects.busy)
    told: list[str] = []
    session.problem.connect(told.append)
    session.objects.select([2, 4])
    assert not told
    session.objects.select([2, 3, 4])
    assert told == ["2 of 3 selected objects are drawn at full resolution at most"]

"""Cells read before there is a controller are drawn at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.testing.data import cloud, points_store
from zv_viewer.controller import LodController
from zv_viewer.loading.executors import InlineExecutor
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.session.opening import Opening
from zv_viewer.testing.sinks import FakeSink


@pytest.mark.parametrize("first", [True, False])
def test_the_coarsest_cells_are_there_from_the_start(tmp_path: Path, first: bool) -> None:
    points_store(tmp_path / "s", cloud(600), levels=3)
    opened = Opening(tmp_path / "s", first=first).result(20)
    assert bool(opened.coarsest) is first
    sink = FakeSink(100_000)
    controller = LodController(
        opened.source,
        opened.scene,
        sink,
        InlineExecutor(),
        LodSettings(Budget(100_000, 1 << 24)),
        lambda: 0.0,
        tree=opened.tree,
    )
    controller.take_in(opened.coarsest)
    roots = np.flatnonzero(opened.tree.parent < 0)
    assert (controller.stats().bytes_read > 0) is first
    held = {outcome.job.cell for outcome in opened.coarsest}
    assert held == (set(roots.tolist()) if first else set())

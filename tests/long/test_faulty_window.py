"""A minute in the window over a network that fails: no hole, never frozen, settled soon after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import zv_viewer
from zarr_vectors.testing.servers import at_rate, http_server
from zv_viewer import samples
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.testing.faulty_flight import FAULTS, fly

pytestmark = [pytest.mark.slow, pytest.mark.gui]

SECONDS = 60.0


def test_a_minute_in_the_window(
    make_napari_viewer: Callable, tmp_path: Path, short_seed: int, figures: Callable
) -> None:
    store = tmp_path / "cells.zarrvectors"
    samples.make_sample(
        samples.Sample("s", "s", "cells", 3, 100_000, 3, 125.0, 31.25, 4, "0.9.2"), store
    )
    with http_server(tmp_path) as server:
        network = server.network
        network.latency_s, network.hang_s, network.remember = 0.05, 5.0, True
        viewer = make_napari_viewer(show=True)
        settings = LodSettings(Budget(60_000, 4_000_000))
        session = zv_viewer.open_store(viewer, server.at(store.name), settings=settings)
        assert session.wait(60), session.error
        network.rule = at_rate(0.05, FAULTS, seed=short_seed)
        felt = fly(viewer, session, SECONDS)
        network.rule = None
        assert session.wait(20), session.stats()
        failed = sum(bool(request.fault) for request in network.requests)
    stats = session.stats()
    figures(f"{failed} of {stats.requests} requests failed, {stats.retries} sent again; {felt}")
    assert failed > 20
    assert (stats.hole_frames, stats.failed, stats.trouble) == (0, 0, "")
    assert felt["gui_stall_ms_p99"] < 250

"""Stores behind a network, in the window: few round trips, a reason for every wait, no secrets."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QApplication, QLabel

import zv_viewer
from zarr_vectors.core.backends import open_backend
from zarr_vectors.testing.servers import Server, at_rate, from_number, http_server
from zv_viewer import samples
from zv_viewer.addresses import addresses
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.session.paint import PaintWatch
from zv_viewer.testing.faulty_flight import FAULTS, fly
from zv_viewer.testing.rounds import round_trips
from zv_viewer.widgets.show_store import DOCK, ask_for_store, show_store

pytestmark = pytest.mark.gui

LATENCY_S = 0.05
ROUND_TRIPS = 12
COUNTED_S = 0.2
"""Latency where round trips are counted: the machine's own time makes no more of them."""


@pytest.fixture(scope="session", params=["0.7.0", "0.9.2"])
def many_chunks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cells with attributes, and 64 chunks in the coarsest level."""
    path = tmp_path_factory.mktemp("far") / "cells.zarrvectors"
    cells = samples.Sample("s", "s", "cells", 3, 5000, 3, 125.0, 62.5, 2, request.param)
    samples.make_sample(cells, path)
    return path


@pytest.fixture(scope="session")
def few_chunks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cells in eight chunks, and one coarse one."""
    path = tmp_path_factory.mktemp("few") / "small.zarrvectors"
    samples.make_sample(
        samples.Sample("s", "s", "cells", 3, 2000, 3, 500.0, 125.0, 2, "0.9.2"), path
    )
    return path


@pytest.fixture
def far(few_chunks: Path) -> Iterator[Server]:
    """A web server a network away, and on it ``small.zarrvectors``."""
    with http_server(few_chunks.parent) as server:
        server.network.latency_s = LATENCY_S
        yield server


def run(seconds: float, done: Callable[[], bool] = lambda: False) -> bool:
    """Let the window live until ``done()``."""
    end = time.perf_counter() + seconds
    while not done() and time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.001)
    return done()


def rounds_to_first_frame(viewer, session, server: Server) -> int:
    """Round trips until a frame with data was painted."""
    counts: list[int] = []

    def painted(seconds: float) -> None:
        stats = session.stats()
        if stats is not None and stats.vertices_drawn and not counts:
            counts.append(round_trips(list(server.network.requests)))

    watch = PaintWatch(viewer, painted)
    assert run(30, lambda: bool(counts)), session.error
    watch.close()
    return counts[0]


@pytest.mark.once
def test_the_first_frame_takes_few_round_trips(
    make_napari_viewer: Callable, many_chunks: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    with http_server(many_chunks.parent) as server:
        server.network.latency_s = COUNTED_S
        session = show_store(viewer, server.at("cells.zarrvectors"))
        rounds = rounds_to_first_frame(viewer, session, server)
        session.close()
    assert 2 <= rounds <= ROUND_TRIPS


@pytest.mark.once
def test_a_bucket_with_options_from_python(
    make_napari_viewer: Callable, s3: Server, few_chunks: Path
) -> None:
    upload(few_chunks, s3, "small.zarrvectors")
    s3.network.requests.clear()
    s3.network.latency_s = COUNTED_S
    viewer = make_napari_viewer(show=True)
    session = zv_viewer.open_store(viewer, s3.at("small.zarrvectors"), **s3.options)
    assert rounds_to_first_frame(viewer, session, s3) <= ROUND_TRIPS
    assert session.wait(30)
    assert session.stats().vertices_drawn == 2000
    assert session.layer.name == "small"
    assert session.stats().latency_s >= COUNTED_S


@pytest.mark.once
def test_a_picture_by_the_command_from_the_environment(
    s3: Server, few_chunks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(few_chunks, s3, "small.zarrvectors")
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    s3.network.requests.clear()
    s3.network.latency_s = COUNTED_S
    picture, figures = tmp_path / "p.png", tmp_path / "s.json"
    address = s3.at("small.zarrvectors")
    # a process of its own: napari registers the commands of a plugin once in a process
    words = [sys.executable, "-W", "ignore", "-m", "zv_viewer", "render", address]
    subprocess.run([*words, "--out", str(picture), "--stats", str(figures)], check=True)
    stats = json.loads(figures.read_text())
    assert stats["vertices_drawn"] == 2000
    assert stats["url"] == address
    assert stats["remote"]
    assert round_trips(s3.network.requests) <= ROUND_TRIPS
    assert picture.stat().st_size > 1000


def test_offline_the_coarse_picture_stays_with_a_reason_and_settles_by_itself(
    make_napari_viewer: Callable, far: Server
) -> None:
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, far.at("small.zarrvectors"))
    session.update_settings(level_lock=1)
    assert session.wait(30)
    notices = len(notification_manager.records)
    coarse = session.stats().vertices_drawn
    far.network.rule = from_number(1, "reset")
    session.update_settings(level_lock=None)
    dock = viewer.window.dock_widgets[DOCK]
    assert run(10, lambda: "trying again" in dock.reason.text())
    assert "wait for the network" in dock.activity.text()
    assert "ms" in dock.network.text()
    stats = session.stats()
    assert stats.limited_by == stats.waiting_for == "network"
    assert stats.trouble in {"offline", "cut"}
    assert stats.vertices_drawn >= coarse
    assert not stats.holes
    assert run(2) is False  # longer than the first waits
    assert not session.settled
    far.network.rule = None
    assert session.wait(20)
    after = session.stats()
    assert set(after.levels_drawn) == {0}
    assert (after.hole_frames, after.failed, after.trouble) == (0, 0, "")
    assert len(notification_manager.records) == notices
    assert dock.trouble.text() == "none"


@pytest.mark.once
def test_a_server_that_asks_to_slow_down_is_said_to(
    make_napari_viewer: Callable, far: Server
) -> None:
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, far.at("small.zarrvectors"))
    session.update_settings(level_lock=1)
    assert session.wait(30)
    far.network.rule = from_number(1, "slow_down")
    session.update_settings(level_lock=None)
    dock = viewer.window.dock_widgets[DOCK]
    assert run(15, lambda: "slow down" in dock.reason.text()), dock.reason.text()
    far.network.rule = None
    assert session.wait(30)
    assert set(session.stats().levels_drawn) == {0}


@pytest.mark.once
def test_the_network_fails_now_and_then_and_nobody_sees_it(
    make_napari_viewer: Callable, small_store: Path
) -> None:
    with http_server(small_store.parent) as server:
        server.network.latency_s, server.network.hang_s = LATENCY_S, 1.0
        server.network.remember = True
        settings = LodSettings(Budget(4000, 150_000), quality_px=0.75)
        viewer = make_napari_viewer(show=True)
        session = zv_viewer.open_store(viewer, server.at("small.zarrvectors"), settings=settings)
        assert session.wait(30)
        server.network.rule = at_rate(0.2, FAULTS)
        figures = fly(viewer, session, 5.0)
        server.network.rule = None
        assert session.wait(20), session.stats()
        failed = [request for request in server.network.requests if request.fault]
    stats = session.stats()
    assert len(failed) >= 5
    assert stats.retries >= len(failed) / 2
    assert (stats.hole_frames, stats.failed, stats.trouble) == (0, 0, "")
    assert figures["gui_stall_ms_p99"] < 250, figures


def test_closing_while_the_server_is_silent_does_not_wait(
    make_napari_viewer: Callable, far: Server
) -> None:
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, far.at("small.zarrvectors"))
    session.update_settings(level_lock=1)
    assert session.wait(30)
    far.network.rule = from_number(1, "hang")
    session.update_settings(level_lock=None)
    assert run(10, lambda: session.stats().in_flight > 0)
    run(0.5)
    closed = []
    source = session.controller._source
    before, source.close = source.close, lambda: closed.append(before())
    started = time.perf_counter()
    session.close()
    assert run(5, lambda: bool(closed))
    assert time.perf_counter() - started < 5


def test_secrets_of_an_address_are_nowhere(
    make_napari_viewer: Callable, few_chunks: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    password = "zv-canary-5d1f"  # noqa: S105 - of this test only
    with http_server(few_chunks.parent, password=password) as server:
        viewer = make_napari_viewer(show=True)
        for address in (server.at("small.zarrvectors"), server.at("none.zarrvectors")):
            session = show_store(viewer, f"{address}?token={password}")
            assert run(30, lambda s=session: s.settled or s.error is not None)
            said = [session.path, repr(session), str(session.error), repr(session.scene)]
            said.append(repr(session.stats()))
            session.color_by("intensity") if session.error is None else None
        said += [layer.name for layer in viewer.layers]
        said += [viewer.title, viewer.window._qt_window.windowTitle()]
        said += [label.text() + label.toolTip() for label in all_labels(viewer)]
        said += [record.message for record in notification_manager.records]
        said += [record.getMessage() for record in caplog.records]
        assert run(10, addresses)
        said += addresses()
        dialog = ask_for_store(viewer)
        assert run(10, dialog.place.count)
        dialog.reject()
        said += [dialog.place.itemText(i) for i in range(dialog.place.count())]
        assert not [text for text in said if password in text]
        assert any("small.zarrvectors" in text for text in addresses())
        assert not any("none.zarrvectors" in text for text in addresses())


def all_labels(viewer) -> list[QLabel]:
    return viewer.window._qt_window.findChildren(QLabel)


def upload(store: Path, server: Server, name: str) -> None:
    """Put a folder into a bucket."""
    files = {path.relative_to(store).as_posix(): path for path in store.rglob("*")}
    place = open_backend(server.at(name), mode="a", **server.options)
    place.put_many({key: path.read_bytes() for key, path in files.items() if path.is_file()})

"""What tests share: a display where one is needed, Hypothesis profiles, real data, peers."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from zarr_vectors.testing.servers import (
    Server,
    azure_server,
    azurite_missing,
    gcs_server,
    http_server,
    s3_server,
)
from zv_viewer.display import a_display, has_display
from zv_viewer.errors import DisplayError

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile(
    "night",
    max_examples=2000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

ONCE = ("architecture", "benchmarks", "docs", "long", "scripts", "zv_viewer/planning")
"""Folders of tests that look for what is rare, only decide over arrays of numbers, or are not of
what another Python or Qt runs."""

os.environ.setdefault("ZV_AZURITE", str(Path(__file__).parent.parent / ".cache" / "azurite"))

_open_display = ExitStack()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where windows alone are asked for, files without one are not even imported."""
    if config.getoption("markexpr") != "gui" or not collection_path.match("test_*.py"):
        return None
    return "mark.gui" not in collection_path.read_text(encoding="utf-8") or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long columns to ``-m slow``, and give windows a place to open.

    Runs before markers select, so that those given here count.
    """
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parent.as_posix() + "/"
        if folder.startswith(tuple(f"{name}/" for name in ONCE)):
            item.add_marker("once")
    if "slow" not in config.getoption("markexpr"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        if slow:
            config.hook.pytest_deselected(items=slow)
            items[:] = [item for item in items if not item.get_closest_marker("slow")]
    if any(item.get_closest_marker("gui") for item in items):
        try:
            _open_display.enter_context(a_display(1400, 1000))
        except DisplayError as error:
            raise pytest.UsageError(f"{error}; or leave the window out: -m 'not gui'") from error
    elif not has_display():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_collection_finish() -> None:
    """What is there before the first test is not searched for garbage after each."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Close the display that was opened for the run."""
    _open_display.close()


@pytest.fixture(scope="session", autouse=True)
def _samples_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Samples made by tests, and by programs they start, go to a folder of the run."""
    with pytest.MonkeyPatch.context() as patch:
        if "ZV_VIEWER_CACHE" not in os.environ:
            patch.setenv("ZV_VIEWER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def long_seconds(request: pytest.FixtureRequest) -> float:
    """How long a test of the long columns may go on: its share of ``make test-long``'s limit."""
    share = float(os.environ.get("ZV_LONG_SECONDS", "60")) * 0.8
    return share / max(len(request.session.items), 1)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data; the test is skipped where none is named."""
    named = os.environ.get("ZV_TEST_DATA")
    if not named:
        pytest.skip("ZV_TEST_DATA names no folder of real data")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"ZV_TEST_DATA names {named}, which is not a folder")
    return folder


def _quiet(server: Server) -> Iterator[Server]:
    """A server whose network is quick and without faults at first, and again for the next test."""
    server.network.clear()
    yield server
    server.network.clear()


@pytest.fixture(scope="session")
def s3_of_the_run() -> Iterator[Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(s3_of_the_run: Server) -> Iterator[Server]:
    """An S3 bucket, one for all tests."""
    yield from _quiet(s3_of_the_run)


@pytest.fixture(scope="session")
def gcs_of_the_run() -> Iterator[Server]:
    with gcs_server() as server:
        yield server


@pytest.fixture
def gcs(gcs_of_the_run: Server) -> Iterator[Server]:
    """A bucket of the Google dialect, one for all tests."""
    yield from _quiet(gcs_of_the_run)


@pytest.fixture(scope="session")
def azurite() -> None:
    """Azurite, and a Node to run it with; the test is skipped where they are missing."""
    missing = azurite_missing()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


@pytest.fixture(scope="session")
def azure_of_the_run(azurite: None) -> Iterator[Server]:
    with azure_server() as server:
        yield server


@pytest.fixture
def azure(azure_of_the_run: Server) -> Iterator[Server]:
    """An Azure container, one for all tests."""
    yield from _quiet(azure_of_the_run)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Server]:
    """A web server without listing, for the test's own folder."""
    with http_server(tmp_path) as server:
        yield server


def _peer(variable: str) -> Path:
    named = os.environ.get(variable)
    if not named:
        pytest.skip(f"{variable} names no Python with the published package (make test sets it)")
    python = Path(named)
    if not python.exists():
        pytest.fail(f"{variable} names {named}, which does not exist")
    return python


@pytest.fixture(scope="session")
def peer_07() -> Path:
    """The Python of a venv that holds the published package writing format 0.7.0."""
    return _peer("ZV_PEER_07")


@pytest.fixture(scope="session")
def peer_09() -> Path:
    """The Python of a venv that holds the published package writing format 0.9.2."""
    return _peer("ZV_PEER_09")

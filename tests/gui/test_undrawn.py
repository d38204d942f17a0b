"""A store that the viewer does not draw yet: one sentence, whichever way it comes in."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from napari.utils.notifications import notification_manager

import zv_viewer
from zarr_vectors.testing.kinds import make_store
from zv_viewer import cli

pytestmark = pytest.mark.gui

KINDS = ("streamline", "graph", "mesh")


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"{request.param}.zarrvectors"
    make_store(request.param, path, format_version="0.9.2")
    return path


def one_sentence(said: str, store: Path) -> None:
    assert said.count("\n") == 1
    assert str(store) in said
    assert "does not draw yet" in said


def test_by_name(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([str(store)]) == 2
    one_sentence(capsys.readouterr().err, store)


def test_a_picture(store: Path, tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    # a process of its own: napari registers the commands of a plugin once in a process
    words = [sys.executable, "-W", "ignore", "-m", "zv_viewer", "render", str(store)]
    done = subprocess.run(
        [*words, "--out", str(picture), "--size", "640x480"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    # napari says of PyQt5 that its days are counted, before ours
    one_sentence(f"{done.stderr.splitlines()[-1]}\n", store)
    assert "Traceback" not in done.stderr
    assert not picture.exists()


def test_dropped_on_the_window(make_napari_viewer: Callable, qtbot, store: Path) -> None:
    viewer = make_napari_viewer(show=True)
    notification_manager.records.clear()
    viewer.open(str(store), plugin="zv-viewer")
    qtbot.waitUntil(lambda: bool(notification_manager.records), timeout=20_000)
    (record,) = notification_manager.records
    one_sentence(f"{record.message}\n", store)
    assert not viewer.layers


def test_from_python(make_napari_viewer: Callable, store: Path) -> None:
    viewer = make_napari_viewer(show=True)
    session = zv_viewer.open_store(viewer, store)
    assert not session.wait(20)
    one_sentence(f"{session.error}\n", store)
    assert session.mistake is None
    assert not viewer.layers

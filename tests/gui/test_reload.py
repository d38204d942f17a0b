"""Others write to a store that is open in a window: the new data is seen, nothing else moves."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import zv_viewer
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.types.polylines import write_polylines
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.objects.filters import IdSet
from zv_viewer.session import StoreSession

pytestmark = pytest.mark.gui

WRITE = """
import sys
import numpy as np
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.data import cloud
path, what = sys.argv[1:]
level = open_zv(path)[0]
if what == "vertices":
    rows = cloud(400, seed=5)
    with level.writer() as writer:
        writer.append_vertices_sync(rows.positions, attributes=dict(rows.attributes))
elif what == "paths":
    walk = np.linspace((-30, -20, 3), (30, 20, -9), 30)
    with level.writer() as writer:
        age = {"age": np.full(30, 7, np.float32)}
        writer.append_vertices_sync(walk, object_ids=np.full(30, 20), attributes=age)
elif what == "pyramid":
    build_pyramid(path, factors=[(2.0, 1.0)])
else:
    with level.writer() as writer:
        writer.add_attribute_sync("new", np.arange(level.vertex_count, dtype=np.float32))
"""


def write(path: Path, what: str) -> None:
    """Another process writes."""
    command = [sys.executable, "-W", "ignore", "-c", WRITE, str(path), what]
    subprocess.run(command, check=True, capture_output=True)


def points(path: Path, version: str) -> None:
    points_store(path, cloud(3000), format_version=version, chunk=25.0)


def streamlines(path: Path, version: str) -> None:
    rng = np.random.default_rng(1)
    walks = [rng.uniform(-20, 20, 3) + rng.normal(0, 1, (40, 3)).cumsum(0) for _ in range(20)]
    ages = [np.full(40, k, np.float32) for k in range(20)]
    write_polylines(
        path,
        walks,
        chunk_shape=(16.0,) * 3,
        bin_shape=(8.0,) * 3,
        format_version=version,
        geometry_type="streamline",
        vertex_attributes={"age": ages},
        bounds=([-60.0] * 3, [60.0] * 3),
    )


def open_window(make_napari_viewer: Callable, path: Path) -> tuple[object, StoreSession]:
    viewer = make_napari_viewer(show=True)
    settings = LodSettings(Budget(200_000, 64 << 20), quality_px=0.25, density_max=50.0)
    session = zv_viewer.open_store(viewer, path, settings=settings)
    assert session.wait(20)
    return viewer, session


def reloaded(qtbot, session: StoreSession, write_it: Callable[[], None]) -> None:
    """Write, and wait for the window to have noticed by itself."""
    with qtbot.waitSignal(session.reloaded, timeout=20_000):
        write_it()
    assert session.wait(20)


@pytest.mark.parametrize("version", [pytest.param("0.7.0", marks=pytest.mark.once), "0.9.2"])
def test_points_appended_and_a_pyramid_and_an_attribute(
    make_napari_viewer: Callable, qtbot, tmp_path: Path, version: str
) -> None:
    path = tmp_path / "s.zarrvectors"
    points(path, version)
    viewer, session = open_window(make_napari_viewer, path)
    session.color_by("value", colormap="magma", limits=(0.1, 0.8))
    viewer.scene.camera.angles = (10.0, 20.0, 30.0)
    viewer.scene.camera.zoom *= 0.9
    assert session.wait(20)
    layer, settings = session.layer, session.settings
    layer.opacity, layer.point_size = 0.7, 5.0
    camera = (viewer.scene.camera.angles, viewer.scene.camera.zoom, viewer.scene.camera.center)
    assert session.stats().vertices_in_view_level0 == 3000

    reloaded(qtbot, session, lambda: write(path, "vertices"))
    assert session.scene.levels[0].vertex_count == 3400
    assert session.stats().vertices_drawn == 3400

    reloaded(qtbot, session, lambda: write(path, "pyramid"))
    assert [level.index for level in session.scene.levels] == [0, 1]
    reloaded(qtbot, session, lambda: write(path, "attribute"))
    assert session.stats().bytes_read == 0  # nothing that is shown was written
    assert "new" in {info.name for info in session.scene.attributes}
    assert session.stats().vertices_drawn == 3400

    assert session.layer is layer
    assert list(viewer.layers) == [layer]
    assert session.settings == settings
    assert (session.colours.attribute, session.colours.limits) == ("value", (0.1, 0.8))
    assert (layer.opacity, layer.point_size) == (0.7, 5.0)
    now = (viewer.scene.camera.angles, viewer.scene.camera.zoom, viewer.scene.camera.center)
    assert np.allclose(np.hstack(now), np.hstack(camera))
    assert not session.controller.failures
    session.color_by("new")
    assert session.wait(20)
    assert session.stats().attribute == "new"


@pytest.mark.parametrize("version", [pytest.param("0.7.0", marks=pytest.mark.once), "0.9.2"])
def test_streamlines_appended_and_a_pyramid(
    make_napari_viewer: Callable, qtbot, tmp_path: Path, version: str
) -> None:
    path = tmp_path / "s.zarrvectors"
    streamlines(path, version)
    _, session = open_window(make_napari_viewer, path)
    layer, objects = session.layer, session.objects
    with qtbot.waitSignal(objects.loaded, timeout=10_000):
        objects.load()
    qtbot.waitUntil(lambda: not objects.busy, timeout=10_000)
    objects.select([3, 5])
    objects.hide()
    objects.set_filters([IdSet(frozenset(range(1, 7)))])
    qtbot.waitUntil(lambda: not objects.busy, timeout=10_000)
    looks = layer.object_looks

    for what, count in (("paths", 21), ("pyramid", 21)):
        reloaded(qtbot, session, lambda what=what: write(path, what))
        qtbot.waitUntil(lambda: not objects.busy, timeout=10_000)
        assert len(objects.table) == count
        assert objects.selected_ids.tolist() == [3, 5]
        assert objects.filters == (IdSet(frozenset(range(1, 7))),)
        known = np.isin(session.scene.objects, np.arange(-1, 20))
        assert np.array_equal(layer.object_looks[known], looks)
        assert session.stats().holes == 0
    assert session.layer is layer
    assert [level.index for level in session.scene.levels] == [0, 1]
    assert not session.controller.failures


def test_a_store_that_goes_away_leaves_its_picture(
    make_napari_viewer: Callable, qtbot, tmp_path: Path
) -> None:
    path = tmp_path / "s.zarrvectors"
    points(path, "0.9.2")
    _, session = open_window(make_napari_viewer, path)
    told: list[str] = []
    session.problem.connect(told.append)
    drawn = session.stats().vertices_drawn
    (path / "zarr.json").rename(tmp_path / "kept")
    qtbot.waitUntil(lambda: bool(told), timeout=10_000)
    assert "stays as it was" in told[0]
    session.reload()
    qtbot.waitUntil(lambda: not session.reloading, timeout=10_000)
    assert session.stats().vertices_drawn == drawn
    (tmp_path / "kept").rename(path / "zarr.json")
    session.reload()
    qtbot.waitUntil(lambda: not session.reloading, timeout=10_000)
    assert session.wait(20)
    assert session.stats().vertices_drawn == drawn


def test_another_kind_of_store_in_its_place_is_shown_in_a_layer_of_its_kind(
    make_napari_viewer: Callable, qtbot, tmp_path: Path
) -> None:
    path = tmp_path / "s.zarrvectors"
    points(path, "0.7.0")
    viewer, session = open_window(make_napari_viewer, path)
    name = session.layer.name
    streamlines(tmp_path / "other", "0.7.0")

    def exchange() -> None:
        shutil.rmtree(path)
        (tmp_path / "other").rename(path)

    exchange()
    with qtbot.waitSignal(session.reloaded, timeout=20_000):
        session.reload()
    assert session.wait(20)
    assert session.scene.geometry == "streamline"
    assert [layer.name for layer in viewer.layers] == [name]
    assert session.layer is viewer.layers[0]

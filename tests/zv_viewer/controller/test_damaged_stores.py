"""Damaged stores, read for the window: what is whole is drawn, what is not is named and counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store
from zv_viewer.controller import LodController, LodStats
from zv_viewer.loading import InlineExecutor
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.sources.store import StoreSource
from zv_viewer.testing.cameras import orthographic
from zv_viewer.testing.sinks import FakeSink

COUNT = 400
CHUNK = (0, -1, 0)
ALL = orthographic((0.0, 0.0, 0.0), 5.0, displayed=(0, 1, 2))
FINE = LodSettings(Budget(10**6, 10**9), quality_px=0.01, density_max=1e9)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def lose(path: Path) -> None:
    path.unlink()


def scramble(path: Path) -> None:
    path.write_bytes(b"notright" + path.read_bytes()[8:])


HARMS = [cut, lose, scramble]


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def make(store: Path, version: str, levels: int) -> None:
    points_store(
        store,
        cloud(COUNT),
        chunk=50.0,
        format_version=version,
        levels=levels,
        object_ids=np.arange(COUNT) % 3,
        object_attributes={"size": np.arange(3.0)},
        groups={0: [0, 1]},
    )


def chunk_file(store: Path, version: str, array: str, harm: Callable[[Path], None]) -> Path:
    """The file to harm of one chunk; raw numbers of 0.7 have a magic in their document only."""
    if version == "0.7.0":
        folder = store / "0" / array / ".".join(map(str, CHUNK))
        return folder / "zarr.json" if harm is scramble else folder / "c" / "0"
    origin = open_zv(store)[0].chunk_table.coords.min(axis=0)
    return Path(store / "0" / array / "c", *map(str, np.subtract(CHUNK, origin)))


def settle(store: Path, attribute: str | None = None) -> tuple[LodController, FakeSink, LodStats]:
    """Look at all of a store as finely as it goes, until the picture is settled."""
    source = StoreSource(str(store))
    sink, seconds = FakeSink(10**5), iter(range(10**6))
    controller = LodController(
        source, source.describe(), sink, InlineExecutor(), FINE, lambda: next(seconds) * 0.05
    )
    controller.set_attribute(attribute)
    controller.set_camera(ALL)
    for _ in range(1000):
        controller.tick()
        controller.on_frame(ALL)
        if controller.settled:
            return controller, sink, controller.stats()
    raise AssertionError(controller.stats())


def rows_of_chunk(store: Path) -> int:
    with open_zv(store) as opened:
        return len(opened[0].read_chunks([CHUNK])[CHUNK].positions)


def assert_named(controller: LodController, array: str, store: Path) -> None:
    """One sentence for one damaged chunk: array, chunk and store are in it."""
    (message,) = {failure.message for failure in controller.failures}
    for word in (f"0/{array}", str(CHUNK), store.as_uri()):
        assert word in message
    assert "\n" not in message


@pytest.mark.parametrize("harm", HARMS)
def test_without_a_pyramid_all_but_the_chunk_is_drawn(
    tmp_path: Path, version: str, harm: Callable[[Path], None]
) -> None:
    store = tmp_path / "s"
    make(store, version, 1)
    lost = rows_of_chunk(store)
    harm(chunk_file(store, version, "vertices", harm))
    controller, sink, stats = settle(store)
    assert lost > 0
    assert stats.vertices_drawn == sink.rows_drawn == COUNT - lost
    assert stats.failed == 1
    assert stats.limited_by == "failed"
    assert_named(controller, "vertices", store)


@pytest.mark.parametrize("harm", HARMS)
def test_with_a_pyramid_coarser_points_stand_for_the_chunk(
    tmp_path: Path, version: str, harm: Callable[[Path], None]
) -> None:
    store = tmp_path / "s"
    make(store, version, 2)
    lost = rows_of_chunk(store)
    harm(chunk_file(store, version, "vertices", harm))
    controller, sink, stats = settle(store)
    assert stats.failed == 1
    assert stats.holes == stats.hole_frames == 0
    assert stats.levels_drawn[0] == len(open_zv(store)[0].chunk_keys) - 1
    assert stats.levels_drawn[1] == 1
    fine = sum(len(sink.cells[i.cell]) for i in sink.items if controller.tree.level[i.cell] == 0)
    assert fine == COUNT - lost
    assert 0 < stats.vertices_drawn - fine <= lost
    assert_named(controller, "vertices", store)


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("name", ["value", "rgb", "kind"])
def test_vertices_are_drawn_whose_values_are_damaged(
    tmp_path: Path, version: str, name: str, levels: int, harm: Callable[[Path], None]
) -> None:
    store = tmp_path / "s"
    make(store, version, levels)
    lost = rows_of_chunk(store)
    harm(chunk_file(store, version, f"vertex_attributes/{name}", harm))
    controller, sink, stats = settle(store, name)
    assert stats.vertices_drawn == COUNT
    assert stats.failed >= 1
    assert stats.attribute_pending == 0
    drawn = [sink.cells[item.cell] for item in sink.items]
    without = sum(int(np.isnan(cell.values).sum()) for cell in drawn)
    assert without == lost
    assert_named(controller, f"vertex_attributes/{name}", store)


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize(
    "array", ["vertex_fragments", "object_index", "object_attributes/size", "groups"]
)
def test_arrays_that_no_picture_needs_cost_no_picture(
    tmp_path: Path, version: str, array: str, harm: Callable[[Path], None]
) -> None:
    store = tmp_path / "s"
    make(store, version, 2)
    files = [file for file in (store / "0" / array).rglob("*") if file.is_file()]
    files = [file for file in files if "c" in file.relative_to(store / "0" / array).parts]
    assert files
    for file in files:
        harm(file)
    controller, sink, stats = settle(store, "value")
    assert stats.vertices_drawn == sink.rows_drawn == COUNT
    assert stats.failed == 0
    assert controller.failures == []
    said = " ".join(StoreSource(str(store)).describe().warnings)
    assert ("0/object_index" in said) == (array == "object_index" and version == "0.9.2")


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_coarse_chunk_takes_nothing_from_the_finest(
    tmp_path: Path, version: str, harm: Callable[[Path], None]
) -> None:
    store = tmp_path / "s"
    make(store, version, 2)
    folder = store / "1" / "vertices"
    files = [file for file in folder.rglob("*") if file.is_file() and file.parent != folder]
    if version == "0.7.0":
        files = [file for file in files if (file.name == "0") != (harm is scramble)]
    harm(files[0])
    controller, sink, stats = settle(store)
    fine = sum(len(sink.cells[i.cell]) for i in sink.items if controller.tree.level[i.cell] == 0)
    assert stats.vertices_drawn == fine == COUNT
    assert stats.holes == 0
    assert stats.failed == 1
    (failure,) = controller.failures
    assert "1/vertices" in failure.message
    assert store.as_uri() in failure.message

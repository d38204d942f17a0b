"""The same work done at every place a store can be, in both formats, against real servers."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors import build_pyramid, open_zv, read_points
from zarr_vectors.core.backends.icechunk_backend import make_icechunk_session
from zarr_vectors.exceptions import StoreError
from zarr_vectors.testing.kinds import contents, make_store
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.testing.servers import Server, http_server
from zv_viewer.controller import LodController
from zv_viewer.loading.executors import ThreadExecutor
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.sources.store import StoreSource
from zv_viewer.testing.cameras import orthographic
from zv_viewer.testing.sinks import FakeSink

VERSIONS = ("0.7.0", "0.9.2")
LINKED = ("skeleton", "streamline", "mesh")
READ_ONLY = r"opened read-only|which is read only"
BIG_CHUNKS = {"chunk_shape": (60.0,) * 3, "bin_shape": (30.0,) * 3}
BUCKETS = {"s3": "s3_of_the_run", "gcs": "gcs_of_the_run", "azure": "azure_of_the_run"}
ALIKE = ("gcs", "azure", "icechunk-s3")  # asked as others are, and servers of tests are slow
CASES = (
    *((kind, version) for kind in ("disk", "url", "zip", "icechunk") for version in VERSIONS),
    ("s3", "0.9.2"),
    *(
        pytest.param((kind, version), marks=pytest.mark.once)
        for kind, version in (
            *(("s3", "0.7.0"), ("web", "0.7.0"), ("web", "0.9.2")),
            *((kind, "0.9.2") for kind in ALIKE),
        )
    ),
)

pytestmark = pytest.mark.network


@dataclass(frozen=True)
class Place:
    """Somewhere to write a store to, and to find it again.

    ``writing`` gives what a writer takes, ``reading`` what a reader takes, once ``commit`` has been
    called after a write.
    """

    kind: str
    writing: Callable[[str], Any]
    reading: Callable[[str], Any]
    commit: Callable[[], None] = lambda: None


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Each kind of place and format; places that are asked alike hold the newer one alone."""
    named: tuple[str, str] = request.param
    return named


@pytest.fixture(scope="module")
def place(
    case: tuple[str, str],
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """A kind of place; what its servers ask for is in the environment."""
    kind = case[0]
    folder = tmp_path_factory.mktemp(kind)
    with pytest.MonkeyPatch.context() as patch:
        if kind in BUCKETS:
            server: Server = request.getfixturevalue(BUCKETS[kind])
            for name, value in server.environment.items():
                patch.setenv(name, value)
            yield Place(kind, server.at, server.at)
        elif kind == "web":
            with http_server(folder) as server:
                yield Place(kind, lambda name: folder / name, server.at)
        elif kind.startswith("icechunk"):
            pytest.importorskip("icechunk")
            if kind == "icechunk":  # by address each operation is a commit
                root = f"icechunk+{folder.as_uri()}"
                yield Place(kind, lambda name: join(root, name), lambda name: join(root, name))
                return
            server = request.getfixturevalue(BUCKETS["s3"])
            for name, value in server.environment.items():
                patch.setenv(name, value)
            yield snapshots(kind, lambda name: f"icechunk+{server.url}/repository-{name}")
        elif kind == "zip":
            yield Place(
                kind,
                lambda name: folder / name,
                lambda name: folder / f"{name}.zip",
                lambda: zip_all(folder),
            )
        else:
            root = folder if kind == "disk" else folder.as_uri()
            yield Place(kind, lambda name: join(root, name), lambda name: join(root, name))


def join(root: Path | str, name: str) -> Path | str:
    return root / name if isinstance(root, Path) else f"{root}/{name}"


def zip_all(folder: Path) -> None:
    for store in filter(Path.is_dir, folder.iterdir()):
        with zipfile.ZipFile(f"{store}.zip", "w") as archive:
            for path in sorted(filter(Path.is_file, store.rglob("*"))):
                archive.write(path, path.relative_to(store).as_posix())


def snapshots(kind: str, at: Callable[[str], str]) -> Place:
    """Repositories: a writer gets a session, and a reader sees what was committed."""
    sessions: list[Any] = []

    def writing(name: str) -> Any:
        session, store = make_icechunk_session(at(name), mode="a")
        sessions.append(session)
        return store

    return Place(kind, writing, at, lambda: sessions.pop().commit("written"))


@pytest.fixture(scope="module")
def version(case: tuple[str, str]) -> str:
    return case[1]


@pytest.fixture(scope="module")
def written(place: Place, version: str) -> Any:
    """A store with objects, groups and attributes of every scope, for reading."""
    make(place, f"points-{version}", version)
    return place.reading(f"points-{version}")


def make(place: Place, name: str, version: str, kind: str = "objects", **options: Any) -> None:
    make_store(kind, place.writing(name), format_version=version, **BIG_CHUNKS, **options)
    place.commit()


def in_memory(version: str, kind: str = "objects", **options: Any) -> DictPlace:
    kept = DictPlace()
    make_store(kind, kept, format_version=version, **BIG_CHUNKS, **options)
    return kept


def test_written_and_read(written: Any, version: str) -> None:
    assert contents(written) == contents(in_memory(version))


def test_linked_geometry_is_written_and_read(place: Place, version: str) -> None:
    for kind in LINKED[:1] if place.kind in ALIKE else LINKED:
        make(place, f"{kind}-{version}", version, kind)
        assert contents(place.reading(f"{kind}-{version}")) == contents(in_memory(version, kind))


def test_opened(written: Any, version: str) -> None:
    store, same = open_zv(written), open_zv(in_memory(version))
    assert (store.zv_version, store.geometry_type, store.levels) == (version, "point_cloud", [0])
    assert store.bounds == same.bounds
    assert store[0].vertex_count == same[0].vertex_count
    assert store[0].chunk_table.coords.tolist() == same[0].chunk_table.coords.tolist()
    assert set(store[0].attribute_specs) == {"age", "rgb", "kind"}


def test_read_by_box_and_by_object(written: Any, version: str) -> None:
    same = in_memory(version)
    for choice in ({"bbox": ([-20.0] * 3, [30.0] * 3)}, {"object_ids": [1, 4]}):
        found, expected = (read_points(one, **choice) for one in (written, same))
        assert 0 < found["vertex_count"] < 240
        np.testing.assert_array_equal(found["positions"], expected["positions"])
    named, expected = (
        read_points(one, attribute_names=["kind", "age"])["vertex_attributes"]
        for one in (written, same)
    )
    assert set(named) == {"kind", "age"}
    for name, values in expected.items():
        np.testing.assert_array_equal(named[name], values)


def test_lazy(written: Any, version: str) -> None:
    level, same = open_zv(written)[0], open_zv(in_memory(version))[0]
    np.testing.assert_array_equal(level.vertices.compute(), same.vertices.compute())
    view, other = (one.filter(bbox=([-20.0] * 3, [30.0] * 3)) for one in (level, same))
    np.testing.assert_array_equal(view.vertices.compute(), other.vertices.compute())
    for name in same.attributes:
        np.testing.assert_array_equal(
            level.attributes[name].compute(), same.attributes[name].compute()
        )


def test_a_reader_does_not_write(written: Any, place: Place) -> None:
    backend = open_zv(written).backend
    assert backend.read_only
    with pytest.raises(StoreError, match=READ_ONLY):
        backend.put_many({"x": b""})
    with pytest.raises(StoreError, match=READ_ONLY):
        backend.delete_many(["zarr.json"])


def test_grown(place: Place, version: str) -> None:
    """Appended to, an attribute added, levels built, and looked at."""
    name = f"grown-{version}"
    make(place, name, version, "points")
    same = in_memory(version, "points")
    for at in (place.writing(name), same):
        with open_zv(at)[0].writer() as writer:
            writer.append_vertices_sync(
                np.linspace(-59, 85, 60).reshape(20, 3),
                attributes={
                    "age": np.arange(20, dtype=np.int16),
                    "rgb": np.zeros((20, 3), np.uint8),
                    "kind": ["a"] * 20,
                },
            )
            writer.add_attribute_sync("number", np.arange(260))
        build_pyramid(at, factors=[(2.0, 1.0)])
    place.commit()
    assert contents(place.reading(name)) == contents(same)
    far, near = looked_at(place.reading(name))
    assert 1 in far
    assert near == {0}


def looked_at(address: Any) -> list[set[int]]:
    """The levels a view settles on, from afar and from near."""
    source = StoreSource(address)
    scene = source.describe()
    middle = scene.bounds.mean(axis=0)
    controller = LodController(
        source,
        scene,
        FakeSink(20_000),
        ThreadExecutor(),
        LodSettings(budget=Budget(vertices=10_000, bytes=10_000_000)),
        time.monotonic,
    )
    seen = []
    try:
        for zoom in (0.02, 200.0):
            camera = orthographic(middle, zoom, displayed=(0, 1, 2))
            controller.set_camera(camera)
            end = time.monotonic() + 20
            while not controller.settled:
                assert time.monotonic() < end, controller.stats()
                controller.tick()
                controller.on_frame(camera)
                time.sleep(0.002)
            stats = controller.stats()
            assert (stats.failed, stats.holes) == (0, 0)
            seen.append(set(stats.levels_drawn))
    finally:
        controller.close()
    return seen

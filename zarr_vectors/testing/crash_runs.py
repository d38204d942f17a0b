"""Write operations that die at every call, and what must hold afterwards.

An operation is a row of :data:`OPERATIONS`. Its store, its outcome and the calls it makes are the
same at every run, so that what a reader sees is compared byte for byte: all of it as before, or all
of it as after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from zarr_vectors.constants import KNOWN_VERSIONS
from zarr_vectors.convert import convert
from zarr_vectors.core.backends import StorageBackend
from zarr_vectors.core.journal import FOLDER
from zarr_vectors.core.metadata import ParametricTypeDef
from zarr_vectors.core.opening import past_journal
from zarr_vectors.core.store import (
    add_resolution_level,
    create_store,
    open_store,
    remove_resolution_level,
    set_bounds,
    write_parametric_types,
)
from zarr_vectors.exceptions import StoreError
from zarr_vectors.headers.registry import HeaderRegistry
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid, coarsen_level
from zarr_vectors.rechunk import RechunkSpec, rechunk
from zarr_vectors.sharding.io import shard_store, unshard_store
from zarr_vectors.testing.crashes import Died, Dying
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.parametric import write_parametric_objects
from zarr_vectors.types.points import write_points
from zarr_vectors.types.polylines import write_polylines

Act = Callable[[Any, str], object]
"""What is done: (place, format version)."""

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Operation:
    """A write operation and the store it is done to.

    Attributes:
        start: Makes the store it starts from; None where it makes a new one.
        act: The operation.
    """

    start: Act | None
    act: Act


def cloud_of(count: int, seed: int = 3) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
    """Positions and an attribute of each kind."""
    rng = np.random.default_rng(seed)
    positions = rng.uniform(-15, 15, (count, 3))
    kinds = np.array(["a", "b", "c"])[rng.integers(0, 3, count)]
    return positions, {"value": rng.standard_normal(count).astype("f4"), "kind": kinds}


def write_cloud(place: Any, version: str, count: int = 12) -> None:  # noqa: ANN401
    """A new store with objects, groups and attributes of each scope."""
    positions, attributes = cloud_of(count)
    write_points(
        place,
        positions,
        chunk_shape=(20.0,) * 3,
        bin_shape=(5.0,) * 3,
        vertex_attributes=attributes,
        object_ids=np.arange(count) % 3,
        object_attributes={"weight": np.arange(3.0)},
        groups={0: [0, 1], 1: [2]},
        format_version=version,
    )


def write_pyramid(place: Any, version: str) -> None:  # noqa: ANN401
    """As :func:`write_cloud`, with a coarser level."""
    write_cloud(place, version)
    build_pyramid(place, factors=[(2.0, 1.0)])


def write_outdated(place: Any, version: str) -> None:  # noqa: ANN401
    """As :func:`write_pyramid`, with vertices appended since."""
    write_pyramid(place, version)
    append(place, version)


def append(place: Any, version: str) -> None:  # noqa: ANN401
    """Rows in chunks that are there, and in some beyond the bounds on either side."""
    positions = np.array([[1.0, 1, 1], [-50, 2, 2], [45, 45, 45], [2, 2, 2]])
    attributes: dict[str, Any] = {"value": [1.0, 99, 3, 4], "kind": ["a", "b", "c", "a"]}
    with open_zv(place)[0].writer() as writer:
        writer.append_vertices_sync(positions, object_ids=[3, 3, 4, 5], attributes=attributes)


def write_lines(place: Any, version: str) -> None:  # noqa: ANN401
    """Two paths through several chunks."""
    rng = np.random.default_rng(1)
    paths = [np.cumsum(rng.uniform(-6, 6, (n, 3)), axis=0) for n in (7, 4)]
    weights = [np.arange(float(len(path))) for path in paths]
    write_polylines(
        place,
        paths,
        chunk_shape=(20.0,) * 3,
        vertex_attributes={"weight": weights},
        format_version=version,
    )


def write_edges(place: Any, version: str) -> None:  # noqa: ANN401
    """A tree of a few nodes."""
    positions, _ = cloud_of(9)
    edges = np.array([[n, (n - 1) // 2] for n in range(1, 9)])
    write_graph(
        place, positions, edges, chunk_shape=(20.0,) * 3, kind="skeleton", format_version=version
    )


def write_faces(place: Any, version: str) -> None:  # noqa: ANN401
    """Triangles inside one chunk and across two."""
    positions = np.array([[1.0, 1, 1], [2, 1, 1], [1, 2, 1], [2, 2, 1], [22, 2, 1]])
    faces = np.array([[0, 1, 2], [1, 3, 2], [1, 4, 3]])
    write_mesh(place, positions, faces, chunk_shape=(20.0,) * 3, format_version=version)


def add_faces(place: Any, version: str) -> None:  # noqa: ANN401
    """An attribute of the faces inside one chunk."""
    with open_zv(place)[0].writer() as writer:
        writer.add_face_attribute_sync("area", [1.0, 2.0])


def write_other(place: Any, version: str) -> None:  # noqa: ANN401
    """A store converted from one of the other format."""
    source = DictPlace()
    write_pyramid(source, next(v for v in KNOWN_VERSIONS if v != version))
    convert(source, place, format_version=version)


def write_shapes(place: Any, version: str) -> None:  # noqa: ANN401
    """A parametric object in a store that is there."""
    write_parametric_objects(place, [{"type": "plane", "coefficients": [1.0, 2, 3, 4]}])


def write_packed(place: Any, version: str) -> None:  # noqa: ANN401
    """As :func:`write_cloud`, in shards."""
    write_cloud(place, version)
    shard_store(place, shard_size=2)


def attribute(name: str, scope: str = "vertex") -> Act:
    """An attribute added or replaced."""

    def act(place: Any, version: str) -> None:  # noqa: ANN401
        level = open_zv(place)[0]
        with level.writer() as writer:
            if scope == "object":
                writer.add_object_attribute_sync(name, [7, 8, 9])
            else:
                writer.add_attribute_sync(name, np.arange(level.vertex_count))

    return act


OPERATIONS: dict[str, Operation] = {
    "write points": Operation(None, write_cloud),
    "create a store": Operation(None, lambda p, v: create_store(p, format_version=v)),
    "add attribute": Operation(write_cloud, attribute("new")),
    "replace attribute": Operation(write_cloud, attribute("value")),
    "add object attribute": Operation(write_cloud, attribute("size", "object")),
    "replace object attribute": Operation(write_cloud, attribute("weight", "object")),
    "append": Operation(write_pyramid, append),
    "build pyramid": Operation(
        write_cloud, lambda p, v: build_pyramid(p, factors=[(2.0, 1.0), (2.0, 1.0)])
    ),
    "build pyramid again": Operation(
        write_outdated, lambda p, v: build_pyramid(p, factors=[(2.0, 1.0)])
    ),
    "coarsen level": Operation(
        write_cloud, lambda p, v: coarsen_level(p, 0, 1, coarsen_factor=2.0)
    ),
    "add level": Operation(
        write_cloud, lambda p, v: add_resolution_level(open_store(p, "r+"), 1, (2.0,) * 3)
    ),
    "remove level": Operation(
        write_pyramid, lambda p, v: remove_resolution_level(open_store(p, "r+"), 1)
    ),
    "grow bounds": Operation(
        write_cloud, lambda p, v: set_bounds(open_store(p, "r+"), ([-90.0] * 3, [90.0] * 3))
    ),
    "shrink bounds": Operation(
        write_cloud,
        lambda p, v: set_bounds(open_store(p, "r+"), ([-20.0] * 3, [9.0] * 3), force=True),
    ),
    "write polylines": Operation(None, write_lines),
    "write skeleton": Operation(None, write_edges),
    "write mesh": Operation(None, write_faces),
    "add face attribute": Operation(write_faces, add_faces),
    "build pyramid of lines": Operation(
        write_lines, lambda p, v: build_pyramid(p, factors=[(2.0, 1.0)])
    ),
    "convert": Operation(None, write_other),
    "rechunk": Operation(write_cloud, lambda p, v: rechunk(p, RechunkSpec("object_id"))),
    "shard": Operation(write_cloud, lambda p, v: shard_store(p, shard_size=2)),
    "unshard": Operation(write_packed, lambda p, v: unshard_store(p)),
    "add header": Operation(write_cloud, lambda p, v: HeaderRegistry(p).add("trk", {"n": 1})),
    "parametric objects": Operation(write_cloud, write_shapes),
    "parametric types": Operation(
        write_cloud,
        lambda p, v: write_parametric_types(
            open_store(p, "r+"), [ParametricTypeDef(0, "plane", ("a", "b", "c", "d"))]
        ),
    ),
}


def contents(place: StorageBackend) -> Files:
    """All keys and values a reader sees, but for the journal's own."""
    reader = past_journal(place, writing=False)
    return reader.get_many(k for k in reader.keys_below("") if not k.startswith(f"{FOLDER}/"))


@dataclass(frozen=True, slots=True)
class Run:
    """An operation done without a fault."""

    operation: Operation
    version: str
    before: Files
    after: Files
    calls: list[str]


def clean_run(name: str, version: str) -> Run:
    """The store before and after an operation, and the calls it makes."""
    operation = OPERATIONS[name]
    place = DictPlace()
    if operation.start is not None:
        operation.start(place, version)
    before = dict(place.items)
    dying = Dying(place)
    operation.act(dying, version)
    return Run(operation, version, before, dict(place.items), dying.log)


def points_of_failure(run: Run, ways: tuple[str, ...], step: int = 1) -> Iterator[tuple[int, str]]:
    """(number of the call, way) of every call that changes the store, or every few of them.

    A process that dies while it reads leaves what the call before left; reads only fail.
    """
    for number, call in enumerate(run.calls, 1):
        reads = call.startswith(("read", "list"))
        for place, way in enumerate(ways):
            if way != "once" and reads:
                continue
            if (number + place) % step == 0:
                yield number, way


def fault_in(run: Run, at: int, way: str, *, again: bool = True) -> str | None:
    """What is wrong after an operation died or failed at one call; None where nothing is."""
    place = DictPlace(run.before)
    dying = Dying(place, at, way)
    where = f"{way} call {at} ({run.calls[at - 1]})"
    told = None
    try:
        run.operation.act(dying, run.version)
        told = True
    except StoreError:
        told = False
    except Died:
        pass
    try:
        seen = contents(place)
        if seen not in (run.before, run.after):
            return f"{where}: neither as before nor as after"
        if told and seen != run.after:
            return f"{where}: told that it was done, and it is not"
        past_journal(place, writing=True)
        if contents(place) != seen:
            return f"{where}: a writer sees another store than a reader"
        if again and seen == run.before:
            run.operation.act(place, run.version)
        if again and contents(place) != run.after:
            return f"{where}: the next run does not finish the job"
    except StoreError as error:
        return f"{where}: {error}"
    return None

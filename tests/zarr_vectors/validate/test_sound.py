"""Stores of every kind, as they are written and as they should not be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zarr.storage import LocalStore

from zarr_vectors.constants import KNOWN_VERSIONS
from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.layouts.base import ChunkGrid, LinkRecords
from zarr_vectors.core.store import open_store
from zarr_vectors.encoding.fragments import encode_ranges
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.sharding.io import shard_store
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.testing.stores import UnlistableStore
from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.lines import write_lines
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.parametric import write_parametric_objects
from zarr_vectors.types.polylines import write_polylines
from zarr_vectors.validate import validate


def walks(count: int, steps: int, ndim: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [np.cumsum(rng.normal(size=(steps, ndim)) * 3, axis=0) for _ in range(count)]


def tree(count: int) -> np.ndarray:
    """(count - 1, 2) child and parent, node 0 the root."""
    rng = np.random.default_rng(4)
    children = np.arange(1, count)
    return np.column_stack([children, np.maximum(0, children - 1 - rng.integers(0, 3, count - 1))])


def sheet(side: int) -> tuple[np.ndarray, np.ndarray]:
    """A square of ``side`` by ``side`` vertices."""
    rows = np.arange(side * side).reshape(side, side)
    corners = rows[:-1, :-1].reshape(-1)
    faces = np.column_stack([corners, corners + 1, corners + side])
    more = np.column_stack([corners + 1, corners + side + 1, corners + side])
    places = np.stack(np.divmod(np.arange(side * side), side), axis=1) * 60.0 / side - 30
    heights = np.random.default_rng(5).normal(size=side * side)
    return np.column_stack([places, heights]), np.concatenate([faces, more])


def write_cloud(place: Any, **options: Any) -> None:
    points_store(place, cloud(80), object_ids=np.arange(80) % 4, groups={0: [1, 3]}, **options)


def write_chunked_cloud(place: Any, **options: Any) -> None:
    points_store(place, cloud(80), chunk_by_attribute="kind", **options)


def write_paths(place: Any, **options: Any) -> None:
    paths = walks(5, 30)
    write_polylines(
        place,
        paths,
        vertex_attributes={"step": [np.arange(len(path)) for path in paths]},
        object_attributes={"size": np.arange(5.0)},
        groups={0: [0, 4]},
        **shapes(options),
    )


def write_segments(place: Any, **options: Any) -> None:
    ends = np.stack([np.concatenate(walks(1, 40)), np.concatenate(walks(1, 40)) + 6], axis=1)
    write_lines(place, ends, object_attributes={"size": np.arange(40.0)}, **shapes(options))


def write_tree(kind: str) -> Callable[..., None]:
    def write(place: Any, **options: Any) -> None:
        edges = tree(70)
        write_graph(
            place,
            walks(1, 70)[0],
            edges,
            kind=kind,
            vertex_attributes={"radius": np.linspace(1, 2, 70)},
            link_attributes={"length": np.arange(len(edges))},
            **shapes(options),
        )

    return write


def write_sheet(encoding: str) -> Callable[..., None]:
    def write(place: Any, **options: Any) -> None:
        vertices, faces = sheet(9)
        write_mesh(
            place,
            vertices,
            faces,
            encoding=encoding,
            vertex_attributes={"height": vertices[:, 2]},
            face_attributes=None if encoding == "draco" else {"area": np.arange(len(faces))},
            **shapes(options),
        )

    return write


def shapes(options: dict[str, Any]) -> dict[str, Any]:
    return {"chunk_shape": (20.0,) * 3, "bin_shape": (5.0,) * 3, **options}


KINDS: dict[str, Callable[..., None]] = {
    "cloud": write_cloud,
    "cloud chunked by an attribute": write_chunked_cloud,
    "polylines": write_paths,
    "lines": write_segments,
    "graph": write_tree("graph"),
    "skeleton": write_tree("skeleton"),
    "mesh": write_sheet("raw"),
    "draco mesh": write_sheet("draco"),
}


@pytest.fixture(params=KNOWN_VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def assert_sound(place: Any) -> None:
    result = validate(place, level=5)
    assert result.ok, result.summary()
    assert not result.warnings, result.summary()
    assert "sound" in result.summary()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_sound(tmp_path: Path, version: str, kind: str) -> None:
    if kind == "draco mesh":
        pytest.importorskip("DracoPy")
    KINDS[kind](tmp_path / "s", format_version=version)
    assert_sound(tmp_path / "s")
    assert len(validate(tmp_path / "s", level=1).passed) == 3


@pytest.mark.parametrize("kind", ["polylines", "lines", "graph", "skeleton", "mesh"])
def test_pyramids_and_packed_stores_are_sound(tmp_path: Path, version: str, kind: str) -> None:
    KINDS[kind](tmp_path / "s", format_version=version)
    build_pyramid(tmp_path / "s", factors=[(2.0, 1.0), (2.0, 2.0)])
    assert_sound(tmp_path / "s")
    shard_store(tmp_path / "s")
    assert_sound(tmp_path / "s")


def test_other_places_and_handles(tmp_path: Path, version: str) -> None:
    write_cloud(tmp_path / "s", format_version=version)
    assert_sound(str(tmp_path / "s"))
    assert_sound(open_store(tmp_path / "s"))
    assert_sound(UnlistableStore(LocalStore(tmp_path / "s", read_only=True)))
    parametric = [{"type": "sphere", "coefficients": [0, 0, 0, 1]}]
    write_parametric_objects(tmp_path / "s", parametric, groups={0: [0]})
    assert_sound(tmp_path / "s")


def test_a_level_that_was_appended_to(tmp_path: Path, version: str) -> None:
    points_store(tmp_path / "s", cloud(80), format_version=version, levels=2)
    with open_zv(tmp_path / "s")[0].writer() as writer:
        more = cloud(5, low=0, high=70, seed=9)
        writer.append_vertices_sync(more.positions, attributes=dict(more.attributes))
    result = validate(tmp_path / "s", level=5)
    assert result.ok, result.summary()
    assert any("no longer describes" in text for text in result.warnings)


# links


def linked(tmp_path: Path, kind: str, version: str) -> tuple[Path, Any, Any]:
    KINDS[kind](tmp_path / "s", format_version=version)
    layout = open_handle(tmp_path / "s", "r+").layout
    records = layout.get_links("0")
    assert records is not None
    return tmp_path / "s", layout, records


@pytest.mark.parametrize("kind", ["polylines", "lines", "graph", "skeleton", "mesh"])
@pytest.mark.parametrize("end", [0, 1])
def test_a_link_to_a_row_that_is_not_there(
    tmp_path: Path, version: str, kind: str, end: int
) -> None:
    store, layout, records = linked(tmp_path, kind, version)
    rows = records.rows.copy()
    rows[-1, end] = 10_000
    layout.put_links("0", LinkRecords(records.chunks, rows), grid_at(store))
    result = validate(store)
    found = {(f.level, f.array, f.chunk) for f in result.findings}
    assert (3, "0/links/0", tuple(records.chunks[-1, end].tolist())) in found, result.summary()
    assert validate(store, level=2).ok


def test_a_child_of_two_parents(tmp_path: Path, version: str) -> None:
    store, layout, records = linked(tmp_path, "skeleton", version)
    twice = [np.concatenate([part, part[-1:]]) for part in (records.chunks, records.rows)]
    layout.put_links("0", LinkRecords(*twice), grid_at(store))
    result = validate(store, level=4)
    assert [(f.level, f.array) for f in result.findings if f.severity == "error"] == [
        (4, "0/links/0")
    ], result.summary()
    assert "2 parents" in result.errors[0]


def test_a_file_of_links_cut_short(tmp_path: Path, version: str) -> None:
    store, _, _ = linked(tmp_path, "graph", version)
    files = [f for f in (store / "0" / "links").rglob("*") if f.is_file() and f.name != "zarr.json"]
    file = max(files, key=lambda f: f.stat().st_size)
    file.write_bytes(file.read_bytes()[:-3])
    result = validate(store)
    assert {f.level for f in result.findings} == {3}, result.summary()
    named = next(f for f in result.findings if f.severity == "error")
    assert named.array is not None
    assert named.array.startswith("0/links")
    assert named.chunk is not None


def test_face_attributes_of_fewer_rows(tmp_path: Path, version: str) -> None:
    store, layout, records = linked(tmp_path, "mesh", version)
    inside = int((records.chunks == records.chunks[:, :1]).all(axis=(1, 2)).sum())
    with open_zv(store)[0].writer() as writer:
        writer.add_face_attribute_sync("area", np.arange(float(inside)))
    assert_sound(store)
    layout.forget()
    chunk = layout.list_cells("0/face_attributes/area")[0]
    layout.put_cells("0/face_attributes/area", {chunk: bytes(8)})
    result = validate(store)
    assert [(f.level, f.array, f.chunk) for f in result.findings] == [
        (3, "0/face_attributes/area", chunk)
    ], result.summary()


def test_a_mirror_of_links_between_levels_that_is_gone(tmp_path: Path, version: str) -> None:
    KINDS["graph"](tmp_path / "s", format_version=version)
    build_pyramid(tmp_path / "s", factors=[(2.0, 1.0)], cross_level_storage="explicit")
    layout = open_handle(tmp_path / "s", "r+").layout
    assert set(layout.link_families("1", [-1])) == {-1}
    for path in ("1/links/-1", "1/cross_chunk_links/-1"):
        layout.delete(path)
    result = validate(tmp_path / "s", level=5)
    assert [(f.level, f.array) for f in result.findings if f.severity == "error"] == [
        (5, "1/links/-1")
    ], result.summary()


def test_a_damaged_bitstream(tmp_path: Path, version: str) -> None:
    pytest.importorskip("DracoPy")
    KINDS["draco mesh"](tmp_path / "s", format_version=version)
    layout = open_handle(tmp_path / "s", "r+").layout
    chunk = layout.list_cells("0/vertices")[0]
    layout.put_cells("0/vertices", {chunk: b"notright" * 9})
    result = validate(tmp_path / "s")
    assert (3, "0/vertices", chunk) in [(f.level, f.array, f.chunk) for f in result.findings]


def grid_at(store: Path) -> ChunkGrid:
    table = open_zv(store)[0].chunk_table
    low, high = table.coords.min(axis=0) - 1, table.coords.max(axis=0) + 1
    return ChunkGrid(tuple(low.tolist()), tuple((high - low + 1).tolist()))


def test_a_table_over_links(tmp_path: Path, version: str) -> None:
    store, layout, _ = linked(tmp_path, "graph", version)
    chunk = layout.list_cells("0/link_fragments")[0]
    layout.put_cells("0/link_fragments", {chunk: encode_ranges(np.array([0]), np.array([999]))})
    result = validate(store)
    assert [(f.level, f.array, f.chunk) for f in result.findings] == [
        (3, "0/link_fragments", chunk)
    ], result.summary()


@pytest.mark.parametrize("kind", ["graph", "draco mesh"])
def test_damage_anywhere_is_reported_and_never_raised(
    tmp_path: Path, version: str, kind: str
) -> None:
    if kind == "draco mesh":
        pytest.importorskip("DracoPy")
    KINDS[kind](tmp_path / "s", format_version=version)
    documents = sorted((tmp_path / "s").rglob("zarr.json"))
    others = sorted(f for f in (tmp_path / "s").rglob("*") if f.is_file() and f not in documents)
    for file in (*documents[:: len(documents) // 5], *others[:: len(others) // 5]):
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        result = validate(tmp_path / "s", level=5)
        assert not result.ok, file
        file.write_bytes(whole.replace(b"[", b"{", 1).replace(b"\0\0\0", b"\xff\xff\xff", 1))
        assert validate(tmp_path / "s", level=5).summary()
        file.write_bytes(whole)
    assert_sound(tmp_path / "s")


def test_every_damaged_chunk_of_links_is_named(tmp_path: Path) -> None:
    store, layout, _ = linked(tmp_path, "graph", "0.7.0")
    chunks = layout.list_cells("0/links/0")[:3]
    for chunk in chunks:
        file = store / "0" / "links" / "0" / ".".join(map(str, chunk)) / "c" / "0"
        file.write_bytes(file.read_bytes()[:-3])
    found = {f.chunk for f in validate(store).findings if f.array == "0/links/0"}
    assert found == set(chunks)

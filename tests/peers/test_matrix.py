"""Every geometry in every form, both ways: packed, cut, converted, compressed, coarse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.convert import convert
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.rechunk import RechunkSpec, rechunk
from zarr_vectors.sharding.io import is_sharded, shard_store, unshard_store
from zarr_vectors.testing.agreement import assert_agrees
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.lines import read_lines, write_lines
from zarr_vectors.types.meshes import read_mesh, write_mesh
from zarr_vectors.types.points import read_points, write_points
from zarr_vectors.types.polylines import read_polylines, write_polylines

pytestmark = pytest.mark.peers

GEOMETRIES = ("point_cloud", "line", "polyline", "streamline", "graph", "skeleton", "mesh")
PATHS = ("polyline", "streamline")
FORMS = ("cut", "packed and cut", "packed and coarse")
MANY, LONG = 4, 14
SHAPES: dict[str, Any] = {"chunk_shape": [40.0] * 3, "bin_shape": [10.0] * 3}


def rows() -> np.ndarray:
    return np.arange(MANY * LONG).reshape(MANY, LONG)


def points() -> np.ndarray:
    """Walks one after the other, of both signs."""
    rng = np.random.default_rng(8)
    start = rng.uniform(-30, 30, (MANY, 1, 3))
    steps = rng.normal(0, 3, (MANY, LONG, 3)).cumsum(axis=1)
    return np.asarray((start + steps).reshape(-1, 3).astype(np.float32))


def links(geometry: str) -> np.ndarray:
    """Along the walks, so that neither release confuses rows (those cases are in test_graphs)."""
    table = rows()
    if geometry == "mesh":
        return np.stack([table[:, 2:], table[:, :-2], table[:, 1:-1]], axis=2).reshape(-1, 3)
    return np.stack([table[:, 1:], table[:, :-1]], axis=2).reshape(-1, 2)


OWNERS = np.repeat(np.arange(MANY), LONG)
AGE = np.arange(MANY * LONG, dtype=np.int16)


def part(geometry: str) -> np.ndarray:
    """What chunks are cut by: the releases want one value per object where there are links."""
    if geometry in ("graph", "skeleton", "mesh"):
        return OWNERS % 3
    return np.arange(MANY * LONG) // 7 % 3


def write_ours(place: str, geometry: str, version: str, *, cut: bool) -> None:
    given: dict[str, Any] = {**SHAPES, "format_version": version}
    if cut:
        given["chunk_by_attribute"] = "part"
    values = {"age": AGE, **({"part": part(geometry)} if cut else {})}
    if geometry == "line":
        given["object_attributes"] = {"part": part(geometry)[::2]}
        per_end = {"age": AGE.reshape(-1, 2)}
        write_lines(place, points().reshape(-1, 2, 3), vertex_attributes=per_end, **given)
    elif geometry in PATHS:
        per_line = {name: np.split(column, MANY) for name, column in values.items()}
        given["geometry_type"] = geometry
        write_polylines(place, np.split(points(), MANY), vertex_attributes=per_line, **given)
    else:
        given |= {"object_ids": OWNERS, "vertex_attributes": values}
        if geometry == "point_cloud":
            write_points(place, points(), **given)
        elif geometry == "mesh":
            write_mesh(place, points(), links(geometry), **given)
        else:
            write_graph(place, points(), links(geometry), kind=geometry, **given)


def write_theirs(peer: Any, store: str, geometry: str, *, cut: bool, **options: Any) -> None:
    given: dict[str, Any] = {"store": store, **SHAPES, **options}
    names = ["age", "part"] if cut else ["age"]
    if cut:
        given["chunk_by_attribute"] = "part"
    values = {"v_age": AGE, "v_part": part(geometry)}
    if geometry == "line":
        ends = points().reshape(-1, 2, 3)
        more = {"kind": "lines", "endpoints": ends, "object_columns": ["part"]}
        peer.call("write_paths", o_part=part(geometry)[::2], **more, **given)
    elif geometry in PATHS:
        more = {"kind": "polylines", "geometry_type": geometry, "columns": names}
        starts = np.arange(MANY + 1) * LONG
        peer.call("write_paths", positions=points(), starts=starts, **more, **values, **given)
    elif geometry == "point_cloud":
        more = {"columns": names, "object_ids": OWNERS}
        peer.call("write", positions=points(), **more, **values, **given)
    else:
        more = {"columns": names, "object_ids": OWNERS, "links": links(geometry)}
        more["form"] = "mesh" if geometry == "mesh" else "graph"
        if geometry != "mesh":
            more["kind"] = geometry
        peer.call("write_linked", positions=points(), **more, **values, **given)


def read_ours(place: str, geometry: str, level: int = 0) -> dict[str, np.ndarray]:
    if geometry == "line":
        return {"positions": read_lines(place, level=level).endpoints.reshape(-1, 3)}
    if geometry in PATHS:
        found = read_polylines(place, level=level)
        return {"positions": found.positions, "counts": np.diff(found.offsets)}
    if geometry == "point_cloud":
        return {"positions": read_points(place, level=level).positions}
    if geometry == "mesh":
        mesh = read_mesh(place, level=level)
        return {"positions": mesh.vertices, "links": mesh.faces}
    graph = read_graph(place, level=level)
    return {"positions": graph.positions, "links": graph.edges}


def read_theirs(peer: Any, store: str, geometry: str, level: int = 0) -> dict[str, np.ndarray]:
    if geometry == "line":
        found = peer.call("read_paths", store=store, kind="lines", level=level)
        return {"positions": found["endpoints"].reshape(-1, 3)}
    if geometry in PATHS:
        found = peer.call("read_paths", store=store, kind="polylines", level=level)
        return {"positions": found["positions"], "counts": found["counts"]}
    if geometry == "point_cloud":
        return {"positions": peer.call("read", store=store, level=level)["positions"]}
    form = "mesh" if geometry == "mesh" else "graph"
    found = peer.call("read_linked", store=store, form=form, level=level)
    return {"positions": found["positions"], "links": found["links"]}


def assert_equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    np.testing.assert_array_equal(one["positions"], other["positions"])
    if "counts" in one:
        np.testing.assert_array_equal(one["counts"], other["counts"][other["counts"] > 0])
    if "links" in one:
        assert joined(one) == joined(other)


def joined(found: dict[str, np.ndarray]) -> list[Any]:
    return sorted(found["positions"][found["links"]].tolist())


def assert_input(found: dict[str, np.ndarray], geometry: str) -> None:
    if geometry == "line" or geometry in PATHS:
        np.testing.assert_array_equal(found["positions"], points())
        return
    assert sorted(found["positions"].tolist()) == sorted(points().tolist())
    if geometry != "point_cloud":
        assert joined(found) == sorted(points()[links(geometry)].tolist())


@pytest.mark.parametrize("form", [*FORMS, "converted", "cut again"])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_ours_is_read_equal(peer: Any, tmp_path: Path, geometry: str, form: str) -> None:
    store = str(tmp_path / "ours")
    if form == "converted":
        other = "0.9.2" if peer.version == "0.7.0" else "0.7.0"
        write_ours(str(tmp_path / "other"), geometry, other, cut=False)
        convert(tmp_path / "other", store, format_version=peer.version)
    else:
        write_ours(store, geometry, peer.version, cut=form in FORMS and "cut" in form)
    if form == "cut again":
        rechunk(store, RechunkSpec("object_id"))
    if "coarse" in form:
        build_pyramid(store, factors=[(2, 1), (2, 1)])
    if "packed" in form:
        shard_store(store, "octree", 4)
    assert_input(read_theirs(peer, store, geometry), geometry)
    levels = open_zv(store).levels
    assert levels == ([0, 1, 2] if "coarse" in form else [0])
    for level in levels:
        theirs = read_theirs(peer, store, geometry, level)
        assert_equal(read_ours(store, geometry, level), theirs)
    about = {"name": "age", "dtype": "int16", "ncols": 1}
    found = peer.call("read_attribute_rows", store=store, **about)["values"]
    ours = open_zv(store)[0].attributes["age"].compute()
    np.testing.assert_array_equal(found.reshape(-1), ours)


MORE: dict[str, dict[str, Any]] = {
    "zstd": {"compressor": "zstd"},
    "blosc": {"compressor": "blosc"},
    "packed at once": {"shard_shape": 2},
}


@pytest.mark.filterwarnings("ignore:.*keeps none on coarse levels")
@pytest.mark.parametrize("form", [*FORMS, *MORE])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_theirs_is_read_equal(peer: Any, tmp_path: Path, geometry: str, form: str) -> None:
    store = str(tmp_path / "theirs")
    if form in MORE and peer.version == "0.7.0":
        pytest.skip("that release does not compress or pack while it writes")
    write_theirs(peer, store, geometry, cut="cut" in form, **MORE.get(form, {}))
    if "coarse" in form:
        peer.call("coarsen", store=store, count=2)
    if form.startswith("packed and"):
        peer.call("pack", store=store)
    assert_input(read_ours(store, geometry), geometry)
    assert is_sharded(store) == ("packed" in form)
    assert_agrees(tmp_path / "theirs")
    if "packed" in form:
        unshard_store(store)
        assert_input(read_ours(store, geometry), geometry)
        if (geometry, peer.version) != ("skeleton", "0.7.0"):  # they hang trees from one another
            assert_input(read_theirs(peer, store, geometry), geometry)

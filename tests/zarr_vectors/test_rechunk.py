"""A store in other chunks says the same, and its chunks lead with what it was cut by."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.exceptions import ChunkingError
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.rechunk import RechunkSpec, rechunk, rechunk_by_attribute
from zarr_vectors.testing.kinds import KINDS, contents, make_store
from zarr_vectors.types.points import read_points

VERSIONS = ("0.7.0", "0.9.2")
EITHER = (pytest.param("0.7.0", marks=pytest.mark.once), "0.9.2")
WITH_OBJECTS = tuple(kind for kind in KINDS if kind != "points")


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def without_dims(said: dict[str, Any], name: str) -> dict[str, Any]:
    """What a store says but for the attribute its chunks lead with."""
    for level in said["levels"].values():
        if name in level["dtypes"]:
            column = 1 + sorted(level["dtypes"]).index(name)
            del level["dtypes"][name]
            rows = [(*row[:column], *row[column + 1 :]) for row in level["vertices"]]
            level["vertices"] = sorted(rows)
    return said


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], tuple[Path, Any]]:
    """A store of a kind and version with two levels, for all tests that only read it."""

    @cache
    def made(kind: str, version: str) -> tuple[Path, dict[str, Any]]:
        place = tmp_path_factory.mktemp("source") / "a"
        make_store(kind, place, format_version=version, chunk_shape=(40.0,) * 3)
        build_pyramid(place, factors=[(2, 1)])
        return place, contents(place)

    def given(kind: str, version: str) -> tuple[Path, dict[str, Any]]:
        place, said = made(kind, version)
        return place, deepcopy(said)

    return given


@pytest.mark.parametrize("version", EITHER)
@pytest.mark.parametrize("kind", KINDS)
def test_in_space(
    tmp_path: Path, source: Callable[[str, str], tuple[Path, Any]], kind: str, version: str
) -> None:
    store, before = source(kind, version)
    spec = RechunkSpec("spatial", spatial_chunk_shape=(40.0, 20.0, 60.0))
    if kind == "line":
        spec = RechunkSpec("spatial", spatial_chunk_shape=(40.0, 20.0, 60.0))
    said = rechunk(store, spec, tmp_path / "b")
    assert said["rechunk_dims"] == ["x", "y", "z"]
    assert open_zv(tmp_path / "b").chunk_shape == (40.0, 20.0, 60.0)
    assert contents(tmp_path / "b") == before
    rechunk(tmp_path / "b", RechunkSpec("spatial", spatial_chunk_shape=(20.0,) * 3))
    assert contents(tmp_path / "b") == before


@pytest.mark.parametrize(
    ("by", "version"),
    [
        pytest.param("object_id", "0.7.0", marks=pytest.mark.once),
        *((by, "0.9.2") for by in ("group", "object_id", "attribute:size")),
    ],
)
@pytest.mark.parametrize("kind", WITH_OBJECTS)
def test_by_object(
    tmp_path: Path,
    source: Callable[[str, str], tuple[Path, Any]],
    kind: str,
    by: str,
    version: str,
) -> None:
    if kind == "line" and by == "group":
        pytest.skip("lines have no groups")
    place, before = source(kind, version)
    said = rechunk(place, RechunkSpec(by), tmp_path / "b")
    name = by.removeprefix("attribute:")
    store = open_zv(tmp_path / "b")
    values = store[0].attribute_values
    assert (
        values
        == {
            "group": [-1, 0, 1],
            "object_id": list(range(6)),
            "size": [1.5 * k for k in range(6)],
        }[name]
    )
    assert said["bins_created"] == len(values)
    assert said["objects_rechunked"] == 6
    assert said["rechunk_dims"] == [name, "x", "y", "z"] == list(store[0].chunk_dims)
    after = contents(tmp_path / "b")
    for number, level in before["levels"].items():
        # a vertex that objects of several bins share is there once for each
        if len(after["levels"][number]["vertices"]) > len(level["vertices"]):
            assert kind == "objects"
            level["vertices"] = after["levels"][number]["vertices"] = []
    assert without_dims(after, name) == without_dims(before, name)
    # every chunk holds objects of its own bin alone
    for value in values:
        for part in store[0].read_attribute_chunk(value):
            assert len(part)


@pytest.mark.parametrize("version", EITHER)
@pytest.mark.parametrize("kind", ["points", "objects", "graph", "mesh", "streamline"])
def test_by_vertex(tmp_path: Path, kind: str, version: str) -> None:
    make_store(kind, tmp_path / "a", format_version=version)
    before = contents(tmp_path / "a")
    edges = [0.0, 30.0, 60.0, 100.0]
    rechunk(tmp_path / "a", RechunkSpec("attribute:age", bins=edges), tmp_path / "b")
    store = open_zv(tmp_path / "b")
    assert store[0].attribute_values == edges[:-1]
    assert store[0].chunk_attribute_name == "age_bin"
    for low, high in itertools.pairwise(edges):
        keys = [key for key in store[0].chunk_keys if store[0].attribute_values[key[0]] == low]
        for rows in store[0].read_chunks(keys, ["age"]).values():
            assert ((rows.attributes["age"] >= low) & (rows.attributes["age"] < high)).all()
    assert without_dims(contents(tmp_path / "b"), "age_bin") == before


@pytest.mark.parametrize("version", VERSIONS)
def test_by_kind_of_vertex(tmp_path: Path, version: str) -> None:
    make_store("points", tmp_path / "a", format_version=version)
    before = contents(tmp_path / "a")
    shape = (60.0,) * 3
    said = rechunk_by_attribute(
        tmp_path / "a", "kind", output=tmp_path / "b", spatial_chunk_shape=shape
    )
    assert said["rechunk_dims"] == ["kind", "x", "y", "z"]
    assert open_zv(tmp_path / "b")[0].attribute_values == ["a", "bb", "c"]
    assert contents(tmp_path / "b") == before  # told by the chunk, it reads as an attribute still
    found = read_points(tmp_path / "b", attribute_filter={"kind": "bb"}, attribute_names=["kind"])
    assert set(found.vertex_attributes["kind"]) == {"bb"}


@pytest.mark.parametrize("version", VERSIONS)
def test_in_place(tmp_path: Path, version: str) -> None:
    make_store("streamline", tmp_path / "a", format_version=version)
    before = contents(tmp_path / "a")
    said = rechunk(tmp_path / "a", RechunkSpec("group", prefix_dim_name="bundle"))
    assert said["output_path"] == str(tmp_path / "a")
    assert open_zv(tmp_path / "a")[0].chunk_dims == ("bundle", "x", "y", "z")
    assert without_dims(contents(tmp_path / "a"), "group") == before


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (RechunkSpec("color"), "cannot cut by 'color'"),
        (RechunkSpec("attribute:nothing"), "no attribute 'nothing'"),
        (RechunkSpec("attribute:pair"), "several columns"),
        (RechunkSpec("attribute:age", bins=[0, 5]), "none of the bins"),
        (RechunkSpec("attribute:age", bins=[5, 5]), "ascending"),
        (RechunkSpec("attribute:age", bins=[0, 99], categorical=True), "no edges"),
    ],
)
def test_what_cannot_be_done(tmp_path: Path, spec: RechunkSpec, problem: str) -> None:
    make_store("objects", tmp_path / "a")
    before = files(tmp_path / "a")
    with pytest.raises(ValueError, match=problem):
        rechunk(tmp_path / "a", spec)
    assert files(tmp_path / "a") == before


def test_chunks_must_hold_whole_bins(tmp_path: Path) -> None:
    make_store("points", tmp_path / "a")
    with pytest.raises(ChunkingError):
        rechunk(tmp_path / "a", RechunkSpec("spatial", spatial_chunk_shape=(25.0,) * 3))
    with pytest.raises(ValueError, match="no objects"):
        rechunk(tmp_path / "a", RechunkSpec("object_id"))
    rechunk(tmp_path / "a", RechunkSpec("attribute:kind"))
    with pytest.raises(ValueError, match="already"):
        rechunk(tmp_path / "a", RechunkSpec("spatial"))
    assert np.isfinite(open_zv(tmp_path / "a")[0].vertices.compute()).all()

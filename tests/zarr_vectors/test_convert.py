"""A store in the other format says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zarr_vectors.convert import convert
from zarr_vectors.core.store import open_store, read_root_metadata
from zarr_vectors.exceptions import StoreError
from zarr_vectors.headers.registry import HeaderRegistry
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.sharding.io import shard_store
from zarr_vectors.testing.kinds import KINDS, contents, make_store
from zarr_vectors.types.parametric import read_parametric_objects, write_parametric_objects

VERSIONS = ("0.7.0", "0.9.2")
EITHER = (pytest.param("0.7.0", marks=pytest.mark.once), "0.9.2")


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("version", EITHER)
@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back(tmp_path: Path, kind: str, version: str) -> None:
    other = VERSIONS[version == VERSIONS[0]]
    make_store(kind, tmp_path / "a" / "s", format_version=version, chunk_shape=(40.0,) * 3)
    build_pyramid(tmp_path / "a" / "s", factors=[(2, 1)])
    before, stored = contents(tmp_path / "a" / "s"), files(tmp_path / "a")
    said = convert(tmp_path / "a" / "s", tmp_path / "b" / "s", format_version=other)
    assert said["levels"] == [0, 1]
    assert open_zv(tmp_path / "b" / "s").zv_version == other
    assert contents(tmp_path / "b" / "s") == before
    convert(tmp_path / "b" / "s", tmp_path / "c" / "s", format_version=version)
    assert contents(tmp_path / "c" / "s") == before
    assert files(tmp_path / "a") == stored


def test_what_is_beside_the_levels(tmp_path: Path) -> None:
    make_store("points", tmp_path / "a", format_version="0.7.0", crs={"epsg": 4979})
    HeaderRegistry(tmp_path / "a").add("las", {"version": "1.4", "scale": [0.01] * 3})
    plane = {"type": "plane", "coefficients": [0.0, 0.0, 1.0, 2.0], "name": "floor"}
    write_parametric_objects(tmp_path / "a", [plane], object_attributes={"w": [2.5]})
    build_pyramid(tmp_path / "a", factors=[(2, 1), (2, 1)])
    convert(tmp_path / "a", tmp_path / "b", format_version="0.9.2")
    old, new = open_zv(tmp_path / "a"), open_zv(tmp_path / "b")
    assert new.headers == old.headers != {}
    assert new.crs == old.crs == {"epsg": 4979}
    assert read_parametric_objects(tmp_path / "b") == read_parametric_objects(tmp_path / "a")
    for level in old.levels:
        assert new[level].error == old[level].error
        assert new[level].bin_shape == old[level].bin_shape
        assert new[level].chunk_table.exact
    roots = [read_root_metadata(open_store(tmp_path / name)) for name in "ab"]
    assert roots[0].axes == roots[1].axes
    assert roots[0].base_bin_shape == roots[1].base_bin_shape


@pytest.mark.parametrize("version", VERSIONS)
def test_shards_are_taken_apart(tmp_path: Path, version: str) -> None:
    make_store("objects", tmp_path / "a", format_version=version)
    before = contents(tmp_path / "a")
    shard_store(tmp_path / "a", "octree", 8)
    convert(tmp_path / "a", tmp_path / "b", format_version=VERSIONS[version == VERSIONS[0]])
    assert contents(tmp_path / "b") == before


def test_a_copy_that_stops_leaves_nothing(tmp_path: Path) -> None:
    make_store("graph", tmp_path / "a", format_version="0.7.0")
    said: list[Any] = []
    with pytest.raises(StoreError, match="cancelled"):
        convert(
            tmp_path / "a",
            tmp_path / "b",
            format_version="0.9.2",
            progress=lambda *step: said.append(step),
            cancelled=lambda: len(said) > 2,
        )
    assert len(said) == 3
    assert not (tmp_path / "b" / "zarr.json").exists()
    convert(tmp_path / "a", tmp_path / "b", format_version="0.9.2")
    assert contents(tmp_path / "b") == contents(tmp_path / "a")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    make_store("points", tmp_path / "a")
    before = files(tmp_path / "a")
    with pytest.raises(StoreError, match="empty"):
        convert(tmp_path / "a", tmp_path / "a", format_version="0.9.2")
    assert files(tmp_path / "a") == before

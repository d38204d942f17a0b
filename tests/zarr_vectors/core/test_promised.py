"""Arrays that a store's record names and that are gone: named, wherever they are asked for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zarr_vectors.constants import OUTLINE_KEY
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import contents, make_store
from zarr_vectors.testing.servers import Server
from zarr_vectors.types.graphs import read_graph
from zarr_vectors.validate import validate

READS: dict[str, Callable[[StoreLike, int], Any]] = {
    "object_index": lambda place, level: open_zv(place)[level].present_oids,
    "object_attributes/size": lambda place, level: open_zv(place)[level].object_attribute("size"),
    "groups": lambda place, level: open_zv(place)[level].groups,
    "group_attributes/weight": lambda place, level: open_handle(place).layout.get_dense(
        f"{level}/group_attributes/weight"
    ),
    "links/0": lambda place, level: read_graph(place, level=level),
}


@pytest.fixture(scope="module", params=["0.7.0", "0.9.2"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / str(request.param)
    make_store("graph", folder, format_version=request.param, chunk_shape=(120.0,) * 3)
    build_pyramid(folder, factors=[(2.0, 1.0)])
    return folder


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "store"))


def lose(store: Path, array: str, *, whole: bool) -> None:
    """Take an array away, or its document alone."""
    if whole:
        shutil.rmtree(store / array)
    else:
        (store / array / "zarr.json").unlink()


@pytest.mark.parametrize("whole_array", [True, False], ids=["gone", "no document"])
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("name", READS)
def test_an_array_that_is_gone_is_named(
    store: Path, name: str, level: int, whole_array: bool
) -> None:
    array = f"{level}/{name}"
    lose(store, array, whole=whole_array)
    with pytest.raises(ArrayError, match=f"{array} .*recorded and not there"):
        READS[name](store, level)
    with pytest.raises(ArrayError, match=f"{array} .*recorded and not there"):
        contents(store)
    assert any(array in error and "is missing" in error for error in validate(store).errors)


@pytest.mark.parametrize("level", [0, 1])
def test_it_is_named_where_nothing_is_listed(store: Path, web: Server, level: int) -> None:
    array = f"{level}/object_attributes/size"
    lose(store, array, whole=True)
    place = f"{web.url}/store"
    assert open_zv(place)[level].object_attribute_names == ["pair", "size"]
    with pytest.raises(ArrayError, match=f"{array} .*recorded and not there"):
        open_zv(place)[level].object_attribute("size")


@pytest.mark.parametrize("name", READS)
def test_what_was_never_recorded_is_absent(store: Path, name: str) -> None:
    """As published writers leave a store, and those who know nothing of the record."""
    root = json.loads((store / "zarr.json").read_text())
    del root["attributes"][OUTLINE_KEY]
    (store / "zarr.json").write_text(json.dumps(root))
    level = json.loads((store / "1" / "zarr.json").read_text())
    level["attributes"]["zarr_vectors_level"]["arrays_present"] = ["vertices"]
    (store / "1" / "zarr.json").write_text(json.dumps(level))
    lose(store, f"1/{name}", whole=True)
    contents(store)


@pytest.mark.parametrize("far", [False, True], ids=["disk", "web"])
def test_a_level_made_anew_by_another_program_is_believed(
    store: Path, web: Server, far: bool
) -> None:
    """The record of level 1 is then of a level that is no more."""
    level = json.loads((store / "1" / "zarr.json").read_text())
    level["attributes"]["made"] = "by another program"
    (store / "1" / "zarr.json").write_text(json.dumps(level))
    lose(store, "1/object_attributes/size", whole=True)
    lose(store, "1/groups", whole=True)
    found = open_zv(f"{web.url}/store" if far else store)[1]
    assert found.groups is None
    with pytest.raises(ArrayError, match="has no 1/object_attributes/size"):
        found.object_attribute("size")
    if not far:
        assert found.object_attribute_names == ["pair"]

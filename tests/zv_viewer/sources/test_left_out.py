"""Levels that cannot stand for the finest are not shown, and said to be so."""

import json
import shutil
from pathlib import Path

import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import make_store
from zv_viewer.sources.left_out import (
    NO_LINKS,
    OTHER_IDS,
    left_out_warnings,
    levels_left_out,
)
from zv_viewer.sources.store import StoreSource


def change(path: Path, number: int, *, links: bool = True, ids: bool = True) -> None:
    """Take the links of a level away, or what says that its objects keep their ids."""
    root, level = path / "zarr.json", path / str(number) / "zarr.json"
    facts = json.loads(root.read_text())
    del facts["attributes"]["zarr_vectors_levels"]
    root.write_text(json.dumps(facts))
    facts = json.loads(level.read_text())
    own = facts["attributes"]["zarr_vectors_level"]
    if not links:
        del facts["attributes"]["zarr_vectors_links"]
        names = ("links", "cross_chunk_links")
        own["arrays_present"] = [n for n in own["arrays_present"] if not n.startswith(names)]
        for name in names:
            shutil.rmtree(path / str(number) / name, ignore_errors=True)
    if not ids:
        del own["preserves_object_ids"]
    level.write_text(json.dumps(facts))


def shown(path: Path) -> tuple[list[int], list[str]]:
    """Levels that are shown, and what is said of the others."""
    source = StoreSource(str(path))
    scene = source.describe()
    source.close()
    return (
        [level.index for level in scene.levels],
        [warning for warning in scene.warnings if "not shown" in warning],
    )


@pytest.fixture(params=["0.7.0", "0.9.2"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("kind", ["skeleton", "graph", "mesh"])
def test_levels_without_links(tmp_path: Path, kind: str, version: str) -> None:
    path = tmp_path / "s"
    make_store(kind, path, format_version=version)
    build_pyramid(str(path), factors=[(2.0, 1.0)] * 2)
    assert shown(path) == ([0, 1, 2], [])
    change(path, 1, links=False)
    assert shown(path) == ([0, 2], left_out_warnings({1: NO_LINKS}))


@pytest.mark.parametrize("kind", ["streamline", "mesh"])
def test_levels_whose_objects_are_numbered_anew(tmp_path: Path, kind: str, version: str) -> None:
    path = tmp_path / "s"
    make_store(kind, path, format_version=version)
    build_pyramid(str(path), factors=[(2.0, 1.0)] * 2)
    assert shown(path) == ([0, 1, 2], [])
    change(path, 2, ids=False)
    assert shown(path) == ([0, 1], left_out_warnings({2: OTHER_IDS}))


def test_points_need_neither(tmp_path: Path) -> None:
    path = tmp_path / "s"
    make_store("points", path)
    build_pyramid(str(path), factors=[(2.0, 1.0)])
    with open_zv(str(path)) as store:
        assert not store[1].preserves_object_ids
        assert levels_left_out(store) == {}


def test_in_words() -> None:
    assert left_out_warnings({1: NO_LINKS, 2: OTHER_IDS, 3: NO_LINKS}) == [
        "levels 1 and 3 are not shown: nothing joins the vertices; build the pyramid again",
        "level 2 is not shown: objects have other ids than at the finest level; "
        "build the pyramid again",
    ]

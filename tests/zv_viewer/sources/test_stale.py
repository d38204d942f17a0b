"""Levels that no longer describe the finest are named wherever a store is described."""

import json
from pathlib import Path

import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.data import Cloud, cloud, points_store
from zv_viewer import cli
from zv_viewer.sources.stale import stale_levels, stale_warnings
from zv_viewer.sources.store import StoreSource


@pytest.fixture(params=["0.7.0", "0.9.2"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Three levels of a cloud."""
    path = tmp_path / "s.zarrvectors"
    data = Cloud(cloud(600).positions, {})
    points_store(path, data, levels=3, format_version=request.param)
    return path


def append(path: Path) -> None:
    with open_zv(str(path)) as store, store[0].writer() as writer:
        writer.append_vertices_sync(cloud(20, seed=1).positions)


def about_age(path: Path) -> list[str]:
    source = StoreSource(str(path))
    warnings = source.describe().warnings
    source.close()
    return [warning for warning in warnings if "out of date" in warning]


def test_only_levels_made_before_the_change_are_named(store: Path) -> None:
    assert about_age(store) == []
    append(store)
    (warning,) = about_age(store)
    assert warning.startswith("levels 1 and 2 are out of date: vertices were appended")
    assert warning.endswith("build the pyramid again")
    build_pyramid(str(store), factors=[(2.0, 1.0)] * 2)
    assert about_age(store) == []


def test_info_says_so(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    append(store)
    assert cli.main(["info", str(store)]) == 0
    assert "note: levels 1 and 2 are out of date" in capsys.readouterr().out
    assert cli.main(["info", str(store), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["warnings"][0] == about_age(store)[0]
    stale = [level["stale"] for level in facts["levels"]]
    assert stale[0] is None
    assert all("appended" in reason for reason in stale[1:])


def test_a_sentence_for_each_reason(store: Path) -> None:
    with open_zv(str(store)) as handle:
        assert stale_levels(handle) == {}
    assert stale_warnings({}) == []
    assert stale_warnings({1: "a", 2: "b", 3: "b", 4: "b"}) == [
        "level 1 is out of date: a; build the pyramid again",
        "levels 2, 3 and 4 are out of date: b; build the pyramid again",
    ]

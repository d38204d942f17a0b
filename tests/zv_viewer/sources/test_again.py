"""A source read anew knows what is as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store
from zv_viewer.sources.base import KnowsChanges, Watched
from zv_viewer.sources.store import StoreSource


@pytest.fixture(params=["0.7.0", "0.9.2"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    points_store(tmp_path / "s", cloud(300), format_version=request.param, levels=2)
    return tmp_path / "s"


def test_what_was_not_written_is_unchanged(made: Path) -> None:
    source = StoreSource(made)
    assert isinstance(source, Watched)
    assert not source.news().changed
    with open_zv(made)[0].writer() as writer:
        writer.add_attribute_sync("new", np.arange(300, dtype=np.float32))
    assert source.news().changed
    again = source.again()
    assert isinstance(again, KnowsChanges)
    assert not again.news().changed
    assert [again.unchanged(level, "value") for level in (0, 1)] == [True, True]
    assert not again.unchanged(0, "new")
    rows = cloud(20, seed=5)
    attributes = {**rows.attributes, "new": np.zeros(20, np.float32)}
    with open_zv(made)[0].writer() as writer:
        writer.append_vertices_sync(rows.positions, attributes=attributes)
    last = again.again()
    assert not last.unchanged(0, None)
    assert last.unchanged(1, "value")


def test_a_source_that_was_never_read_before_knows_nothing(made: Path) -> None:
    assert not StoreSource(made).unchanged(0, None)


def test_archives_are_not_watched(made: Path, tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "s"), "zip", made)
    assert StoreSource(made).may_change
    assert not StoreSource(tmp_path / "s.zip").may_change

"""Points tell which object they belong to, whatever chunks are asked for and in which order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import make_store
from zarr_vectors.types.points import read_points
from zv_viewer.sources.store import StoreSource


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_rows_belong_to_the_objects_they_are_read_with(tmp_path: Path, version: str) -> None:
    make_store("objects", tmp_path / "store", format_version=version)
    build_pyramid(str(tmp_path / "store"), factors=[(2.0, 1.0)])
    source = StoreSource(tmp_path / "store")
    scene = source.describe()
    assert scene.has_objects
    assert not scene.by_object
    ids = scene.objects[1:]
    owner = {}
    for number in ids.tolist():
        own = read_points(tmp_path / "store", object_ids=[number])["positions"]
        owner |= {tuple(row): number for row in np.asarray(own, np.float64).tolist()}
    chunks = np.random.default_rng(1).permutation(scene.levels[0].chunks)
    positions = source.read(0, chunks).positions.astype(np.float64)
    found, _, requests = source.objects_of_rows(0, chunks)
    assert requests > 0
    assert [owner[tuple(row)] for row in positions.tolist()] == found.tolist()
    assert len(np.unique(found)) == len(ids)
    for level in scene.levels[1:]:
        coarse, _, _ = source.objects_of_rows(level.index, level.chunks)
        assert len(coarse) == level.vertex_count
        kept = open_zv(tmp_path / "store")[level.index].preserves_object_ids
        assert set(coarse.tolist()) <= (set(ids.tolist()) if kept else {-1})


def test_points_without_objects_have_none(tmp_path: Path) -> None:
    make_store("points", tmp_path / "store")
    source = StoreSource(tmp_path / "store")
    scene = source.describe()
    assert not scene.has_objects
    found, _, _ = source.objects_of_rows(0, scene.levels[0].chunks)
    assert (found == -1).all()

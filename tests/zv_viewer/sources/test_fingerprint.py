"""Fingerprints of stores: the same of a copy, another one of whatever else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors import build_pyramid, open_zv
from zarr_vectors.testing.kinds import make_store
from zv_viewer.model.fingerprint import Fingerprint, changes, rewritten
from zv_viewer.sources.base import KnowsFingerprint
from zv_viewer.sources.store import StoreSource

WIDE = {"chunk_shape": (40.0,) * 3, "bin_shape": (20.0,) * 3}


def printed(place: Path) -> Fingerprint:
    source = StoreSource(str(place))
    assert isinstance(source, KnowsFingerprint)
    try:
        return source.fingerprint()
    finally:
        source.close()


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", ["points", "streamline", "mesh"])
def test_a_fingerprint_is_of_the_store(tmp_path: Path, kind: str, version: str) -> None:
    place, copied = tmp_path / "store", tmp_path / "copy"
    make_store(kind, place, format_version=version, **WIDE)
    first = printed(place)
    assert printed(place) == first
    shutil.copytree(place, copied, copy_function=shutil.copyfile)
    assert changes(first, printed(copied)) == ()

    make_store(kind, tmp_path / "other", format_version=version, seed=1, **WIDE)
    assert changes(first, printed(tmp_path / "other"))

    build_pyramid(copied, factors=[(2, 1)])
    assert "level 1 is new" in changes(first, printed(copied))

    level = open_zv(place)[0]
    with level.writer() as writer:
        writer.add_attribute_sync("weight", np.arange(level.vertex_count, dtype="f4"))
    assert changes(first, printed(place)) == ("the attribute 'weight' is new",)


def test_a_store_written_to_without_other_metadata_is_told(tmp_path: Path) -> None:
    place = tmp_path / "store"
    make_store("points", place, **WIDE)
    first = printed(place)
    os.utime(place / "zarr.json", ns=(1, 1))
    assert changes(first, printed(place)) == ()
    assert rewritten(first, printed(place))

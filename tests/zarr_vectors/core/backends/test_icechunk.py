from __future__ import annotations

import importlib

import numpy as np
import pytest

from zarr_vectors.core.backends.icechunk_backend import make_icechunk_session
from zarr_vectors.core.store import commit, discard_changes, open_store, session_for
from zarr_vectors.exceptions import StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store


@pytest.fixture
def icechunk():
    return pytest.importorskip("icechunk")


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_snapshots(tmp_path, icechunk, version):
    place = str(tmp_path / "repo")
    session, store = make_icechunk_session(place, mode="a")
    points_store(store, cloud(60), format_version=version)
    root = open_store(store, "r+")
    assert session_for(root) is not None
    first = commit(root, "points")
    assert isinstance(first, str)
    expected = open_zv(make_icechunk_session(place, mode="r")[1])[0].vertices.compute()
    assert len(expected) == 60
    session, store = make_icechunk_session(place)
    level = open_zv(store)[0]
    with level.writer() as writer:
        writer.add_attribute_sync("new", np.arange(60))
    assert "new" not in open_zv(make_icechunk_session(place, mode="r")[1])[0].attributes
    discard_changes(open_store(store, "r+"))
    assert not session.has_uncommitted_changes
    session, store = make_icechunk_session(place)
    with open_zv(store)[0].writer() as writer:
        writer.add_attribute_sync("new", np.arange(60))
    session.commit("an attribute")
    assert "new" in open_zv(make_icechunk_session(place, mode="r")[1])[0].attributes
    old = open_zv(make_icechunk_session(place, mode="r", snapshot_id=first)[1])
    assert "new" not in old[0].attributes
    np.testing.assert_array_equal(old[0].vertices.compute(), expected)


def test_what_cannot_be_opened(tmp_path, icechunk):
    with pytest.raises(StoreError, match="cannot open the repository"):
        make_icechunk_session(str(tmp_path / "nothing"))
    make_icechunk_session(str(tmp_path / "repo"), mode="w")
    with pytest.raises(StoreError, match="cannot open the repository"):
        make_icechunk_session(str(tmp_path / "repo"), branch="twig")
    with pytest.raises(StoreError, match="ftp"):
        make_icechunk_session("ftp://host/place")
    with pytest.raises(StoreError, match="not written to"):
        make_icechunk_session(str(tmp_path / "repo"), snapshot_id="x")
    with pytest.raises(StoreError, match="mode"):
        make_icechunk_session(str(tmp_path / "repo"), mode="x")


def test_without_icechunk_one_sentence_says_what_to_do(tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(StoreError, match=r"pip install 'zv-viewer\[icechunk\]'"):
        make_icechunk_session(str(tmp_path / "repo"))

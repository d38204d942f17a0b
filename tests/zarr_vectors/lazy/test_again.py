"""A store that is open learns what others wrote to it, through its own connection."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from zarr.storage import MemoryStore

from zarr_vectors.exceptions import StoreError, ZVError
from zarr_vectors.lazy import ZVStore, open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.testing.servers import http_server


@pytest.fixture(params=["0.7.0", "0.9.2"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    points_store(tmp_path / "s", cloud(600), format_version=request.param)
    return tmp_path / "s"


def append(path: Path) -> None:
    rows = cloud(40, seed=5)
    with open_zv(path)[0].writer() as writer:
        writer.append_vertices_sync(rows.positions, attributes=dict(rows.attributes))


def add_attribute(path: Path) -> None:
    with open_zv(path)[0].writer() as writer:
        writer.add_attribute_sync("new", np.arange(600, dtype=np.float32))


def pyramid(path: Path) -> None:
    build_pyramid(path, factors=[(2.0, 1.0)])


@pytest.mark.parametrize("change", [append, add_attribute, pyramid])
def test_the_state_changes_with_every_commit(made: Path, change) -> None:
    store = open_zv(made)
    assert store.again().state == store.state
    change(made)
    new = store.again()
    assert new.state != store.state
    assert new.levels == open_zv(made).levels
    assert list(new[0].attributes) == list(open_zv(made)[0].attributes)
    assert new.vertex_count(0) == len(new.read()["positions"]) == open_zv(made).vertex_count(0)


def test_the_old_one_goes_on_with_what_it_knows(made: Path) -> None:
    store = open_zv(made)
    append(made)
    store.again()
    assert store.vertex_count(0) == 600


def test_a_writer_at_work_is_told_and_not_seen(made: Path) -> None:
    store = open_zv(made)
    handle = open_zv(made)._handle.for_writing()
    with handle.transaction("a test"):
        during = store.again()
        assert during.being_written
        assert during.vertex_count(0) == 600
    assert not during.again().being_written


def test_a_store_that_is_gone_or_damaged_is_an_error(made: Path) -> None:
    store = open_zv(made)
    root = made / "zarr.json"
    text = root.read_bytes()
    root.write_bytes(text[: len(text) // 2])
    with pytest.raises(ZVError):
        store.again()
    root.unlink()
    with pytest.raises(StoreError):
        store.again()
    root.write_bytes(text)
    assert store.again().levels == store.levels


def test_another_store_at_the_same_path(made: Path) -> None:
    store = open_zv(made)
    shutil.rmtree(made)
    points_store(made, cloud(70), format_version="0.9.2")
    new = store.again()
    assert new.zv_version == "0.9.2"
    assert len(new.read()["positions"]) == 70


def test_over_http_and_in_memory(made: Path) -> None:
    with http_server(made.parent) as server:
        store = open_zv(server.at("s"))
        assert store.again().state == store.state
        append(made)
        new = store.again()
        assert new.state != store.state
        assert len(new.read()["positions"]) == 640
    memory = MemoryStore()
    points_store(memory, cloud(50))
    assert isinstance(open_zv(memory).again(), ZVStore)

"""The layout contract over both formats and every kind of store."""

from __future__ import annotations

from pathlib import Path

import pytest
from zarr.storage import MemoryStore

from zarr_vectors.core.backends import open_backend
from zarr_vectors.core.keys import format_key
from zarr_vectors.testing.layout_contract import GRID, LayoutContract, Place
from zarr_vectors.testing.links_contract import LinksContract
from zarr_vectors.testing.stores import SlowStore, UnlistableStore
from zarr_vectors.typing import ChunkCoords


def key_07(path: str, chunk: ChunkCoords) -> str:
    return f"{path}/{format_key(chunk)}/c/0"


def key_09(path: str, chunk: ChunkCoords) -> str:
    index = (str(c - o) for c, o in zip(chunk, GRID.origin, strict=True))
    return f"{path}/c/{'/'.join(index)}"


def make_store(kind: str, folder: Path) -> object:
    if kind == "local":
        return folder / "store.zarrvectors"
    if kind == "obstore":
        return pytest.importorskip("obstore.store").MemoryStore()
    memory = MemoryStore()
    return {"memory": memory, "slow": SlowStore(memory), "unlistable": UnlistableStore(memory)}[
        kind
    ]


@pytest.mark.parametrize("kind", ["memory", "local", "unlistable", "slow", "obstore"])
class TestLayout07(LayoutContract, LinksContract):
    @pytest.fixture
    def place(self, kind: str, tmp_path: Path) -> Place:
        backend = open_backend(make_store(kind, tmp_path), mode="a")
        return Place("0.7.0", backend, kind != "unlistable", key_07)


@pytest.mark.parametrize("kind", ["memory", "local", "unlistable", "slow", "obstore"])
class TestLayout09(LayoutContract, LinksContract):
    @pytest.fixture
    def place(self, kind: str, tmp_path: Path) -> Place:
        backend = open_backend(make_store(kind, tmp_path), mode="a")
        return Place("0.9.2", backend, kind != "unlistable", key_09)

"""Stores that only this process can open: others help all the same, and are told no secret."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest
from obstore.store import MemoryStore as ObstoreMemory
from zarr.storage import MemoryStore

from zarr_vectors.core.backends import StorageBackend, open_backend
from zarr_vectors.multiresolution import clouds, linked
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.multiresolution.tiles import tiles_of
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.testing.servers import s3_server
from zarr_vectors.types.polylines import write_polylines

STEPS: list[tuple[float, float]] = [(2, 1), (2, 1)]


class Elsewhere:
    """A client that has only the bytes it is sent, as a cluster has."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self.secrets = [secret.encode() for secret in secrets]
        self.tasks = 0

    def submit(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        sent = pickle.dumps((function, args))
        assert not any(secret in sent for secret in self.secrets)
        self.tasks += 1
        work, given = pickle.loads(sent)  # noqa: S301  made above
        found: Future[Any] = Future()
        found.set_result(work(*given))
        return found


@contextmanager
def bucket() -> Iterator[tuple[Callable[[], Any], tuple[str, ...]]]:
    """Places in a bucket whose keys are given as options."""
    with s3_server() as server:
        places = (f"{server.url}/{number}/s" for number in range(9))
        yield lambda: open_backend(next(places), mode="a", **server.options), server.secrets


PLACES: dict[str, Callable[[], Any]] = {
    "zarr": lambda: nullcontext((MemoryStore, ())),
    "obstore": lambda: nullcontext((ObstoreMemory, ())),
    "bucket": bucket,
}


def content(place: Any) -> dict[str, Any]:
    """Everything a store holds, but for its name, which is where it is."""
    backend: StorageBackend = open_backend(place)
    found: dict[str, Any] = dict(backend.get_many(backend.keys_below("")))
    found["zarr.json"] = root = json.loads(found["zarr.json"])
    del root["attributes"]["ome"]["name"]
    return found


def write(place: Any, kind: str) -> None:
    if kind == "points":
        points_store(place, cloud(200), format_version="0.9.2", chunk=80.0, bins=8)
        return
    rng = np.random.default_rng(3)
    lines = [rng.normal(0, 2, (20, 3)).cumsum(axis=0).astype(np.float32) for _ in range(12)]
    grid = {"chunk_shape": (20.0,) * 3, "bin_shape": (5.0,) * 3}
    write_polylines(place, lines, **grid, format_version="0.9.2")


@pytest.mark.parametrize("kind", ["points", "lines"])
@pytest.mark.parametrize("name", PLACES)
def test_others_help_and_are_told_no_secret(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PLACES[name]() as (make, secrets):
        once, parts = make(), make()
        write(once, kind)
        write(parts, kind)
        build_pyramid(once, factors=STEPS)
        monkeypatch.setattr(clouds, "tiles_of", lambda table, scales: tiles_of(table, scales, 30))
        monkeypatch.setattr(linked, "BATCH_ROWS", 60)
        client = Elsewhere(secrets)
        build_pyramid(parts, factors=STEPS, client=client)
        assert client.tasks > len(STEPS)
        assert content(parts) == content(once)


def test_processes_help_with_a_store_in_memory() -> None:
    once, parts = MemoryStore(), MemoryStore()
    for place, workers in ((once, None), (parts, 2)):
        write(place, "points")
        build_pyramid(place, factors=STEPS, workers=workers)
    assert content(parts) == content(once)

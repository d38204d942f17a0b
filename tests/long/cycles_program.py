"""A program of its own that opens, reads and closes stores and counts what is left.

Arguments: seconds, cycles at most, ways to read, leaks put in on purpose (each joined by commas),
and the stores.
Prints one JSON object per cycle.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from obstore.store import LocalStore as ObjectStore
from zarr.core.buffer.cpu import Buffer
from zarr.storage import MemoryStore

from zarr_vectors import _sync
from zarr_vectors.exceptions import ZVError
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.stores import FailingStore, NthCall
from zarr_vectors.types.points import read_points
from zv_viewer.controller import LodController
from zv_viewer.loading.executors import ThreadExecutor
from zv_viewer.model.settings import LodSettings
from zv_viewer.planning import build_cells
from zv_viewer.sources.store import StoreSource
from zv_viewer.testing.cameras import orthographic
from zv_viewer.testing.linked_sink import LinkedSink

_kept: list[Any] = []
"""What a leak put in on purpose holds on to."""


def whole(place: Any) -> None:
    """Everything, and closed."""
    with open_zv(place, n_workers=2) as store:
        for number in store.levels:
            for name in store[number].attribute_specs:
                store[number].attributes[name].compute()
            store[number].filter(object_ids=[0, 1]).read()
        for _ in store.iter_chunks(0, prefetch=2):
            pass


def given_up(place: Any) -> None:
    """Left in the middle, and not closed."""
    store = open_zv(place, n_workers=2)
    chunks = store.iter_chunks(0, prefetch=1)
    next(chunks)
    chunks.close()
    open_zv(place)


def viewed(place: Any) -> None:
    """As the viewer does."""
    source = StoreSource(place)
    scene = source.describe()
    build_cells(scene)
    for level in scene.levels:
        stored = [info.name for info in scene.attributes if not info.computed]
        source.read(level.index, level.chunks, stored[:1])
    source.close()


def linked(place: Any) -> None:
    """In the layer's terms: cells, loaded and drawn by the loop that a window has."""
    source = StoreSource(place)
    scene = source.describe()
    middle = scene.bounds.mean(axis=0)
    rows = sum(level.vertex_count + 256 * len(level.chunks) for level in scene.levels)
    sink = LinkedSink(2 * rows, scene.link_width, len(scene.objects))
    executor = ThreadExecutor(2)
    controller = LodController(source, scene, sink, executor, LodSettings(), time.monotonic)
    controller.set_camera(orthographic(middle, 4.0, displayed=(0, 1, 2)))
    end = time.monotonic() + 10
    while not controller.settled and time.monotonic() < end:
        controller.tick()
        time.sleep(0.002)
    if not sink.items:
        raise SystemExit("nothing is drawn")
    controller.close()


def failed(place: Any) -> None:
    """Broken off by an error: of the store, of the caller, of the path."""
    for call in (
        lambda: open_zv(f"{place}/nothing"),
        lambda: open_zv(FailingStore(MemoryStore(), NthCall(1))),
        lambda: read_points(place, attribute_names=["nothing"]),
        lambda: read_points(place, level=9),
    ):
        try:
            call()
        except ZVError:
            continue
        raise SystemExit("an error was expected")


def through_obstore(place: Any) -> None:
    """By requests on the background loop."""
    read_points(ObjectStore(str(place)), attribute_names=["rgb", "kind"])


def in_memory(place: Any) -> None:
    """From a Zarr store."""
    store = MemoryStore()
    for path in Path(place).rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            key = path.relative_to(place).as_posix()
            _sync.run(store.set(key, Buffer.from_bytes(data)))
    read_points(store, attribute_names=["rgb"])


WAYS: dict[str, Callable[[Any], None]] = {
    "whole": whole,
    "given up": given_up,
    "viewed": viewed,
    "linked": linked,
    "failed": failed,
    "obstore": through_obstore,
    "memory": in_memory,
}

LEAKS: dict[str, Callable[[], Any]] = {
    "threads": lambda: threading.Thread(target=time.sleep, args=(1000,), daemon=True).start(),
    "files": lambda: _kept.append(os.open(__file__, os.O_RDONLY)),
    "sockets": lambda: _kept.append(socket.socket()),
    "tasks": lambda: _sync.run(_forgotten()),
    "memory": lambda: _kept.append(np.ones(2 * 2**20)),
}


async def _forgotten() -> None:
    _kept.append(asyncio.create_task(asyncio.sleep(1000)))


async def _count_tasks() -> int:
    return len(asyncio.all_tasks()) - 1


def count() -> dict[str, int]:
    """What the process holds now."""
    gc.collect()
    links = []
    for name in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:  # the listing's own
            continue
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "threads": threading.active_count(),
        "files": len(links),
        "sockets": sum(link.startswith("socket:") for link in links),
        "tasks": _sync.run(_count_tasks()),
        "memory": pages * os.sysconf("SC_PAGESIZE"),
    }


def main() -> None:
    """Run the cycles."""
    seconds, cycles, ways, leaks, *places = sys.argv[1:]
    end = time.monotonic() + float(seconds)
    for _ in range(int(cycles)):
        for place in places:
            for way in ways.split(","):
                WAYS[way](place)
        for leak in filter(None, leaks.split(",")):
            LEAKS[leak]()
        print(json.dumps(count()), flush=True)
        if time.monotonic() > end:
            break


if __name__ == "__main__":
    main()

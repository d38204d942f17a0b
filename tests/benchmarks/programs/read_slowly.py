"""Reads a store through a slow store, with whatever release runs it: ``read_slowly.py JOB``.

JOB is JSON: ``store``, ``delay`` in seconds, ``way``, ``level``, ``box``, ``columns``. Prints the
seconds and the vertices read.
"""

import asyncio
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from zarr.core.buffer.cpu import Buffer
from zarr.storage import MemoryStore, WrapperStore

warnings.simplefilter("ignore")


class Slow(WrapperStore):
    """Answers after a delay, as many at once as it is asked."""

    delay = 0.0

    async def get(self, key, prototype, byte_range=None):
        """A value, late."""
        await asyncio.sleep(self.delay)
        return await self._store.get(key, prototype, byte_range)

    async def get_partial_values(self, prototype, key_ranges):
        """Parts of values, late."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def _get_many(self, requests):
        wanted = list(requests)
        found = await asyncio.gather(*(self.get(*request) for request in wanted))
        for request, value in zip(wanted, found, strict=True):
            yield request[0], value

    async def is_empty(self, prefix):
        """Whether nothing is there, late."""
        await asyncio.sleep(self.delay)
        return await self._store.is_empty(prefix)

    async def exists(self, key):
        """Whether there is a value, late."""
        await asyncio.sleep(self.delay)
        return await self._store.exists(key)

    async def list_dir(self, prefix):
        """Child names, late."""
        await asyncio.sleep(self.delay)
        async for name in self._store.list_dir(prefix):
            yield name

    async def list_prefix(self, prefix):
        """Keys, late."""
        await asyncio.sleep(self.delay)
        async for key in self._store.list_prefix(prefix):
            yield key


def eager(store, job):
    """One call of the readers of whole results."""
    from zarr_vectors.types.points import read_points

    box = None if job["box"] is None else tuple(np.array(corner) for corner in job["box"])
    found = read_points(
        store, level=job["level"], bbox=box, attribute_names=list(job["columns"]) or None
    )
    return found["positions"]


def lazy(store, job):
    """Opening, then computing the vertices of a level."""
    from zarr_vectors.exceptions import StoreError
    from zarr_vectors.lazy import open_zv

    try:
        opened = open_zv(store)
    except StoreError:  # a release that opens addresses alone, and takes groups
        from zarr_vectors.core.store import open_store, read_root_metadata
        from zarr_vectors.lazy.store import ZVStore

        root = open_store(store, mode="r+")
        opened = ZVStore(root, read_root_metadata(root))
    level = opened[job["level"]]
    if job["box"] is None:
        return level.vertices.compute()
    return level.filter(bbox=tuple(np.array(corner) for corner in job["box"])).compute()


def main():
    """Read, and tell how long it took."""
    job = json.loads(sys.argv[1])
    root = Path(job["store"])
    files = (path for path in root.rglob("*") if path.is_file())
    items = {str(path.relative_to(root)): Buffer.from_bytes(path.read_bytes()) for path in files}
    # no path of a disk is left to read by: some releases go around a store that has one
    read = {"eager": eager, "lazy": lazy}[job["way"]]
    read(Slow(MemoryStore(dict(items))), job)  # what is imported on first use
    store = Slow(MemoryStore(items))
    Slow.delay = job["delay"]  # of the class: stores are wrapped anew to be read-only
    begin = time.perf_counter()
    found = read(store, job)
    seconds = time.perf_counter() - begin
    rows = sum(map(len, found)) if isinstance(found, list) else len(found)
    print(json.dumps([seconds, rows]))


main()

"""A program of its own, whose memory can be measured: writes a cloud, or edits an attribute of it.

``write PLACE COUNT VERSION`` or ``edit PLACE HISTORY WAY``; prints one JSON object with seconds and
peak memory. WAY is ``expression``, ``file`` or ``lasso``.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.core.handle import open_handle
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.points import write_points
from zv_viewer.edits.dry_run import rehearse
from zv_viewer.edits.history import History
from zv_viewer.edits.request import Request
from zv_viewer.edits.sources import FromExpression, FromFile, FromRule


def write(place: str, count: int, version: str) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    positions = rng.uniform(0, 1000, (count, 3)).astype("f4")
    values = {"value": rng.standard_normal(count, dtype="f4")}
    write_points(
        place,
        positions,
        chunk_shape=(100.0,) * 3,
        bin_shape=(12.5,) * 3,
        vertex_attributes=values,
        format_version=version,
    )
    build_pyramid(place, cross_level_storage="none")
    return {}


def edit(place: str, history: str, way: str) -> dict[str, Any]:
    handle = open_handle(place)
    count = handle.level(0).meta.vertex_count
    sources: dict[str, Any] = {
        "expression": FromExpression("sqrt(x**2 + y**2) * value"),
        "lasso": FromRule(lambda at, values: at[:, 0] > 500, (), "half of it"),
    }
    if way == "file":
        table = Path(history) / "rows.npy"
        table.parent.mkdir(parents=True, exist_ok=True)
        rows = np.lib.format.open_memmap(table, "w+", np.float32, (count,))
        for start in range(0, count, 1 << 20):
            rows[start : start + (1 << 20)] = start
        del rows
        sources["file"] = FromFile(table, "rows")
    start = time.perf_counter()
    with rehearse(handle, Request("new", "vertex", sources[way])) as dry:
        rehearsed = time.perf_counter() - start
        kept = History(Path(history))
        done = kept.write(handle, dry)
        written = time.perf_counter() - start - rehearsed
        keys, size = len(dry.changes), dry.bytes_written
    start = time.perf_counter()
    kept.undo(open_handle(place), done)
    return {
        "rehearsed_s": round(rehearsed, 2),
        "written_s": round(written, 2),
        "undone_s": round(time.perf_counter() - start, 2),
        "keys": keys,
        "bytes": size,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    name, *rest = sys.argv[1:]
    if name == "write":
        print(json.dumps(write(rest[0], int(rest[1]), rest[2])))
    else:
        print(json.dumps(edit(*rest)))
